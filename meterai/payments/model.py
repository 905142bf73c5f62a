"""Attempts to be paid, and the answers of providers; pure."""

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
# The rail paid from the deposit of a seller; its money goes back there and by no other way.
WHOLESALE = "wholesale"
CREDIT = "credit"
OWN_RAILS = frozenset({WHOLESALE, CREDIT})  # their provider is our own database
ATTEMPTS_PER_SUBJECT_MAX = (
    10  # attempts of one order, each with instructions; limits the status queries they cause
)


class AttemptState(StrEnum):
    """State of an attempt to be paid."""

    OPENING = "opening"  # instructions are requested, and may be unknown
    WAITING = "waiting"  # the buyer has them
    PAID = "paid"
    LOST = "lost"  # instructions may exist that were never shown; they are cancelled and queried
    EXPIRED = "expired"
    CANCELLED = "cancelled"  # should not be paid any more; cancelled at the provider
    DECLINED = "declined"
    CHARGED_BACK = "denied"  # settled, then taken back by the payer's bank


class AttemptEvent(StrEnum):
    """Event in the life of an attempt."""

    INSTRUCTED = "instructed"  # the provider made instructions: a QR, say
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
    """The provider was not reached: nothing was sent, so nothing happened at the provider."""

    code = "provider_unreachable"
    status = 503
    retry_after_seconds = 5


class OutcomeUnknown(Refusal):
    """The provider may or may not have acted (5xx, time-out); it must be queried."""

    code = "provider_outcome_unknown"
    status = 503
    retry_after_seconds = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentIdentity:
    """Facts that identify the subject of a query, an answer, news or a line of a record.

    None for a fact that it does not name.  All are texts: an amount is `Rp10.000`.
    """

    reference: str | None = None  # ours, of the attempt
    provider_reference: str | None = None  # the provider's number of its instructions
    merchant: str | None = None
    store: str | None = None
    terminal: str | None = None
    amount: str | None = None  # the sum asked for
    payment: str | None = None  # the provider's number of it
    refund_number: str | None = None  # ours
    refund_amount: str | None = None
    method: str | None = None  # method of the attempt; no answer names it
    aliases: frozenset[str] = frozenset()  # other names of the merchant of the query


_FACTS = [
    field.name for field in fields(PaymentIdentity) if field.name not in ("aliases", "method")
]


@dataclass(frozen=True, slots=True)
class Difference:
    """One fact that differs from that of the query."""

    fact: str
    asked: str
    told: str

    def __str__(self) -> str:
        return f"{self.fact}: asked {self.asked}, told {self.told}"


def differences(asked: PaymentIdentity, told: PaymentIdentity) -> tuple[Difference, ...]:
    """The facts that both name with different values; a fact that one of them lacks is no difference."""
    both = ((name, getattr(asked, name), getattr(told, name)) for name in _FACTS)
    return tuple(
        Difference(name, here, there)
        for name, here, there in both
        if here is not None and there is not None and here != there
        if name != "merchant" or there not in asked.aliases
    )


class AboutAnother(OutcomeUnknown):
    """The answer is about another subject than the query: evidence of nothing."""

    code = "answer_about_another"

    def __init__(
        self, found: Sequence[Difference], told: PaymentIdentity, *, is_money: bool = False
    ) -> None:
        super().__init__("; ".join(map(str, found)))
        self.differences = tuple(found)
        self.told = told
        self.is_money = is_money  # it reports a payment or a refund


class NoAnswer(OutcomeUnknown):
    """No response came back: a time-out, or a broken connection."""


class TransferUnderWay(OutcomeUnknown):
    """The provider has begun a transfer, which will be made or refused later."""


class CallNotBegun(ProviderUnreachable):
    """The circuit of the provider is open, or its retry budget is spent (`plumbing/work/outgoing.py`)."""

    def __init__(self, why: str, seconds: float) -> None:
        super().__init__(why)
        self.seconds = seconds  # until the next call may begin


