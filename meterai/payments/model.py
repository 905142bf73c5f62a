"""Attempts to be paid, and what a provider can answer; pure."""

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
# The rail whose money is of the deposit of a seller, and goes back there and by no other way.
WHOLESALE = "wholesale"
CREDIT = "credit"
OWN_RAILS = frozenset({WHOLESALE, CREDIT})  # whose provider is our own database
ATTEMPTS_PER_SUBJECT_MAX = (
    10  # QRs or the like made for one order; limits the status queries they cause
)


class AttemptState(StrEnum):
    """State of an attempt to be paid."""

    OPENING = "opening"  # we want instructions; nobody may know of them yet
    WAITING = "waiting"  # the buyer has them
    PAID = "paid"
    LOST = "lost"  # some may exist that nobody has seen; never shown, taken back and asked about
    EXPIRED = "expired"
    CANCELLED = "cancelled"  # nobody should pay it any more; taken back at the provider
    DECLINED = "declined"
    CHARGED_BACK = "denied"  # settled, then taken back by the payer's bank


class AttemptEvent(StrEnum):
    """What happens to an attempt."""

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
        # A call that asks for the instructions may be under way, so they may exist.
        (_S.OPENING, _E.CANCELLED): _S.LOST,
        (_S.OPENING, _E.DECLINED): _S.DECLINED,
        (_S.WAITING, _E.CAPTURED): _S.PAID,
        (_S.WAITING, _E.TIME_RAN_OUT): _S.EXPIRED,
        (_S.WAITING, _E.CANCELLED): _S.CANCELLED,
        (_S.WAITING, _E.DECLINED): _S.DECLINED,
        # A payment can arrive after the attempt was closed: it is captured all the same.
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
)


class ProviderUnreachable(Refusal):
    """The provider was not reached: nothing was sent, so nothing happened there."""

    code = "provider_unreachable"
    status = 503
    retry_after_seconds = 5


class OutcomeUnknown(Refusal):
    """The provider may or may not have done it (5xx, time-out); it must be asked."""

    code = "provider_outcome_unknown"
    status = 503
    retry_after_seconds = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentIdentity:
    """Facts by which a question, an answer, news or a line of a record is about one thing and no other.

    None where it does not say.  Texts, as they are written: an amount is `Rp10.000`.
    """

    reference: str | None = None  # ours, of the attempt
    provider_reference: str | None = None  # the provider's number of its instructions
    merchant: str | None = None
    store: str | None = None
    terminal: str | None = None
    amount: str | None = None  # that was asked for
    payment: str | None = None  # the provider's number of it
    refund_number: str | None = None  # ours
    refund_amount: str | None = None
    method: str | None = None  # by which the attempt is paid; no answer names it
    aliases: frozenset[str] = frozenset()  # what else stands for the merchant that is asked about


_FACTS = [
    field.name for field in fields(PaymentIdentity) if field.name not in ("aliases", "method")
]


@dataclass(frozen=True, slots=True)
class Difference:
    """One fact that is another than the one asked about."""

    fact: str
    asked: str
    told: str

    def __str__(self) -> str:
        return f"{self.fact}: asked {self.asked}, told {self.told}"


def differences(asked: PaymentIdentity, told: PaymentIdentity) -> tuple[Difference, ...]:
    """Every fact that both name, and differently.  A fact that one of them leaves out is no difference."""
    both = ((name, getattr(asked, name), getattr(told, name)) for name in _FACTS)
    return tuple(
        Difference(name, here, there)
        for name, here, there in both
        if here is not None and there is not None and here != there
        if name != "merchant" or there not in asked.aliases
    )


class AboutAnother(OutcomeUnknown):
    """The answer is about something else than what was asked: evidence of nothing."""

    code = "answer_about_another"

    def __init__(
        self, found: Sequence[Difference], told: PaymentIdentity, *, is_money: bool = False
    ) -> None:
        super().__init__("; ".join(map(str, found)))
        self.differences = tuple(found)
        self.told = told
        self.is_money = is_money  # it says that something was paid or given back


class NoAnswer(OutcomeUnknown):
    """Nothing came back, not even a refusal: a time-out, or a connection that broke."""


class TransferUnderWay(OutcomeUnknown):
    """The provider says that it is at it: it will be done or refused later."""


class CallNotBegun(ProviderUnreachable):
    """The provider does not answer these days, or was repeated to enough (`plumbing/work/outgoing.py`)."""

    def __init__(self, why: str, seconds: float) -> None:
        super().__init__(why)
        self.seconds = seconds  # until it may be asked for again


