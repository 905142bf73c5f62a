"""Event handlers of stamping."""

from meterai import notifications, orders, stamps
from meterai.kit.ids import show
from meterai.kit.priority import Priority
from meterai.orders.events import OrderDenied, OrderPaid, OrderReturning, OrderWithdrawn
from meterai.plumbing.database import Tx
from meterai.plumbing.events import on
from meterai.plumbing.messages import LANGUAGES
from meterai.stamping import store
from meterai.stamping.events import StampingDelivered, StampingFailed
from meterai.stamping.service import StampingService, load, why_refused


async def reserve(tx: Tx, event: OrderPaid, service: StampingService) -> None:
    """An order of documents was paid: hold its stamps for its documents."""
    await service.reserve_order(tx, event.account, event.order)


async def drop_waiting(tx: Tx, event: OrderWithdrawn | OrderReturning | OrderDenied) -> None:
    """An order was withdrawn, denied, or its money goes back: end the stampings that wait for its
    payment.
    """
    await store.drop_waiting(tx, event.account, event.order)


async def enter_directory(tx: Tx, event: StampingDelivered) -> None:
    """A document is stamped: enter its serials into the directory, where anyone may look them up."""
    await stamps.enter_directory(tx, event.account, event.stamping)


async def finish_order(tx: Tx, event: StampingDelivered | StampingFailed) -> None:
    """A stamping ended: its order is executed when no other is open and one was delivered."""
    if event.order is None:
        return
    left = await store.unfinished_of_order(tx, event.account, event.order)
    if left.open == 0 and left.delivered > 0:
        await orders.finish(tx, event.account, event.order)


async def tell_delivered(tx: Tx, event: StampingDelivered) -> None:
    """A document is stamped: queue the mail with its serials."""
    stamping = await load(tx, event.account, event.stamping)
    await notifications.queue(
        tx,
        event.account,
        cause=f"stamping_delivered:{stamping.id}",
        template="stamping_delivered",
        facts={
            "document": stamping.document_name,
            "serials": ", ".join(stamping.serials),
            "stamping": show("stg", stamping.id),
        },
    )


async def tell_failed(tx: Tx, event: StampingFailed) -> None:
    """A document could not be stamped: queue the mail with the reason."""
    stamping = await load(tx, event.account, event.stamping)
    reason = {language: why_refused(str(stamping.refused), language) for language in LANGUAGES}
    await notifications.queue(
        tx,
        event.account,
        cause=f"stamping_failed:{stamping.id}",
        template="stamping_failed",
        facts={"document": stamping.document_name, "reason": reason},
    )


HANDLERS = (
    on(OrderPaid, reserve, gives_up=False, service=StampingService, priority=Priority.PAID),
    on(OrderWithdrawn, drop_waiting, gives_up=False, priority=Priority.PAID),
    on(OrderReturning, drop_waiting, gives_up=False, priority=Priority.PAID),
    on(OrderDenied, drop_waiting, gives_up=False, priority=Priority.PAID),
    on(StampingDelivered, enter_directory, gives_up=False, priority=Priority.PAID),
    on(StampingDelivered, finish_order, gives_up=False),
    on(StampingDelivered, tell_delivered, gives_up=True),
    on(StampingFailed, finish_order, gives_up=False),
    on(StampingFailed, tell_failed, gives_up=True),
)
