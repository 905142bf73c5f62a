"""Registration of the room `orders`."""

from collections.abc import Sequence

from meterai.commands import Command, DemandScope, Directory, Schema
from meterai.kit.subjects import SubjectKind, SubjectSort
from meterai.orders.audited import AUDITED
from meterai.orders.demands import DEMANDS, UNDEMANDED
from meterai.orders.figures import FIGURES, PROMISES
from meterai.orders.invariants import INVARIANTS, MAIL_CAUSES, POSTINGS
from meterai.orders.jobs import HANDLERS, PUBLISHED
from meterai.orders.knows import KNOWS, WORK
from meterai.orders.levers import LEVERS
from meterai.orders.model import ORDER, OrderKind, OrderState
from meterai.orders.personal import PERSONAL
from meterai.orders.retention import RETENTION
from meterai.orders.routes import routes
from meterai.orders.service import OrderService
from meterai.orders.settings import OrderSettings
from meterai.orders.store import EXPIRY_DUE
from meterai.payments import PaymentService
from meterai.plumbing.http.described import FieldDescription
from meterai.plumbing.work.jobs import PeriodicTask
from meterai.room import Container, Room
from meterai.waiting_room import WaitingRoom


async def _build(container: Container) -> None:
    payments, settings = container.of(PaymentService), container.settings
    lines = container.of(WaitingRoom)
    container.add(OrderService(container.database, payments, lines, settings, container.clock))


def _tasks(container: Container) -> Sequence[PeriodicTask]:
    orders = container.of(OrderService)
    return [
        PeriodicTask("lapse_orders", orders.expire_unpaid, 1.0, EXPIRY_DUE),
        PeriodicTask("execute_orders", orders.execute_paid, 5.0),
    ]


COMMANDS = (
    Command(
        "issuing stop",
        "meterai.orders.commands:stop_issuing",
        Directory.DATABASE,
        DemandScope.DATABASE,
        Schema.ANY,
    ),
    Command(
        "issuing open",
        "meterai.orders.commands:open_issuing",
        Directory.DATABASE,
        DemandScope.DATABASE,
        Schema.CURRENT,
    ),
)

FIELDS = {
    ("OrderView", "state"): FieldDescription(list(OrderState)),
    ("OrderView", "kind"): FieldDescription(list(OrderKind)),
    ("OrderView", "currency"): FieldDescription(["IDR"]),
    ("OrderRequest", "quantity"): FieldDescription(least=1),
}
ROOM = Room(
    name="orders",
    words={"order_kind_is_known": [OrderKind]},
    subjects=[SubjectSort(SubjectKind.ORDER, prefix="ord")],
    tables=frozenset({"orders", "order_labels", "order_deposits", "order_sellers", "order_fees"}),
    global_tables={"sale_terms": "every price and fee at which stamps were ever sold"},
    lifecycles=(ORDER,),
    settings=OrderSettings,
    build=_build,
    services={"orders": OrderService},
    examples={
        "order_id": "ord_06f9k2...",
        "quantity": "3",
        "payment_method": "qris",
        "reference": "PO-17",
        "metadata": '{"unit": "Bandung"}',
        "seller": "toko-meterai",
        "seller_fee": "1000",
    },
    routes=routes,
    fields=FIELDS,
    handlers=HANDLERS,
    published=PUBLISHED,
    tasks=_tasks,
    knows=KNOWS,
    work=WORK,
    demands=DEMANDS,
    undemanded=UNDEMANDED,
    commands=COMMANDS,
    command_groups={"issuing": "Whether stamps are issued."},
    levers=LEVERS,
    invariants=INVARIANTS,
    mail_causes=MAIL_CAUSES,
    audited=AUDITED,
    postings=POSTINGS,
    retention=RETENTION,
    personal=PERSONAL,
    figures=FIGURES,
    promises=PROMISES,
)
