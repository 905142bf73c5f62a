"""Event handlers of orders."""

import structlog

from meterai import payments
from meterai.kit.ids import show
from meterai.orders import store
from meterai.orders.events import OrderLapsed, OrderReturned
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
from meterai.plumbing.database import Tx
from meterai.plumbing.events import on
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

# Events of this room without a handler, each with the reason.
UNHEARD = {
    OrderLapsed: "late money may still come: its documents wait",
    OrderReturned: "each of its refunds has told the buyer",
}
