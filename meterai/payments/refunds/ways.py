"""Routes by which a refund goes back (ways): change of the way, bank account of the buyer, compensation for lateness."""

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
    """Record a bank account that the buyer named and its bank confirmed; return the waiting refunds, which go to this account
    now.

    The account replaces any that the buyer named before.
    """
    return await store.name_payee(tx, account, replace(payee, id=new_id()))


async def current_payee(tx: ReadTx, account: UUID) -> RefundPayee | None:
    """The current bank account of a buyer; None if the buyer has named none, or if the newest one was refused by its bank."""
    return await store.current_payee(tx, account)


async def payees_of(
    tx: ReadTx, account: UUID, refunds: Sequence[UUID]
) -> dict[UUID, PayeeOfRefund]:
    """The bank accounts of these refunds, by refund; a refund that does not go by transfer has no entry."""
    return {one.refund: one for one in await store.payees_of(tx, account, refunds)}


async def refused_payee(tx: ReadTx, account: UUID) -> RefundPayee | None:
    """The bank account that a buyer named last, if its bank refused it; else None."""
    return await store.refused_payee(tx, account)


async def reroute(tx: Tx, account: UUID, refund: UUID) -> Refund:
    """Send a refund by transfer instead of by its provider: its buyer is asked to name a bank account for it.

    A refund that was never sent only changes its way.  A refund that the provider refused ends as `rerouted`, and a new refund
    replaces it.  A refund with unknown outcome is not sent again, and is replaced later, at `reroute_at`, if the provider's
    record does not have it by then.  Returns the refund that continues.  Refuses `NotRerouted`.
    """
    await check_may_leave(tx, account, refund)
    if not await store.take_way(tx, account, refund, Way.CLAIM):
        new = new_id()
        number = refund_number(account, new)
        if await store.reroute(tx, account, refund, new, number):
            refund = new
        elif not await store.reroute_later(tx, account, refund):
            raise NotRerouted("the refund has ended, or already goes by another way")
    found = await store.refund(tx, account, refund)
    assert found is not None
    return found


async def check_may_leave(tx: ReadTx, account: UUID, refund: UUID) -> None:
    """Refuse `NotRerouted` if the refunded payment was made by a rail of our own database, since its money must go back by that
    rail.
    """
    found = await store.refund(tx, account, refund)
    if found is not None and (await store.known_of(tx, found)).provider in OWN_RAILS:
        raise NotRerouted("the refund goes back to the deposit or credit that paid")


async def retry(tx: Tx, account: UUID, refund: UUID) -> None:
    """Make the next try of an open refund due at once.

    Refuses `NotRerouted` for a refund that has ended or waits for the buyer's bank account.
    """
    if not await store.retry(tx, account, refund):
        raise NotRerouted("the refund has ended, or waits for an account")


async def owed_by_claim(tx: ReadTx, account: UUID) -> OwedByClaim:
    """Money of a buyer that waits for a bank account: refunds, and compensations that are not yet part of a transfer."""
    waiting = await store.waiting_for_account(tx, account)
    return OwedByClaim(waiting, Rupiah(await store.compensation_owed(tx, account)))


async def compensations_of(
    tx: ReadTx, account: UUID, refunds: Sequence[UUID]
) -> dict[UUID, Rupiah]:
    """The compensation so far of each of these refunds, given by the ids of `Refund.began_as`; a refund without compensation
    has no entry.
    """
    found = await store.compensations_of(tx, account, refunds)
    return {one.refund: one.amount for one in found}


async def compensate(tx: Tx, account: UUID, refund: UUID, day: int, rupiah: Rupiah) -> bool:
    """Record the compensation for a whole day (counted from 1) past the due time of a refund, once; True if it is new."""
    return await store.compensate(tx, account, refund, day, rupiah)
