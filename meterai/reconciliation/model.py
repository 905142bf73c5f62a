"""Days of a record, accepted files, kinds of breaks, and lifecycles; pure."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from meterai.kit.clock import WIB
from meterai.kit.lifecycle import Lifecycle
from meterai.kit.refusal import CommandRefusal

# Names that stand for a provider where records are bank statements: the operator's account, the account of transfers.
ACCOUNT, FLOAT = STATEMENTS = ("account", "float")
TREASURY = "treasury"  # counterpart of a line that pays duty


class DayState(StrEnum):
    """State of the record of a day."""

    READING = "reading"
    WAITING = "waiting"  # the record was not received, or not completely
    DIFFERING = "differing"  # compared, and there are more differences than are listed
    FINAL = "final"  # complete, and each difference is an item


class DayEvent(StrEnum):
    """Event in the life of the record of a day."""

    FAILED = "failed"
    FAILED_AGAIN = "failed_again"  # a later reading failed; the earlier comparison stays valid
    COMPARED = "compared"
    OVERFLOWED = "overflowed"
    READ_AGAIN = "read_again"


_S, _E = DayState, DayEvent
DAY = Lifecycle(
    "the day of a record",
    {
        (_S.READING, _E.FAILED): _S.WAITING,
        (_S.READING, _E.FAILED_AGAIN): _S.FINAL,
        (_S.READING, _E.COMPARED): _S.FINAL,
        (_S.READING, _E.OVERFLOWED): _S.DIFFERING,
        (_S.WAITING, _E.READ_AGAIN): _S.READING,
        (_S.DIFFERING, _E.READ_AGAIN): _S.READING,
        (_S.FINAL, _E.READ_AGAIN): _S.READING,
    },
    reopens={DayEvent.READ_AGAIN},
)


class BreakKind(StrEnum):
    """Kind of a difference between a record and the books; reason of its item in suspense."""

    PAYMENT_NOT_IN_BOOKS = "payment_not_in_books"
    PAYMENT_NOT_IN_RECORD = "payment_not_in_record"
    PAYMENT_SUM_DIFFERS = "payment_sum_differs"
    PAYMENT_FACTS_DIFFER = "payment_facts_differ"  # another reference, or a time after ours
    REFUND_NOT_IN_BOOKS = "refund_not_in_books"
    REFUND_NOT_IN_RECORD = "refund_not_in_record"
    CHARGEBACK_NOT_IN_BOOKS = "chargeback_not_in_books"
    CHARGEBACK_NOT_IN_RECORD = "chargeback_not_in_record"
    BOOKS_DIFFER = "books_differ"  # the ledger differs from payments and refunds
    LINE_UNREADABLE = "line_unreadable"
    LINE_UNPLACED = "line_unplaced"  # it names no payment and no refund
    LINES_TOO_MANY = "lines_too_many"  # more differences than are listed
    RECORD_CHANGED = "record_changed"  # another reading of a day has other facts
    RECORD_MISSING = "record_missing"
    FILE_UNREADABLE = "file_unreadable"
    FEE_NOT_BOOKED = "fee_not_booked"
    TAX_NOT_BOOKED = "tax_not_booked"
    SETTLEMENT_NOT_BOOKED = "settlement_not_booked"
    ACCOUNT_MOVED = "account_moved"  # a line of the operator's own account
    FLOAT_MOVED = "float_moved"  # a line of the account of transfers that is no transfer
    FLOAT_DIFFERS = "float_differs"  # transfers to one buyer


class RecordFileKnown(CommandRefusal):
    """A file with the same bytes was accepted before."""

    code = "record_file_known"
    status = 409


class RecordFileUnreadable(CommandRefusal):
    """The file cannot be read as a record, or is incomplete."""

    code = "record_file_unreadable"
    status = 422

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"{name}: {why}")
        self.name = name
        self.why = why


class RecordFilesMissing(CommandRefusal):
    """The rail has no history from which a record could be read, and no file was given."""

    code = "record_files_missing"
    status = 409


class RecordIsBeingRead(CommandRefusal):
    """Another process reads the record of this day."""

    code = "record_is_being_read"
    status = 409


class ProviderUnknown(CommandRefusal):
    """The name is neither that of a rail of this installation nor that of an account of the operator."""

    code = "provider_unknown"
    status = 404


class DayNotOver(CommandRefusal):
    """The day has not ended in Western Indonesia Time."""

    code = "day_not_over"
    status = 409


class NotABreak(CommandRefusal):
    """The item in suspense cannot be resolved by the chosen staff action."""

    code = "break_has_no_such_way"
    status = 409


def begin_of(day: date) -> datetime:
    """Return the moment at which a day begins in WIB."""
    return datetime(day.year, day.month, day.day, tzinfo=WIB)


def end_of(day: date) -> datetime:
    """Return the moment at which a day ends in WIB."""
    return begin_of(day) + timedelta(days=1)


class Days(NamedTuple):
    """A day whose record is compared with the books. `reading` counts how often the record of this day was read.

    Sums are over the days from `first` to `upto`; the record contains all movements before `until`.
    """

    provider: str
    day: date
    reading: int
    first: date
    upto: date
    until: datetime


@dataclass(frozen=True, slots=True)
class Leased:
    """A day of a provider that this process has leased in order to read its record."""

    provider: str
    day: date
    reading: int  # number of the reading that begins now
    tries: int


@dataclass(frozen=True, slots=True)
class RecordDay:
    """The record of one provider for one day: its source and state, and the result of comparing it with the books."""

    provider: str
    day: date
    state: DayState
    source: str
    fault: str | None
    begun_at: datetime
    ended_at: datetime | None
    lines: int
    matched: int
    unreadable: int
    broken: int

    @property
    def matched_percent(self) -> float:
        """Percentage of the lines that have a counterpart and no difference; 100 for a record without lines."""
        return 100.0 * self.matched / self.lines if self.lines else 100.0


class Overview(NamedTuple):
    """The newest day whose comparison was begun, with its result, and the number of records not compared yet (`missing`), for
    metrics and `/readyz`.
    """

    day: date
    fault: str | None
    ended_at: datetime | None
    broken: int
    compared_until: date  # the last day up to which the record of each provider was compared
    missing: int


class ReadingCounts(NamedTuple):
    """Number of lines in a day's record as it was read, and the rupiah of its fees and of the tax on them."""

    lines: int
    fee: int
    tax: int


