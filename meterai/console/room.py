"""Registration of the room `console` with the applications."""

from meterai.console import approval_pages, lever_pages, search_pages, subject_pages
from meterai.console.demands import DEMANDS, UNDEMANDED
from meterai.console.front import front
from meterai.console.searching import Searching
from meterai.console.settings import ConsoleSettings, networks_of
from meterai.console.work import WorkCounts
from meterai.pages import DESK, Link, LinkPlace, RoomPages, ShownTo
from meterai.plumbing.config import Settings
from meterai.plumbing.keyring import Keyring
from meterai.room import Container, Room
from meterai.verification import VerificationService


def _needs(settings: Settings, _keyring: Keyring) -> None:
    networks_of(settings.of(ConsoleSettings).console_networks)


async def _build(container: Container) -> None:
    database, offers = container.database, container.offers
    key = container.keyring.derived("console searches")
    container.add(Searching(database, offers, container.of(VerificationService), key))
    container.add(WorkCounts(database, offers, container.settings, container.clock))


PAGES = RoomPages(
    "console",
    "meterai.console",
    links=(
        Link(LinkPlace.NAVIGATION, 60, DESK, "page.nav.console", ShownTo.STAFF),
        Link(LinkPlace.DESK, 10, DESK, "page.nav.search", ShownTo.STAFF),
        Link(LinkPlace.DESK, 40, "/console/levers", "page.nav.levers", ShownTo.STAFF),
        Link(LinkPlace.DESK, 50, "/console/approvals", "page.nav.approvals", ShownTo.STAFF),
    ),
)
ROOM = Room(
    name="console",
    settings=ConsoleSettings,
    needs=_needs,
    build=_build,
    services={"searching": Searching, "work": WorkCounts},
    routes=[
        *search_pages.routes,
        *subject_pages.routes,
        *lever_pages.routes,
        *approval_pages.routes,
    ],
    pages=PAGES,
    front=front,
    demands=DEMANDS,
    undemanded=UNDEMANDED,
)
