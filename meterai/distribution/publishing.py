"""Events of distribution that are published to webhooks."""

from meterai.accounts import Permission
from meterai.distribution import store
from meterai.distribution.events import DepositLow, SaleClosed, SaleMoved
from meterai.distribution.model import SALE_KIND
from meterai.distribution.service import balance
from meterai.kit.ids import show
from meterai.plumbing.db.database import ReadTx
from meterai.plumbing.work.published import PublicEvent, Told


async def _moved_payload(_: ReadTx, event: SaleMoved) -> Told:
    return {
        "sale_id": show(SALE_KIND, event.sale),
        "order_id": show("ord", event.order),
        "state": "paid" if event.is_taken else "waiting",
        "quantity": event.quantity,
        "total": event.quantity * (event.unit_price + event.service_fee),
        "currency": "IDR",
    }


async def _closed_payload(_: ReadTx, event: SaleClosed) -> Told:
    return {"sale_id": show(SALE_KIND, event.sale), "order_id": show("ord", event.order)}


async def _deposit_payload(tx: ReadTx, event: DepositLow) -> Told:
    waiting = await store.waiting(tx, event.account)
    return {
        "balance": await balance(tx, event.account),
        "waiting_sales": waiting.sales,
        "waiting_rupiah": waiting.rupiah,
        "currency": "IDR",
    }


PUBLISHED = (
    PublicEvent("sale.moved", SaleMoved, Permission.SALE_MAKE, _moved_payload),
    PublicEvent("sale.closed", SaleClosed, Permission.SALE_MAKE, _closed_payload),
    PublicEvent("deposit.low", DepositLow, Permission.BALANCE_READ, _deposit_payload),
)