class ProviderRefused(Refusal):
    """The provider refused the call, with a code that only its rail understands."""

    code = "provider_refused"
    status = 502

    def __init__(self, response_code: str, message: str) -> None:
        super().__init__(f"{response_code} {message}".rstrip())
        self.response_code = response_code
        self.message = message


class RefusedForEver(ProviderRefused):
    """A final refusal: the window is over, the method has no refunds, or the account takes no money."""


class TransferReturned(RefusedForEver):
    """A transfer was not made, or its money came back."""


class RailNotConfigured(Refusal):
    """The installation no longer has the rail of an attempt: nothing is sent there."""

    code = "rail_not_configured"
    status = 503
    retry_after_seconds = 60

    def __init__(self, rail: str) -> None:
        super().__init__(f"no rail {rail!r} is configured")
        self.rail = rail


class AmountNotPayable(Refusal):
    """No rail of the method takes this sum in one payment."""

    code = "amount_not_payable"
    status = 422

    def __init__(self, method: str, amount: int, most: int) -> None:
        super().__init__(f"{amount} by {method}, which takes {most} at most")
        self.method = method
        self.amount = str(Rupiah(amount))
        self.amount_max = str(Rupiah(most))


class AttemptsSpent(Refusal):
    """A subject had `ATTEMPTS_PER_SUBJECT_MAX` attempts."""

    code = "payment_attempts_spent"
    status = 409

    def __init__(self) -> None:
        super().__init__(f"{ATTEMPTS_PER_SUBJECT_MAX} attempts were made")
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
    """A payment cannot be applied to the order that an operator names: it counts for another."""

    code = "payment_not_applied"
    status = 409


class NotificationForged(Refusal):
    """The signature of a notification is wrong."""

    code = "notification_forged"
    status = 401


class PaymentQr(msgspec.Struct, frozen=True, tag_field="kind", tag="qr"):
    """A QR to scan."""

    content: str


class AccountNumber(msgspec.Struct, frozen=True, tag_field="kind", tag="account_number"):
    """A number to transfer to, which stands for this attempt alone (a virtual account)."""

    bank: str  # as the payer looks for it in a list
    number: str


class Redirect(msgspec.Struct, frozen=True, tag_field="kind", tag="redirect"):
    """A page of the provider where it is paid: an e-wallet, a card."""

    url: str


class Deposit(msgspec.Struct, frozen=True, tag_field="kind", tag="deposit"):
    """Nothing that a buyer does: it is paid from the deposit of a seller, which is short so long."""

    seller: str


class Credit(msgspec.Struct, frozen=True, tag_field="kind", tag="credit"):
    """Nothing that a buyer does: a collector pays the duty to the state by month.

    `waits_for` is null where it was taken at once, else what it waits for: `limit` (the next month) or `deposit` (that of
    a month before).
    """

    waits_for: str | None


Instructions: TypeAlias = PaymentQr | AccountNumber | Redirect | Deposit | Credit


def read_instructions(kept: object) -> Instructions | None:
    """Read the instructions of a row; None if there are none, or unreadable ones."""
    try:
        found: Instructions = msgspec.convert(kept, Instructions)
    except msgspec.ValidationError:
        return None
    return found


@dataclass(frozen=True, slots=True)
class InboxedNotification:
    """A kept notification: its body, the reading of its rail, and its outcome."""

    body: bytes
    reading: Any
    outcome: str | None


@dataclass(frozen=True, slots=True)
class PaymentMethod:
    """A method of one rail: its limits in rupiah, and the seconds to pay an attempt (None: those of an
    order without a time of its own)."""

    name: str
    amount_min: int = 1
    amount_max: int = 1_000_000_000_000
    lapses_seconds: float | None = None
    is_at_face: bool = False  # a stamp paid by it costs its duty, without our fee

    def takes(self, amount: int) -> bool:
        """True if `amount` rupiah can be paid by it."""
        return self.amount_min <= amount <= self.amount_max


