"""Payment attempts, and the answers and notifications of providers; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from enum import StrEnum
from typing import Any, NamedTuple, TypeAlias
from uuid import UUID

import msgspec

from meterai.kit.ids import compact, from_compact
from meterai.kit.lifecycle import Lifecycle
from meterai.kit.money import Rupiah
from meterai.kit.refusal import CommandRefusal, Refusal

REFERENCE_PREFIX = "EM"
REFUND_PREFIX = "RF"
# Name of the rail whose payments come from the deposit of a seller; refunds go back to that deposit only.
WHOLESALE = "wholesale"
CREDIT = "credit"
OWN_RAILS = frozenset({WHOLESALE, CREDIT})  # their provider is our own database
ATTEMPTS_PER_SUBJECT_MAX = (
    10  # attempts of one order, each with instructions; limits the status queries they cause
)


class AttemptState(StrEnum):
    """State of a payment attempt."""

    # Instructions are requested from the provider, which may have made them already.
    OPENING = "opening"
    WAITING = "waiting"  # the buyer can pay by the instructions
    PAID = "paid"
    LOST = "lost"  # instructions may exist that were never shown; they are cancelled and queried
    EXPIRED = "expired"
    CANCELLED = "cancelled"  # should not be paid any more; cancelled at the provider
    DECLINED = "declined"
    CHARGED_BACK = "denied"  # settled, then taken back by the payer's bank


class AttemptEvent(StrEnum):
    """Event in the life of a payment attempt."""

    INSTRUCTED = "instructed"  # the provider made instructions, such as a QR
    ANSWER_LOST = "answer_lost"
    CAPTURED = "captured"
    TIME_RAN_OUT = "time_ran_out"
    CANCELLED = "cancelled"
    TAKEN_BACK = "taken_back"  # the provider cancelled its instructions
    DECLINED = "declined"
    CHARGED_BACK = "denied"
    WON = "won"  # a payment that was charged back is with us again


_S, _E = AttemptState, AttemptEvent
ATTEMPT = Lifecycle(
    "the payment attempt",
    {
        (_S.OPENING, _E.INSTRUCTED): _S.WAITING,
        (_S.OPENING, _E.ANSWER_LOST): _S.LOST,
        (_S.OPENING, _E.CAPTURED): _S.PAID,
        (_S.OPENING, _E.TIME_RAN_OUT): _S.EXPIRED,
        # A call for the instructions may be under way, so they may exist.
        (_S.OPENING, _E.CANCELLED): _S.LOST,
        (_S.OPENING, _E.DECLINED): _S.DECLINED,
        (_S.WAITING, _E.CAPTURED): _S.PAID,
        (_S.WAITING, _E.TIME_RAN_OUT): _S.EXPIRED,
        (_S.WAITING, _E.CANCELLED): _S.CANCELLED,
        (_S.WAITING, _E.DECLINED): _S.DECLINED,
        # A payment can arrive after the attempt was closed: it is captured too.
        (_S.LOST, _E.CAPTURED): _S.PAID,
        (_S.LOST, _E.DECLINED): _S.DECLINED,
        (_S.LOST, _E.TAKEN_BACK): _S.CANCELLED,
        (_S.EXPIRED, _E.CAPTURED): _S.PAID,
        (_S.CANCELLED, _E.CAPTURED): _S.PAID,
        (_S.DECLINED, _E.CAPTURED): _S.PAID,
        (_S.PAID, _E.CAPTURED): _S.PAID,
        (_S.PAID, _E.CHARGED_BACK): _S.CHARGED_BACK,
        (_S.CHARGED_BACK, _E.WON): _S.PAID,
    },
    reopens={AttemptEvent.WON},
)


class ProviderUnreachable(Refusal):
    """The provider was not reached: nothing was sent, so the provider has not acted."""

    code = "provider_unreachable"
    status = 503
    retry_after_seconds = 5


class OutcomeUnknown(Refusal):
    """The provider may or may not have acted (5xx, time-out); a status query must find out."""

    code = "provider_outcome_unknown"
    status = 503
    retry_after_seconds = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentIdentity:
    """Facts that identify the subject of a query, an answer, a notification or a line of a record.

    A fact that is not named is None.  All facts are texts: an amount is `Rp10.000`.
    """

    reference: str | None = None  # our reference of the attempt
    provider_reference: str | None = None  # the provider's number of its instructions
    merchant: str | None = None
    store: str | None = None
    terminal: str | None = None
    amount: str | None = None  # the sum of the attempt, which the buyer was asked to pay
    payment: str | None = None  # the provider's number of the payment
    refund_number: str | None = None  # our number of the refund
    refund_amount: str | None = None
    method: str | None = None  # method of the attempt; not compared, since no answer names it
    # In a query: other names of the merchant, which an answer may use.
    aliases: frozenset[str] = frozenset()


_FACTS = [
    field.name for field in fields(PaymentIdentity) if field.name not in ("aliases", "method")
]


@dataclass(frozen=True, slots=True)
class Difference:
    """One fact in which an answer differs from its query."""

    fact: str
    asked: str
    told: str

    def __str__(self) -> str:
        return f"{self.fact}: asked {self.asked}, told {self.told}"


def differences(asked: PaymentIdentity, told: PaymentIdentity) -> tuple[Difference, ...]:
    """The facts that both identities name with different values; a fact that one of them lacks is no difference."""
    both = ((name, getattr(asked, name), getattr(told, name)) for name in _FACTS)
    return tuple(
        Difference(name, here, there)
        for name, here, there in both
        if here is not None and there is not None and here != there
        if name != "merchant" or there not in asked.aliases
    )


class AboutAnother(OutcomeUnknown):
    """The answer is about another subject than the query, and must not be used."""

    code = "answer_about_another"

    def __init__(
        self, found: Sequence[Difference], told: PaymentIdentity, *, is_money: bool = False
    ) -> None:
        super().__init__("; ".join(map(str, found)))
        self.differences = tuple(found)
        self.told = told
        self.is_money = is_money  # True if the answer reports a payment or a refund


class NoAnswer(OutcomeUnknown):
    """The call was sent, and no response came: a time-out, or a broken connection."""


class TransferUnderWay(OutcomeUnknown):
    """The provider has accepted a transfer or refund, and will carry it out or refuse it later."""


class CallNotBegun(ProviderUnreachable):
    """The call was not made: the provider's circuit is open, or its retry budget is spent (`plumbing/work/outgoing.py`)."""

    def __init__(self, why: str, seconds: float) -> None:
        super().__init__(why)
        self.seconds = seconds  # until the next call may begin


