"""Statements of duty: days and months in WIB, sums of the books, and the figures that follow from them; pure.

Everything is counted from sums of the books by reason of the entry and by book, credits positive.  The sums of a month
are those of its days, so that a reader of the daily extracts counts the same (docs/regulator.md).
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import NamedTuple

from meterai.kit.clock import WIB
from meterai.kit.money import STAMP_DUTY
from meterai.kit.refusal import Malformed, NotFound, Refusal, refusal_of_constraint
from meterai.kit.serial import Serial

# An entry has the time at which its transaction began: what began before midnight is there some minutes after it.
SETTLED_AFTER = timedelta(minutes=10)
DAY = timedelta(days=1)
HERE = "/console/statements"  # the pages of this room
OF_SERIAL = f"{HERE}/serial"  # before a serial: the page with its evidence
_MONTH = re.compile(r"[0-9]{4}-[0-9]{2}", re.ASCII)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
# Every book in the order in which a statement shows them; the first two are what it is about.
BOOKS = (
    *("duty_payable", "stamps_available", "stamps_ordered", "stamps_affixed", "stamps_issued"),
    *("buyer_funds", "refunds_payable", "suspense", "service_fee", "denied_loss", "bank_clearing"),
)
SOLD = ("stamps_issued", "stamps_affixed")  # stamps of documents are sold when they are affixed
REFUNDED = ("refund_requested", "stamps_returned")
CHARGED_BACK = ("payment_denied", "loss_recovered", "stamps_recovered", "correction")
Opening = Mapping[str, int]  # by book


class MonthNotOver(Refusal):
    """The month is not over, or the extract of its last day is not made."""

    code = "month_not_over"

    def __init__(self, month: str) -> None:
        super().__init__(f"{month} is not over")
        self.month = month


class MonthClosed(Refusal):
    """The statement of the month is closed."""

    code = "month_closed"


refusal_of_constraint("statements_pkey", MonthClosed)


def begin_of(day: date) -> datetime:
    """The first moment of a day in WIB."""
    return datetime.combine(day, time(), WIB).astimezone(UTC)


def day_of(at: datetime) -> date:
    """The day in WIB of a moment."""
    return at.astimezone(WIB).date()


def last_settled(now: datetime) -> date:
    """The last day of which every entry is there."""
    return day_of(now - SETTLED_AFTER) - DAY


def read_day(text: str) -> date:
    """A day as 2026-11-30.  Refuses `Malformed`."""
    try:
        if _DAY.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise Malformed("DAY", "moment")


def read_serial(typed: str) -> Serial:
    """A serial as somebody types it.  Refuses `NotFound`."""
    try:
        return Serial("".join(filter(str.isalnum, typed)).upper())
    except ValueError:
        raise NotFound("no serial is written so") from None


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A month in WIB, by its first day."""

    first: date

    @classmethod
    def of(cls, day: date) -> "Month":
        """The month of a day."""
        return cls(day.replace(day=1))

    @classmethod
    def read(cls, text: str) -> "Month":
        """A month as 2026-11.  Refuses `NotFound`."""
        try:
            if _MONTH.fullmatch(text):
                return cls(date.fromisoformat(f"{text}-01"))
        except ValueError:
            pass
        raise NotFound("no month is called so")

    @property
    def next(self) -> "Month":
        """The month after it."""
        return Month.of(self.first + 31 * DAY)

    @property
    def last(self) -> date:
        """The last day of it."""
        return self.next.first - DAY

    def __str__(self) -> str:
        return f"{self.first:%Y-%m}"


class MonthState(StrEnum):
    """Whether figures of a month can still change."""

    RUNNING = "running"  # it is not over
    OVER = "over"  # every day of it has its extract, and nobody closed it
    CLOSED = "closed"


class Sum(NamedTuple):
    """The entries of one reason in one book: how many, and credits less debits."""

    reason: str
    book: str
    entries: int
    amount: int