class Fees(NamedTuple):
    """Rupiah of those fees and taxes in a day's record that are as agreed."""

    fee: int
    tax: int


class FeeTold(NamedTuple):
    """A payment in a day's record whose fee or tax is not as agreed; `amount` is the rupiah of the payment."""

    payment: str | None
    method: str | None
    amount: int | None
    fee: int
    tax: int


class OfBuyer(NamedTuple):
    """Rupiah sent to one buyer (`gone`), and rupiah returned by the buyer's bank (`back`), according to the bank statement.

    For each of the two sums, the books give a lower bound (field `..._least`) and an upper bound (field `..._ours`).
    `written_off` is the rupiah of a difference that was written off.
    """

    account: UUID
    gone: int
    gone_least: int
    gone_ours: int
    back: int
    back_least: int
    back_ours: int
    written_off: int


class Unmatched(NamedTuple):
    """A line of the record about a payment that the books lack or have with other facts; `our_reference`, `captured_at` and
    `learned_by` are from the books.
    """

    payment: str | None
    reference: str | None
    our_reference: str | None
    amount: int
    moved_at: datetime
    captured_at: datetime | None
    learned_by: str | None


class Differing(NamedTuple):
    """A payment with its sums in rupiah in the record and in the books.

    For each sum in the record, the books give a lower bound (field `..._least`) and an upper bound (field `..._ours`).
    """

    payment: str
    reference: str | None
    lines: int
    captured: int
    captured_least: int
    captured_ours: int
    refunded: int
    refunded_least: int
    refunded_ours: int
    charged_back: int
    charged_back_least: int
    charged_back_ours: int
    booked: int
    due: int
    suspended: int
    refunds: list[str]


class EvidenceLine(NamedTuple):
    """A line of a provider's or bank's record, as evidence of a difference."""

    provider: str
    day: date
    line: str
    kind: str
    moved_at: datetime
    reference: str | None
    payment: str | None
    refund_no: str | None
    provider_refund_no: str | None
    amount: int
    counterpart: str | None


class Side(NamedTuple):
    """An open item about money between two accounts of ours.

    `provider` is the account whose record has the line, `rupiah` the sum by which that account grew (below zero: shrank),
    `names` the numbers in the line.
    """

    id: UUID
    provider: str
    rupiah: int
    names: frozenset[str]


class Numbered(NamedTuple):
    """A line's position in a day's record, its payment number, and the numbers of a refund and a transfer if they are ours."""

    position: int
    payment: str | None
    refund: str | None
    account: UUID | None
    transfer: str | None


class Changed(NamedTuple):
    """A sum in rupiah that changed between two times at which a day's record was read."""

    key: str
    kind: str
    before: int
    now: int


class RecordFileTaken(NamedTuple):
    """An accepted file of a record, stored in `pieces` objects; `pieces` is 0 after the contents were deleted."""

    sha256: bytes
    provider: str
    day: date
    pieces: int