class ProviderRefused(Refusal):
    """The provider refused the call, with a code that has a meaning only for its rail."""

    code = "provider_refused"
    status = 502

    def __init__(self, response_code: str, message: str) -> None:
        super().__init__(f"{response_code} {message}".rstrip())
        self.response_code = response_code
        self.message = message


class RefusedForEver(ProviderRefused):
    """A final refusal of a refund or transfer: it is too late for a refund, the payment method allows none, or the account
    accepts no money.
    """


class TransferReturned(RefusedForEver):
    """A transfer failed, or its money came back."""


class RailNotConfigured(Refusal):
    """The installation does not have a rail of this name, for instance that of an old attempt; nothing is sent."""

    code = "rail_not_configured"
    status = 503
    retry_after_seconds = 60

    def __init__(self, rail: str) -> None:
        super().__init__(f"no rail {rail!r} is configured")
        self.rail = rail


class AmountNotPayable(Refusal):
    """No rail of the method accepts this sum in one payment."""

    code = "amount_not_payable"
    status = 422

    def __init__(self, method: str, amount: int, most: int) -> None:
        super().__init__(f"{amount} by {method}, which accepts at most {most}")
        self.method = method
        self.amount = str(Rupiah(amount))
        self.amount_max = str(Rupiah(most))


