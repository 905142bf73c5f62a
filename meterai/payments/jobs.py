"""Event handlers of payments."""

from contextlib import suppress
from hashlib import sha256
from uuid import UUID

import msgspec
import structlog

from meterai import suspense
from meterai.payments import store
from meterai.payments.events import NotificationReceived, PaymentRefunded
from meterai.payments.installed import Rails
from meterai.payments.metrics import count_call
from meterai.payments.model import (
    NOT_BOOKED,
    Notification,
    NotificationAct,
    PaymentIdentity,
    ProviderStatus,
    UnmatchedReason,
    differences,
    judge,
    parse_reference,
)
from meterai.payments.refunds import store as refund_store
from meterai.payments.service import PaymentService
from meterai.plumbing.db.database import Tx
from meterai.plumbing.work.events import emit, on

_log = structlog.get_logger()


async def take_from_inbox(tx: Tx, event: NotificationReceived, payments: PaymentService) -> None:
    """Act on a stored notification once, or put it into suspense.

    Its fields were parsed when its signature was checked, and are stored with it; only a notification stored by an earlier
    version is parsed here.  The audit parses the body again.
    """
    at = (event.provider, event.external_id, event.sent_on)
    kept = await store.inboxed(tx, *at)
    if kept is None or kept.outcome is not None:
        return
    if kept.reading is None:
        read = payments.rails.reread(event.provider, kept.body)
    else:
        read = msgspec.convert(kept.reading, Notification)
    outcome = await settle_news(tx, payments.rails, event.provider, read, kept.body)
    await store.set_outcome(tx, *at, outcome)
    _log.info("notification_taken", external_id=event.external_id, outcome=outcome)


async def settle_news(tx: Tx, rails: Rails, provider: str, read: Notification, body: bytes) -> str:
    """Act on a parsed notification, or put it into suspense; return the outcome, which the caller stores in the row of the
    notification.
    """
    outcome = await act_on(tx, rails, provider, read)
    if isinstance(outcome, UnmatchedReason):
        return await _suspend(tx, rails, provider, read, outcome, body)
    return outcome


async def act_on(tx: Tx, rails: Rails, provider: str, read: Notification) -> str | UnmatchedReason:
    """Act on a parsed notification; return the outcome, or the reason why it cannot be booked.

    If the rail demands a status query (`demands_requery`), the notification only causes the query.
    """
    act = judge(read)
    if await _is_of_another(tx, read, rails.ourselves(provider)):
        act = UnmatchedReason.ABOUT_ANOTHER
    if (
        isinstance(act, UnmatchedReason)
        and act is not UnmatchedReason.UNREADABLE
        and _names_nothing(read)
    ):
        return UnmatchedReason.REFERENCE_MISSING
    found = await _attempt_of(tx, provider, read)
    if isinstance(act, UnmatchedReason):
        if found is not None:
            # The answer to a status query may have the facts that this notification lacks.
            await store.ask_now(tx, *found)
        return act
    if found is None:
        return (
            UnmatchedReason.REFERENCE_MISSING
            if _names_nothing(read)
            else UnmatchedReason.REFERENCE_UNKNOWN
        )
    if act is not NotificationAct.NOTHING and rails.kind(provider).demands_requery:
        if not await store.is_at(tx, provider, *found):
            return UnmatchedReason.REFERENCE_UNKNOWN
        await store.ask_now(tx, *found)
        return "asked"
    outcome = await _done(tx, provider, act, *found, read)
    return NOT_BOOKED.get(outcome, outcome)


async def _is_of_another(tx: Tx, read: Notification, ourselves: PaymentIdentity) -> bool:
    """True if a notification is about another merchant, or about other instructions than those of its attempt."""
    found = differences(ourselves, read.about)
    if not found and read.reference is not None and read.provider_reference is not None:
        with suppress(ValueError):
            attempt = await store.attempt(tx, *parse_reference(read.reference))
            found = differences(attempt.about, read.about) if attempt else ()
    if found:
        differs = "; ".join(map(str, found))
        _log.warning("news_about_another", reference=read.reference, differs=differs)
        count_call("notification", UnmatchedReason.ABOUT_ANOTHER)
    return bool(found)


