"""Refunds: ask for one, show and list them; begin those that are due, and send them."""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

import msgspec
import structlog

from meterai import audit, orders, payments, stamps, suspense
from meterai.kit.actor import Actor
from meterai.kit.clock import Clock
from meterai.kit.ids import new_id, show
from meterai.kit.money import Rupiah
from meterai.kit.refusal import NotFound
from meterai.orders import OrderKey, OrderSettings, OrderState
from meterai.payments import (
    REFUND_PREFIX,
    CallNotBegun,
    OutcomeUnknown,
    PaymentService,
    ProviderRefused,
    ProviderUnreachable,
    RailNotConfigured,
    RefundLine,
    RefundWish,
)
from meterai.plumbing.config import Settings
from meterai.plumbing.database import Database, ReadTx, Tx
from meterai.plumbing.exchange import note_replay
from meterai.plumbing.http import IdempotencyKeyReused
from meterai.plumbing.paging import Page
from meterai.plumbing.periodic import each, run_row
from meterai.refunds import store
from meterai.refunds.model import (
    NothingToRefund,
    OrderTakesNoMoney,
    OverdueOrder,
    PaymentGivenBack,
    Refund,
    RefundCause,
    RefundPastDue,
    RefundSeen,
    RefundState,
    lease_seconds,
    try_again_after,
)

BATCH = 20  # provider calls under way in one run
OVERDUE_BATCH = 200
# States of an order whose unused stamps can go back, as in refund_unused.sql.
_GIVES_BACK = frozenset({OrderState.PAID, OrderState.EXECUTED, OrderState.DENIED})
LOOK_AGAIN_SECONDS = 30.0  # for a record that could not be read
RECORD_IS_LATE = timedelta(days=1)  # a provider books what it did within a day
CONTRADICTION_SECONDS = 3600.0  # until the record is read again that does not have what was told
_log = structlog.get_logger()


class RefundView(msgspec.Struct, frozen=True, kw_only=True):
    """A refund as the API shows it.  Amount in whole rupiah.

    A state that is `refused` ends nothing: the bank declined to send the money, which we still hold for its
    buyer; it is sent again by itself, and past `due_at` the operator settles it with the bank: ask the
    operator, with `refund_number`.
    """

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
    found = await store.refund(tx, account, refund_id)
    if found is None:
        raise NotFound("no such refund of this account")
    return found


async def refunds_of_order(tx: ReadTx, account: UUID, order: UUID) -> list[RefundView]:
    """Refunds of one order, oldest first; the newest of very many."""
    return [shown(one) for one in await store.refunds_of_order(tx, account, order)]


async def refunds_of_orders(tx: ReadTx, account: UUID, orders: Sequence[UUID]) -> list[RefundView]:
    """Refunds of these orders, oldest first; the newest of very many."""
    return [shown(one) for one in await store.refunds_of_orders(tx, account, orders)]


async def marks(tx: ReadTx, wanted: Sequence[OrderKey]) -> dict[OrderKey, str]:
    """A text of each of these orders, another whenever something of its refunds changed; those
    without refunds are left out.
    """
    return {OrderKey(one.account, one.order): one.mark for one in await store.marks(tx, wanted)}


# -- what the provider gave back of its own accord -----------------------------------------------


async def book_given_back(tx: Tx, news: PaymentGivenBack, lines: Sequence[RefundLine]) -> None:
    """Book what the record says was given back of a payment.

    Refunds of ours that it has are settled; the rest the provider gave back itself.  Where news
    spoke of more than that, it is in suspense until the record has it or an operator books it.
    """
    account, attempt, payment, _ = news
    is_only = await store.number_of_payments(tx, account, attempt) == 1
    found = [one for one in lines if one.payment == payment or (one.payment is None and is_only)]
    refunds = await store.refunds_of_payment(tx, account, attempt, payment)
    ours, made = {refund.number for refund in refunds}, []
    for refund in refunds:
        seen = seen_of(refund, found)
        if seen is not None and seen.made.value:
            made.append(refund.number)
            await _book_seen(tx, refund, seen)
    # A number of a refund of ours of something else says nothing of this payment.
    own = sum(
        line.amount.value
        for line in found
        if line.number not in ours and not (line.number or "").startswith(REFUND_PREFIX)
    )
    await store.given_back(tx, account, attempt, payment, own, made)
    await conclude(tx, news)


