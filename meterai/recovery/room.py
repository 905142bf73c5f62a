"""Registration of the room `recovery`: everything that it offers to the applications, as a `Room`."""

from collections.abc import Sequence

from meterai.commands import Command, DemandScope, Directory, Schema
from meterai.plumbing.work.jobs import PeriodicTask
from meterai.recovery import store
from meterai.recovery.audited import AUDITED
from meterai.recovery.invariants import INVARIANTS
from meterai.recovery.knows import KNOWS, WORK
from meterai.recovery.levers import LEVERS
from meterai.recovery.model import RECOVERY, RECOVERY_SUBJECT
from meterai.recovery.retention import RETENTION
from meterai.recovery.service import RecoveryService
from meterai.recovery.staff_pages import PAGES, routes
from meterai.recovery.steps import ADVANCE
from meterai.room import Container, Room


async def _build(container: Container) -> None:
    container.add(RecoveryService(container.database, container.clock))


def _tasks(container: Container) -> Sequence[PeriodicTask]:
    advance = container.of(RecoveryService).advance
    return [
        PeriodicTask(
            ADVANCE,
            advance,
            1.0,
            store.DUE,
            without_rows=(
                "one recovery is under way at a time, and belongs to no account; it is "
                "tried again in two seconds"
            ),
        )
    ]


def _command(name: str, function: str) -> Command:
    place = f"meterai.recovery.commands:{function}"
    return Command(
        f"recover {name}", place, Directory.DATABASE, DemandScope.DATABASE, Schema.CURRENT
    )


COMMANDS = (
    _command("start", "start"),
    _command("next", "next_step"),
    _command("back", "back"),
    _command("go", "go"),
    _command("hold", "hold"),
    _command("abandon", "abandon"),
    _command("refund", "refund"),
    _command("status", "status"),
)
ROOM = Room(
    name="recovery",
    subjects=[RECOVERY_SUBJECT],
    global_tables={
        "recoveries": "a recovery concerns the whole installation",
        "recovery_steps": "a recovery concerns the whole installation",
    },
    lifecycles=(RECOVERY,),
    build=_build,
    services={"recoveries": RecoveryService},
    routes=routes,
    pages=PAGES,
    tasks=_tasks,
    commands=COMMANDS,
    command_groups={"recover": "The recovery after an outage."},
    levers=LEVERS,
    knows=KNOWS,
    work=WORK,
    invariants=INVARIANTS,
    audited=AUDITED,
    retention=RETENTION,
)
