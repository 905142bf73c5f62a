"""Registration of the room `console`: everything that it offers to the applications, as a `Room`."""

from collections.abc import Sequence

from meterai.console import (
    approval_pages,
    channel_pages,
    lever_pages,
    numbers_pages,
    search_pages,
    subject_pages,
    work_pages,
)
from meterai.console.audited import AUDITED
from meterai.console.channels import WORK
from meterai.console.demands import DEMANDS, UNDEMANDED
from meterai.console.front import step
from meterai.console.metrics import METRICS
from meterai.console.retention import RETENTION
from meterai.console.samples import Samples
from meterai.console.searching import Searching
from meterai.console.settings import ConsoleSettings
from meterai.console.work import WorkCounts
from meterai.pages import DESK, LinkPlace, PageLink, RoomPages, ShownTo
from meterai.plumbing.config import Settings
from meterai.plumbing.keyring import Keyring
from meterai.plumbing.networks import networks_of
from meterai.plumbing.work.jobs import PeriodicTask
from meterai.room import Container, Room
from meterai.sealing import Issuers
from meterai.verification import VerificationService

SAMPLE_LOOK_SECONDS = 10.0  # seconds between two checks whether a minute has ended


def _needs(settings: Settings, _keyring: Keyring) -> None:
    networks_of("console_networks", settings.of(ConsoleSettings).console_networks)


async def _build(container: Container) -> None:
    database, offers = container.database, container.offers
    key = container.keyring.derived("console searches")
    container.add(Searching(database, offers, container.of(VerificationService), key))
    container.add(Samples(database, container.settings, container.clock))
    container.add(
        WorkCounts(database, offers, container.settings, container.clock, container.of(Issuers))
    )


def _tasks(container: Container) -> Sequence[PeriodicTask]:
    return [
        PeriodicTask(
            "sample_minutes",
            container.of(Samples).take,
            SAMPLE_LOOK_SECONDS,
            without_rows="one worker writes the row with the counts of the last minute",
        )
    ]


PAGES = RoomPages(
    "console",
    "meterai.console",
    links=(
        PageLink(LinkPlace.NAVIGATION, 60, DESK, "page.nav.console", ShownTo.STAFF),
        PageLink(LinkPlace.DESK, 10, DESK, "page.nav.search", ShownTo.STAFF),
        PageLink(LinkPlace.DESK, 20, "/console/work", "page.nav.work", ShownTo.STAFF),
        PageLink(LinkPlace.DESK, 25, "/console/channels", "page.nav.channels", ShownTo.STAFF),
        PageLink(LinkPlace.DESK, 30, "/console/numbers", "page.nav.numbers", ShownTo.STAFF),
        PageLink(LinkPlace.DESK, 40, "/console/levers", "page.nav.levers", ShownTo.STAFF),
        PageLink(LinkPlace.DESK, 50, "/console/approvals", "page.nav.approvals", ShownTo.STAFF),
    ),
)
ROOM = Room(
    name="console",
    global_tables={"console_samples": "counts of the whole installation, without personal data"},
    settings=ConsoleSettings,
    needs=_needs,
    build=_build,
    services={"searching": Searching, "work": WorkCounts, "samples": Samples},
    routes=[
        *search_pages.routes,
        *subject_pages.routes,
        *lever_pages.routes,
        *approval_pages.routes,
        *work_pages.routes,
        *numbers_pages.routes,
        *channel_pages.routes,
    ],
    pages=PAGES,
    step=step,
    demands=DEMANDS,
    undemanded=UNDEMANDED,
    work=WORK,
    tasks=_tasks,
    metrics=METRICS,
    audited=AUDITED,
    retention=RETENTION,
)
