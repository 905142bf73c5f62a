"""Ways of a refund: choice of a way, account of the buyer, compensation for lateness."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from meterai.kit.ids import new_id
from meterai.kit.money import Rupiah
from meterai.payments.model import OWN_RAILS, refund_number
from meterai.payments.refunds import store
from meterai.payments.refunds.model import (
    NotRerouted,
    OwedByClaim,
    PayeeOfRefund,
    Refund,
    RefundPayee,
    Way,
)
from meterai.plumbing.db.database import ReadTx, Tx


async def name_payee(tx: Tx, account: UUID, payee: RefundPayee) -> list[Refund]:
    """Record an account that the buyer named and its bank confirmed; all that waits for an account goes there at once.

    It replaces the account named before.
    """
    return await store.name_payee(tx, account, replace(payee, id=new_id()))


async def current_payee(tx: ReadTx, account: UUID) -> RefundPayee | None:
    """The account that a buyer named last; None if its bank refused it."""
    return await store.current_payee(tx, account)


async def payees_of(
    tx: ReadTx, account: UUID, refunds: Sequence[UUID]
) -> dict[UUID, PayeeOfRefund]:
    """The account of each of these refunds with a transfer; others are left out."""
    return {one.refund: one for one in await store.payees_of(tx, account, refunds)}


async def refused_payee(tx: ReadTx, account: UUID) -> RefundPayee | None:
    """The account that a buyer named last if its bank refused it, else None."""
    return await store.refused_payee(tx, account)


async def reroute(tx: Tx, account: UUID, refund: UUID) -> Refund:
    """Send a refund by another way than its provider: to an account that its buyer is asked for now.

    A refund that was never sent changes its way; one that the provider refused ends as `rerouted`, and a new refund begins,
    which is returned.  One with unknown outcome is not sent again, and takes another way once the record does not have it
    (`reroute_at`).  Refuses `NotRerouted`.
    """
    await check_may_leave(tx, account, refund)
    if not await store.take_way(tx, account, refund, Way.CLAIM):
        new = new_id()
        number = refund_number(account, new)
        if await store.reroute(tx, account, refund, new, number):
            refund = new
        elif not await store.reroute_later(tx, account, refund):
            raise NotRerouted("it is over, or goes by another way already")
    found = await store.refund(tx, account, refund)
    assert found is not None
    return found


async def check_may_leave(tx: ReadTx, account: UUID, refund: UUID) -> None:
    """Refuse `NotRerouted` for money of a rail of our own database, which goes back there alone."""
    found = await store.refund(tx, account, refund)
    if found is not None and (await store.known_of(tx, found)).provider in OWN_RAILS:
        raise NotRerouted("it goes back to where our own rail took it from")


async def retry(tx: Tx, account: UUID, refund: UUID) -> None:
    """Try an open refund at once.  Refuses `NotRerouted` for one that has ended or waits for an account."""
    if not await store.retry(tx, account, refund):
        raise NotRerouted("it is over, or waits for an account")


async def owed_by_claim(tx: ReadTx, account: UUID) -> OwedByClaim:
    """Refunds of an account that wait for a bank account, and compensations that no transfer carries."""
    waiting = await store.waiting_for_account(tx, account)
    return OwedByClaim(waiting, Rupiah(await store.compensation_owed(tx, account)))


async def compensations_of(
    tx: ReadTx, account: UUID, refunds: Sequence[UUID]
) -> dict[UUID, Rupiah]:
    """Compensation so far by original refund."""
    found = await store.compensations_of(tx, account, refunds)
    return {one.refund: one.amount for one in found}


async def compensate(tx: Tx, account: UUID, refund: UUID, day: int, rupiah: Rupiah) -> bool:
    """Record compensation for a whole day past the due time of a refund, once; True if it is new."""
    return await store.compensate(tx, account, refund, day, rupiah)
