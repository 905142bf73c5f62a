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
    """A payment was captured: book it to its order and issue the stamps, in one transaction."""
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
        # Nobody should pay for this order a second time: its other QRs are taken back.
        await payments.close(tx, event.account, event.subject)
    _log.info("payment_settled", order=show("ord", event.subject), outcome=outcome)


async def offer_again(
    tx: Tx, event: PaymentCaptured | PaymentDeclined, service: PaymentService
) -> None:
    """A payment attempt ended (declined, or paid too little) and its order is not paid: make
    another attempt.
    """
    order = await load(tx, event.account, event.subject)
    if order.state == OrderState.PLACED:
        await service.open_another(tx, event.account, order.id, order.total, order.lapses_at)


async def take_chargeback(tx: Tx, event: PaymentDenied) -> None:
    """The payer's bank took back a settled payment or a part of it: book that, and find it in the order."""
    await store.moved(tx, event.account, event.subject, event.attempt, event.payment, 0, "")
    _log.warning("payment_denied", order=show("ord", event.subject))


async def take_won(tx: Tx, event: PaymentWon) -> None:
    """A chargeback was won: book the payment once more."""
    about = (event.account, event.subject, event.attempt, event.payment)
    if await store.won(tx, *about, event.left):
        _log.info("chargeback_won", order=show("ord", event.subject))


async def take_move(tx: Tx, event: PaymentMoved) -> None:
    """Money of a payment moved: look what it means for its order."""
    about = (event.account, event.subject, event.attempt, event.payment)
    await store.moved(tx, *about, event.restored, event.entry)


async def cover_loss(tx: Tx, event: StampsGone) -> None:
    """Stamps that an order owed left the world: cover its loss with their money."""
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
    """An order as it is now; None where it is no order that was paid."""
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
