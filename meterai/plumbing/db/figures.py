"""Figures of a period: numbers that a room counts in its own tables, for an assessment of an installation."""

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
    """One table of figures, computed by one statement for a period.

    name   name of the table. Its messages are `figures.<name>`, the title, and `figures.<name>.<column>`, the description of
           each column of numbers
    query  reads the row `period` (from `begins` to before `ends`) and returns one or more rows: a word in the column
           `of` (empty: the total), and numbers in columns whose name ends in their unit (`_rupiah`, `_seconds`,
           `_share`; without a unit a count); NULL if there was nothing to measure
    kinds  prefix of the messages that translate the words in `of`; without it a word is shown as it is
    """

    name: str
    query: str
    kinds: str = ""


@dataclass(frozen=True, slots=True)
class PromiseQuery:
    """A promise to the public, checked in the tables of one room for a period.

    promise  public number of the promise; the message `promise.<number>` states the promise in one sentence
    name     name of this check; the message `promise.<name>` describes what it checks
    query    reads the row `period` like that of `FigureQuery`, and returns one row: `asked`, the number of cases, and
             `broken`, the number of cases in which the promise was not kept
    """

    promise: int
    name: str
    query: str


@dataclass(frozen=True, slots=True)
class PromiseResult:
    """The result of a `PromiseQuery`: the number of cases, and in how many the promise was broken."""

    asked: int
    broken: int


@dataclass(frozen=True, slots=True)
class FigureRow:
    """One row of a table of figures.  `of` is the word that the row is about (empty: the total), `numbers` its numbers by
    column.
    """

    of: str
    numbers: Mapping[str, Number | None]


def moment(text: str, field: str) -> datetime:
    """Return the moment that a text states: a time, or a day, which means the first moment (midnight) of this day in WIB.
    Refuses `Malformed`.
    """
    try:
        found = datetime.fromisoformat(text)
        return (found if found.tzinfo else found.replace(tzinfo=WIB)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Malformed(field, "moment") from None


def within(column: str) -> str:
    """Return an SQL condition: the time in this column lies in the period of the query (the row `period`)."""
    return f"({column} >= begins AND {column} < ends)"


def waits(seconds: str, where: str = "true") -> str:
    """Return SQL columns with the median, the 99th percentile and the maximum of waiting times.

    `seconds` is SQL of one wait in seconds, `where` an SQL condition for the rows that are included.
    """
    kept = f"FILTER (WHERE {where})"
    ordered = f"WITHIN GROUP (ORDER BY {seconds}) {kept}"
    return (
        f"percentile_disc(0.5) {ordered} AS half_seconds, "
        f"percentile_disc(0.99) {ordered} AS most_seconds, "
        f"max({seconds}) {kept} AS longest_seconds"
    )


def between(begin: str, end: str) -> str:
    """Return SQL for the seconds from one time to another."""
    return f"extract(epoch FROM {end} - {begin})::double precision"


async def count(
    tx: ReadTx, figures: FigureQuery, begin: datetime, end: datetime
) -> Sequence[FigureRow]:
    """Run the query of a table of figures for a period, with a long time-out; return its rows."""
    await tx.allow(STATEMENT_SECONDS_MAX)
    rows = await tx.all(_PERIOD + figures.query, begin, end)
    return [
        FigureRow(str(row["of"] or ""), {name: _number(row[name]) for name in row if name != "of"})
        for row in rows
    ]


async def ask_promise(
    tx: ReadTx, promise: PromiseQuery, begin: datetime, end: datetime
) -> PromiseResult:
    """Run the query of a promise for a period, with a long time-out."""
    await tx.allow(STATEMENT_SECONDS_MAX)
    [row] = await tx.all(_PERIOD + promise.query, begin, end)
    return PromiseResult(row["asked"], row["broken"])


def _number(value: object) -> Number | None:
    if value is None or isinstance(value, int | float):
        return value
    assert isinstance(value, Decimal), "figures are numbers"
    return int(value) if value == value.to_integral_value() else float(value)
