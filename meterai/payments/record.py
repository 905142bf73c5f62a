"""Booking of a provider's record, which is the strongest evidence of a payment.

Notifications, answers to queries and the provider's record may contradict each other.  An answer overrides a notification, and
the record of the day overrides an answer.  A payment on which the record and the books agree is closed: after that, only an
answer of a later day (a chargeback) or a later record changes it, but no notification.
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

# A chargeback may be in the record only a day after it was reported: until then, a smaller sum in the record proves nothing.
RECORD_IS_LATE = timedelta(days=1)


class RecordOutcome(StrEnum):
    """Result of comparing a payment in the provider's record with the books."""

    CAPTURED = "captured"  # the payment was new and is captured now
    CHARGED_BACK = "denied"  # the record has a greater sum charged back than the books had
    WON = "won"  # the record has a smaller sum charged back than the books had
    KNOWN = "known"  # the books agree with the record


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedPayment:
    """Sums of one payment in the record of its provider.

    charged_back  rupiah taken back by the payer's bank, less rupiah won back
    refunds       every refund of the payment, with or without a number of ours
    until         end of the period of the record
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
    """Book the facts about a payment that the record has and the books lack; once both agree, mark the payment as closed.

    Each change posts its ledger entries, and is published as an event for the rooms that use payments.  Returns an
    `UnmatchedReason` if nothing was booked: the payment belongs to no attempt at this provider, counts for another attempt, or
    has another sum.
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
            return outcome  # the record may not have the chargeback yet
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
    """Capture a payment that the record has and the books lack, with its chargeback and refunds, and mark it as closed."""
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
