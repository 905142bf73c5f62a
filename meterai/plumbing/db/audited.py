"""What a room says of its tables to the audit, column by column.

A column is part of a fact, which is written once and hashed into every point of the audit's chain; or
it is `shown`, and nothing has to look at it, for a reason; or an invariant that names it looks at it, which
needs no line here: tests/audit/test_columns.py changes each such column, and an invariant must break.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from itertools import chain
from typing import TypeVar

Told = TypeVar("Told")

# Reasons that several columns have.
SHOWN = "Shown to its owner; nothing is decided by it."
WORK = "Counts tries or keeps an answer: it delays work, which is looked at by when it is late."
ONE_ROW = "A constraint leaves it one value."


@dataclass(frozen=True)
class Fact:
    """Columns of `table` (as `t`) that stay what they were at `at` (SQL), of the rows that `only`
    (SQL) names.  A table without a time of its own is joined to one that has it."""

    name: str
    table: str
    at: str
    columns: tuple[str, ...]
    only: str = "true"
    join: str = ""
    is_global: bool = False
    years: int = 0  # after which rows leave, by a rule of retention; 0: they stay

    @cached_property
    def owner(self) -> str:
        """The account of a row (SQL); the nil account where it is of none."""
        return "'00000000-0000-0000-0000-000000000000'::uuid" if self.is_global else "t.account_id"

    @cached_property
    def shape(self) -> str:
        """What of which rows is hashed, in short: a point of another shape says nothing of it."""
        told = repr((self.table, self.at, self.columns, self.only, self.join))
        return sha256(told.encode()).hexdigest()[:16]

    @cached_property
    def content(self) -> str:
        """The columns as one text (SQL): a record, so that no two rows read alike."""
        return f"ROW({', '.join(f't.{column}' for column in self.columns)})::text"


def fact(table: str, at: str, columns: str, *, years: int = 0, **more: str) -> Fact:
    """A fact of an account; its time is a column of its own."""
    kept = ("account_id", *columns.split(), at)
    only = more.get("only", f"t.{at} IS NOT NULL")
    return Fact(more.get("name", table), table, f"t.{at}", kept, only, years=years)


def global_fact(table: str, at: str, columns: str, **more: str) -> Fact:
    """A fact of no account; its time is a column of its own."""
    return Fact(
        more.get("name", table),
        table,
        f"t.{at}",
        (*columns.split(), at),
        more.get("only", f"t.{at} IS NOT NULL"),
        is_global=True,
    )


@dataclass(frozen=True, slots=True)
class SubjectColumn:
    """By which column a row says what it is about: an order, or a stamping from the balance.

    Where it does so through another table, `column` is what both have.  A table that is global has
    no account; its rows are under the nil one, as their entries are.
    """

    column: str
    through: str = ""
    is_global: bool = False


@dataclass(frozen=True, slots=True)
class ClockColumn:
    """A column of times that may lie ahead: of a row `t`, `until` (SQL) is the latest that any rule gives.

    never  SQL of rows for which nothing is scheduled any more: they may have `infinity`
    since  the earliest (SQL)
    All other columns of times say when something happened, and none of them is of the future.
    """

    table: str
    column: str
    until: str
    never: str = "false"
    since: str = ""


@dataclass(frozen=True, slots=True)
class DueWork:
    """Work of rows of `table` (as `t`) that `waits` (SQL) names: each has a time `at` (SQL), and is worked on within
    `late` of it (SQL, by default ten minutes: every worker looks for it)."""

    table: str
    at: str
    waits: str = "true"
    late: str = ""


@dataclass(frozen=True, slots=True)
class MarkEvidence:
    """A mark in rows of `table` (as `t`) that `marked` (SQL) have, and the `proof` (SQL) without which it is none."""

    table: str
    marked: str
    proof: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Audited:
    """What the audit knows of some tables.  Queries are SQL that answers account_id and subject.

    facts        what is written once
    shown        by table, columns that no invariant has to look at: by the reason their names, or the reason alone for
                 every column that is no fact
    subjects     by table, what its rows are about
    of_accounts  tables that are looked at for a whole account once a row was written
    unfinished   queries of what is open and may be late, whenever it was written
    related      queries of what hangs together with what was found so far, which is `{found}`
    standing     tables without a time whose rows never go: there are never fewer
    clocks       columns of times that may lie ahead, and how far
    dues         work that waits for its time
    evidence     marks that end work, and what proves each
    measure      the table whose rows say how much there is to look at of an account
    """

    facts: Sequence[Fact] = ()
    shown: Mapping[str, str | Mapping[str, str]] = field(default_factory=dict)
    subjects: Mapping[str, SubjectColumn] = field(default_factory=dict)
    of_accounts: Sequence[str] = ()
    unfinished: Sequence[str] = ()
    related: Sequence[str] = ()
    standing: Sequence[str] = ()
    clocks: Sequence[ClockColumn] = ()
    dues: Sequence[DueWork] = ()
    evidence: Sequence[MarkEvidence] = ()
    measure: str = ""


def together(each: Sequence[Audited]) -> Audited:
    """What several rooms say, the lowest first.  One table measures, that of the highest room."""
    return Audited(
        facts=tuple(chain.from_iterable(one.facts for one in each)),
        shown=_merged(one.shown for one in each),
        subjects=_merged(one.subjects for one in each),
        of_accounts=tuple(chain.from_iterable(one.of_accounts for one in each)),
        unfinished=tuple(chain.from_iterable(one.unfinished for one in each)),
        related=tuple(chain.from_iterable(one.related for one in reversed(each))),
        standing=tuple(chain.from_iterable(one.standing for one in each)),
        clocks=tuple(chain.from_iterable(one.clocks for one in each)),
        dues=tuple(chain.from_iterable(one.dues for one in each)),
        evidence=tuple(chain.from_iterable(one.evidence for one in each)),
        measure=next((one.measure for one in reversed(each) if one.measure), ""),
    )


def _merged(each: Iterable[Mapping[str, Told]]) -> Mapping[str, Told]:
    return {table: told for one in each for table, told in one.items()}