class AttemptsSpent(Refusal):
    """The order has had `ATTEMPTS_PER_SUBJECT_MAX` attempts, and gets no further one."""

    code = "payment_attempts_spent"
    status = 409

    def __init__(self) -> None:
        super().__init__(f"{ATTEMPTS_PER_SUBJECT_MAX} attempts were already made")
        self.attempts_max = ATTEMPTS_PER_SUBJECT_MAX


class MethodOut(Refusal):
    """Every rail of a method was taken out by an operator."""

    code = "payment_method_out"
    status = 503
    retry_after_seconds = 60

    def __init__(self, method: str) -> None:
        super().__init__(f"every rail of {method} is out")
        self.method = method


class NotApplied(CommandRefusal):
    """A payment cannot be applied to the order that an operator names, for instance because the payment counts for another
    order.
    """

    code = "payment_not_applied"
    status = 409


class NotificationForged(Refusal):
    """The signature of a call of a provider is wrong, missing or too old."""

    code = "notification_forged"
    status = 401


class PaymentQr(msgspec.Struct, frozen=True, tag_field="kind", tag="qr"):
    """A QR to scan."""

    content: str


class AccountNumber(msgspec.Struct, frozen=True, tag_field="kind", tag="account_number"):
    """A virtual account: an account number to transfer to, for this attempt alone."""

    bank: str  # the name by which a payer finds the bank in a list
    number: str


class Redirect(msgspec.Struct, frozen=True, tag_field="kind", tag="redirect"):
    """A page of the provider on which the buyer pays, for instance by e-wallet or card."""

    url: str


class Deposit(msgspec.Struct, frozen=True, tag_field="kind", tag="deposit"):
    """The buyer need not pay: the order is paid from the deposit of a seller, as soon as that deposit suffices."""

    seller: str


class Credit(msgspec.Struct, frozen=True, tag_field="kind", tag="credit"):
    """The buyer need not pay: the order is paid on the credit of a collector, which pays the duty to the state by month.

    `waits_for` is null if the credit was used at once, else `limit` (it waits for the limit of the next month) or `deposit`
    (it waits for the collector's deposit to the treasury for an earlier month).
    """

    waits_for: str | None


Instructions: TypeAlias = PaymentQr | AccountNumber | Redirect | Deposit | Credit


def read_instructions(kept: object) -> Instructions | None:
    """Parse the payment instructions stored with an attempt; None if none are stored, or they are unreadable."""
    try:
        found: Instructions = msgspec.convert(kept, Instructions)
    except msgspec.ValidationError:
        return None
    return found


@dataclass(frozen=True, slots=True)
class InboxedNotification:
    """A stored notification: its body, the fields that its rail parsed, and the outcome (None if not acted on yet)."""

    body: bytes
    reading: Any
    outcome: str | None


@dataclass(frozen=True, slots=True)
class PaymentMethod:
    """A method of one rail, with its limits in rupiah.

    `lapses_seconds` is the time to pay an attempt; with None, the time to pay of the order applies.
    """

    name: str
    amount_min: int = 1
    amount_max: int = 1_000_000_000_000
    lapses_seconds: float | None = None
    is_at_face: bool = False  # a stamp paid by it costs its duty, without our fee

    def takes(self, amount: int) -> bool:
        """True if `amount` rupiah can be paid by this method."""
        return self.amount_min <= amount <= self.amount_max


@dataclass(frozen=True, slots=True)
class PaymentChannel:
    """The rail of an attempt (`provider`) and its method, as in the row of the attempt."""

    provider: str
    method: str


@dataclass(frozen=True, slots=True)
class RailOut:
    """A rail that an operator took out: it gets no new attempt."""

    rail: str
    reason: str
    out_at: datetime


