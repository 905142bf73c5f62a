"""What the room `refunds` registers with the applications."""

from collections.abc import Sequence

from meterai.commands import Command, Directory, Schema, Scope
from meterai.orders import TURNING
from meterai.payments import RefundCause, RefundState, Stage, Way
from meterai.plumbing.described import Field
from meterai.plumbing.jobs import PeriodicTask
from meterai.refunds.audited import AUDITED
from meterai.refunds.invariants import INVARIANTS, MAIL_CAUSES, POSTINGS
from meterai.refunds.jobs import HANDLERS
from meterai.refunds.knows import KNOWS, WORK
from meterai.refunds.levers import LEVERS
from meterai.refunds.personal import PERSONAL
from meterai.refunds.retention import RETENTION
from meterai.refunds.routes import routes
from meterai.refunds.service import RefundService
from meterai.room import Container, Room


async def _build(container: Container) -> None:
    container.add(RefundService(container.database, container.settings, container.clock))


def _tasks(container: Container) -> Sequence[PeriodicTask]:
    return [PeriodicTask(TURNING, container.of(RefundService).refund_overdue, 5.0)]


COMMANDS = (
    Command(
        "refunds ask",
        "meterai.refunds.commands:ask",
        Directory.DATABASE,
        Scope.DATABASE,
        Schema.CURRENT,
    ),
)

FIELDS = {
    ("RefundView", "state"): Field(list(RefundState)),
    ("RefundView", "way"): Field(list(Way)),
    ("RefundView", "stage"): Field(list(Stage)),
    ("RefundView", "cause"): Field(list(RefundCause)),
    ("RefundView", "currency"): Field(["IDR"]),
}
ROOM = Room(
    name="refunds",
    tables=frozenset({"refund_keys"}),
    build=_build,
    services={"refunds": RefundService},
    routes=routes,
    fields=FIELDS,
    handlers=HANDLERS,
    tasks=_tasks,
    commands=COMMANDS,
    command_groups={"refunds": "Money that goes back to buyers."},
    levers=LEVERS,
    knows=KNOWS,
    work=WORK,
    invariants=INVARIANTS,
    mail_causes=MAIL_CAUSES,
    audited=AUDITED,
    postings=POSTINGS,
    retention=RETENTION,
    personal=PERSONAL,
)
