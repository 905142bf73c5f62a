"""Event handlers of orders."""

import structlog

from meterai import payments
from meterai.kit.ids import show
from meterai.orders import store
from meterai.orders.events import OrderLapsed, OrderReturned
from meterai.orders.model import OrderState
from meterai.orders.service import load
from meterai.payments.events import PaymentCaptured, PaymentDeclined
from meterai.plumbing.database import Tx
from meterai.plumbing.events import on

_log = structlog.get_logger()


async def settle(tx: Tx, event: PaymentCaptured) -> None:
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
        await offer_again(tx, event)
    elif outcome != "denied":
        # Nobody should pay for this order a second time: its other QRs are taken back.
        await payments.close(tx, event.account, event.subject)
    _log.info("payment_settled", order=show("ord", event.subject), outcome=outcome)


async def offer_again(tx: Tx, event: PaymentCaptured | PaymentDeclined) -> None:
    """A payment attempt ended (declined, or paid too little) and its order is not paid: make
    another attempt.
    """
    order = await load(tx, event.account, event.subject)
    if order.state == OrderState.PLACED:
        await payments.open_another(tx, event.account, order.id, order.total, order.lapses_at)


HANDLERS = (
    on(PaymentCaptured, settle, gives_up=False),
    on(PaymentDeclined, offer_again, gives_up=False),
)

# Events of this room without a handler, each with the reason.
UNHEARD = {
    OrderLapsed: "late money may still come: its documents wait",
    OrderReturned: "each of its refunds has told the buyer",
}