class ProviderRefused(Refusal):
    """The provider refused the call, with a code of its own, which only its rail understands."""

    code = "provider_refused"
    status = 502

    def __init__(self, response_code: str, message: str) -> None:
        super().__init__(f"{response_code} {message}".rstrip())
        self.response_code = response_code
        self.message = message


class RefusedForEver(ProviderRefused):
    """It can never be: a window is over, a method gives nothing back, an account takes nothing."""


class TransferReturned(RefusedForEver):
    """The provider says that a transfer was not made, or that its money came back."""


class RailNotConfigured(Refusal):
    """The rail of an attempt is not one of this installation's any more: nothing is sent there."""

    code = "rail_not_configured"
    status = 503
    retry_after_seconds = 60

    def __init__(self, rail: str) -> None:
        super().__init__(f"no rail {rail!r} is configured")
        self.rail = rail


class AmountNotPayable(Refusal):
    """No rail of a method takes this sum at once."""

    code = "amount_not_payable"
    status = 422

    def __init__(self, method: str, amount: int, most: int) -> None:
        super().__init__(f"{amount} by {method}, which takes {most} at most")
        self.method = method
        self.amount = str(Rupiah(amount))
        self.amount_max = str(Rupiah(most))


class AttemptsSpent(Refusal):
    """A subject has had as many attempts as it may."""

    code = "payment_attempts_spent"
    status = 409

    def __init__(self) -> None:
        super().__init__(f"{ATTEMPTS_PER_SUBJECT_MAX} attempts were made")
        self.attempts_max = ATTEMPTS_PER_SUBJECT_MAX


class MethodOut(Refusal):
    """Every rail of a method was taken out by hand."""

    code = "payment_method_out"
    status = 503
    retry_after_seconds = 60

    def __init__(self, method: str) -> None:
        super().__init__(f"every rail of {method} is out")
        self.method = method


class NotApplied(CommandRefusal):
    """A payment cannot count for an order that an operator names: it counts elsewhere."""

    code = "payment_not_applied"
    status = 409


class NotificationForged(Refusal):
    """A notification whose signature does not fit."""

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
    """Instructions as a row keeps them; None where it has none, or what nobody wrote."""
    try:
        found: Instructions = msgspec.convert(kept, Instructions)
    except msgspec.ValidationError:
        return None
    return found


@dataclass(frozen=True, slots=True)
class InboxedNotification:
    """A notification as it was kept: what was told, what its rail read in it, what came of it."""

    body: bytes
    reading: Any
    outcome: str | None


@dataclass(frozen=True, slots=True)
class PaymentMethod:
    """A way to pay at one rail: its limits in rupiah, and how long an attempt can be paid (None: as long
    as an order without a time of its own)."""

    name: str
    amount_min: int = 1
    amount_max: int = 1_000_000_000_000
    lapses_seconds: float | None = None
    is_at_face: bool = False  # a stamp paid by it costs its duty, without our fee

    def takes(self, amount: int) -> bool:
        """True where so many rupiah can be paid by it."""
        return self.amount_min <= amount <= self.amount_max


@dataclass(frozen=True, slots=True)
class PaymentChannel:
    """By which rail an attempt is paid, and by which of its methods; the row keeps both."""

    provider: str
    method: str


@dataclass(frozen=True, slots=True)
class RailOut:
    """A rail that a person took out: no new attempt goes there."""

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
    instructions: Instructions | None  # what the buyer is shown to pay it
    expires_at: datetime
    provider_reference: str | None = None
    tries: int = 0  # how often the call was begun before that it is leased for
    asked_at: datetime | None = None  # when the lease for a question began

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
        """What is in its QR, where it is paid by one."""
        return self.instructions.content if isinstance(self.instructions, PaymentQr) else None


@dataclass(frozen=True, slots=True)
class OpenedAttempt:
    """What the provider made of an attempt: how to pay it, and its own number of that."""

    instructions: Instructions
    provider_reference: str


@dataclass(frozen=True, slots=True)
class MadeBefore:
    """The provider made instructions for this reference before, by a call whose answer we never saw,
    and does not tell them again."""


class ProviderStatus(StrEnum):
    """What became of an attempt, or of one payment on it, as its provider says."""

    PAID = "paid"
    PENDING = "pending"
    REFUNDED = "refunded"
    CANCELLED = "cancelled"
    FAILED = "failed"
    UNKNOWN = "unknown"  # the provider has no such thing


