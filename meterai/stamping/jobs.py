"""Event handlers of stamping."""

from collections.abc import Sequence
from datetime import datetime

from meterai import notifications, orders, payments, stamps
from meterai.accounts import Permission
from meterai.kit.ids import show
from meterai.kit.money import Rupiah
from meterai.kit.priority import Priority
from meterai.kit.serial import Serial
from meterai.orders import OrderKind
from meterai.orders.events import (
    OrderDenied,
    OrderExecuted,
    OrderPaid,
    OrderReturning,
    OrderWithdrawn,
)
from meterai.plumbing.db.database import ReadTx, Tx
from meterai.plumbing.messages import LANGUAGES, format_datetime, translate
from meterai.plumbing.work.events import on
from meterai.plumbing.work.published import PublicEvent, Told
from meterai.stamping import store
from meterai.stamping.events import StampingDelivered, StampingFailed, StampingsDelivered
from meterai.stamping.model import Stamping, StampingState
from meterai.stamping.service import StampingService, load
from meterai.stamping.service.words import why_refused


async def reserve(tx: Tx, event: OrderPaid, service: StampingService) -> None:
    """Reserve the stamps for the documents of an order that was paid."""
    await service.reserve_order(tx, event.account, event.order)


async def drop_waiting(tx: Tx, event: OrderWithdrawn | OrderReturning | OrderDenied) -> None:
    """Mark the waiting stampings of an order as dropped, after it was cancelled or charged back or its refund began."""
    await store.drop_waiting(tx, event.account, event.order)


async def enter_directory(tx: Tx, event: StampingDelivered) -> None:
    """Enter the serials of a stamped document into the public directory."""
    await stamps.enter_directory(tx, event.account, event.stamping)


async def enter_directory_each(tx: Tx, event: StampingsDelivered) -> None:
    """Enter the serials of several stamped documents into the public directory."""
    await stamps.enter_directory(tx, event.account, *event.stampings)


async def finish_order(tx: Tx, event: StampingDelivered | StampingFailed) -> None:
    """Finish the order of a stamping that ended, if the order has no open stamping and at least one delivered stamping."""
    if event.order is None:
        return
    left = await store.unfinished_of_order(tx, event.account, event.order)
    if left.open == 0 and left.delivered > 0:
        await orders.finish(tx, event.account, event.order)


async def tell_executed(tx: Tx, event: OrderExecuted) -> None:
    """Queue the mail about an executed order: its stamps were issued, or its documents were stamped."""
    order = await orders.load(tx, event.account, event.order)
    sellers = (order.seller_fee or 0) * order.quantity
    facts: dict[str, object] = {
        "order": show("ord", order.id),
        "quantity": order.quantity,
        "total": str(order.total),
        "price": str(order.unit_price),
        "duty": str(order.unit_price * order.quantity),
        "fee": str(order.service_fee * order.quantity - Rupiah(sellers)),
        "sold_by": order.seller or "",
        "seller_fee": _fee_of(order.seller or "", sellers) if sellers else "",
        "bank_numbers": ", ".join(
            one.number for one in await payments.captured_of(tx, event.account, event.order)
        ),
    }
    if order.paid_at is not None:
        facts["at"] = _time_by_language(order.paid_at)
    if order.kind == OrderKind.DOCUMENTS:
        found = await store.stampings_of_orders(tx, event.account, [event.order])
        facts |= _names_and_serials([one for one in found if one.state == StampingState.DELIVERED])
    await notifications.queue(
        tx,
        event.account,
        cause=f"order_executed:{order.id}",
        template=f"order_executed_{order.kind}",
        facts=facts,
    )


def _fee_of(seller: str, rupiah: int) -> dict[str, str]:
    """Return, in each language, the line of a receipt that states the fee of the seller, `rupiah` in total."""
    facts = {"seller": seller, "fee": str(Rupiah(rupiah))}
    return {
        language: translate("mail.receipt.seller_fee", language, **facts) for language in LANGUAGES
    }


def _names_and_serials(delivered: Sequence[Stamping]) -> dict[str, object]:
    """Return the values for a mail that lists the stamped documents of an order with their serials."""
    first, more = delivered[0].document_name, len(delivered) - 1
    named: object = first
    if more:
        named = {
            language: translate("mail.named", language, first=first, more=more)
            for language in LANGUAGES
        }
    lines = [f"{one.document_name} ({_grouped(one.serials)})" for one in delivered]
    until = min(one.kept_until for one in delivered)
    return {
        "named": named,
        "list": "\n".join(lines),
        "count": len(delivered),
        "until": _time_by_language(until),
    }


def _time_by_language(at: datetime) -> dict[str, str]:
    return {language: format_datetime(at, language) for language in LANGUAGES}


def _grouped(serials: Sequence[str]) -> str:
    """Format serials in groups of characters, as stamps and pages show them, because people compare them letter by letter."""
    return ", ".join(Serial(one).grouped() for one in serials)


async def tell_delivered(tx: Tx, event: StampingDelivered) -> None:
    """Queue the mail with the serials of a document stamped from the balance.

    Nothing is queued for a document of an order, which the mail of the order covers, or for a quiet stamping.
    """
    if event.order is not None:
        return
    stamping = await load(tx, event.account, event.stamping)
    if stamping.is_quiet:
        return
    await notifications.queue(
        tx,
        event.account,
        cause=f"stamping_delivered:{stamping.id}",
        template="stamping_delivered",
        facts={
            "document": stamping.document_name,
            "serials": _grouped(stamping.serials),
            "stamping": show("stg", stamping.id),
            "until": _time_by_language(stamping.kept_until),
        },
    )


async def tell_failed(tx: Tx, event: StampingFailed) -> None:
    """Queue the mail about a document that could not be stamped, unless the stamping is quiet.

    The mail states the reason, and whether the stamp or the money is returned.
    """
    stamping = await load(tx, event.account, event.stamping)
    if stamping.is_quiet:
        return
    came_of_it = f"stamping.failed.{'of_order' if stamping.order else 'of_balance'}"
    reason = {
        language: why_refused(str(stamping.refused), language)
        + "\n"
        + translate(came_of_it, language)
        for language in LANGUAGES
    }
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
    on(OrderExecuted, tell_executed, gives_up=True),
    on(StampingDelivered, enter_directory, gives_up=False, priority=Priority.PAID),
    on(StampingsDelivered, enter_directory_each, gives_up=False, priority=Priority.PAID),
    on(StampingDelivered, finish_order, gives_up=False),
    on(StampingDelivered, tell_delivered, gives_up=True),
    on(StampingFailed, finish_order, gives_up=False),
    on(StampingFailed, tell_failed, gives_up=True),
)


async def _payload(tx: ReadTx, event: StampingDelivered | StampingFailed) -> Told:
    found = await load(tx, event.account, event.stamping)
    return {
        "stamping_id": show("stg", found.id),
        "order_id": show("ord", found.order) if found.order else None,
        "state": found.state,
        "stamps": len(found.serials),
        "reason": found.refused,
    }


PUBLISHED = (
    PublicEvent("stamping.delivered", StampingDelivered, Permission.STAMPING_READ, _payload),
    PublicEvent("stamping.failed", StampingFailed, Permission.STAMPING_READ, _payload),
)