@dataclass(frozen=True, slots=True)
class PaymentChannel:
    """The rail of an attempt and its method, as in its row."""

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
    """One attempt to be paid."""

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
    asked_at: datetime | None = None  # when the lease of the status query began

    @property
    def about(self) -> PaymentIdentity:
        """The subject of a call to its provider."""
        return PaymentIdentity(
            reference=self.reference,
            provider_reference=self.provider_reference,
            amount=str(self.amount),
            method=self.channel.method,
        )

    @property
    def qr_content(self) -> str | None:
        """The content of its QR; None for other instructions."""
        return self.instructions.content if isinstance(self.instructions, PaymentQr) else None


@dataclass(frozen=True, slots=True)
class OpenedAttempt:
    """An attempt opened at its provider: the instructions, and the provider's number of them."""

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
    UNKNOWN = "unknown"  # unknown to the provider


class UnmatchedReason(StrEnum):
    """Reason why news of a provider cannot be booked, or why a person has to ask the provider."""

    UNREADABLE = "unreadable"
    REFERENCE_MISSING = "reference_missing"
    REFERENCE_UNKNOWN = "reference_unknown"
    STATUS_UNKNOWN = "status_unknown"
    STATUS_CONTRADICTS = "status_contradicts"  # paid, and its QR or earlier news contradicts
    NUMBER_MISSING = "number_missing"  # paid, without the number of the payment
    AMOUNT_UNREADABLE = "amount_unreadable"  # missing, not rupiah, or with sen
    AMOUNT_DIFFERS = "amount_differs"  # earlier news of the payment has another amount
    CHARGEBACK_AMBIGUOUS = "denial_ambiguous"  # taken back, without the number of the payment
    ID_CONFLICT = "id_conflict"  # the id of another notification, with another body
    NUMBER_ELSEWHERE = "number_elsewhere"  # the payment of this number counts for another reference
    REFUNDED_THERE = "refunded_there"  # a refund of the provider's own
    ABOUT_ANOTHER = (
        "about_another"  # of another merchant, or of instructions that are not its attempt's
    )
    # The absence of news: a person has to ask the provider.
    REFUND_OVERDUE = "refund_overdue"  # the provider has not made a refund in time
    REFUND_NOT_IN_RECORD = "refund_not_in_record"  # the record lacks a settled refund
    UNCONFIRMED = "unconfirmed"  # no answer names a payment told by news
    UNANSWERED = "unanswered"  # no status query of an attempt is answered


@dataclass(frozen=True, slots=True)
class Payment:
    """One payment of an attempt at the provider, with a status of its own.

    With `FAILED` or `CANCELLED` the amount is the sum taken back so far, None for all of it; with
    `REFUNDED` the sum given back.
    """

    number: str  # the provider's, of one payment
    amount: Rupiah | None
    status: ProviderStatus


@dataclass(frozen=True, slots=True)
class Captured:
    """A captured payment: the provider's number of it, and when we learned of it."""

    number: str
    amount: Rupiah
    at: datetime


@dataclass(frozen=True, slots=True)
class AttemptTold:
    """An attempt and its history, for a timeline."""

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
    """A refund by a rail of our own database, by our number of it."""

    refund: str
    amount: int
    at: datetime


class OwnMove(NamedTuple):
    """One movement of a rail of our own database: a payment of an attempt from `source` of an account, or a refund to it."""

    at: datetime
    account: UUID
    id: UUID
    buyer: UUID
    attempt: UUID
    amount: int
    refund: str  # empty for a payment


class AttemptRoute(NamedTuple):
    """Rail and method of an attempt, for staff."""

    account: UUID
    attempt: UUID
    route: str


@dataclass(frozen=True, slots=True)
class CapturedTold:
    """A payment, the sum its attempt asked for, and how we learned of it."""

    number: str
    amount: Rupiah
    wanted: Rupiah
    method: str
    learned_by: str
    captured_at: datetime
    confirmed_at: datetime | None

    def covers(self, at: datetime) -> bool:
        """True if it had paid the whole sum before this moment."""
        return self.captured_at < at and self.amount >= self.wanted


@dataclass(frozen=True, slots=True)
class Heard:
    """An attempt, and when its provider last answered a status query of it; None if it never did."""

    reference: str
    state: AttemptState
    opened_at: datetime
    answered_at: datetime | None


