"""Reports of the books, closes of days, payouts of duty: types and refusals; pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from meterai.kit.ids import show
from meterai.kit.lifecycle import Lifecycle
from meterai.kit.refusal import Refusal, refusal_of_constraint
from meterai.kit.subjects import SubjectSort
from meterai.ledger import CHART, Book, DutyFigure, Sums, figures_of

DAY_SUBJECT = SubjectSort("day")
PAYOUT_SUBJECT = SubjectSort("payout", prefix="pyo")

HERE = "/console/finance"
PAYOUT_KIND = "pyo"
DEPOSIT_CODE = "411411-902"  # duty in electronic stamps, of a collector (PMK 78/2024); a distributor has another
LINES_MAX = (
    100_000  # legs of a statement in one file of the console; the command line writes any number
)
AGES_DAYS = (1, 3, 7, 30)  # bounds in days of the age buckets of open refunds
UNPLACED = "-"  # instead of a provider: money at providers without a known payment


class BookStatementTooLong(Refusal):
    """The statement has more lines than one file may have; the command `finance statement` writes statements of any length."""

    code = "statement_too_long"
    status = 422

    def __init__(self) -> None:
        super().__init__(f"more than {LINES_MAX} lines")
        self.lines_max = LINES_MAX


class CloseTooEarly(Refusal):
    """The day is not over, or its last entries may still be under way."""

    code = "close_too_early"

    def __init__(self, day: date) -> None:
        super().__init__(str(day))
        self.day = str(day)


class DayClosed(Refusal):
    """The day is closed."""

    code = "day_closed"


class DayNotNext(Refusal):
    """Days are closed in order, and the requested day is not the next one; the refusal names the next day."""

    code = "day_not_next"

    def __init__(self, day: date) -> None:
        super().__init__(f"{day} is next")
        self.day = str(day)


class DayNotReconciled(Refusal):
    """A provider's or bank's record of the day was not compared, or has more differences from the books than are listed."""

    code = "day_not_reconciled"

    def __init__(self, day: date, records: Sequence[str]) -> None:
        self.day = str(day)
        self.records = ", ".join(records)
        super().__init__(f"{self.day}: {self.records}")


class CloseWrong(Refusal):
    """The close was changed after it was signed, does not name the close before it, or does not fit the entries of its day."""

    code = "close_wrong"
    status = 422

    def __init__(self, day: str, why: str) -> None:
        super().__init__(f"{day}: {why}")
        self.day = day
        self.why = why


class PayoutUnknown(Refusal):
    """The payout does not exist."""

    code = "payout_unknown"
    status = 404


class PayoutAboveDuty(Refusal):
    """The payout exceeds the duty payable that is left after all other payouts."""

    code = "payout_above_duty"

    def __init__(self, held: int) -> None:
        super().__init__(f"{held} are held")
        self.held = held


class PayoutDiffers(Refusal):
    """The line of the bank statement has another amount than the payout."""

    code = "payout_differs"

    def __init__(self, amount: int, told: int) -> None:
        super().__init__(f"{amount}, and the line says {told}")
        self.amount = amount
        self.told = told


class PayoutLineTaken(Refusal):
    """The line of the bank statement has already confirmed another payout."""

    code = "payout_line_taken"


refusal_of_constraint("day_closes_pkey", DayClosed)
refusal_of_constraint("payout_line_is_of_one", PayoutLineTaken)


class PayoutState(StrEnum):
    """State of a payout of duty. Until another person approves it, a payout is only a request in the room `approvals`."""

    APPROVED = "approved"
    SENT = "sent"  # the bank is told to pay it
    CONFIRMED = "confirmed"  # a line of the bank statement pays it, the state has given a receipt; it is in the books
    FAILED = "failed"  # it was not paid


class PayoutEvent(StrEnum):
    """Event in the life of a payout."""

    SENT = "sent"
    CONFIRMED = "confirmed"
    FAILED = "failed"


_S, _E = PayoutState, PayoutEvent
PAYOUT = Lifecycle(
    "the payout",
    {
        (_S.APPROVED, _E.SENT): _S.SENT,
        (_S.APPROVED, _E.FAILED): _S.FAILED,
        (_S.SENT, _E.CONFIRMED): _S.CONFIRMED,
        (_S.SENT, _E.FAILED): _S.FAILED,
    },
)


@dataclass(frozen=True, slots=True)
class Payout:
    """A payout of duty to the treasury."""

    id: UUID
    amount: int
    month: date
    deposit_code: str
    state: PayoutState
    approved_at: datetime
    approved_by: str
    sent_at: datetime | None = None
    billing_code: str | None = None
    bank_line: str | None = None
    paid_at: datetime | None = None
    ntpn: str | None = None
    ended_at: datetime | None = None
    why_failed: str | None = None

    @property
    def shown(self) -> str:
        """The id of the payout as people see it."""
        return show(PAYOUT_KIND, self.id)


# -- reports -------------------------------------------------------------------------------------


class PeriodBalance(NamedTuple):
    """Balances and movements of one book over a period; in `opening` and `closing`, a credit balance is positive."""

    book: str
    opening: int
    debit: int
    credit: int

    @property
    def closing(self) -> int:
        """Balance at the end of the period, credits positive."""
        return self.opening + self.credit - self.debit

    @property
    def of(self) -> Book:
        """The book's definition in the chart of accounts."""
        return CHART[self.book]

    @property
    def on_debit(self) -> int:
        """Closing balance if it is on the debit side of a trial balance, else 0."""
        return max(-self.closing, 0)

    @property
    def on_credit(self) -> int:
        """Closing balance if it is on the credit side of a trial balance, else 0."""
        return max(self.closing, 0)