@dataclass(frozen=True, slots=True)
class PaymentAttempt:
    """One payment attempt; `subject` is the id of the order that it pays."""

    account: UUID
    id: UUID
    subject: UUID
    channel: PaymentChannel
    reference: str
    amount: Rupiah
    state: AttemptState
    instructions: Instructions | None  # shown to the buyer
    expires_at: datetime
    provider_reference: str | None = None
    tries: int = 0  # earlier tries of the leased call
    asked_at: datetime | None = None  # time at which the lease of the status query began

    @property
    def about(self) -> PaymentIdentity:
        """The facts by which calls to the provider identify this attempt."""
        return PaymentIdentity(
            reference=self.reference,
            provider_reference=self.provider_reference,
            amount=str(self.amount),
            method=self.channel.method,
        )

    @property
    def qr_content(self) -> str | None:
        """The content of the QR of this attempt; None if it has no QR."""
        return self.instructions.content if isinstance(self.instructions, PaymentQr) else None


@dataclass(frozen=True, slots=True)
class OpenedAttempt:
    """Instructions that a provider made for an attempt, and the provider's number that identifies these instructions."""

    instructions: Instructions
    provider_reference: str


@dataclass(frozen=True, slots=True)
class MadeBefore:
    """The provider made instructions for this reference before, in a call whose answer was lost,
    and does not repeat them."""


class ProviderStatus(StrEnum):
    """Status of an attempt, or of one payment of it, at its provider."""

    PAID = "paid"
    PENDING = "pending"
    REFUNDED = "refunded"
    CANCELLED = "cancelled"
    FAILED = "failed"
    UNKNOWN = "unknown"  # the provider does not have the attempt


class UnmatchedReason(StrEnum):
    """Reason why news of a provider cannot be booked, or why a person must ask the provider."""

    UNREADABLE = "unreadable"
    REFERENCE_MISSING = "reference_missing"
    REFERENCE_UNKNOWN = "reference_unknown"
    STATUS_UNKNOWN = "status_unknown"
    # Paid, but the status of its QR or earlier news contradicts.
    STATUS_CONTRADICTS = "status_contradicts"
    NUMBER_MISSING = "number_missing"  # paid, without the number of the payment
    AMOUNT_UNREADABLE = "amount_unreadable"  # missing, not rupiah, or with sen
    AMOUNT_DIFFERS = "amount_differs"  # earlier news of the payment has another amount
    CHARGEBACK_AMBIGUOUS = "denial_ambiguous"  # taken back, without the number of the payment
    ID_CONFLICT = "id_conflict"  # a notification with another body had the same id
    NUMBER_ELSEWHERE = "number_elsewhere"  # the payment of this number counts for another reference
    REFUNDED_THERE = "refunded_there"  # the provider refunded the payment without us
    ABOUT_ANOTHER = (
        "about_another"  # about another merchant, or other instructions than those of the attempt
    )
    # Expected news did not come: a person must ask the provider.
    REFUND_OVERDUE = "refund_overdue"  # the provider has not made a refund in time
    REFUND_NOT_IN_RECORD = "refund_not_in_record"  # the record lacks a settled refund
    # No answer to a query confirms a payment that was reported by a notification.
    UNCONFIRMED = "unconfirmed"
    UNANSWERED = "unanswered"  # the provider does not answer queries about an attempt, a refund or a transfer


@dataclass(frozen=True, slots=True)
class Payment:
    """One payment of an attempt, according to the provider; its status may differ from that of the attempt.

    The meaning of `amount` depends on the status.  `FAILED` or `CANCELLED`: rupiah taken back by the payer's bank so far, None
    for the whole payment.  `REFUNDED`: rupiah that the provider gave back.
    """

    number: str  # the provider's number of the payment
    amount: Rupiah | None
    status: ProviderStatus


@dataclass(frozen=True, slots=True)
class Captured:
    """A captured payment: the provider's number, the amount, and the time at which we captured it."""

    number: str
    amount: Rupiah
    at: datetime


