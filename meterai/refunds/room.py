"""What the room `refunds` registers with the applications."""

from collections.abc import Iterable, Sequence

from meterai.commands import Command, Directory, Schema, Scope
from meterai.payments import PaymentService, Rails
from meterai.plumbing.described import Field
from meterai.plumbing.jobs import PeriodicTask
from meterai.plumbing.leases import Lease
from meterai.refunds.audited import AUDITED
from meterai.refunds.figures import FIGURES, PROMISES
from meterai.refunds.invariants import INVARIANTS, POSTINGS
from meterai.refunds.jobs import HANDLERS
from meterai.refunds.knows import KNOWS, WORK
from meterai.refunds.levers import LEVERS
from meterai.refunds.model import REFUND, RefundCause, RefundState, lease_seconds
from meterai.refunds.personal import PERSONAL
from meterai.refunds.retention import RETENTION
from meterai.refunds.routes import routes
from meterai.refunds.service import RefundService
from meterai.refunds.store import LOOK_UP_DUE, TRY_DUE, WATCH_DUE, WATCHING
from meterai.room import Container, Room


async def _build(container: Container) -> None:
    paying, settings = container.of(PaymentService), container.settings
    container.add(RefundService(container.database, paying, settings, container.clock))


def _leases(container: Container) -> Iterable[Lease]:
    rails = container.of(Rails)
    # A refund is asked about before it is sent: two calls.
    yield Lease("refunds", lease_seconds(rails.timeout_seconds), 2 * rails.call_seconds_max)


def _tasks(container: Container) -> Sequence[PeriodicTask]:
    refunds = container.of(RefundService)
    return [
        PeriodicTask("turn_money_round", refunds.refund_overdue, 5.0),
        PeriodicTask("send_refunds", refunds.send_due, 0.2, TRY_DUE),
        PeriodicTask("suspend_overdue_refunds", refunds.suspend_overdue, 10.0),
        PeriodicTask("look_up_given_back", refunds.look_up_given_back, 0.5, LOOK_UP_DUE),
        PeriodicTask(WATCHING, refunds.watch, 0.5, WATCH_DUE),
    ]


COMMANDS = (
    Command(
        "suspense resolve",
        "meterai.refunds.commands:resolve_item",
        Directory.DATABASE,
        Scope.DATABASE,
        Schema.CURRENT,
    ),
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
    ("RefundView", "cause"): Field(list(RefundCause)),
    ("RefundView", "currency"): Field(["IDR"]),
}
ROOM = Room(
    name="refunds",
    tables=frozenset({"refunds", "refund_keys"}),
    lifecycles=(REFUND,),
    build=_build,
    services={"refunds": RefundService},
    routes=routes,
    fields=FIELDS,
    leases=_leases,
    handlers=HANDLERS,
    tasks=_tasks,
    commands=COMMANDS,
    command_groups={"refunds": "Money that goes back to buyers."},
    levers=LEVERS,
    knows=KNOWS,
    work=WORK,
    invariants=INVARIANTS,
    audited=AUDITED,
    postings=POSTINGS,
    retention=RETENTION,
    personal=PERSONAL,
    figures=FIGURES,
    promises=PROMISES,
)