class StatementLine(NamedTuple):
    """One leg of a statement; a credit is positive in `amount`. Time (WIB) and ids are text, since there may be very many
    lines.
    """

    at: str
    account: str
    entry: str
    reason: str
    subject: str
    book: str
    amount: int


class StatementScope(StrEnum):
    """Kind of subject that a statement is about."""

    ACCOUNT = "account"
    ORDER = "order"
    PROVIDER = "provider"
    BOOKS = "books"  # all books, over a day or a month


@dataclass(frozen=True, slots=True)
class StatementRequest:
    """Requested statement: its subject, and the period from `begin` to before `end`."""

    scope: StatementScope
    of: str  # as people see it
    begin: datetime
    end: datetime
    account: UUID | None = None
    subject: UUID | None = None


@dataclass(frozen=True, slots=True)
class BookStatement:
    """A statement: balances and movements of each book that moved or had a balance, and the legs if they were requested.

    `is_cut` is True if further legs were left out.
    """

    asked: StatementRequest
    balances: Sequence[PeriodBalance]
    lines: Sequence[StatementLine] = ()
    is_cut: bool = False


class Aged(NamedTuple):
    """Open refunds of one provider, method and age. `bucket` is the number of bounds in `AGES_DAYS` that the age of these
    refunds exceeds.
    """

    provider: str
    method: str
    bucket: int
    number: int
    rupiah: int
    overdue: int
    oldest: datetime
    due: datetime


@dataclass(frozen=True, slots=True)
class Ageing:
    """All open refunds, by provider, method and age; and the balance of the book `refunds_payable`."""

    at: datetime
    rows: Sequence[Aged]
    payable: int  # balance of the book `refunds_payable`

    @property
    def rupiah(self) -> int:
        """Sum of the open refunds in rupiah."""
        return sum(one.rupiah for one in self.rows)


class ProviderSum(NamedTuple):
    """Sums of the ledger entries of one provider, reason and book: before a period, and in the period."""

    provider: str
    reason: str
    book: str
    before: int
    moved: int


@dataclass(frozen=True, slots=True)
class ProviderReport:
    """Rupiah that one provider held for us at the beginning and the end of a period (`opening`, `closing`), and the movements
    between. `closing` is computed from the other fields.
    """

    provider: str
    opening: int
    captured: int
    given_back: int
    charged_back: int
    settled: int  # into our bank account
    fee: int
    tax: int
    other: int
    closing: int


# Money that leaves suspense is captured elsewhere, or was returned.
_FACTS = {
    "captured": (
        *("payment_captured", "money_suspended"),
        *("suspense_explained", "suspense_applied", "suspense_matched"),
    ),
    "given_back": (
        *("refund_settled", "payment_given_back", "refund_reversed", "suspense_returned"),
        *("compensation_paid", "transfer_returned", "transfer_lost"),
    ),
    "charged_back": ("payment_denied", "chargeback_won"),
    "settled": ("break_matched", "break_fee"),
}


def provider_reports(rows: Sequence[ProviderSum]) -> list[ProviderReport]:
    """Return a report of each provider. Received rupiah are positive in `captured`; rupiah that left the provider are positive
    in the fields after `captured`.
    """
    return [
        _provider_report(name, [one for one in rows if one.provider == name])
        for name in sorted({one.provider for one in rows})
    ]