def _names_nothing(read: Notification) -> bool:
    return read.reference is None and read.provider_reference is None


async def _attempt_of(tx: Tx, provider: str, read: Notification) -> tuple[UUID, UUID] | None:
    """Return account and id of the attempt that a notification names, whether or not the attempt exists; None if it names
    none.
    """
    if read.reference is not None:
        try:
            return parse_reference(read.reference)
        except ValueError:
            return None
    if read.provider_reference is None:
        return None
    found = await store.by_provider_reference(tx, provider, read.provider_reference)
    return None if found is None else (found.account, found.id)


async def _done(
    tx: Tx, provider: str, act: NotificationAct, account: UUID, attempt: UUID, read: Notification
) -> str | UnmatchedReason:
    amount = None if read.amount is None else read.amount.value
    match act:
        case NotificationAct.CAPTURE:
            outcome = await store.capture_from(tx, provider, account, attempt, read.number, amount)
        case NotificationAct.CHARGE_BACK:
            if read.status is ProviderStatus.CANCELLED and read.number is None:
                amount = None  # the attempt ended unpaid: no sum was charged back
            outcome = await store.charge_back_from(
                tx, provider, account, attempt, read.number, amount
            )
        case NotificationAct.REFUNDED:
            if read.number is None or not await store.captured(tx, account, attempt, read.number):
                return UnmatchedReason.REFUNDED_THERE
            await emit(
                tx,
                PaymentRefunded(
                    account=account,
                    attempt=attempt,
                    payment=read.number,
                    amount=amount,
                    is_sum=False,
                ),
            )
            outcome = "refunded"
        case NotificationAct.NOTHING:
            known = await store.attempt(tx, account, attempt)
            outcome = "unknown_attempt" if known is None else "nothing_to_do"
    return outcome


async def _suspend(
    tx: Tx, rails: Rails, provider: str, read: Notification, reason: UnmatchedReason, body: bytes
) -> str:
    """Put a notification that cannot be booked into suspense, with its money if we certainly received the money; return the
    outcome.

    A notification of a rail that demands a status query does not prove that money was received.
    """
    names_no_attempt = reason in (
        UnmatchedReason.REFERENCE_MISSING,
        UnmatchedReason.REFERENCE_UNKNOWN,
    )
    is_sure = judge(read) is NotificationAct.CAPTURE and not rails.kind(provider).demands_requery
    is_money = names_no_attempt and is_sure
    reference = read.reference or read.provider_reference
    if is_money and await store.captured_anywhere(tx, str(read.number)):
        if reference is None:
            return "known"
        reason, is_money = UnmatchedReason.NUMBER_ELSEWHERE, False
    named = f"{reference}:{read.number}:{read.word}" if read.number else sha256(body).hexdigest()
    await suspense.keep(
        tx,
        suspense.ProviderNews(
            key=f"{provider}:{named}:{reason}",
            source="notification",
            reason=reason,
            told=body,
            reference=reference,
            payment=read.number,
            amount=read.amount,
            is_money=is_money,
        ),
    )
    return f"suspended_{reason}"


async def take_refund_news(tx: Tx, event: PaymentRefunded) -> None:
    """Act on a refund that a provider reports, which may be our refund or a refund that the provider made without us.

    The answer to a query names the sum of all refunds so far: if the books have the same sum, nothing is done.  Otherwise our
    open refunds of the payment are queried at once, and the provider's record is read to find out which refund it was.
    """
    about = (event.account, event.attempt, event.payment)
    await refund_store.ask_now(tx, *about)
    told = event.amount
    if told is not None and event.is_sum and not await refund_store.not_booked(tx, *about, told):
        return
    await refund_store.given_back_told(tx, *about, told)


HANDLERS = (
    on(NotificationReceived, take_from_inbox, gives_up=False, service=PaymentService),
    on(PaymentRefunded, take_refund_news, gives_up=False),
)
