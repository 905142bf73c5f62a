"""Sending of refunds, lookup of refunds in the records of providers, and booking of the refunds that these records contain."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

import msgspec
import structlog

from meterai import suspense
from meterai.kit.clock import Clock
from meterai.kit.ids import show
from meterai.kit.money import Rupiah
from meterai.payments.model import (
    REFUND_PREFIX,
    CallNotBegun,
    OutcomeUnknown,
    ProviderRefused,
    ProviderUnreachable,
    RailNotConfigured,
    RefundLine,
    RefundWish,
    RefusedForEver,
    TransferUnderWay,
    reference_of,
)
from meterai.payments.refunds import store, ways
from meterai.payments.refunds.model import (
    KnownOf,
    PaymentGivenBack,
    Refund,
    RefundPastDue,
    RefundSeen,
    RefundState,
    Way,
    choose_way,
    refund_lease_seconds,
    try_again_after,
)
from meterai.payments.service import PaymentService
from meterai.plumbing.db.database import Database, ReadTx, Tx
from meterai.plumbing.work.periodic import each, run_row

BATCH = 20  # concurrent calls to providers in one run
OVERDUE_BATCH = 200
PUT_OFF_SECONDS = 1.0  # until a provider that was not reached is tried again
# Until the second try after a final refusal; only a second final refusal counts.
FOR_EVER_SECONDS = 60.0
LOOK_AGAIN_SECONDS = 30.0  # until a record that could not be read is read again
RECORD_IS_LATE = timedelta(days=1)  # a provider records its acts within a day
CONTRADICTION_SECONDS = 3600.0  # until a record that contradicts news is read again
_log = structlog.get_logger()


async def book_refunds(
    tx: Tx, account: UUID, attempt: UUID, payment: str, lines: Sequence[RefundLine]
) -> None:
    """Book the refunds of a payment that the provider's record has (`lines`).

    Lines about a refund of ours settle it, or reverse it; all other lines are booked as refunds that the provider made without
    us.
    """
    is_only = await store.number_of_payments(tx, account, attempt) == 1
    found = [one for one in lines if one.payment == payment or (one.payment is None and is_only)]
    refunds = await store.refunds_of_payment(tx, account, attempt, payment)
    ours, made = {refund.number for refund in refunds}, []
    for refund in refunds:
        seen = refund_seen(refund, found)
        if seen is None:
            continue
        if seen.made.value:
            made.append(refund.number)
        await _book_seen(tx, refund, seen)
    # A line with the number of our refund of another payment is not about this payment.
    own = sum(
        line.amount.value
        for line in found
        if line.number not in ours and not (line.number or "").startswith(REFUND_PREFIX)
    )
    await store.given_back(tx, account, attempt, payment, own, made)


async def book_given_back(tx: Tx, news: PaymentGivenBack, lines: Sequence[RefundLine]) -> None:
    """Book the refunds of a payment that the provider's record has (`lines`), and handle the news that the payment was given
    back.

    If the news names a greater sum than the books have afterwards, the news stays in suspense until the record has that sum or
    an operator books the missing sum.
    """
    await book_refunds(tx, news.account, news.attempt, news.payment, lines)
    await conclude(tx, news)


async def conclude(tx: Tx, news: PaymentGivenBack) -> None:
    """Resolve the item in suspense for this news if the books have the whole sum that the news names.  Otherwise keep the item,
    and have the provider's record read again later.
    """
    account, attempt, payment, told = news
    reference = reference_of(account, attempt)
    if await store.not_booked(tx, *news) == 0:
        await suspense.given_back(tx, reference, payment)
        await store.looked_up(tx, account, attempt, payment)
        return
    await suspense.keep(
        tx,
        suspense.ProviderNews(
            key=f"refunded:{reference}:{payment}:{told}",
            source="question",
            reason="refunded_there",
            told=msgspec.json.encode({"payment": payment, "amount": told}),
            reference=reference,
            payment=payment,
            amount=Rupiah(told),
        ),
    )
    await store.look_later(tx, account, attempt, payment, CONTRADICTION_SECONDS, is_read=True)


def refund_seen(refund: Refund, lines: Sequence[RefundLine]) -> RefundSeen | None:
    """Return the facts about our refund in these lines of a record; None if no line is about this refund.

    The rupiah are the sum of all lines about the refund.  A failed try is a line with 0 rupiah, so that it does not hide a try
    that succeeded.
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
    """Book what the record says about our refund.  Does nothing if the record has a greater sum than the refund."""
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
    """Book the result of looking up a refund in its provider's record (`seen`; None if the record does not have it).

    `is_old`: the refund settled at least a day ago; if the record still lacks it, an item in suspense is opened, which is
    resolved once the record has the refund.  `window_seconds`: time after which the refund is no longer looked up.
    """
    key = f"refund_not_in_record:{refund.number}"
    if seen is not None:
        await _book_seen(tx, refund, seen)
        await suspense.ended(tx, key, "in the record")
    elif is_old:
        await suspense.keep(tx, _about(refund, "refund_not_in_record"))
    await store.watched(tx, refund, window_seconds)