@dataclass(frozen=True, slots=True)
class AttemptTold:
    """An attempt with its times, for a timeline; `asked` is the number of status queries."""

    reference: str
    amount: Rupiah
    opened_at: datetime
    expires_at: datetime
    instructed_at: datetime | None
    buyer_asked_at: datetime | None
    answered_at: datetime | None
    asked: int
    last_answer: str | None
    provider_reference: str | None


class OwnReturn(NamedTuple):
    """A refund by a rail whose provider is our own database; `refund` is our refund number, `amount` is in rupiah."""

    refund: str
    amount: int
    at: datetime


class OwnMove(NamedTuple):
    """One movement on a rail whose provider is our own database: a payment of an attempt from a source of money, or a refund
    to it.

    `account` and `id` identify the source, such as a sale from the deposit of a seller; `buyer` and `attempt` identify the
    attempt. `amount` is in rupiah.
    """

    at: datetime
    account: UUID
    id: UUID
    buyer: UUID
    attempt: UUID
    amount: int
    refund: str  # empty for a payment


class AttemptRoute(NamedTuple):
    """The rail and method of an attempt as one text, for staff."""

    account: UUID
    attempt: UUID
    route: str


@dataclass(frozen=True, slots=True)
class CapturedTold:
    """A captured payment for a timeline: its amount, the sum of its attempt (`wanted`), and how we learned of it
    (`learned_by`).
    """

    number: str
    amount: Rupiah
    wanted: Rupiah
    method: str
    learned_by: str
    captured_at: datetime
    confirmed_at: datetime | None

    def covers(self, at: datetime) -> bool:
        """True if this payment was captured before the time `at` and is at least the sum of its attempt."""
        return self.captured_at < at and self.amount >= self.wanted


@dataclass(frozen=True, slots=True)
class Heard:
    """An attempt and the time at which its provider last answered a status query about it; None if it never answered."""

    reference: str
    state: AttemptState
    opened_at: datetime
    answered_at: datetime | None


@dataclass(frozen=True, slots=True)
class PaymentToRecord:
    """A captured payment to compare with a provider's record.

    taken_back  rupiah that the payer's bank took back so far
    told_at     time of the last news of a chargeback; None without such news
    """

    account: UUID
    attempt: UUID
    subject: UUID
    amount: Rupiah
    taken_back: Rupiah
    told_at: datetime | None


@dataclass(frozen=True, slots=True)
class UnmatchedNews:
    """News about an attempt that cannot be booked as a payment; kept in suspense until it is resolved."""

    reason: UnmatchedReason
    number: str | None = None
    amount: Rupiah | None = None


@dataclass(frozen=True, slots=True)
class AttemptStatus:
    """The provider's answer to a status query of an attempt: its status, and each of its payments."""

    status: ProviderStatus
    payments: tuple[Payment | UnmatchedNews, ...]


@dataclass(frozen=True, slots=True)
class RefundWish:
    """A refund to be sent to a provider."""

    account: UUID
    attempt: UUID
    payment: str  # the provider's number of the payment
    number: str  # our number of the refund, the same in every try
    amount: Rupiah
    was_tried: bool  # True if an earlier try may have been carried out


@dataclass(frozen=True, slots=True)
class RefundMade:
    """A refund or transfer that the provider made, with the provider's number of it."""

    provider_number: str


@dataclass(frozen=True, slots=True)
class RefundLine:
    """One refund in a provider's record; a fact that the record does not state is None."""

    # Our number of the refund, or the provider's number of a refund that it made without us.
    number: str | None
    provider_number: str | None
    payment: str | None  # the provider's number of the payment
    amount: Rupiah  # 0 if the refund failed or was reversed


