"""Book what the record of a provider says of a payment: the strongest evidence there is.

News of a payment, answers to questions and the provider's record may contradict each other.  News moves money until an
answer says otherwise, an answer until the record of the day does.  A payment that the record has is closed: no news
opens it again, only an answer of a later day (a charge-back, say) and its own record.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from meterai.kit.money import Rupiah
from meterai.payments import store
from meterai.payments.events import PaymentWon
from meterai.payments.model import NOT_BOOKED, RefundLine, UnmatchedReason, parse_reference
from meterai.payments.refunds import service as refund_service
from meterai.plumbing.db.database import Tx
from meterai.plumbing.work.events import emit

# A record may have a charge-back later than its news: until then a smaller sum of the record says nothing.
RECORD_IS_LATE = timedelta(days=1)


class RecordOutcome(StrEnum):
    """Effect of the record on the books of a payment."""

    CAPTURED = "captured"  # nobody had told of it
    CHARGED_BACK = "denied"  # more of it was taken back than anybody told
    WON = "won"  # less of it is taken back than was told
    KNOWN = "known"  # the books have what the record says


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedPayment:
    """Sums of one payment in the record of its provider.

    charged_back  what the payer's bank has of it, less what was won back
    refunds       every refund of it, by our number or by none
    until         the moment until which the record was read
    """

    number: str
    reference: str | None
    captured: Rupiah
    charged_back: Rupiah
    refunds: Sequence[RefundLine]
    until: datetime


async def take_record(
    tx: Tx, provider: str, recorded: RecordedPayment
) -> RecordOutcome | UnmatchedReason:
    """Book what the record says of a payment beyond what the books have, and close the payment where both agree.

    Each change posts its own entries; the room above follows by events.  An `UnmatchedReason` says why nothing was booked: the
    payment is of no attempt of this provider, counts for another one, or came with another sum.
    """
    found = await store.payment_to_record(tx, provider, recorded.number)
    if found is None:
        return await _capture(tx, provider, recorded)
    if found.amount != recorded.captured:
        return UnmatchedReason.AMOUNT_DIFFERS
    outcome = RecordOutcome.KNOWN
    about = (found.account, found.attempt, recorded.number)
    if recorded.charged_back > found.taken_back:
        booked = await store.charge_back(tx, *about, recorded.charged_back.value)
        if reason := NOT_BOOKED.get(booked):
            return reason
        outcome = RecordOutcome.CHARGED_BACK
    elif recorded.charged_back < found.taken_back:
        if found.told_at is not None and found.told_at > recorded.until - RECORD_IS_LATE:
            return outcome  # the record is not late yet
        left = recorded.charged_back.value
        await emit(
            tx,
            PaymentWon(
                account=found.account,
                attempt=found.attempt,
                payment=recorded.number,
                subject=found.subject,
                left=left,
            ),
        )
        outcome = RecordOutcome.WON
    if recorded.refunds:
        await refund_service.book_refunds(tx, *about, recorded.refunds)
    await store.close_by_record(tx, *about)
    return outcome


async def _capture(
    tx: Tx, provider: str, recorded: RecordedPayment
) -> RecordOutcome | UnmatchedReason:
    """Capture a payment that only the record has; the rest of what it says follows with its next reading."""
    try:
        account, attempt = parse_reference(recorded.reference or "")
    except ValueError:
        return (
            UnmatchedReason.REFERENCE_MISSING
            if recorded.reference is None
            else UnmatchedReason.REFERENCE_UNKNOWN
        )
    known = await store.attempt(tx, account, attempt)
    if known is None or known.channel.provider != provider:
        return UnmatchedReason.REFERENCE_UNKNOWN
    outcome = await store.capture(
        tx, account, attempt, recorded.number, recorded.captured.value, "record"
    )
    if reason := NOT_BOOKED.get(outcome):
        return reason
    if recorded.charged_back.value:
        await store.charge_back(tx, account, attempt, recorded.number, recorded.charged_back.value)
    if recorded.refunds:
        await refund_service.book_refunds(tx, account, attempt, recorded.number, recorded.refunds)
    await store.close_by_record(tx, account, attempt, recorded.number)
    return RecordOutcome.CAPTURED