class UnmatchedReason(StrEnum):
    """Why news of a provider cannot be booked as what it says it is, or why somebody is to ask it."""

    UNREADABLE = "unreadable"
    REFERENCE_MISSING = "reference_missing"
    REFERENCE_UNKNOWN = "reference_unknown"
    STATUS_UNKNOWN = "status_unknown"
    STATUS_CONTRADICTS = "status_contradicts"  # paid, and its QR or earlier news says it is not
    NUMBER_MISSING = "number_missing"  # paid, without the number of the payment
    AMOUNT_UNREADABLE = "amount_unreadable"  # missing, not rupiah, or with sen
    AMOUNT_DIFFERS = "amount_differs"  # the same payment was told before with another amount
    CHARGEBACK_AMBIGUOUS = "denial_ambiguous"  # taken back, without the number of the payment
    ID_CONFLICT = "id_conflict"  # the id of another notification, with another body
    NUMBER_ELSEWHERE = "number_elsewhere"  # the payment of this number counts for another reference
    REFUNDED_THERE = "refunded_there"  # the provider gave money back that we did not ask it to
    ABOUT_ANOTHER = "about_another"  # of another merchant, or of other instructions than it names
    # No news, but its absence: somebody is to ask the provider.
    REFUND_OVERDUE = "refund_overdue"  # a refund that the provider has not made in time
    REFUND_NOT_IN_RECORD = "refund_not_in_record"  # a settled refund that its record does not have
    UNCONFIRMED = "unconfirmed"  # a payment that news told, and no answer to a question names
    UNANSWERED = "unanswered"  # an attempt about which no question is answered


@dataclass(frozen=True, slots=True)
class Payment:
    """One payment the provider received on an attempt, by its own status.

    With `FAILED` or `CANCELLED` the amount is what was taken back of it so far, None for all of
    it; with `REFUNDED` what was given back.
    """

    number: str  # the provider's, of one payment
    amount: Rupiah | None
    status: ProviderStatus


@dataclass(frozen=True, slots=True)
class Captured:
    """One payment that reached us: the provider's number of it, and when we learned of it."""

    number: str
    amount: Rupiah
    at: datetime


@dataclass(frozen=True, slots=True)
class AttemptTold:
    """An attempt with what happened to it, for whoever asks how it went."""

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
    """Money that a rail of our own database gave back, by our number of the refund."""

    refund: str
    amount: int
    at: datetime


class OwnMove(NamedTuple):
    """One movement of such a rail: of which account, and by which id of it, an attempt was paid, or given back by `refund`."""

    at: datetime
    account: UUID
    id: UUID
    buyer: UUID
    attempt: UUID
    amount: int
    refund: str  # empty where it was paid


class AttemptRoute(NamedTuple):
    """The rail of an attempt and its method, as staff read them."""

    account: UUID
    attempt: UUID
    route: str


@dataclass(frozen=True, slots=True)
class CapturedTold:
    """A payment with what its attempt asked for, and how we learned of it."""

    number: str
    amount: Rupiah
    wanted: Rupiah
    method: str
    learned_by: str
    captured_at: datetime
    confirmed_at: datetime | None

    def covers(self, at: datetime) -> bool:
        """True where it had paid for everything before this moment."""
        return self.captured_at < at and self.amount >= self.wanted


@dataclass(frozen=True, slots=True)
class Heard:
    """An attempt as its provider last spoke of it: when a question about it was last answered, None where
    none was."""

    reference: str
    state: AttemptState
    opened_at: datetime
    answered_at: datetime | None


@dataclass(frozen=True, slots=True)
class PaymentToRecord:
    """A captured payment beside the record of its provider: rupiah taken back of it as told, and when that was last told."""

    account: UUID
    attempt: UUID
    subject: UUID
    amount: Rupiah
    taken_back: Rupiah
    told_at: datetime | None


@dataclass(frozen=True, slots=True)
class UnmatchedNews:
    """News that names no payment we could book; kept until somebody resolves it."""

    reason: UnmatchedReason
    number: str | None = None
    amount: Rupiah | None = None


@dataclass(frozen=True, slots=True)
class AttemptStatus:
    """What the provider says became of an attempt."""

    status: ProviderStatus
    payments: tuple[Payment | UnmatchedNews, ...]


@dataclass(frozen=True, slots=True)
class RefundWish:
    """Money that the provider is asked to give back of a payment, in whole rupiah."""

    account: UUID
    attempt: UUID
    payment: str  # the provider's number of it
    number: str  # ours, the same in every try
    amount: Rupiah
    was_tried: bool  # an earlier try may have been carried out


@dataclass(frozen=True, slots=True)
class RefundMade:
    """The provider gave money back."""

    provider_number: str


@dataclass(frozen=True, slots=True)
class RefundLine:
    """One refund of the provider's record.  None for what the line does not say."""

    number: str | None  # ours, or one that the provider gave a refund of its own
    provider_number: str | None
    payment: str | None  # the provider's number of it
    amount: Rupiah  # 0: it failed, or was reversed


