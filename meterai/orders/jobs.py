"""Event handlers of orders."""

import structlog

from meterai import notifications, payments
from meterai.kit.ids import show
from meterai.kit.money import Rupiah
from meterai.orders import store
from meterai.orders.model import OrderState
from meterai.orders.service import load
from meterai.plumbing.database import Tx
from meterai.plumbing.jobs import Job, gives_up

_log = structlog.get_logger()


async def settle(tx: Tx, job: Job) -> None:
    """Money was captured: capture-and-issue."""
    outcome = await store.settle(
        tx,
        job.account,
        job.uuid("subject"),
        job.uuid("attempt"),
        job.text("payment"),
        job.number("amount"),
    )
    if outcome == "short":
        await offer_again(tx, job)
    elif outcome != "denied":
        # Nobody should pay for this order a second time: its other QRs are taken back.
        await payments.close(tx, job.account, job.uuid("subject"))
    _log.info("payment_settled", order=show("ord", job.uuid("subject")), outcome=outcome)


async def offer_again(tx: Tx, job: Job) -> None:
    """A QR is spent (declined, or paid too little) and its order is not paid: another QR."""
    order = await load(tx, job.account, job.uuid("subject"))
    if order.state == OrderState.PLACED:
        await payments.open_another(tx, job.account, order.id, order.total, order.lapses_at)


@gives_up
async def tell_executed(tx: Tx, job: Job) -> None:
    """Stamps were issued: the receipt."""
    order = await load(tx, job.account, job.uuid("order"))
    await notifications.queue(
        tx,
        job.account,
        cause=f"order_executed:{order.id}",
        template=f"order_executed_{order.kind}",
        facts={
            "order": show("ord", order.id),
            "quantity": order.quantity,
            "total": str(Rupiah(order.total.value)),
        },
    )
