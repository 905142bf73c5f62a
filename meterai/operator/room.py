"""Registration of the room `operator`: everything that it offers to the applications, as a `Room`."""

from meterai.operator.demands import DEMANDS, UNDEMANDED
from meterai.operator.pages import PAGES, routes
from meterai.operator.service import OperatorTexts
from meterai.operator.settings import OperatorSettings
from meterai.plumbing.config import Settings
from meterai.plumbing.keyring import Keyring
from meterai.room import Container, Room


def _needs(settings: Settings, _keyring: Keyring) -> None:
    OperatorTexts(settings.of(OperatorSettings))


async def _build(container: Container) -> None:
    container.add(OperatorTexts(container.settings.of(OperatorSettings)))


ROOM = Room(
    name="operator",
    settings=OperatorSettings,
    needs=_needs,
    build=_build,
    services={"papers": OperatorTexts},
    routes=routes,
    pages=PAGES,
    demands=DEMANDS,
    undemanded=UNDEMANDED,
)