def _provider_report(provider: str, rows: Sequence[ProviderSum]) -> ProviderReport:
    clearing = [one for one in rows if one.book in ("bank_clearing", "refund_float")]
    opening, moved = -sum(one.before for one in clearing), sum(one.moved for one in clearing)

    def of(name: str) -> int:
        return sum(one.moved for one in clearing if one.reason in _FACTS[name])

    fee, tax = (
        -sum(one.moved for one in rows if one.book == book)
        for book in ("provider_fee", "provider_tax")
    )
    facts = {name: of(name) for name in _FACTS}
    return ProviderReport(
        provider,
        opening,
        -facts["captured"],
        facts["given_back"],
        facts["charged_back"],
        facts["settled"] - fee - tax,
        fee,
        tax,
        moved - sum(facts.values()),
        opening - moved,
    )


@dataclass(frozen=True, slots=True)
class TaxReport:
    """Duty and tax of a period."""

    figures: Sequence[DutyFigure]  # sold, affixed, refunded, charged back, due
    opening: int  # duty payable before it
    paid_out: int
    closing: int
    service_fee: int  # income
    provider_fee: int
    provider_tax: int


class SalesChannel(StrEnum):
    """Sales channel of an order; the sums of the books are kept separately for each."""

    PAGE = "page"  # our own pages
    API = "api"  # a program of the buyer
    DISTRIBUTOR = "distributor"  # sold by a distributor
    DEPOSIT = "deposit"  # a distributor's own account: its deposit, and orders that fill it
    NONE = "none"  # entries of no order


NO_SELLER = UUID(int=0)


class ChannelSum(NamedTuple):
    """Sum of the ledger entries of one day (WIB), channel, seller, reason and book; `seller` may be `NO_SELLER`."""

    day: date
    channel: SalesChannel
    seller: UUID
    reason: str
    book: str
    entries: int
    amount: int


class ChannelSpans(NamedTuple):
    """Sums of the ledger entries of one channel, seller, reason and book: of today, the last 7 and the last 30 days."""

    channel: SalesChannel
    seller: UUID
    reason: str
    book: str
    today: int
    week: int
    month: int
    last_day: date
    entries_week: int


_UNDERWAY_AGAIN = ("refund_requested", "refund_rerouted", "refund_void")  # of refunds_payable


@dataclass(frozen=True, slots=True)
class ChannelReport:
    """Figures of one sales channel and seller in a period, in rupiah and stamps; `day` is set if the period is one day."""

    channel: SalesChannel
    seller: UUID
    day: date | None
    sums: Sums

    def figure(self, name: str) -> DutyFigure:
        """Return the figure of duty with this name: sold, affixed, refunded, charged_back or due."""
        return next(one for one in figures_of(self.sums) if one.name == name)

    @property
    def paid(self) -> int:
        """Rupiah received for the channel's orders."""
        return self.sums.of("buyer_funds", "payment_captured")

    @property
    def returned(self) -> int:
        """Rupiah of the channel's orders that were refunded or are being refunded."""
        return self.sums.of("refunds_payable", *_UNDERWAY_AGAIN)

    @property
    def service_fee(self) -> int:
        """Rupiah of the operator's fees."""
        return self.sums.of("service_fee")

    @property
    def seller_fee(self) -> int:
        """Seller's fees in rupiah that our rails collected, less returned fees; they are credited to the seller's deposit."""
        return -self.sums.of("bank_clearing", "fee_earned", "fee_returned")


def channel_reports(rows: Sequence[ChannelSum], *, by_day: bool = False) -> list[ChannelReport]:
    """Return a report for each channel and seller, in the order of `SalesChannel`; with `by_day`, separate reports for each
    day.
    """
    found: dict[tuple[date | None, SalesChannel, UUID], list[tuple[str, str, int, int]]] = {}
    for one in rows:
        key = one.day if by_day else None, SalesChannel(one.channel), one.seller
        found.setdefault(key, []).append((one.reason, one.book, one.entries, one.amount))
    places = list(SalesChannel)
    keys = sorted(found, key=lambda key: (key[0] or date.min, places.index(key[1]), key[2]))
    return [ChannelReport(key[1], key[2], key[0], Sums(found[key])) for key in keys]


class UnexplainedBreak(NamedTuple):
    """Open difference between the books and a bank's or provider's record: the id of its item in suspense, and its rupiah."""

    item: str
    rupiah: int


@dataclass(frozen=True, slots=True)
class Close:
    """Content of the close of a day. `sha256` is the hash of the concatenated digests of the day's ledger entries."""

    day: date
    entries: int
    sha256: bytes
    balances: Sequence[PeriodBalance]
    breaks: Sequence[UnexplainedBreak] = ()
    before: str = ""  # SHA-256 of the signed close of the day before; empty for the first


class KeptClose(NamedTuple):
    """Stored close of a day; `manifest` is its signed document."""

    day: date
    closed_at: datetime
    entries: int
    sha256: bytes
    manifest: str