@dataclass(frozen=True, slots=True)
class PaymentToRecord:
    """A captured payment to compare with the record: rupiah taken back of it so far, and when that was last reported."""

    account: UUID
    attempt: UUID
    subject: UUID
    amount: Rupiah
    taken_back: Rupiah
    told_at: datetime | None


@dataclass(frozen=True, slots=True)
class UnmatchedNews:
    """News that names no payment which can be booked; kept until it is resolved."""

    reason: UnmatchedReason
    number: str | None = None
    amount: Rupiah | None = None


@dataclass(frozen=True, slots=True)
class AttemptStatus:
    """The provider's answer to a status query of an attempt."""

    status: ProviderStatus
    payments: tuple[Payment | UnmatchedNews, ...]


@dataclass(frozen=True, slots=True)
class RefundWish:
    """A refund to ask of the provider, in whole rupiah."""

    account: UUID
    attempt: UUID
    payment: str  # the provider's number of it
    number: str  # ours, the same in every try
    amount: Rupiah
    was_tried: bool  # True if an earlier try may have been carried out


@dataclass(frozen=True, slots=True)
class RefundMade:
    """A refund or transfer that the provider made."""

    provider_number: str


@dataclass(frozen=True, slots=True)
class RefundLine:
    """One refund of the provider's record; None for a fact that the line lacks."""

    number: str | None  # ours, or the provider's of its own refund
    provider_number: str | None
    payment: str | None  # the provider's number of it
    amount: Rupiah  # 0: it failed, or was reversed


class MovementKind(StrEnum):
    """Kind of a line of a record.  Comments say whether the account of the record gains (in) or loses (out)."""

    PAYMENT = "payment"  # in
    REFUND = "refund"  # out, to a payer
    REFUND_REVERSED = "refund_reversed"  # in: a refund came back
    CHARGEBACK = "chargeback"  # out: the payer's bank took a payment back
    CHARGEBACK_WON = "chargeback_won"  # in: a charged back payment is with us again
    TRANSFER = "transfer"  # out, under a number of ours
    TRANSFER_RETURNED = "transfer_returned"  # in: a transfer came back
    FEE = "fee"  # out, to the provider
    TAX = "tax"  # out, on a fee
    SETTLEMENT = "settlement"  # between a provider and the operator's bank account
    OTHER = "other"  # of the account, and none of these


@dataclass(frozen=True, slots=True)
class Movement:
    """One line of a record: of a provider's history, a settlement file, or a bank statement.

    A number is None where the line has none.  Amounts are above zero; the kind says the direction.
    """

    kind: MovementKind
    moved_at: datetime
    reference: str | None  # ours, of the attempt
    payment: str | None  # the provider's number of it
    amount: Rupiah
    refund_number: str | None  # ours, of a refund or a transfer
    provider_refund_number: str | None
    fee: Rupiah | None = None  # of this line, if the line names it
    tax: Rupiah | None = None
    line: str = ""  # identifies the line in its record: a number, or its position in the file
    counterpart: str | None = (
        None  # of a statement: the provider, or the account of ours, that it names
    )


@dataclass(frozen=True, slots=True)
class UnmatchedLine:
    """One line of the provider's transaction history that cannot be read or is not ours."""

    why: str
    told: str  # its numbers, times and sums, shortened; no personal data


@dataclass(frozen=True, slots=True)
class Notification:
    """The reading of a notification with a good signature; None for a fact that it lacks."""

    is_readable: bool
    reference: str | None = None
    provider_reference: str | None = None
    status: ProviderStatus | None = None
    word: str | None = None  # the provider's own for the status; identifies a repeat
    number: str | None = None
    amount: Rupiah | None = None
    is_amount_told: bool = False
    merchant: str | None = None  # owner of the money, as it says
    store: str | None = None
    terminal: str | None = None

    @property
    def about(self) -> PaymentIdentity:
        """Its subject.  The amount is the sum paid, which may differ from the sum asked for."""
        return PaymentIdentity(
            reference=self.reference,
            provider_reference=self.provider_reference,
            merchant=self.merchant,
            store=self.store,
            terminal=self.terminal,
        )