class Sums:
    """Sums of the books over some time: entries and amount by reason and book."""

    def __init__(self, rows: Iterable[tuple[str, str, int, int]] = ()) -> None:
        self._found: dict[tuple[str, str], tuple[int, int]] = {}
        for reason, book, entries, amount in rows:
            before = self._found.get((reason, book), (0, 0))
            self._found[reason, book] = before[0] + entries, before[1] + amount

    def add(self, reason: str, legs: Iterable[tuple[str, int]]) -> None:
        """Count one entry."""
        for book, amount in legs:
            entries, before = self._found.get((reason, book), (0, 0))
            self._found[reason, book] = entries + 1, before + amount

    def rows(self) -> list[Sum]:
        """Each sum, in one order."""
        return [Sum(*key, *self._found[key]) for key in sorted(self._found)]

    def told(self) -> dict[str, dict[str, list[int]]]:
        """Entries and amount by reason, then by book, as a manifest has them."""
        found: dict[str, dict[str, list[int]]] = {}
        for one in self.rows():
            found.setdefault(one.reason, {})[one.book] = [one.entries, one.amount]
        return found

    def of(self, book: str, *reasons: str) -> int:
        """The movement of a book, by entries of these reasons; of all without one."""
        return sum(
            amount
            for (reason, moved), (_, amount) in self._found.items()
            if moved == book and (not reasons or reason in reasons)
        )


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of a statement: a number of stamps, and rupiah."""

    name: str
    stamps: int
    rupiah: int


@dataclass(frozen=True, slots=True)
class Balance:
    """One book over a month: before it, what moved, after it; credits positive."""

    book: str
    opening: int
    moved: int

    @property
    def closing(self) -> int:
        """What is in the book at the end."""
        return self.opening + self.moved


@dataclass(frozen=True, slots=True)
class Statement:
    """The statement of duty of a month, until `until` where it is not over."""

    month: Month
    state: MonthState
    until: datetime
    opening: Opening
    sums: Sums
    closed_at: datetime | None = None

    @property
    def balances(self) -> list[Balance]:
        """Every book, those that a statement is about first."""
        return [Balance(one, self.opening.get(one, 0), self.sums.of(one)) for one in BOOKS]

    @property
    def figures(self) -> list[Figure]:
        """Sold, affixed, refunded, charged back, due; see `figures_of`."""
        return figures_of(self.sums)

    @property
    def lines(self) -> list[Figure]:
        """The statement: opening, what came in and went out, closing.  Both columns add up.

        Stamps are those sold and not affixed yet; rupiah are duty due to the treasury.
        """
        sold, affixed, refunded, charged_back, _ = self.figures
        stamps, duty, *_ = self.balances[1], self.balances[0]
        known = sold.stamps - affixed.stamps - refunded.stamps - charged_back.stamps
        due = sold.rupiah - refunded.rupiah - charged_back.rupiah
        other = Figure("other", stamps.moved - known, duty.moved - due)
        return [
            Figure("opening", stamps.opening, duty.opening),
            sold,
            Figure("affixed", -affixed.stamps, 0),
            Figure("refunded", -refunded.stamps, -refunded.rupiah),
            Figure("charged_back", -charged_back.stamps, -charged_back.rupiah),
            *([other] if other.stamps or other.rupiah else ()),
            Figure("closing", stamps.closing, duty.closing),
        ]


def figures_of(sums: Sums) -> list[Figure]:
    """The five figures of a statement.

    A stamp is sold when its duty becomes due: one bought as quota when it is issued, one bought for a document when it is
    affixed.  Until then its price is money of the buyer, and goes back whole.  The duty of what was affixed is its number
    times the tariff of the law: for a stamp of a quota it became due before.
    """
    affixed = sums.of("stamps_affixed")
    sold = sums.of("stamps_available", "stamps_issued") - sums.of(
        "stamps_ordered", "stamps_affixed"
    )
    refunded = -sums.of("stamps_available", *REFUNDED)
    charged_back = -sums.of("stamps_available", *CHARGED_BACK)
    return [
        Figure("sold", sold, sums.of("duty_payable", *SOLD)),
        Figure("affixed", affixed, affixed * STAMP_DUTY),
        Figure("refunded", refunded, -sums.of("duty_payable", *REFUNDED)),
        Figure("charged_back", charged_back, -sums.of("duty_payable", *CHARGED_BACK)),
        Figure("due", sold - refunded - charged_back, sums.of("duty_payable")),
    ]