def _about(refund: Refund, reason: str) -> suspense.ProviderNews:
    """The item in suspense about a refund for this reason, with the facts that a person needs to ask the provider."""
    told = {"state": refund.state, "tries": refund.tries, "answer": refund.last_answer}
    return suspense.ProviderNews(
        key=f"{reason}:{refund.number}",
        source="question",
        reason=reason,
        told=msgspec.json.encode(told),
        reference=refund.number,  # the provider has our number
        payment=refund.payment,
        amount=refund.amount,
    )


async def suspend(tx: Tx, late: RefundPastDue) -> None:
    """Open an item in suspense for an open refund past its due time."""
    # Locked, so that the refund cannot end before its item exists.
    refund = await store.lock_past_due(tx, late.account, late.refund)
    if refund is not None:
        await suspense.keep(tx, _about(refund, "refund_overdue"))


async def _reroute_refused(tx: Tx, refund: Refund, answer: str) -> None:
    """Reroute a leased refund that its provider does not carry out; must not be called while a call about the refund is under
    way.
    """
    await store.answered(tx, refund, answer, RefundState.REFUSED, FOR_EVER_SECONDS)
    other = await ways.reroute(tx, refund.account, refund.id)
    _log.warning("refund_rerouted", refund=show("rfd", refund.id), way=other.way)


async def _change_way(tx: Tx, refund: Refund, way: Way) -> None:
    """Change the way (route back to the buyer) of a refund that was leased for its first call to a provider; the call is not
    made.
    """
    await store.put_off(tx, refund, "", 0.0)
    await store.take_way(tx, refund.account, refund.id, way)


def _wish(refund: Refund) -> RefundWish:
    return RefundWish(
        refund.account,
        refund.attempt,
        refund.payment,
        refund.number,
        refund.amount,
        was_tried=refund.tries > 1,  # this try is included
    )