@dataclass(frozen=True, slots=True)
class Delivered:
    """A notification with a good signature: the id that identifies a repeat, and its reading."""

    id: str | None  # the provider's of this delivery, if it has one
    sent_on: date
    said: Notification


class InquiryVerdict(StrEnum):
    """Our answer to an inquiry or a payment of a virtual account."""

    PAYABLE = "payable"
    TAKEN = "taken"  # the payment counts, now or since an earlier try
    NOT_FOUND = "not_found"
    PAID = "paid"  # by another payment
    EXPIRED = "expired"  # its time is over, or it was closed
    AMOUNT_WRONG = "amount_wrong"
    INCONSISTENT = "inconsistent"  # a repeat under the same id with other facts
    CONFLICT = "conflict"  # the id of another call, with another body
    UNREADABLE = "unreadable"  # a mandatory field is missing or cannot be read


class HttpAnswer(NamedTuple):
    """An answer over HTTP: status and body."""

    status: int
    body: Mapping[str, object]


class ProviderCallKind(StrEnum):
    """Kind of a call that a provider makes to us."""

    NOTIFICATION = "notification"
    TOKEN = "token"  # noqa: S105 - the call that gets one
    INQUIRY = "inquiry"  # what is to be paid to this account number?
    PAYMENT = "payment"  # it was paid, or is about to be: is that right?


@dataclass(frozen=True, slots=True, kw_only=True)
class BankInquiry:
    """A signed call of a bank about an account number.

    provider_reference  of the attempt; None where the call cannot be read
    told      the payment; None in an inquiry
    content   the body, of which the answer repeats some members
    moved_at  when the payer paid, by the bank
    """

    kind: ProviderCallKind
    provider_reference: str | None
    told: Delivered | None
    content: Mapping[str, object]
    moved_at: datetime
    is_repeated: bool


class NotificationAct(StrEnum):
    """Act that follows from a notification."""

    CAPTURE = "capture"
    CHARGE_BACK = "deny"
    REFUNDED = "refunded"
    NOTHING = "nothing"


def judge(read: Notification) -> NotificationAct | UnmatchedReason:
    """The act that follows from a notification, or why it cannot be booked."""
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


# Reason by the answer of the database to news that cannot be booked.
NOT_BOOKED = {
    "unknown_attempt": UnmatchedReason.REFERENCE_UNKNOWN,
    "amount_differs": UnmatchedReason.AMOUNT_DIFFERS,
    "exceeds": UnmatchedReason.AMOUNT_DIFFERS,  # more taken back than was paid
    "ambiguous": UnmatchedReason.CHARGEBACK_AMBIGUOUS,
    "elsewhere": UnmatchedReason.NUMBER_ELSEWHERE,
    "contradicts": UnmatchedReason.STATUS_CONTRADICTS,  # paid, after news that it failed
}


def reference_of(account: UUID, attempt: UUID) -> str:
    """Our reference of an attempt at the provider.  It contains the account and the attempt, so that a payment
    is booked without a search over all accounts."""
    return number_of(REFERENCE_PREFIX, account, attempt)


def refund_number(account: UUID, refund: UUID) -> str:
    """Our number of a refund at the provider: the same in every try."""
    return number_of(REFUND_PREFIX, account, refund)


def number_of(prefix: str, account: UUID, identifier: UUID) -> str:
    """Our number with this prefix of an account and an id; `parse_number` reads it."""
    return f"{prefix}{compact(account)}{compact(identifier)}"


def parse_reference(text: str) -> tuple[UUID, UUID]:
    """(account, attempt) of one of our references.  Raises `ValueError`."""
    if (found := parse_number(REFERENCE_PREFIX, text)) is None:
        raise ValueError(f"not one of our references: {text!r}")
    return found


def parse_number(prefix: str, text: str) -> tuple[UUID, UUID] | None:
    """(account, id) of a number of ours with this prefix; None for any other text."""
    rest = text.removeprefix(prefix)
    if len(rest) != 52 or rest == text:
        return None
    try:
        return from_compact(rest[:26]), from_compact(rest[26:])
    except ValueError:
        return None