async def conclude(tx: Tx, news: PaymentGivenBack) -> None:
    """Resolve the news in suspense where the books have all the money it tells of; else keep it in
    suspense, and read the provider's record again later.
    """
    account, attempt, payment, told = news
    reference = payments.reference_of(account, attempt)
    if await store.not_booked(tx, *news) == 0:
        await suspense.given_back(tx, reference, payment)
        await store.looked_up(tx, account, attempt, payment)
        return
    await suspense.keep(
        tx,
        suspense.News(
            key=f"refunded:{reference}:{payment}:{told}",
            source="question",
            reason="refunded_there",
            told=msgspec.json.encode({"payment": payment, "amount": told}),
            reference=reference,
            payment=payment,
            amount=Rupiah(told),
        ),
    )
    await store.look_later(tx, account, attempt, payment, CONTRADICTION_SECONDS)


def seen_of(refund: Refund, lines: Sequence[RefundLine]) -> RefundSeen | None:
    """A refund as these lines have it; None where none is about it.

    A line of a try that failed counts only where no line says that it was made.
    """
    about = [
        line
        for line in lines
        if line.number == refund.number and line.payment in (None, refund.payment)
    ]
    if not about:
        return None
    numbers = [line.provider_number for line in about if line.amount.value] or [None]
    return RefundSeen(numbers[-1], Rupiah(sum(line.amount.value for line in about)))


async def _book_seen(tx: Tx, refund: Refund, seen: RefundSeen) -> None:
    """Book what the record says of a refund.  More than was asked for is booked by nobody."""
    key = (refund.account, refund.id)
    if seen.made.value > refund.amount.value:
        return
    if refund.is_stopped_or_on_its_way and seen.made.value and seen.provider_number is not None:
        await store.settle(tx, *key, seen.provider_number)
    back = await store.reversed_to(tx, *key, seen.made)
    if back.value:
        _log.warning("refund_reversed", refund=show("rfd", refund.id), rupiah=back.value)


async def book_watched(
    tx: Tx, refund: Refund, seen: RefundSeen | None, *, is_old: bool, window_seconds: float
) -> None:
    """Book what the record says of a refund that it was looked for.

    A settled one that the record does not have after a day is an item in suspense until it has.
    """
    key = f"refund_not_in_record:{refund.number}"
    if seen is not None:
        await _book_seen(tx, refund, seen)
        await suspense.ended(tx, key, "in the record")
    elif is_old:
        await suspense.keep(tx, _about(refund, "refund_not_in_record"))
    await store.watched(tx, refund, window_seconds)


async def apply(tx: Tx, item: UUID, account: UUID, order_id: UUID) -> None:
    """Capture the money of an item for an order; the caller resolves the item before it.

    Only an order that waits for exactly this sum: the bank knows the payment under another reference, so
    nothing of it could go back by a refund.  Refuses `NotFound`, `OrderTakesNoMoney`, `NotApplied`.
    """
    found = await suspense.load(tx, item)
    payment = await check_applies(tx, found, account, order_id)
    await payments.apply(tx, account, order_id, payment, found.booked)


async def check_applies(tx: ReadTx, item: suspense.Item, account: UUID, order_id: UUID) -> str:
    """The payment whose money in suspense is for an order.  Refuses `NotFound`, `OrderTakesNoMoney`."""
    order = await orders.load(tx, account, order_id)
    is_open = order.state in (OrderState.PLACED, OrderState.LAPSED)
    if not is_open or order.total != item.booked or item.payment is None:
        raise OrderTakesNoMoney(f"{order.state}, {order.total}: not for {item.booked}")
    return item.payment


async def book_as_told(tx: Tx, item: UUID) -> None:
    """Book that the money of an item in suspense was given back, as an operator says.

    Changes nothing where the item is about no payment of ours, or the books have it.
    """
    await store.given_back_as_told(tx, item)


def _about(refund: Refund, reason: str) -> suspense.News:
    """The item in suspense of a refund, with what an operator needs to ask the provider about it."""
    told = {"state": refund.state, "tries": refund.tries, "answer": refund.last_answer}
    return suspense.News(
        key=f"{reason}:{refund.number}",
        source="question",
        reason=reason,
        told=msgspec.json.encode(told),
        reference=refund.number,  # by which the provider knows it
        payment=refund.payment,
        amount=refund.amount,
    )


async def suspend(tx: Tx, late: RefundPastDue) -> None:
    """Keep a refund that is open past its due time as an item in suspense."""
    # Locked, so that it does not end before its item is there to end with it.
    refund = await store.lock_past_due(tx, late.account, late.refund)
    if refund is not None:
        await suspense.keep(tx, _about(refund, "refund_overdue"))