class RefundSender:
    """Periodic tasks that send refunds and look them up in records of providers."""

    def __init__(self, database: Database, payments: PaymentService, clock: Clock) -> None:
        self._database = database
        self._payments = payments
        self._lease_seconds = refund_lease_seconds(payments.rails.timeout_seconds)
        self._clock = clock

    async def send_due(self) -> int:
        """Periodic task: send due refunds to their providers.  A refund whose earlier try had no answer is queried first."""
        if not (most := self._payments.rails.room_of_any(BATCH)):
            return 0
        leased = await self._database.once(store.lease_to_send, self._lease_seconds, most)
        return await each(
            self._database, store.SENDING, leased, self._send, subject="id", at_once=BATCH
        )

    async def suspend_overdue(self) -> int:
        """Periodic task: open an item in suspense for each open refund past its due time."""
        found = await self._database.once(store.past_due, OVERDUE_BATCH)
        return await each(self._database, store.SUSPENDING, found, self._suspend, subject="refund")

    async def _suspend(self, late: RefundPastDue) -> None:
        await run_row(self._database, suspend, late)

    async def look_up_given_back(self) -> int:
        """Periodic task: read the provider's record of payments that the provider reports as given back, and book the refunds
        in the record.
        """
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
        """Periodic task: look up refunds in the record of their provider.  A settled refund is looked up less and less often,
        until the time in which its provider answers queries is over.
        """
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
            seen = refund_seen(refund, lines)
            book = partial(book_watched, is_old=is_old, window_seconds=window_seconds)
            await run_row(self._database, book, refund, seen)

    async def way_of(self, tx: ReadTx, refund: Refund) -> Way:
        """The way of a refund (its route back to the buyer); for a refund without a try, the way that will be chosen for it."""
        is_new = refund.way is Way.PROVIDER and refund.state is RefundState.REQUESTED
        if not is_new or refund.tries:
            return refund.way
        return self._chosen(await store.known_of(tx, refund))

    async def _way_of(self, refund: Refund) -> Way:
        """Choose the way (route back to the buyer) of a refund of which nothing was sent yet."""
        if refund.reroute_at is not None:
            return Way.TRANSFER
        return self._chosen(await self._database.once(store.known_of, refund))

    def _chosen(self, known: KnownOf) -> Way:
        rails = self._payments.rails
        age = (self._clock.now() - known.captured_at).total_seconds()
        return choose_way(
            gives_back=rails.gives_back(known.provider, known.method),
            is_in_time=rails.is_own(known.provider) or age <= rails.window_seconds(known.provider),
            has_payouts=rails.has_payouts,
        )

    async def _send(self, refund: Refund) -> None:
        if refund.tries == 1 and (way := await self._way_of(refund)) is not Way.PROVIDER:
            await self._database.run(partial(_change_way, refund=refund, way=way))
            return
        if refund.reroute_at is not None:
            await self._leave(refund, refund.reroute_at)
            return
        # The row of the refund has the state 'sent' by now.  After a crash here, a later run makes the same call with the
        # same number, and the provider repeats its answer.
        try:
            made = await self._payments.refund(_wish(refund))
        except ProviderRefused as refusal:
            await self._refused(refund, refusal)
            return
        except CallNotBegun as refusal:
            await self._database.once(store.put_off, refund, str(refusal)[:200], refusal.seconds)
            return
        except ProviderUnreachable as refusal:
            if refund.tries == 1:  # nothing was ever sent
                await self._database.once(
                    store.put_off, refund, str(refusal)[:200], PUT_OFF_SECONDS
                )
                return
            await self._answered(refund, str(refusal), RefundState.SENT)
            return
        except TransferUnderWay as refusal:
            await self._answered(refund, str(refusal), RefundState.ACCEPTED)
            return
        except OutcomeUnknown as refusal:
            await self._answered(refund, str(refusal), RefundState.SENT)
            return
        except RailNotConfigured as refusal:
            await self._answered(refund, str(refusal), RefundState.SENT)
            raise
        await self._database.once(store.settle, refund.account, refund.id, made.provider_number)
        _log.info("refund_settled", refund=show("rfd", refund.id), tries=refund.tries)

    async def _leave(self, refund: Refund, reroute_at: datetime) -> None:
        """Handle a leased refund that a person wants rerouted and whose outcome is unknown.  The refund is not sent again, but
        looked up in the provider's record: a refund that the record has is booked, any other is rerouted at `reroute_at`.
        """
        try:
            seen = await self._seen(refund)
        except CallNotBegun as refusal:
            await self._database.once(store.put_off, refund, str(refusal)[:200], refusal.seconds)
        except (ProviderRefused, OutcomeUnknown, ProviderUnreachable) as refusal:
            await self._answered(refund, str(refusal), RefundState.SENT)
        except RailNotConfigured as refusal:
            await self._answered(refund, str(refusal), RefundState.SENT)
            raise
        else:
            await self._book_or_reroute(refund, seen, reroute_at)

    async def _book_or_reroute(
        self, refund: Refund, seen: RefundSeen | None, reroute_at: datetime
    ) -> None:
        answer = "the record does not have it"
        if seen is not None and seen.made.value:
            await run_row(self._database, _book_seen, refund, seen)
        elif self._clock.now() < reroute_at:
            await self._answered(refund, answer, RefundState.SENT)
        else:
            await self._database.run(partial(_reroute_refused, refund=refund, answer=answer))

    async def _refused(self, refund: Refund, refusal: ProviderRefused) -> None:
        if await self._database.once(store.void, refund.account, refund.id) == RefundState.VOID:
            return
        _log.error("refund_refused", refund=show("rfd", refund.id), answer=refusal.response_code)
        is_for_ever = isinstance(refusal, RefusedForEver) and self._payments.rails.has_payouts
        # If the refusal is final for the second time and the record does not have the refund, no later try can succeed.
        if is_for_ever and refund.tries > 1 and await self._goes_elsewhere(refund, str(refusal)):
            return
        seconds = FOR_EVER_SECONDS if is_for_ever else try_again_after(refund.tries)
        await self._answered(refund, str(refusal), RefundState.REFUSED, seconds)

    async def _goes_elsewhere(self, refund: Refund, answer: str) -> bool:
        """After the provider's final refusal, reroute a refund, or book it if the provider's record has it nevertheless; False
        if the record cannot be read.
        """
        try:
            seen = await self._seen(refund)
        except (ProviderRefused, OutcomeUnknown, ProviderUnreachable):
            return False
        if seen is not None and seen.made.value:
            await run_row(self._database, _book_seen, refund, seen)
        else:
            await self._database.run(partial(_reroute_refused, refund=refund, answer=answer[:200]))
        return True

    async def _seen(self, refund: Refund) -> RefundSeen | None:
        """Look up a refund in the record of its provider; None if the record does not have it."""
        lines = await self._payments.refund_history(refund.account, refund.attempt)
        return refund_seen(refund, lines)

    async def _answered(
        self, refund: Refund, answer: str, state: RefundState, seconds: float | None = None
    ) -> None:
        again = try_again_after(refund.tries) if seconds is None else seconds
        await self._database.once(store.answered, refund, answer[:200], state, again)
