"""Event handlers of distribution."""

import hashlib

from meterai import notifications, orders, payments
from meterai.distribution import store
from meterai.distribution.events import DepositLow, SaleClosed, SaleMoved, SaleOffered
from meterai.distribution.model import METHOD
from meterai.distribution.service import DistributionService, balance, load
from meterai.kit.ids import show
from meterai.kit.money import Rupiah
from meterai.kit.refusal import NotFound
from meterai.orders.events import DepositGrew, FeePassed
from meterai.payments import WHOLESALE, AmountNotPayable, MethodOut
from meterai.plumbing.db.database import Tx
from meterai.plumbing.work.events import on


async def follow_sale(tx: Tx, event: SaleMoved, service: DistributionService) -> None:
    """Place the order of a new sale for its buyer, and mark the order as paid if the deposit paid the sale."""
    sale = str(event.sale)
    await store.follow(
        tx,
        event.buyer,
        event.order,
        f"sale:{sale}",
        hashlib.sha256(sale.encode()).digest(),
        event.quantity,
        event.unit_price,
        event.service_fee,
        max(1.0, (event.waits_until - service.now()).total_seconds()),
        event.due_seconds,
        event.attempt,
        payments.reference_of(event.buyer, event.attempt),
        WHOLESALE,
        METHOD,
        event.account,
        event.seller,
        payments.own_number(WHOLESALE, event.account, event.sale) if event.is_taken else None,
    )


async def lapse_closed(tx: Tx, event: SaleClosed) -> None:
    """Mark the order of a sale as expired, because its distributor was closed.

    Refuses `NotFound` if the order does not exist yet, so that the job is repeated.
    """
    if await store.abandon(tx, event.buyer, event.order) is None:
        raise NotFound("the order of the sale was not placed yet")


async def take_waiting(tx: Tx, event: DepositGrew) -> None:
    """Pay the waiting sales of a distributor whose deposit grew; its first top-up also opens the distributor."""
    if event.order is not None:
        await store.open_(tx, event.account)
    await store.take_waiting(tx, event.account)


async def move_fee(tx: Tx, event: FeePassed) -> None:
    """Add the fee of an order to the deposit of its seller, or take it back for a refund. Only the seller's rows change."""
    about = (event.seller, event.order, event.number, event.account)
    await store.move_fee(tx, *about, event.stamps, event.amount)


async def tell_offered(tx: Tx, event: SaleOffered) -> None:
    """Queue the mail that tells a buyer how to pay for a sale that the deposit does not cover."""
    await notifications.queue(
        tx,
        event.buyer,
        cause=f"sale_offered:{event.sale}",
        template="sale_offered",
        facts={
            "order": show("ord", event.order),
            "seller": event.seller,
            "quantity": event.quantity,
            "total": str(Rupiah(event.total)),
        },
    )


async def tell_low(tx: Tx, event: DepositLow, service: DistributionService) -> None:
    """Queue the mail that tells a distributor that its deposit is low.

    If the distributor's terms include top-ups, an order for a top-up is placed and named in the mail. The distributor has to
    pay it.
    """
    found = await load(tx, event.account)
    order = None
    if found.topup_rupiah:
        key = f"topup:{event.told_at.isoformat()}"
        try:
            terms = await service.terms_of_top_up(found, key)
        except (AmountNotPayable, MethodOut):
            pass  # the mail is sent without an order, and the distributor may choose another method
        else:
            order = (await orders.place_documents(tx, terms)).id
    waiting = await store.waiting(tx, event.account)
    await notifications.queue(
        tx,
        event.account,
        cause=f"deposit_low:{event.told_at.isoformat()}",
        template="deposit_low",
        facts={
            "name": found.name,
            "balance": str(Rupiah(await balance(tx, event.account))),
            "sales": waiting.sales,
            "rupiah": str(Rupiah(waiting.rupiah)),
            "path": f"/orders/{show('ord', order)}" if order else "/history",
        },
    )


HANDLERS = (
    on(SaleMoved, follow_sale, gives_up=False, service=DistributionService),
    on(SaleClosed, lapse_closed, gives_up=False),
    on(DepositGrew, take_waiting, gives_up=False),
    on(FeePassed, move_fee, gives_up=False),
    on(SaleOffered, tell_offered, gives_up=True),
    on(DepositLow, tell_low, gives_up=True, service=DistributionService),
)
