"""Figures of a period: numbers that a room counts over its own tables, for an assessment of an installation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import TypeAlias

from meterai.kit.clock import WIB
from meterai.kit.refusal import Malformed
from meterai.plumbing.db.database import ReadTx

Number: TypeAlias = int | float
STATEMENT_SECONDS_MAX = (
    600  # of one table of figures over a large installation: it reads whole tables
)
_PERIOD = "WITH period AS (SELECT %s::timestamptz AS begins, %s::timestamptz AS ends) "


@dataclass(frozen=True, slots=True)
class FigureQuery:
    """One table of figures, asked for with one statement about a period.

    name   `figures.<name>` is its title, `figures.<name>.<column>` the words of each number
    query  reads the row `period` (`begins` within, `ends` beyond it), and answers a row or more: of `of`, a word
           (empty: of all), and numbers in columns whose name ends in their unit (`_rupiah`, `_seconds`, `_share`;
           without one a number of things); NULL where there was nothing to measure
    kinds  `<kinds>.<of>` is how the word of a row is said; without it the word stands as it is
    """

    name: str
    query: str
    kinds: str = ""


@dataclass(frozen=True, slots=True)
class PromiseQuery:
    """A promise to the public, asked of the tables of one room about a period.

    promise  number of the promise as it is told to the public; `promise.<promise>` is its sentence
    name     `promise.<name>` is what this query looks at
    query    reads the row `period` as that of `FigureQuery`, and answers one row: `asked`, the number of cases, and `broken`,
             those of them in which the promise was not kept
    """

    promise: int
    name: str
    query: str


@dataclass(frozen=True, slots=True)
class PromiseResult:
    """The answer to a `PromiseQuery`."""

    asked: int
    broken: int


@dataclass(frozen=True, slots=True)
class FigureRow:
    """One row of a table of figures."""

    of: str
    numbers: Mapping[str, Number | None]


def moment(text: str, field: str) -> datetime:
    """A moment from a day, which begins at midnight in WIB, or from a time.  Refuses `Malformed`."""
    try:
        found = datetime.fromisoformat(text)
        return (found if found.tzinfo else found.replace(tzinfo=WIB)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Malformed(field, "moment") from None


def within(column: str) -> str:
    """A condition: the time in this column lies in the period."""
    return f"({column} >= begins AND {column} < ends)"


def waits(seconds: str, where: str = "true") -> str:
    """The half, the most and the longest of waits in seconds, as columns."""
    kept = f"FILTER (WHERE {where})"
    ordered = f"WITHIN GROUP (ORDER BY {seconds}) {kept}"
    return (
        f"percentile_disc(0.5) {ordered} AS half_seconds, "
        f"percentile_disc(0.99) {ordered} AS most_seconds, "
        f"max({seconds}) {kept} AS longest_seconds"
    )


def between(begin: str, end: str) -> str:
    """The seconds from one time to another."""
    return f"extract(epoch FROM {end} - {begin})::double precision"


async def count(
    tx: ReadTx, figures: FigureQuery, begin: datetime, end: datetime
) -> Sequence[FigureRow]:
    """The figures of a period, row by row, however long they take."""
    await tx.allow(STATEMENT_SECONDS_MAX)
    rows = await tx.all(_PERIOD + figures.query, begin, end)
    return [
        FigureRow(str(row["of"] or ""), {name: _number(row[name]) for name in row if name != "of"})
        for row in rows
    ]


async def ask_promise(
    tx: ReadTx, promise: PromiseQuery, begin: datetime, end: datetime
) -> PromiseResult:
    """Whether a promise was kept in a period, however long it takes to find out."""
    await tx.allow(STATEMENT_SECONDS_MAX)
    [row] = await tx.all(_PERIOD + promise.query, begin, end)
    return PromiseResult(row["asked"], row["broken"])


def _number(value: object) -> Number | None:
    if value is None or isinstance(value, int | float):
        return value
    assert isinstance(value, Decimal), "figures are numbers"
    return int(value) if value == value.to_integral_value() else float(value)