async def unused(tx: ReadTx, account: UUID, order_id: UUID) -> tuple[int, Rupiah]:
    """Unused stamps of an order, and their money.  Refuses `NotFound`, `NothingToRefund`."""
    order = await orders.load(tx, account, order_id)
    lot = (await stamps.lots(tx, account, [order_id])).get(order_id)
    if lot is None or not lot.free or order.state not in _GIVES_BACK:
        raise NothingToRefund("the order has no unused stamp")
    return lot.free, (order.unit_price + order.service_fee) * lot.free


async def return_unused(
    tx: Tx,
    account: UUID,
    order_id: UUID,
    *,
    cause: RefundCause,
    due_at: datetime,
    of: UUID | None = None,
) -> tuple[UUID, int]:
    """Give the unused stamps of an order back with their money: the refund, and how many there were.

    `of` is what the cause is about, which has one refund; without it each time is another.
    """
    refund = new_id()
    given = await store.unused(
        tx,
        account,
        order_id,
        refund,
        cause_key=f"{cause}:{of or refund}",
        cause=cause,
        number=payments.refund_number(account, refund),
        due_at=due_at,
    )
    return refund, given


async def give_back_unserved(tx: Tx, account: UUID, order_id: UUID, *, due_at: datetime) -> None:
    """Begin the refund of an order that was paid and not executed, due or not; nothing where it was executed by now."""
    refund = new_id()
    number = payments.refund_number(account, refund)
    await store.not_executed(tx, account, order_id, refund, number, due_at)


