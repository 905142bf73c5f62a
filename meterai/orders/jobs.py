"""Event handlers of orders."""

from uuid import UUID

import structlog

from meterai import payments
from meterai.accounts import Permission
from meterai.kit.ids import show
from meterai.orders import store
from meterai.orders.events import (
    OrderDenied,
    OrderExecuted,
    OrderLapsed,
    OrderReturned,
    OrderReturning,
    OrderWithdrawn,
)
from meterai.orders.model import OrderState
from meterai.orders.service import load
from meterai.payments import PaymentService
from meterai.payments.events import (
    PaymentCaptured,
    PaymentDeclined,
    PaymentDenied,
    PaymentMoved,
    PaymentWon,
)
from meterai.plumbing.db.database import ReadTx, Tx
from meterai.plumbing.work.events import on
from meterai.plumbing.work.published import PublicEvent, Told
from meterai.stamps.events import StampsGone

_log = structlog.get_logger()


async def settle(tx: Tx, event: PaymentCaptured, service: PaymentService) -> None:
    """Book a captured payment to its order and issue the stamps, in one transaction.

    If the payment is less than the total, the buyer gets another attempt to pay.
    """
    outcome = await store.settle(
        tx,
        event.account,
        event.subject,
        event.attempt,
        event.payment,
        event.amount,
    )
    if outcome == "short":
        await offer_again(tx, event, service)
    elif outcome != "denied":
        # The other attempts are closed and cancelled at the provider, so that the order is not paid twice.
        await payments.close(tx, event.account, event.subject)
    _log.info("payment_settled", order=show("ord", event.subject), outcome=outcome)


async def offer_again(
    tx: Tx, event: PaymentCaptured | PaymentDeclined, service: PaymentService
) -> None:
    """Open another payment attempt of an unpaid order, after an attempt was declined or paid too little."""
    order = await load(tx, event.account, event.subject)
    if order.state == OrderState.PLACED:
        await service.open_another(tx, event.account, order.id, order.total, order.lapses_at)


async def take_chargeback(tx: Tx, event: PaymentDenied) -> None:
    """Book a chargeback of all or part of a payment, and cover the loss with money and stamps that the order has not used
    yet.
    """
    await store.moved(tx, event.account, event.subject, event.attempt, event.payment, 0, "")
    _log.warning("payment_denied", order=show("ord", event.subject))


async def take_won(tx: Tx, event: PaymentWon) -> None:
    """Book a chargeback that was won, and apply the restored money to its order."""
    about = (event.account, event.subject, event.attempt, event.payment)
    if await store.won(tx, *about, event.left):
        _log.info("chargeback_won", order=show("ord", event.subject))


async def take_move(tx: Tx, event: PaymentMoved) -> None:
    """Update an order after money of one of its payments was lost, or came back."""
    about = (event.account, event.subject, event.attempt, event.payment)
    await store.moved(tx, *about, event.restored, event.entry)


async def cover_loss(tx: Tx, event: StampsGone) -> None:
    """Reduce the loss of an order by the price of its stamps that were retired."""
    await store.stamps_gone(tx, event.account, event.order, event.stamps)


HANDLERS = (
    on(PaymentCaptured, settle, gives_up=False, service=PaymentService),
    on(PaymentDeclined, offer_again, gives_up=False, service=PaymentService),
    on(PaymentDenied, take_chargeback, gives_up=False),
    on(PaymentWon, take_won, gives_up=False),
    on(PaymentMoved, take_move, gives_up=False),
    on(StampsGone, cover_loss, gives_up=False),
)

OrderEnded = (
    OrderExecuted | OrderLapsed | OrderWithdrawn | OrderReturning | OrderReturned | OrderDenied
)


async def _order_told(tx: ReadTx, event: OrderEnded) -> Told:
    return await _told(tx, event.account, event.order)


async def _payment_told(tx: ReadTx, event: PaymentCaptured | PaymentDenied) -> Told:
    order = await _told(tx, event.account, event.subject)
    return order and {**order, "amount": event.amount}


async def _restored_told(tx: ReadTx, event: PaymentWon) -> Told:
    order = await _told(tx, event.account, event.subject)
    return order and {**order, "charged_back": event.left}


async def _told(tx: ReadTx, account: UUID, order: UUID) -> Told:
    """Return the current facts of an order for a public event; None if the order does not exist."""
    found = await store.order(tx, account, order)
    if found is None:
        return None
    return {
        "order_id": show("ord", found.id),
        "state": found.state,
        "kind": found.kind,
        "quantity": found.quantity,
        "total": found.total.value,
        "currency": "IDR",
    }


_ORDER_READ = Permission.ORDER_READ
PUBLISHED = (
    PublicEvent("payment.captured", PaymentCaptured, _ORDER_READ, _payment_told),
    PublicEvent("payment.charged_back", PaymentDenied, _ORDER_READ, _payment_told),
    PublicEvent("payment.restored", PaymentWon, _ORDER_READ, _restored_told),
    PublicEvent("order.executed", OrderExecuted, _ORDER_READ, _order_told),
    PublicEvent("order.lapsed", OrderLapsed, _ORDER_READ, _order_told),
    PublicEvent("order.withdrawn", OrderWithdrawn, _ORDER_READ, _order_told),
    PublicEvent("order.returning", OrderReturning, _ORDER_READ, _order_told),
    PublicEvent("order.returned", OrderReturned, _ORDER_READ, _order_told),
    PublicEvent("order.denied", OrderDenied, _ORDER_READ, _order_told),
)
