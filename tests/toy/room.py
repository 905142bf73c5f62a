"""The guest book, as the applications see the room."""

from collections.abc import Sequence
from importlib import resources

from meterai.commands import Command, DemandScope, Directory, Schema
from meterai.plumbing.work.jobs import PeriodicTask
from meterai.room import Container, Room
from tests.toy.audited import AUDITED
from tests.toy.demands import DEMANDS
from tests.toy.invariants import INVARIANTS
from tests.toy.jobs import HANDLERS
from tests.toy.metrics import METRICS
from tests.toy.personal import PERSONAL
from tests.toy.retention import RETENTION
from tests.toy.routes import PAGES, routes
from tests.toy.service import GuestService
from tests.toy.settings import GuestSettings


async def _build(container: Container) -> None:
    container.add(GuestService(container.database, container.settings))


async def _is_open(_container: Container) -> None:
    """Refuse nothing: the book is always open."""


def _tasks(container: Container) -> Sequence[PeriodicTask]:
    look = container.of(GuestService).look
    return [PeriodicTask("look_at_guests", look, 5.0, without_rows="counts its own looks")]


COMMANDS = (
    Command(
        "guests list",
        "tests.toy.commands:list_guests",
        Directory.DATABASE,
        DemandScope.DATABASE,
        Schema.CURRENT,
    ),
)
ROOM = Room(
    name="guests",
    home=resources.files("tests.toy"),
    tables=frozenset({"guests"}),
    settings=GuestSettings,
    build=_build,
    ready={"guests": _is_open},
    services={"guests": GuestService},
    routes=routes,
    pages=PAGES,
    handlers=HANDLERS,
    tasks=_tasks,
    demands=DEMANDS,
    commands=COMMANDS,
    command_groups={"guests": "Who came."},
    personal=PERSONAL,
    metrics=METRICS,
    invariants=INVARIANTS,
    audited=AUDITED,
    retention=RETENTION,
)