class MovementKind(StrEnum):
    """Kind of a line of a record.  The comment of each kind says whether the account that the record is about gains money (in)
    or loses it (out).
    """

    PAYMENT = "payment"  # in
    REFUND = "refund"  # out, to a payer
    REFUND_REVERSED = "refund_reversed"  # in: a refund came back
    CHARGEBACK = "chargeback"  # out: the payer's bank took a payment back
    CHARGEBACK_WON = "chargeback_won"  # in: a charged back payment is with us again
    TRANSFER = "transfer"  # out: a transfer with a number of ours
    TRANSFER_RETURNED = "transfer_returned"  # in: a transfer came back
    FEE = "fee"  # out, to the provider
    TAX = "tax"  # out, on a fee
    SETTLEMENT = "settlement"  # between a provider and the operator's bank account
    OTHER = "other"  # any other movement of the account


@dataclass(frozen=True, slots=True)
class Movement:
    """One line of a record: of a provider's history, a settlement file, or a bank statement.

    A number that the line lacks is None.  Amounts are above zero; the kind gives the direction.
    """

    kind: MovementKind
    moved_at: datetime
    reference: str | None  # our reference of the attempt
    payment: str | None  # the provider's number of the payment
    amount: Rupiah
    refund_number: str | None  # our number of a refund or a transfer
    provider_refund_number: str | None
    fee: Rupiah | None = None  # the fee for this movement, if the line names it
    tax: Rupiah | None = None
    line: str = ""  # identifies the line in its record: a number, or its position in the file
    counterpart: str | None = (
        None  # in a bank statement: the provider or account of ours that the line names
    )


@dataclass(frozen=True, slots=True)
class UnmatchedLine:
    """One line of a provider's record that cannot be read, or that is not about us or the period."""

    why: str
    told: str  # numbers, times and sums of the line, shortened; no personal data


@dataclass(frozen=True, slots=True)
class Notification:
    """The parsed fields of a notification with a valid signature; a fact that it lacks is None.

    `number` is the provider's number of the payment.  `is_amount_told` is True if an amount is named, even if unreadable.
    """

    is_readable: bool
    reference: str | None = None
    provider_reference: str | None = None
    status: ProviderStatus | None = None
    # The provider's text for the status; part of the identity of repeated news.
    word: str | None = None
    number: str | None = None
    amount: Rupiah | None = None
    is_amount_told: bool = False
    # The merchant that receives the money, according to the notification.
    merchant: str | None = None
    store: str | None = None
    terminal: str | None = None

    @property
    def about(self) -> PaymentIdentity:
        """The identity of the subject of this notification, without the amount: the sum paid may differ from the sum of the
        attempt.
        """
        return PaymentIdentity(
            reference=self.reference,
            provider_reference=self.provider_reference,
            merchant=self.merchant,
            store=self.store,
            terminal=self.terminal,
        )


@dataclass(frozen=True, slots=True)
class Delivered:
    """A notification with a valid signature: an id by which repeats are recognised, its date, and its parsed fields."""

    id: str | None  # the provider's id of this notification, if it has one
    sent_on: date
    said: Notification


class InquiryVerdict(StrEnum):
    """Our verdict on a bank's inquiry about a virtual account, or on a payment to it."""

    PAYABLE = "payable"
    TAKEN = "taken"  # the payment is captured, by this call or by an earlier one
    NOT_FOUND = "not_found"
    PAID = "paid"  # the attempt was paid by another payment
    EXPIRED = "expired"  # the attempt has expired or was closed
    AMOUNT_WRONG = "amount_wrong"
    # The payment is known with another amount, or for another attempt.
    INCONSISTENT = "inconsistent"
    CONFLICT = "conflict"  # an earlier call with another body had the same id
    UNREADABLE = "unreadable"  # a mandatory field is missing or cannot be read


class HttpAnswer(NamedTuple):
    """An answer over HTTP: status and body."""

    status: int
    body: Mapping[str, object]


class ProviderCallKind(StrEnum):
    """Kind of a call that a provider makes to us."""

    NOTIFICATION = "notification"
    TOKEN = "token"  # noqa: S105 - request of an access token
    INQUIRY = "inquiry"  # asks which sum is to be paid to a virtual account
    PAYMENT = "payment"  # reports a payment to a virtual account, and asks whether it is accepted


