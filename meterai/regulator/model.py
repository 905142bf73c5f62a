"""Statements of duty: days and months in WIB, sums of the books, and the figures derived from them; pure.

Each figure is derived from sums of ledger entries by reason and book, credits positive. The sums of a month are the totals of
its days, so that a reader of the daily extracts computes the same figures (docs/regulator.md).
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

HERE = "/console/statements"  # path prefix of the pages of this room
OF_SERIAL = f"{HERE}/serial"  # path prefix of the page with the evidence of a serial
# All books in the order of a statement, which begins with the two that it is about.
_ABOUT = ("duty_payable", "stamps_available")
BOOKS = (*_ABOUT, *(one for one in CHART if one not in _ABOUT))
Opening = Mapping[str, int]  # by book


class MonthNotOver(Refusal):
    """The month is not over, or the extract of its last day does not exist yet."""

    code = "month_not_over"

    def __init__(self, month: str) -> None:
        super().__init__(f"{month} has not ended")
        self.month = month


class MonthClosed(Refusal):
    """The statement of the month is closed."""

    code = "month_closed"


refusal_of_constraint("statements_pkey", MonthClosed)


def read_serial(typed: str) -> Serial:
    """Return the serial from a typed text. Refuses `NotFound` if the text is no serial."""
    try:
        return Serial("".join(filter(str.isalnum, typed)).upper())
    except ValueError:
        raise NotFound("the text does not have the form of a serial") from None


class MonthState(StrEnum):
    """State of a month: whether its figures can still change."""

    RUNNING = "running"  # the month is not over
    OVER = "over"  # every day of the month has its extract, and the month is not closed
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class MonthBalance:
    """One book over a month: opening balance, sum of its entries (`moved`), closing balance; credits are
    positive.
    """

    book: str
    opening: int
    moved: int

    @property
    def closing(self) -> int:
        """Balance at the end of the month."""
        return self.opening + self.moved


@dataclass(frozen=True, slots=True)
class DutyStatement:
    """Statement of duty of a month; its figures end at `until`, which is the end of the month once it is over."""

    month: Month
    state: MonthState
    until: datetime
    opening: Opening
    sums: Sums
    closed_at: datetime | None = None

    @property
    def balances(self) -> list[MonthBalance]:
        """Return the balance of every book; the two books from which the lines of a statement are made come
        first.
        """
        return [MonthBalance(one, self.opening.get(one, 0), self.sums.of(one)) for one in BOOKS]

    @property
    def figures(self) -> list[DutyFigure]:
        """Return the figures sold, affixed, refunded, charged back and due; see `figures_of`."""
        return figures_of(self.sums)

    @property
    def lines(self) -> list[DutyFigure]:
        """Return the lines of the statement: opening balance, movements, closing balance. Opening balance plus movements is the
        closing balance, in stamps and in rupiah.

        The stamps of a line are stamps sold and not affixed yet; its rupiah are the duty due to the treasury.
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
