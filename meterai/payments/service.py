"""Payments: open attempts, query them, cancel them, and keep news that cannot be booked as items in suspense.

Since `PaymentService` calls providers, it commits its steps one by one: the intended call before it is made, the result after
it.
"""

from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from functools import partial
from hashlib import sha256
from time import monotonic
from uuid import UUID

import msgspec
import structlog

from meterai import suspense
from meterai.kit.clock import Clock
from meterai.kit.ids import compact, new_id
from meterai.kit.money import Rupiah
from meterai.payments import silence, store
from meterai.payments.events import PaymentRefunded
from meterai.payments.installed import Rails
from meterai.payments.model import (
    ATTEMPTS_PER_SUBJECT_MAX,
    NOT_BOOKED,
    AboutAnother,
    AttemptState,
    AttemptStatus,
    CallNotBegun,
    Delivered,
    Instructions,
    MadeBefore,
    Movement,
    NotApplied,
    OpenedAttempt,
    OutcomeUnknown,
    Payment,
    PaymentAttempt,
    PaymentChannel,
    PaymentIdentity,
    ProviderRefused,
    ProviderStatus,
    ProviderUnreachable,
    RailNotConfigured,
    RefundLine,
    RefundMade,
    RefundWish,
    UnmatchedLine,
    UnmatchedNews,
    UnmatchedReason,
    parse_reference,
    reference_of,
)
from meterai.payments.settings import PaymentSettings
from meterai.plumbing.db.database import Database, ReadTx, Tx
from meterai.plumbing.work.events import emit
from meterai.plumbing.work.periodic import each

PAUSE_SECONDS = (
    2.0  # until the next call for instructions; doubled after each try without an answer
)
PAUSE_SECONDS_MAX = 120.0
LOOK_SECONDS = 0.5  # age at which the list of rails that are out is read again, so that it is never a second old
CANCEL_SECONDS_MAX = 3600.0  # longest pause between two tries to cancel instructions
# This long after their expiry, instructions certainly accept no money.
CANCEL_AFTER_END_SECONDS = 3600.0
BATCH = 20  # concurrent calls to providers in one run
LATE_SHARE = 5  # queries of a run, at least, for attempts that no buyer waits for
SWEEP_SECONDS_MAX = 60.0  # time limit of the statement over all unanswered queries
CANCELLING = "cancel_payments"
_log = structlog.get_logger()


def new_attempt(account: UUID) -> tuple[UUID, str]:
    """(id, our reference) for a new attempt of this account."""
    attempt = new_id()
    return attempt, reference_of(account, attempt)


async def attempts_of(
    tx: ReadTx, account: UUID, subjects: Sequence[UUID], paid_by: Sequence[UUID]
) -> dict[UUID, PaymentAttempt]:
    """For each subject (order), the attempt to show to its buyer.

    That is the attempt that paid the subject, if `paid_by` contains it; else an attempt that can be paid now or soon; else the
    newest.

    An attempt has instructions only while it can be paid.
    """
    found = await store.shown(tx, account, subjects, paid_by)
    return {attempt.subject: attempt for attempt in found}


async def close(tx: Tx, account: UUID, subject: UUID) -> None:
    """Close the open attempts of a subject (order); a periodic task then cancels them at their providers."""
    await store.close(tx, account, subject)


async def suspend(
    tx: Tx, reference: str, unmatched: UnmatchedNews, *, asked_of: PaymentAttempt
) -> None:
    """Keep news in the answer to a status query, such as a payment that cannot be booked, as an item in suspense.

    reference  our reference that the answer names
    asked_of   the attempt that was queried
    """
    key = f"{asked_of.channel.provider}:{reference}:{unmatched.number or ''}:{unmatched.reason}"
    told = msgspec.json.encode(
        {
            "number": unmatched.number,
            "amount": unmatched.amount and unmatched.amount.value,
            "of": asked_of.reference,
        }
    )
    await suspense.keep(
        tx,
        suspense.ProviderNews(
            key, "question", unmatched.reason, told, reference, unmatched.number, unmatched.amount
        ),
    )


