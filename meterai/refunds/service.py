"""Refunds: ask for one, show and list them; begin those that are due, and send them."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

import msgspec
import structlog

from meterai import audit, orders, payments, suspense
from meterai.kit.actor import Actor
from meterai.kit.clock import Clock
from meterai.kit.ids import new_id, show
from meterai.kit.money import Rupiah
from meterai.kit.refusal import NotFound
from meterai.orders import OrderSettings
from meterai.payments import (
    OutcomeUnknown,
    PaymentService,
    PaymentSettings,
    ProviderRefused,
    ProviderUnreachable,
    RefundLine,
    RefundWish,
)
from meterai.plumbing.config import Settings
from meterai.plumbing.database import Database, ReadTx, Row, Tx
from meterai.plumbing.paging import Page
from meterai.plumbing.periodic import each, own_transaction
from meterai.refunds import store
from meterai.refunds.model import (
    NothingToRefund,
    Refund,
    RefundCause,
    RefundState,
    lease_seconds,
    try_again_after,
)

BATCH = 20  # provider calls under way in one run
OVERDUE_BATCH = 200
LOOK_AGAIN_SECONDS = 30.0  # for a record that could not be read
CONTRADICTION_SECONDS = 3600.0  # until the record is read again that does not have what was told
_UNSETTLED = (RefundState.SENT, RefundState.REFUSED, RefundState.VOID)
_log = structlog.get_logger()


class RefundView(msgspec.Struct, frozen=True, kw_only=True):
    """A refund as the API shows it.  Amount in whole rupiah."""

    id: str
    order_id: str
    state: str
    cause: str
    amount: int
    stamps: int
    currency: str
    requested_at: datetime
    due_at: datetime
    settled_at: datetime | None
    refund_number: str
    provider_refund_number: str | None


def _refund(row: Row) -> Refund:
    return Refund(
        row["account_id"],
        row["refund_id"],
        row["order_id"],
        row["attempt_id"],
        row["payment"],
        RefundCause(row["cause"]),
        Rupiah(row["amount"]),
        row["stamps"],
        RefundState(row["state"]),
        row["refund_no"],
        row["provider_refund_no"],
        row["requested_at"],
        row["due_at"],
        row["settled_at"],
        row["tries"],
    )


def shown(refund: Refund) -> RefundView:
    """A refund as the API shows it."""
    return RefundView(
        id=show("rfd", refund.id),
        order_id=show("ord", refund.order),
        state=refund.state,
        cause=refund.cause,
        amount=refund.amount.value,
        stamps=refund.stamps,
        currency="IDR",
        requested_at=refund.requested_at,
        due_at=refund.due_at,
        settled_at=refund.settled_at,
        refund_number=refund.number,
        provider_refund_number=refund.provider_number,
    )


async def load(tx: ReadTx, account: UUID, refund_id: UUID) -> Refund:
    """One refund of this account.  Refuses `NotFound`."""
    row = await store.refund(tx, account, refund_id)
    if row is None:
        raise NotFound("no such refund of this account")
    return _refund(row)


async def refunds_of_order(tx: ReadTx, account: UUID, order: UUID) -> list[RefundView]:
    """Refunds of one order, oldest first; the newest of very many."""
    return [shown(_refund(row)) for row in await store.refunds_of_order(tx, account, order)]


# -- what the provider gave back of its own accord -----------------------------------------------


async def book_given_back(tx: Tx, row: Row, lines: Sequence[RefundLine]) -> None:
    """Book what the record says was given back of the payment of `row`.

    Refunds of ours that it has are settled; the rest the provider gave back itself.  Where news
    spoke of more than that, it is in suspense until the record has it or an operator books it.
    """
    about = (row["account_id"], row["attempt_id"], row["payment"])
    is_only = await tx.value(store.PAYMENTS_OF_ATTEMPT, *about[:2]) == 1
    found = [one for one in lines if one.payment == about[2] or (one.payment is None and is_only)]
    ours = {one["refund_no"]: one for one in await tx.all(store.OF_ATTEMPT, *about)}
    for line in found:
        await _settle(tx, about[0], ours.get(line.number), line)
    own = sum(line.amount.value for line in found if line.number not in ours)
    made = [line.number for line in found if line.number in ours]
    await tx.run(store.GIVEN_BACK, *about, own, made)
    await _conclude(tx, row)


async def _conclude(tx: Tx, row: Row) -> None:
    """News is explained where the books have all of it; else it is in suspense."""
    about = (row["account_id"], row["attempt_id"], row["payment"])
    reference, told = payments.reference_of(*about[:2]), row["returned_told"]
    if told <= await tx.value(store.GONE, *about):
        await suspense.given_back(tx, reference, about[2])
        await tx.run(store.LOOKED_UP, *about)
        return
    await suspense.keep(
        tx,
        suspense.News(
            key=f"refunded:{reference}:{about[2]}:{told}",
            source="question",
            reason="refunded_there",
            told=msgspec.json.encode({"payment": about[2], "amount": told}),
            reference=reference,
            payment=about[2],
            amount=Rupiah(told),
        ),
    )
    await tx.run(store.LOOK_LATER, CONTRADICTION_SECONDS, *about)


async def _settle(tx: Tx, account: UUID, refund: Row | None, line: RefundLine) -> None:
    is_it = refund is not None and refund["amount"] == line.amount.value
    if refund is None or not is_it or refund["state"] not in _UNSETTLED:
        return
    if line.provider_number is not None:
        await tx.run(store.SETTLE, account, refund["refund_id"], line.provider_number)


async def book_as_told(tx: Tx, item: UUID) -> None:
    """An operator says that the money of this item in suspense did go back; nothing where it is
    about no payment of ours, or is in the books."""
    await tx.run(store.GIVEN_BACK_AS_TOLD, item)


def _overdue(refund: Refund, answer: str | None) -> suspense.News:
    """What an operator is to know who asks the provider for this refund."""
    told = {"state": refund.state, "tries": refund.tries, "answer": answer}
    return suspense.News(
        key=f"refund_overdue:{refund.number}",
        source="question",
        reason="refund_overdue",
        told=msgspec.json.encode(told),
        reference=refund.number,  # by which the provider knows it
        payment=refund.payment,
        amount=refund.amount,
    )


async def ask(
    tx: Tx, account: UUID, order_id: UUID, *, due_at: datetime, actor: Actor
) -> RefundView:
    """The account wants the money of the unused stamps of an order.

    Asking again finds the refund that was asked for.  Refuses `NotFound`, `NothingToRefund`.
    """
    await orders.load(tx, account, order_id)
    refund = new_id()
    given = await store.unused(
        tx,
        account,
        order_id,
        refund,
        cause_key=f"asked:{refund}",
        cause=RefundCause.ASKED,
        number=payments.refund_number(account, refund),
        due_at=due_at,
    )
    if given:
        await audit.record(
            tx,
            account,
            actor=actor,
            action="refund_asked",
            subject=show("ord", order_id),
            stamps=given,
        )
        return shown(await load(tx, account, refund))
    earlier = await refunds_of_order(tx, account, order_id)
    asked = [one for one in earlier if one.cause == RefundCause.ASKED]
    if not asked:
        raise NothingToRefund("the order has no unused stamp")
    return asked[-1]


def _wish(refund: Refund) -> RefundWish:
    return RefundWish(
        refund.account,
        refund.attempt,
        refund.payment,
        refund.number,
        refund.amount,
        was_tried=refund.tries > 1,  # this try is counted
    )


class RefundService:
    """Begins refunds, sends them, and runs its periodic tasks."""

    def __init__(
        self, database: Database, paying: PaymentService, settings: Settings, clock: Clock
    ) -> None:
        self._database = database
        self._payments = paying
        self._due_seconds = settings.of(OrderSettings).stamps_due_seconds
        self._lease_seconds = lease_seconds(settings.of(PaymentSettings).bank_timeout_seconds)
        self._clock = clock

    def due(self) -> datetime:
        """By when a refund that begins now is to be settled."""
        return self._clock.now() + timedelta(seconds=self._due_seconds)

    async def ask(self, account: UUID, order_id: UUID, *, actor: Actor) -> RefundView:
        """`ask` in a transaction of its own."""
        command = partial(ask, account=account, order_id=order_id, due_at=self.due(), actor=actor)
        return await self._database.run(command)

    async def view(self, account: UUID, refund_id: UUID) -> RefundView:
        """One refund.  Refuses `NotFound`."""
        async with self._database.reading() as tx:
            return shown(await load(tx, account, refund_id))

    async def list(self, account: UUID, page: Page) -> tuple[list[RefundView], bool]:
        """A page of an account's refunds, newest first, and whether there are older ones."""
        rows = await self._database.read(store.OF_ACCOUNT, account, page.before, page.wanted)
        found, is_more = page.cut(rows)
        return [shown(_refund(row)) for row in found], is_more

    async def refund_overdue(self) -> int:
        """Periodic task: what is paid and not executed by its due time goes back."""
        rows = await self._database.call_all(store.OVERDUE, OVERDUE_BATCH)
        return await each(self._database, store.TURNING, rows, self._turn, subject="order_id")

    async def _turn(self, row: Row) -> None:
        account, refund = row["account_id"], new_id()
        number = payments.refund_number(account, refund)
        async with own_transaction(self._database) as tx:
            await tx.one(store.NOT_EXECUTED, account, row["order_id"], refund, number, self.due())

    async def send_due(self) -> int:
        """Periodic task: ask the provider to give money back, and ask again where we do not know."""
        lease = self._lease_seconds
        rows = await self._database.call_all(store.TO_TRY, lease, lease, BATCH)
        return await each(
            self._database, store.SENDING, rows, self._send, subject="refund_id", at_once=BATCH
        )

    async def suspend_overdue(self) -> int:
        """Periodic task: a refund that is open past its due time is an item in suspense."""
        rows = await self._database.read(store.PAST_DUE, OVERDUE_BATCH)
        return await each(
            self._database, store.SUSPENDING, rows, self._suspend, subject="refund_id"
        )

    async def _suspend(self, row: Row) -> None:
        async with own_transaction(self._database) as tx:
            # Locked, so that it does not end before its item is there to end with it.
            found = await tx.one(store.STILL_PAST_DUE, row["account_id"], row["refund_id"])
            if found is not None:
                await suspense.keep(tx, _overdue(_refund(found), found["last_answer"]))

    async def look_up_given_back(self) -> int:
        """Periodic task: read the provider's record of payments that it says were given back."""
        rows = await self._database.call_all(store.TO_LOOK_UP, self._lease_seconds, BATCH)
        return await each(
            self._database, store.LOOKING, rows, self._look_up, subject="attempt_id", at_once=BATCH
        )

    async def _look_up(self, row: Row) -> None:
        about = (row["account_id"], row["attempt_id"], row["payment"])
        try:
            lines = await self._payments.refund_history(*about[:2])
        except ProviderRefused as refusal:
            _log.warning("record_refused", payment=row["payment"], answer=refusal.response_code)
            async with own_transaction(self._database) as tx:
                await _conclude(tx, row)
        except (OutcomeUnknown, ProviderUnreachable) as refusal:
            _log.info("record_not_read", payment=row["payment"], answer=str(refusal))
            await self._database.call(store.LOOK_LATER, LOOK_AGAIN_SECONDS, *about)
        else:
            async with own_transaction(self._database) as tx:
                await book_given_back(tx, row, lines)

    async def _send(self, row: Row) -> None:
        # The row says 'sent' by now.  A crash here leaves it so, and a later run makes the
        # same call with the same number, which the provider answers as it did before.
        refund = _refund(row)
        try:
            made = await self._payments.refund(_wish(refund))
        except ProviderRefused as refusal:
            await self._refused(refund, refusal)
            return
        except (OutcomeUnknown, ProviderUnreachable) as refusal:
            await self._answered(refund, str(refusal), is_refused=False)
            return
        await self._database.call(store.SETTLE, refund.account, refund.id, made.provider_number)
        _log.info("refund_settled", refund=show("rfd", refund.id), tries=refund.tries)

    async def _refused(self, refund: Refund, refusal: ProviderRefused) -> None:
        stopped = await self._database.call(store.VOID, refund.account, refund.id)
        if stopped is not None and stopped["state"] == RefundState.VOID:
            return
        _log.error("refund_refused", refund=show("rfd", refund.id), answer=refusal.response_code)
        await self._answered(refund, str(refusal), is_refused=True)

    async def _answered(self, refund: Refund, answer: str, *, is_refused: bool) -> None:
        pause = try_again_after(refund.tries)
        await self._database.call(
            store.ANSWERED, is_refused, answer[:200], pause, refund.account, refund.id
        )