class MovementKind(StrEnum):
    """Kind of a line of a record.  `in` and `out` are as the account of the record sees the money."""

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
    fee: Rupiah | None = None  # of this line, where the line has it in itself
    tax: Rupiah | None = None
    line: str = ""  # the identity of the line in its record: a number, or its place in the file
    counterpart: str | None = (
        None  # of a statement: the provider, or the account of ours, that it names
    )


@dataclass(frozen=True, slots=True)
class UnmatchedLine:
    """One line of the provider's transaction history that cannot be read or is not ours."""

    why: str
    told: str  # its numbers, times and sums, cut short; nothing that may name a person


@dataclass(frozen=True, slots=True)
class Notification:
    """What a notification says, once its signature was found good; None where it says nothing."""

    is_readable: bool
    reference: str | None = None
    provider_reference: str | None = None
    status: ProviderStatus | None = None
    word: str | None = None  # the provider's own for the status, by which news is known again
    number: str | None = None
    amount: Rupiah | None = None
    is_amount_told: bool = False
    merchant: str | None = None  # whose money it is, as it says
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
    """A notification whose signature is good: by what it is known again, and what was read in it."""

    id: str | None  # the provider's of this delivery; None where it has none
    sent_on: date
    said: Notification


class InquiryVerdict(StrEnum):
    """Our answer to a bank that asks about an account number, or says that it was paid."""

    PAYABLE = "payable"
    TAKEN = "taken"  # the payment counts, now or since an earlier try
    NOT_FOUND = "not_found"
    PAID = "paid"  # by another payment
    EXPIRED = "expired"  # its time is over, or it was closed
    AMOUNT_WRONG = "amount_wrong"
    INCONSISTENT = "inconsistent"  # a repeat under the same id that says something else
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
    INQUIRY = "inquiry"  # what is to be paid by this account number?
    PAYMENT = "payment"  # it was paid, or is about to be: may it be?


@dataclass(frozen=True, slots=True, kw_only=True)
class BankInquiry:
    """A signed call of a bank about an account number.

    provider_reference  of the attempt; None where the call cannot be read
    told      the payment; None in an inquiry
    content   of which the answer repeats some
    moved_at  when the payer paid, as the bank says
    """

    kind: ProviderCallKind
    provider_reference: str | None
    told: Delivered | None
    content: Mapping[str, object]
    moved_at: datetime
    is_repeated: bool


class NotificationAct(StrEnum):
    """What a notification asks us to do."""

    CAPTURE = "capture"
    CHARGE_BACK = "deny"
    REFUNDED = "refunded"
    NOTHING = "nothing"


def judge(read: Notification) -> NotificationAct | UnmatchedReason:
    """What to do about a notification, or why it cannot be booked as what it says it is."""
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


# What the database answers where news cannot be booked as what it says it is.
NOT_BOOKED = {
    "unknown_attempt": UnmatchedReason.REFERENCE_UNKNOWN,
    "amount_differs": UnmatchedReason.AMOUNT_DIFFERS,
    "exceeds": UnmatchedReason.AMOUNT_DIFFERS,  # more was taken back than was paid
    "ambiguous": UnmatchedReason.CHARGEBACK_AMBIGUOUS,
    "elsewhere": UnmatchedReason.NUMBER_ELSEWHERE,
    "contradicts": UnmatchedReason.STATUS_CONTRADICTS,  # paid, after news that it failed
}


def reference_of(account: UUID, attempt: UUID) -> str:
    """Our reference at the provider.  It contains the account and the attempt, so that a payment
    can be booked without a search over all accounts."""
    return number_of(REFERENCE_PREFIX, account, attempt)


def refund_number(account: UUID, refund: UUID) -> str:
    """Our number of a refund at the provider: the same in every try."""
    return number_of(REFUND_PREFIX, account, refund)


def number_of(prefix: str, account: UUID, identifier: UUID) -> str:
    """The number of ours with this prefix that an account and an id make; `parse_number` reads it."""
    return f"{prefix}{compact(account)}{compact(identifier)}"


def parse_reference(text: str) -> tuple[UUID, UUID]:
    """(account, attempt) of one of our references.  Raises `ValueError`."""
    if (found := parse_number(REFERENCE_PREFIX, text)) is None:
        raise ValueError(f"not one of our references: {text!r}")
    return found


def parse_number(prefix: str, text: str) -> tuple[UUID, UUID] | None:
    """The account and the id that a number of ours with this prefix is made of; None for any other text."""
    rest = text.removeprefix(prefix)
    if len(rest) != 52 or rest == text:
        return None
    try:
        return from_compact(rest[:26]), from_compact(rest[26:])
    except ValueError:
        return None
