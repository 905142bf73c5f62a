"""Statements of duty: days and months in WIB, sums of the books, and the figures derived from them; pure.

All figures are sums of the books by reason of the entry and by book, credits positive. The sums of a month are those
of its days, so that a reader of the daily extracts gets the same figures (docs/regulator.md).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from meterai.kit.days import Month
from meterai.kit.refusal import NotFound, Refusal, refusal_of_constraint
from meterai.kit.serial import Serial
from meterai.kit.subjects import SubjectSort
from meterai.ledger import CHART, PAID_OUT, DutyFigure, Sums, figures_of

STATEMENT_SUBJECT = SubjectSort("statement", page="/console/statements")

HERE = "/console/statements"  # path of the pages of this room
OF_SERIAL = f"{HERE}/serial"  # path before a serial: the page with its evidence
# Every book in the order of a statement; the statement is about the first two.
_ABOUT = ("duty_payable", "stamps_available")
BOOKS = (*_ABOUT, *(one for one in CHART if one not in _ABOUT))
Opening = Mapping[str, int]  # by book


class MonthNotOver(Refusal):
    """The month is not over, or the extract of its last day does not exist yet."""

    code = "month_not_over"

    def __init__(self, month: str) -> None:
        super().__init__(f"{month} is not over")
        self.month = month


class MonthClosed(Refusal):
    """The statement of the month is closed."""

    code = "month_closed"


refusal_of_constraint("statements_pkey", MonthClosed)


def read_serial(typed: str) -> Serial:
    """Return a typed serial. Refuses `NotFound`."""
    try:
        return Serial("".join(filter(str.isalnum, typed)).upper())
    except ValueError:
        raise NotFound("no serial is written so") from None


class MonthState(StrEnum):
    """State of a month: whether its figures can still change."""

    RUNNING = "running"  # it is not over
    OVER = "over"  # every day of it has its extract, and nobody closed it
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class MonthBalance:
    """One book over a month: balance before it, moves, balance after it; credits positive."""

    book: str
    opening: int
    moved: int

    @property
    def closing(self) -> int:
        """Balance at the end."""
        return self.opening + self.moved


@dataclass(frozen=True, slots=True)
class DutyStatement:
    """Statement of duty of a month, until `until` if it is not over."""

    month: Month
    state: MonthState
    until: datetime
    opening: Opening
    sums: Sums
    closed_at: datetime | None = None

    @property
    def balances(self) -> list[MonthBalance]:
        """Every book, those that a statement is about first."""
        return [MonthBalance(one, self.opening.get(one, 0), self.sums.of(one)) for one in BOOKS]

    @property
    def figures(self) -> list[DutyFigure]:
        """Sold, affixed, refunded, charged back, due; see `figures_of`."""
        return figures_of(self.sums)

    @property
    def lines(self) -> list[DutyFigure]:
        """Lines of the statement: opening, moves, closing. Both columns add up.

        Stamps are sold and not affixed yet; rupiah are duty due to the treasury.
        """
        sold, affixed, refunded, charged_back, _ = self.figures
        stamps, duty, *_ = self.balances[1], self.balances[0]
        known = sold.stamps - affixed.stamps - refunded.stamps - charged_back.stamps
        due = sold.rupiah - refunded.rupiah - charged_back.rupiah
        paid = self.sums.of("duty_payable", *PAID_OUT)
        other = DutyFigure("other", stamps.moved - known, duty.moved - due - paid)
        return [
            DutyFigure("opening", stamps.opening, duty.opening),
            sold,
            DutyFigure("affixed", -affixed.stamps, 0),
            DutyFigure("refunded", -refunded.stamps, -refunded.rupiah),
            DutyFigure("charged_back", -charged_back.stamps, -charged_back.rupiah),
            DutyFigure("paid_out", 0, paid),
            *([other] if other.stamps or other.rupiah else ()),
            DutyFigure("closing", stamps.closing, duty.closing),
        ]
