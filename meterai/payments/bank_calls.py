"""Our answers to calls that providers make to us: notification, token request, inquiry, payment of a virtual account."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from hashlib import sha256

from meterai.kit.clock import Clock
from meterai.kit.refusal import NotFound
from meterai.payments import store
from meterai.payments.installed import Rails
from meterai.payments.jobs import settle_news
from meterai.payments.model import (
    AttemptState,
    BankInquiry,
    Delivered,
    HttpAnswer,
    InquiryVerdict,
    NotificationForged,
    PaymentAttempt,
    ProviderCallKind,
    UnmatchedReason,
    parse_reference,
)
from meterai.payments.rails import ProviderEndpoint
from meterai.payments.service import PaymentService, keep_conflict
from meterai.plumbing.db.database import Database, ReadTx, Tx

REFUSED = "refused_"  # prefix of the verdict in the recorded outcome of a refused payment
# Verdict for the bank, by the outcome of booking its payment.
_VERDICTS = {
    "captured": InquiryVerdict.TAKEN,
    "known": InquiryVerdict.TAKEN,
    UnmatchedReason.AMOUNT_DIFFERS: InquiryVerdict.INCONSISTENT,
    UnmatchedReason.NUMBER_ELSEWHERE: InquiryVerdict.INCONSISTENT,
}
_PAID = (AttemptState.PAID, AttemptState.CHARGED_BACK)
_CLOSED = (AttemptState.CANCELLED, AttemptState.LOST, AttemptState.DECLINED)


class BankCalls:
    """Processes the calls of providers at all webhook endpoints."""

    def __init__(self, database: Database, payments: PaymentService, clock: Clock) -> None:
        self._database = database
        self._payments = payments
        self._clock = clock

    async def take(
        self,
        rail: str,
        endpoint: ProviderEndpoint,
        path: str,
        headers: Mapping[str, str],
        body: bytes,
    ) -> HttpAnswer:
        """Process a call of a provider and return the answer; a notification or payment is stored first.

        Refuses `NotFound` if this installation does not have the rail.
        """
        rails = self._payments.rails
        endpoints = rails.kind(rail).endpoints if rail in rails.names() else ()
        if path not in [one.path for one in endpoints]:
            raise NotFound(f"no rail {rail!r} has such an endpoint")
        try:
            if endpoint.kind is ProviderCallKind.NOTIFICATION:
                is_new_or_same = await self._payments.take_notification(rail, path, headers, body)
                status = 200 if is_new_or_same else 409
                return HttpAnswer(status, endpoint.answer(status, ""))
            desk = rails.desk(rail)
            if endpoint.kind is ProviderCallKind.TOKEN:
                return desk.token(headers, body)
            asked = desk.asked(endpoint.kind, path, headers, body)
        except NotificationForged as refusal:
            return HttpAnswer(401, endpoint.answer(401, str(refusal)))

        async def answer(tx: Tx) -> tuple[InquiryVerdict, PaymentAttempt | None]:
            if asked.told is None:
                return await _asked(tx, rail, asked, self._clock.now())
            return await _paid(tx, rails, rail, asked, asked.told, body), None

        return desk.answer(asked, *await self._database.run(answer))


async def _asked(
    tx: ReadTx, rail: str, asked: BankInquiry, now: datetime
) -> tuple[InquiryVerdict, PaymentAttempt | None]:
    """Return our verdict on a payment to this virtual account at the time `now`, and the attempt that the account belongs to.

    The attempt is None if there is no such attempt at this rail.
    """
    if asked.provider_reference is None:
        return InquiryVerdict.UNREADABLE, None
    attempt = await _attempt_of(tx, rail, asked)
    return _payable(attempt, now), attempt


async def _attempt_of(tx: ReadTx, rail: str, asked: BankInquiry) -> PaymentAttempt | None:
    """The attempt that a virtual account belongs to; None if there is no such attempt at this rail.

    If the bank names our reference, it is the attempt with this reference, else the newest attempt with the account number.
    """
    number = str(asked.provider_reference)
    reference = asked.told.said.reference if asked.told else None
    if reference is not None:
        with suppress(ValueError):
            found = await store.attempt(tx, *parse_reference(reference))
            is_it = found and found.channel.provider == rail
            return found if is_it and found and found.provider_reference in (None, number) else None
    return await store.newest_by_provider_reference(tx, rail, number)


def _payable(attempt: PaymentAttempt | None, at: datetime) -> InquiryVerdict:
    """Return our verdict on a payment of this attempt at the time `at`; `attempt` is None if the bank names no attempt of
    ours.
    """
    if attempt is None:
        return InquiryVerdict.NOT_FOUND
    if attempt.state in _PAID:
        return InquiryVerdict.PAID
    if attempt.state in _CLOSED or attempt.expires_at <= at:
        return InquiryVerdict.EXPIRED
    return InquiryVerdict.PAYABLE


async def _paid(
    tx: Tx, rails: Rails, rail: str, asked: BankInquiry, told: Delivered, body: bytes
) -> InquiryVerdict:
    """Store the notification of a payment, book it, and return the verdict.

    If the verdict is a refusal, the attempt is queried later, since the bank may nevertheless have kept the payer's money.
    """
    said, told_id = told.said, told.id or f"none:{sha256(body).hexdigest()}"
    if not await store.insert_inbox(tx, rail, told_id, told.sent_on, body, said):
        known = await store.inboxed(tx, rail, told_id, told.sent_on)
        if known is not None and known.body not in (body, b""):
            await keep_conflict(tx, f"{rail}:{told_id}", told, body)
            return InquiryVerdict.CONFLICT
        outcome = (known and known.outcome) or ""
        return _verdict_of(outcome)
    attempt = await _attempt_of(tx, rail, asked)
    verdict = _payable(attempt, asked.moved_at)
    is_known = False
    if attempt is not None:
        is_known = await store.captured(tx, attempt.account, attempt.id, said.number)
        if verdict is InquiryVerdict.PAYABLE and said.amount != attempt.amount and not is_known:
            verdict = InquiryVerdict.AMOUNT_WRONG
    if attempt is not None and (is_known or verdict is InquiryVerdict.PAYABLE):
        outcome = await settle_news(tx, rails, rail, said, body)
    else:
        outcome = f"{REFUSED}{verdict}"
        if attempt is not None:
            await store.ask_now(tx, attempt.account, attempt.id)
    await store.set_outcome(tx, rail, told_id, told.sent_on, outcome)
    return _verdict_of(outcome)


def _verdict_of(outcome: str) -> InquiryVerdict:
    if outcome.startswith(REFUSED):
        return InquiryVerdict(outcome.removeprefix(REFUSED))
    return _VERDICTS.get(outcome.removeprefix("suspended_"), InquiryVerdict.NOT_FOUND)