class PaymentService:
    """Opens, queries and cancels attempts, stores notifications, and makes refunds, each by the rail of the attempt."""

    def __init__(
        self, database: Database, rails: Rails, settings: PaymentSettings, clock: Clock
    ) -> None:
        self._database = database
        self._rails = rails
        self._settings = settings
        self._clock = clock
        self._looked_at = -LOOK_SECONDS

    @property
    def rails(self) -> Rails:
        """The rails of this installation."""
        return self._rails

    async def look_at_rails(self) -> Rails:
        """The rails of this installation; the list of rails that operators took out is at most half a second old."""
        now = monotonic()
        if now - self._looked_at >= LOOK_SECONDS:
            self._looked_at = now
            self._rails.take_out([one.rail for one in await self._database.once(store.out)])
        return self._rails

    async def open_another(
        self, tx: Tx, account: UUID, subject: UUID, amount: Rupiah, expires_at: datetime
    ) -> None:
        """Begin another attempt of an unpaid subject (order) whose last attempt accepts no money any more.

        The new attempt has the method of the last attempt, and also its rail, unless an operator took that rail out or its
        provider does not answer.  The worker opens the new attempt at once.  Does nothing if the subject has had
        `ATTEMPTS_PER_SUBJECT_MAX` attempts.
        """
        last = await store.newest(tx, account, subject)
        assert last is not None, "a subject has an attempt from the start"
        attempt, reference = new_attempt(account)
        rails, channel = await self.look_at_rails(), last.channel
        if not rails.is_good(channel.provider):
            channel = rails.elsewhere(channel, amount.value, attempt) or channel
        most = ATTEMPTS_PER_SUBJECT_MAX
        if not await store.open_another(
            tx, account, attempt, subject, channel, reference, amount, expires_at, most
        ):
            _log.warning("attempts_spent", subject=str(subject))

    def payable(self, attempt: PaymentAttempt) -> PaymentAttempt:
        """The attempt; without its instructions if these would pay another merchant or another sum.

        Instructions are checked when they are made, and again here: the database may have been changed.
        """
        if attempt.instructions is None:
            return attempt
        wrong = self._rails.complaints(
            attempt.channel.provider,
            attempt.instructions,
            attempt.amount.value,
            attempt.provider_reference,
        )
        if not wrong:
            return attempt
        _log.error("qr_exchanged", reference=attempt.reference, wrong=", ".join(wrong))
        return replace(attempt, instructions=None)

    async def _rail_of(self, account: UUID, attempt: UUID) -> tuple[str, PaymentIdentity]:
        """(name of the rail, identity for calls) of an attempt; the name is '' if there is no such attempt."""
        async with self._database.reading() as tx:
            found = await store.attempt(tx, account, attempt)
        return (found.channel.provider, found.about) if found else ("", PaymentIdentity())

    # -- opening ---------------------------------------------------------------------------

    async def open(self, attempt: PaymentAttempt) -> Instructions | None:
        """Have the provider make the instructions of an attempt whose row exists, and record the answer.

        Returns the instructions, or None if there are none yet: then the worker repeats the call, with the same reference, so
        that a repeat is safe.  A new attempt with another reference replaces this one only in two cases: the provider made the
        instructions in an earlier call and does not repeat them, or another rail of the method is used.
        """
        account, reference = attempt.account, attempt.reference
        if self._rails.is_out(attempt.channel.provider):
            await self._go_elsewhere(attempt, "out", PAUSE_SECONDS)
            return None
        try:
            made = await self._rails.of(attempt.channel.provider, is_repeat=attempt.tries > 0).open(
                attempt.channel.method, reference, attempt.amount, attempt.expires_at
            )
        except CallNotBegun as refusal:
            await self._go_elsewhere(attempt, str(refusal), refusal.seconds)
            return None
        except ProviderRefused as refusal:
            _log.warning("attempt_refused", reference=reference, answer=str(refusal))
            if await self._is_elsewhere(attempt):
                return None
            await self._later(account, attempt.id, refusal, is_perhaps_made=False)
            return None
        except ProviderUnreachable as refusal:
            await self._later(account, attempt.id, refusal, is_perhaps_made=False)
            return None
        except OutcomeUnknown as refusal:
            await self._later(account, attempt.id, refusal, is_perhaps_made=True)
            return None
        except RailNotConfigured as refusal:
            await self._later(account, attempt.id, refusal, is_perhaps_made=False)
            raise
        if isinstance(made, MadeBefore):
            await self._replace(attempt, attempt.channel)
            return None
        return await self._record(account, attempt.id, made)

    async def _later(
        self, account: UUID, attempt: UUID, answer: Exception, *, is_perhaps_made: bool
    ) -> None:
        await self._database.once(
            store.open_later,
            account,
            attempt,
            str(answer)[:200],
            is_perhaps_made=is_perhaps_made,
            seconds=PAUSE_SECONDS,
            seconds_max=PAUSE_SECONDS_MAX,
        )

    async def _go_elsewhere(self, attempt: PaymentAttempt, answer: str, seconds: float) -> None:
        """Replace an attempt by an attempt at another rail of the same payment method; if there is no such rail, try again
        after `seconds`.
        """
        if not await self._is_elsewhere(attempt):
            await self._database.once(
                store.put_opening_off, attempt.account, attempt.id, answer[:200], seconds
            )

    async def _is_elsewhere(self, attempt: PaymentAttempt) -> bool:
        channel = self._rails.elsewhere(attempt.channel, attempt.amount.value, attempt.id)
        if channel is not None:
            await self._replace(attempt, channel)
        return channel is not None

    async def _replace(self, attempt: PaymentAttempt, channel: PaymentChannel) -> None:
        successor, its_reference = new_attempt(attempt.account)
        outcome = await self._database.once(
            store.replace,
            attempt,
            successor,
            its_reference,
            channel,
            PAUSE_SECONDS,
            ATTEMPTS_PER_SUBJECT_MAX,
        )
        where = channel.provider
        _log.warning("attempt_lost", reference=attempt.reference, outcome=outcome, rail=where)

    async def _record(self, account: UUID, attempt: UUID, made: OpenedAttempt) -> Instructions:
        await self._database.once(
            store.record_opened, account, attempt, made, self._settings.poll_after_seconds
        )
        return made.instructions

    async def open_now(self, account: UUID, subject: UUID) -> None:
        """Open the attempt of a subject (order) that waits to be opened, unless the worker is doing so."""
        lease = self._settings.bank_lease_seconds
        attempt = await self._database.once(store.lease_to_open_of, account, subject, lease)
        if attempt is not None:
            await self.open(attempt)

    async def open_waiting(self) -> int:
        """Periodic task: open attempts that wait to be opened; returns how many were processed."""
        lease = self._settings.bank_lease_seconds
        await self.look_at_rails()  # once for this run
        most, away = self._rails.room(BATCH)
        # Attempts at a rail that does not answer are leased too if another rail can take them over.
        away = [name for name in away if not self._rails.has_another(name)]
        leased = await self._database.once(store.lease_to_open, lease, most, away)
        return await each(
            self._database, "open_payments", leased, self._open_late, subject="id", at_once=BATCH
        )

    async def _open_late(self, attempt: PaymentAttempt) -> None:
        if attempt.expires_at <= self._clock.now():
            await self._database.once(store.expire_opening, attempt.account, attempt.id)
            return
        await self.open(attempt)

    # -- news and queries ------------------------------------------------------------------

    async def take_notification(
        self, provider: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> bool:
        """Check the signature of a notification, and store the notification with a job that acts on it.

        Returns False if a notification with the same id and another body came before: the new notification is then put into
        suspense, and its attempt is queried.

        Every signed notification is stored with its parsed fields, even if it is unreadable.
        Refuses `NotificationForged`, `RailNotConfigured`.
        """
        told = self._rails.of(provider).notification(path, headers, body)
        told_id = told.id or f"none:{sha256(body).hexdigest()}"

        async def take(tx: Tx) -> bool:
            if await store.take(tx, provider, told_id, told.sent_on, body, told.said):
                return True
            known = await store.inboxed(tx, provider, told_id, told.sent_on)
            if known is None or known.body == body:
                return True
            await keep_conflict(tx, f"{provider}:{told_id}", told, body)
            return False

        return await self._database.run(take)

    async def poll_waiting(self) -> int:
        """Periodic task: query attempts that are due to be queried, since a notification about them may have been lost; returns
        how many were processed.
        """
        lease = self._settings.bank_lease_seconds
        most, away = self._rails.room(BATCH)
        leased = await self._database.once(
            store.lease_to_ask, lease, most, min(LATE_SHARE, most), away
        )
        return await each(
            self._database,
            "ask_about_payments",
            leased,
            self.ask,
            subject="id",
            at_once=BATCH + LATE_SHARE,
        )

    async def ask(self, attempt: PaymentAttempt) -> bool:
        """Query one attempt, book the answer, and set the time of the next query; True if the provider answered."""
        is_answered = is_cancelled = is_unknown = False
        provider = attempt.channel.provider
        try:
            standing = await self._rails.of(provider).ask(attempt.about)
        except RailNotConfigured:
            await self._asked(attempt)
            raise
        except CallNotBegun as refusal:
            await self._database.once(
                store.put_question_off, attempt.account, attempt.id, refusal.seconds
            )
            return False
        except AboutAnother as refusal:
            if refusal.is_money:
                await self._database.run(
                    partial(_suspend_about_another, attempt=attempt, answer=refusal)
                )
        except (OutcomeUnknown, ProviderUnreachable, ProviderRefused) as refusal:
            _log.info("question_unanswered", reference=attempt.reference, answer=str(refusal))
        else:
            await self._learn(attempt, standing)
            is_answered = True
            is_cancelled = standing.status is ProviderStatus.CANCELLED and not standing.payments
            is_unknown = standing.status is ProviderStatus.UNKNOWN
        await self._asked(
            attempt, is_answered=is_answered, is_cancelled=is_cancelled, is_unknown=is_unknown
        )
        return is_answered

    async def _asked(
        self,
        attempt: PaymentAttempt,
        *,
        is_answered: bool = False,
        is_cancelled: bool = False,
        is_unknown: bool = False,
    ) -> None:
        await self._database.once(
            store.asked,
            attempt.account,
            attempt.id,
            is_answered=is_answered,
            is_cancelled=is_cancelled,
            is_unknown=is_unknown,
            seconds=self._settings.poll_after_seconds,
            window_seconds=self._rails.window_seconds(attempt.channel.provider),
        )

    async def _learn(self, attempt: PaymentAttempt, standing: AttemptStatus) -> None:
        lines = Counter(one.number for one in standing.payments)
        for one in standing.payments:
            is_only = lines[one.number] == 1
            await self._database.run(
                partial(_take_answer, attempt=attempt, one=one, is_only=is_only)
            )
        if standing.payments:
            await self._explain(attempt, standing)
            return
        is_ended = (
            standing.status is ProviderStatus.CANCELLED and attempt.state is AttemptState.WAITING
        )
        if standing.status is ProviderStatus.FAILED or is_ended:
            await self._database.run(partial(_charge_back, attempt=attempt))

    async def _explain(self, attempt: PaymentAttempt, standing: AttemptStatus) -> None:
        """Resolve the items in suspense about the payments that this answer of the provider reports, since the answer explains
        them.  Does nothing if one of these payments cannot be booked.
        """
        if any(isinstance(one, UnmatchedNews) for one in standing.payments):
            return

        async def explain(tx: Tx) -> None:
            for one in standing.payments:
                if isinstance(one, Payment) and one.status is ProviderStatus.PAID and one.amount:
                    await suspense.explained(tx, attempt.reference, one.number, one.amount)

        await self._database.run(explain)

    async def suspend_silence(self) -> int:
        """Periodic task: open items in suspense for queries that a provider has left unanswered for long, and resolve items
        whose queries were answered since; returns the number of items that should be open.
        """
        return await self._database.run(suspend_silent)

    # -- cancelling ------------------------------------------------------------------------

    async def take_back(self, account: UUID, subject: UUID) -> None:
        """Cancel the closed attempts of a subject (order) at their providers at once, instead of leaving them to the periodic
        task.
        """
        lease = self._settings.bank_lease_seconds
        leased = await self._database.once(store.lease_to_cancel_of, account, subject, lease)
        await each(self._database, CANCELLING, leased, self._take_back, subject="id")

    async def cancel_closed(self) -> int:
        """Periodic task: cancel closed attempts at their providers, so that nobody pays them; returns how many were
        processed.
        """
        lease = self._settings.bank_lease_seconds
        most, away = self._rails.room(BATCH)
        leased = await self._database.once(store.lease_to_cancel, lease, most, away)
        return await each(
            self._database, CANCELLING, leased, self._take_back, subject="id", at_once=BATCH
        )

    async def _take_back(self, attempt: PaymentAttempt) -> None:
        key = (attempt.account, attempt.id)
        try:
            rail = self._rails.of(attempt.channel.provider, is_repeat=attempt.tries > 0)
            is_taken_back = await rail.cancel(attempt.about, "not to be paid any more")
        except CallNotBegun as refusal:
            await self._database.once(store.put_cancel_off, *key, refusal.seconds)
        except (ProviderRefused, OutcomeUnknown, ProviderUnreachable) as refusal:
            # Also if the provider has no such instructions: the call that makes them may still be under way.
            await self._cancel_later(attempt, refusal)
        except RailNotConfigured as refusal:
            await self._cancel_later(attempt, refusal)
            raise
        else:
            if is_taken_back:
                await self._database.once(store.cancelled, *key)
                return
            # The attempt was paid meanwhile, or has ended: a query finds out.
            await self._database.once(store.cancel_no_more, *key)
            await self._database.once(store.ask_now, *key)

    # -- refunds ---------------------------------------------------------------------------

    async def refund(self, wish: RefundWish) -> RefundMade:
        """Have the provider make a refund; a repeated call with the same number does not refund twice.

        The caller must have recorded the try and committed that before.  If an earlier try may have been carried out, the
        provider's record is read first.  Refuses `ProviderRefused`, `OutcomeUnknown`, `ProviderUnreachable`,
        `RailNotConfigured`.
        """
        name, about = await self._rail_of(wish.account, wish.attempt)
        rail = self._rails.of(name)
        if wish.was_tried:
            try:
                # A second try makes two calls, of which only this one counts as a repeat.
                again = self._rails.of(name, is_repeat=True)
                made = await again.refunded(about, wish.number, wish.amount)
            except ProviderRefused:
                made = None  # the provider has no such refund; the same number makes a repeat safe
            if made is not None:
                return made
        return await rail.refund(about, wish.payment, wish.number, wish.amount)

    async def account_holder(self, bank: str, number: str) -> str:
        """The name of the holder of a bank account, as its bank confirms it; `bank` is a three-digit code.

        The bank is queried by the rail of this bank if there is one and it answers, else by another rail.  Refuses
        `ProviderRefused` for an unknown account, `OutcomeUnknown`, `ProviderUnreachable`, `RailNotConfigured`.
        """
        _, payouts = self._rails.payouts_for(bank)
        return await payouts.account_name(bank, number, f"N{compact(new_id())}")

    async def refund_history(self, account: UUID, attempt: UUID) -> tuple[RefundLine, ...]:
        """The refunds of an attempt in the provider's record: our refunds and those that the provider made without us.

        Refuses `ProviderRefused`, `OutcomeUnknown`, `ProviderUnreachable`, `RailNotConfigured`.
        """
        name, about = await self._rail_of(account, attempt)
        return await self._rails.of(name).refunds_of(about)

    async def history(
        self, begins: datetime, ends: datetime
    ) -> AsyncIterator[Movement | UnmatchedLine]:
        """The movements in the records of all providers from `begins` to before `ends`, provider by provider.

        Providers whose record cannot be queried are left out.  The result is complete only if `ends` is in the past.  Refuses
        `ProviderRefused`, `OutcomeUnknown`, `ProviderUnreachable`.
        """
        for name in self._rails.names():
            if not self._rails.kind(name).is_history_there:
                continue  # the files of this provider are compared instead
            async for movement in self._rails.of(name).history(begins, ends):
                yield movement

    async def _cancel_later(self, attempt: PaymentAttempt, answer: Exception) -> None:
        _log.info("cancel_failed", reference=attempt.reference, answer=str(answer))
        await self._database.once(
            store.cancel_later,
            attempt.account,
            attempt.id,
            seconds=PAUSE_SECONDS,
            seconds_max=CANCEL_SECONDS_MAX,
            give_up_seconds=CANCEL_AFTER_END_SECONDS,
        )


async def apply(tx: Tx, account: UUID, subject: UUID, number: str, amount: Rupiah) -> None:
    """Capture a payment that arrived without our reference, for the subject (order) that an operator names.

    `number` is the provider's number of the payment.  Refuses `NotApplied`.
    """
    attempt = await store.newest(tx, account, subject)
    outcome = "unknown_attempt"
    if attempt is not None:
        outcome = await store.capture(tx, account, attempt.id, number, amount.value, "operator")
    if outcome != "captured":
        raise NotApplied(outcome)


async def suspend_silent(tx: Tx) -> int:
    """Open items in suspense for queries that a provider has left unanswered for long, and resolve items whose queries were
    answered since; return the number of items that should be open.
    """
    await tx.allow(SWEEP_SECONDS_MAX)
    found, heard = await store.silent(tx)
    wanted = {one.mark: one for one in silence.items(found, heard)}
    known = [(one.key.rpartition(".")[0], one) for one in await suspense.questions(tx)]
    for mark in wanted.keys() - {mark for mark, _ in known}:
        await suspense.keep(tx, silence.news(wanted[mark]))
    for mark, item in known:
        if item.is_open and mark not in wanted:
            await suspense.explain(tx, item.id, "answered")
    return len(wanted)


async def ask_about(tx: Tx, reference: str) -> None:
    """Make the attempt with this reference of ours due to be queried at once; does nothing if the text is not such a
    reference.
    """
    with suppress(ValueError):
        await store.ask_now(tx, *parse_reference(reference))


async def keep_conflict(tx: Tx, told_id: str, told: Delivered, body: bytes) -> None:
    """Put a notification into suspense that has the id of an earlier notification but another body, and have its attempt
    queried.
    """
    reference = told.said.reference
    await suspense.keep(
        tx,
        suspense.ProviderNews(
            key=f"{told_id}:{sha256(body).hexdigest()}",
            source="notification",
            reason=UnmatchedReason.ID_CONFLICT,
            told=body,
            reference=reference,
            payment=told.said.number,
            amount=told.said.amount,
        ),
    )
    if reference is not None:
        with suppress(ValueError):
            await store.ask_now(tx, *parse_reference(reference))


async def _suspend_about_another(tx: Tx, attempt: PaymentAttempt, answer: AboutAnother) -> None:
    """Put into suspense an answer that reports money, but is about another subject than the queried attempt.

    The answer moves no money.  If it names another attempt of ours, that attempt is queried at once.
    """
    other = answer.told.reference or answer.told.provider_reference
    await suspense.keep(
        tx,
        suspense.ProviderNews(
            key=f"{attempt.channel.provider}:{attempt.reference}:{other}:{UnmatchedReason.ABOUT_ANOTHER}",
            source="question",
            reason=UnmatchedReason.ABOUT_ANOTHER,
            told=msgspec.json.encode({"of": attempt.reference, "differs": answer.differences}),
            reference=attempt.reference,
        ),
    )
    if answer.told.reference not in (None, attempt.reference):
        with suppress(ValueError):
            await store.ask_now(tx, *parse_reference(str(answer.told.reference)))


async def _take_answer(
    tx: Tx, attempt: PaymentAttempt, one: Payment | UnmatchedNews, *, is_only: bool
) -> None:
    """Book one payment in an answer, or put it into suspense.

    `is_only`: no other line of the answer is about this payment.
    """
    unmatched = (
        one if isinstance(one, UnmatchedNews) else await _learned(tx, attempt, one, is_only=is_only)
    )
    if unmatched is not None:
        await suspend(tx, attempt.reference, unmatched, asked_of=attempt)


async def _charge_back(tx: Tx, attempt: PaymentAttempt) -> None:
    """Record that an attempt ended at its provider without a payment, or that its payment was charged back."""
    if attempt.state is not AttemptState.PAID and await store.captured(
        tx, attempt.account, attempt.id, None
    ):
        return  # the payment was captured while the query was under way, so that the answer is older
    outcome = await store.charge_back(tx, attempt.account, attempt.id, None, None)
    if reason := NOT_BOOKED.get(outcome):
        await suspend(tx, attempt.reference, UnmatchedNews(reason), asked_of=attempt)


async def _learned(
    tx: Tx, attempt: PaymentAttempt, payment: Payment, *, is_only: bool
) -> UnmatchedNews | None:
    """Book one payment in an answer; return None, or the payment as `UnmatchedNews` if it cannot be booked."""
    about = (attempt.account, attempt.id, payment.number)
    amount = None if payment.amount is None else payment.amount.value
    match payment.status:
        case ProviderStatus.PAID:
            outcome = await store.capture(tx, *about, amount, "question")
            if outcome == "known":
                # If the only line of the answer about this payment says paid, its chargeback is won.
                await store.confirm(tx, *about, attempt.asked_at if is_only else None)
        case ProviderStatus.FAILED | ProviderStatus.CANCELLED:
            outcome = await store.charge_back(tx, *about, amount)
        case _:
            if await store.captured(tx, *about):
                await emit(
                    tx,
                    PaymentRefunded(
                        account=attempt.account,
                        attempt=attempt.id,
                        payment=payment.number,
                        amount=amount,
                        is_sum=True,
                    ),
                )
                return None
            return UnmatchedNews(UnmatchedReason.REFUNDED_THERE, payment.number, payment.amount)
    reason = NOT_BOOKED.get(outcome)
    return None if reason is None else UnmatchedNews(reason, payment.number, payment.amount)