@dataclass(frozen=True, slots=True, kw_only=True)
class BankInquiry:
    """A call of a bank about a virtual account, whose signature was checked.

    provider_reference  the account number; None if the call lacks a mandatory field
    told      the payment that the call reports; None for an inquiry
    content   the body as JSON, of which the answer repeats some members
    moved_at  time of the payment according to the bank; if the bank names none, time of the call
    """

    kind: ProviderCallKind
    provider_reference: str | None
    told: Delivered | None
    content: Mapping[str, object]
    moved_at: datetime
    is_repeated: bool


class NotificationAct(StrEnum):
    """Action that follows from a notification."""

    CAPTURE = "capture"
    CHARGE_BACK = "deny"
    REFUNDED = "refunded"
    NOTHING = "nothing"


def judge(read: Notification) -> NotificationAct | UnmatchedReason:
    """The action that follows from a notification, or the reason why the notification cannot be booked."""
    if not read.is_readable:
        return UnmatchedReason.UNREADABLE
    if read.status is None:
        return UnmatchedReason.STATUS_UNKNOWN
    match read.status:
        case ProviderStatus.PAID:
            if read.number is None:
                return UnmatchedReason.NUMBER_MISSING
            return (
                UnmatchedReason.AMOUNT_UNREADABLE
                if read.amount is None
                else NotificationAct.CAPTURE
            )
        case ProviderStatus.FAILED | ProviderStatus.CANCELLED:
            is_whole_or_read = read.amount is not None or not read.is_amount_told
            return (
                NotificationAct.CHARGE_BACK
                if is_whole_or_read
                else UnmatchedReason.AMOUNT_UNREADABLE
            )
        case ProviderStatus.REFUNDED:
            return NotificationAct.REFUNDED
        case _:
            return NotificationAct.NOTHING


# Reasons for news that cannot be booked, by the outcome of the SQL functions that book payments and chargebacks.
NOT_BOOKED = {
    "unknown_attempt": UnmatchedReason.REFERENCE_UNKNOWN,
    "amount_differs": UnmatchedReason.AMOUNT_DIFFERS,
    "exceeds": UnmatchedReason.AMOUNT_DIFFERS,  # more taken back than was paid
    "ambiguous": UnmatchedReason.CHARGEBACK_AMBIGUOUS,
    "elsewhere": UnmatchedReason.NUMBER_ELSEWHERE,
    "contradicts": UnmatchedReason.STATUS_CONTRADICTS,  # paid, after news that it failed
}


def reference_of(account: UUID, attempt: UUID) -> str:
    """Our reference of an attempt at its provider.

    It contains the account and the attempt, so that a payment is booked without a search over all accounts.
    """
    return number_of(REFERENCE_PREFIX, account, attempt)


def refund_number(account: UUID, refund: UUID) -> str:
    """Our number of a refund at its provider, the same in every try."""
    return number_of(REFUND_PREFIX, account, refund)


def number_of(prefix: str, account: UUID, identifier: UUID) -> str:
    """A number composed of this prefix, an account and an id; `parse_number` parses it."""
    return f"{prefix}{compact(account)}{compact(identifier)}"


def parse_reference(text: str) -> tuple[UUID, UUID]:
    """Return account and id of the attempt that one of our references names. Raises `ValueError` for any other text."""
    if (found := parse_number(REFERENCE_PREFIX, text)) is None:
        raise ValueError(f"not one of our references: {text!r}")
    return found


def parse_number(prefix: str, text: str) -> tuple[UUID, UUID] | None:
    """Return the account and the id in a number of ours with this prefix; None for any other text."""
    rest = text.removeprefix(prefix)
    if len(rest) != 52 or rest == text:
        return None
    try:
        return from_compact(rest[:26]), from_compact(rest[26:])
    except ValueError:
        return None