async def ask(
    tx: Tx, account: UUID, order_id: UUID, key: str | None, *, due_at: datetime, actor: Actor
) -> RefundView:
    """The account wants the money of the unused stamps of an order.

    The same key finds the same refund; where nothing is left, any key finds the one that was asked for.
    Refuses `NotFound`, `NothingToRefund`, `IdempotencyKeyReused`.
    """
    await orders.load(tx, account, order_id)
    refund, request = new_id(), hashlib.sha256(order_id.bytes).digest()
    number = payments.refund_number(account, refund)
    found = await store.ask(
        tx, account, order_id, refund, number=number, due_at=due_at, key=key, request=request
    )
    if found is None:
        raise NothingToRefund("the order has no unused stamp")
    if found.request != request:
        raise IdempotencyKeyReused("another request had this key")
    if found.given:
        await audit.record(
            tx,
            account,
            actor=actor,
            action="refund_asked",
            subject=show("ord", order_id),
            stamps=found.given,
        )
    else:
        note_replay()
    return shown(await load(tx, account, found.id))


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
        self._lease_seconds = lease_seconds(paying.rails.timeout_seconds)
        self._clock = clock

    def due(self) -> datetime:
        """By when a refund that begins now is to be settled."""
        return self._clock.now() + timedelta(seconds=self._due_seconds)

    async def ask(
        self, account: UUID, order_id: UUID, key: str | None = None, *, actor: Actor
    ) -> RefundView:
        """`ask` in a transaction of its own."""
        command = partial(
            ask, account=account, order_id=order_id, key=key, due_at=self.due(), actor=actor
        )
        return await self._database.run(command)

    async def view(self, account: UUID, refund_id: UUID) -> RefundView:
        """One refund.  Refuses `NotFound`."""
        async with self._database.reading() as tx:
            return shown(await load(tx, account, refund_id))

    async def list(self, account: UUID, page: Page) -> tuple[list[RefundView], bool]:
        """A page of an account's refunds, newest first, and whether there are older ones."""
        wanted = await self._database.once(store.refunds_of, account, page.before, page.wanted)
        found, is_more = page.cut(wanted)
        return [shown(one) for one in found], is_more

    async def refund_overdue(self) -> int:
        """Periodic task: begin refunds of what is paid and was not executed by its due time."""
        found = await self._database.once(store.overdue_orders, OVERDUE_BATCH)
        return await each(self._database, store.TURNING, found, self._turn, subject="order")

    async def _turn(self, overdue: OverdueOrder) -> None:
        begin = partial(give_back_unserved, due_at=self.due())
        await run_row(self._database, begin, *overdue)

    async def send_due(self) -> int:
        """Periodic task: ask the provider to give money back; ask about it first where an earlier
        try has no answer.
        """
        if not (most := self._payments.rails.room_of_any(BATCH)):
            return 0
        leased = await self._database.once(store.lease_to_send, self._lease_seconds, most)
        return await each(
            self._database, store.SENDING, leased, self._send, subject="id", at_once=BATCH
        )

    async def suspend_overdue(self) -> int:
        """Periodic task: a refund that is open past its due time is an item in suspense."""
        found = await self._database.once(store.past_due, OVERDUE_BATCH)
        return await each(self._database, store.SUSPENDING, found, self._suspend, subject="refund")

    async def _suspend(self, late: RefundPastDue) -> None:
        await run_row(self._database, suspend, late)

    async def look_up_given_back(self) -> int:
        """Periodic task: read the provider's record of payments that it says were given back."""
        if not (most := self._payments.rails.room_of_any(BATCH)):
            return 0
        leased = await self._database.once(store.lease_to_look_up, self._lease_seconds, most)
        return await each(
            self._database, store.LOOKING, leased, self._look_up, subject="attempt", at_once=BATCH
        )

    async def _look_up(self, news: PaymentGivenBack) -> None:
        account, attempt, payment, _ = news
        try:
            lines = await self._payments.refund_history(account, attempt)
        except ProviderRefused as refusal:
            _log.warning("record_refused", payment=payment, answer=refusal.response_code)
            await run_row(self._database, conclude, news)
        except (OutcomeUnknown, ProviderUnreachable) as refusal:
            _log.info("record_not_read", payment=payment, answer=str(refusal))
            seconds = refusal.seconds if isinstance(refusal, CallNotBegun) else LOOK_AGAIN_SECONDS
            await self._database.once(store.look_later, account, attempt, payment, seconds)
        except RailNotConfigured:
            await self._database.once(
                store.look_later, account, attempt, payment, CONTRADICTION_SECONDS
            )
            raise
        else:
            await run_row(self._database, book_given_back, news, lines)

    async def watch(self) -> int:
        """Periodic task: look for refunds in the record of their provider, settled ones until it ends."""
        if not (most := self._payments.rails.room_of_any(BATCH)):
            return 0
        leased = await self._database.once(store.lease_to_watch, self._lease_seconds, most)
        return await each(
            self._database, store.WATCHING, leased, self._watch, subject="id", at_once=BATCH
        )

    async def _watch(self, refund: Refund) -> None:
        window_seconds = self._payments.rails.window_seconds_max
        try:
            lines = await self._payments.refund_history(refund.account, refund.attempt)
        except ProviderRefused as refusal:
            _log.warning("record_refused", refund=refund.number, answer=refusal.response_code)
            await self._database.once(store.watched, refund, window_seconds)
        except (OutcomeUnknown, ProviderUnreachable) as refusal:
            _log.info("record_not_read", refund=refund.number, answer=str(refusal))
            seconds = (
                refusal.seconds if isinstance(refusal, CallNotBegun) else CONTRADICTION_SECONDS
            )
            await self._database.once(store.watch_later, refund, seconds)
        except RailNotConfigured:
            await self._database.once(store.watch_later, refund, CONTRADICTION_SECONDS)
            raise
        else:
            settled_at = refund.settled_at
            is_old = settled_at is not None and self._clock.now() - settled_at >= RECORD_IS_LATE
            seen = seen_of(refund, lines)
            book = partial(book_watched, is_old=is_old, window_seconds=window_seconds)
            await run_row(self._database, book, refund, seen)

    async def _send(self, refund: Refund) -> None:
        # Its row says 'sent' by now.  A crash here leaves it so, and a later run makes the
        # same call with the same number, which the provider answers as it did before.
        try:
            made = await self._payments.refund(_wish(refund))
        except ProviderRefused as refusal:
            await self._refused(refund, refusal)
            return
        except CallNotBegun as refusal:
            await self._database.once(store.put_off, refund, str(refusal)[:200], refusal.seconds)
            return
        except (OutcomeUnknown, ProviderUnreachable) as refusal:
            await self._answered(refund, str(refusal), is_refused=False)
            return
        except RailNotConfigured as refusal:
            await self._answered(refund, str(refusal), is_refused=False)
            raise
        await self._database.once(store.settle, refund.account, refund.id, made.provider_number)
        _log.info("refund_settled", refund=show("rfd", refund.id), tries=refund.tries)

    async def _refused(self, refund: Refund, refusal: ProviderRefused) -> None:
        if await self._database.once(store.void, refund.account, refund.id) == RefundState.VOID:
            return
        _log.error("refund_refused", refund=show("rfd", refund.id), answer=refusal.response_code)
        await self._answered(refund, str(refusal), is_refused=True)

    async def _answered(self, refund: Refund, answer: str, *, is_refused: bool) -> None:
        pause = try_again_after(refund.tries)
        await self._database.once(
            store.answered, refund, answer[:200], is_refused=is_refused, seconds=pause
        )
