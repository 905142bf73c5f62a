"""Declarations of a room for the audit about the columns of its tables.

Each column has one of three audit classes:

* it is part of a fact: its values are written once, and hashed into every audit point (an audit without findings,
  chained to the one before);
* it is `shown`: nothing needs to check it, for a stated reason;
* it is checked by an invariant that names it. This class is not declared: tests/audit/test_columns.py changes each such
  column, and expects an invariant to break.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from itertools import chain
from typing import TypeVar

Told = TypeVar("Told")

# Reasons that several columns share.
SHOWN = "Shown to its owner; no decision depends on it."
WORK = (
    "Counts tries or keeps an answer: it only delays work, and late work is found by its due time."
)
ONE_ROW = "A constraint allows only one value."


@dataclass(frozen=True)
class Fact:
    """Columns of `table` (alias `t`) whose values never change after the time `at` of their row, in rows that match
    `only`.

    `at`, `only` and `join` are SQL. If `table` has no column of times, `join` joins a table that has one.
    """

    name: str
    table: str
    at: str
    columns: tuple[str, ...]
    only: str = "true"
    join: str = ""
    is_global: bool = False
    years: int = 0  # years after which retention deletes the rows; 0: never

    @cached_property
    def owner(self) -> str:
        """SQL of the account of a row; the nil UUID (all zeros) if the row belongs to no account."""
        return "'00000000-0000-0000-0000-000000000000'::uuid" if self.is_global else "t.account_id"

    @cached_property
    def shape(self) -> str:
        """Short hash of the declaration: which columns of which rows are hashed. An audit point that was made with another
        shape has hashes that cannot be compared with hashes made now.
        """
        told = repr((self.table, self.at, self.columns, self.only, self.join))
        return sha256(told.encode()).hexdigest()[:16]

    @cached_property
    def content(self) -> str:
        """SQL of the columns as one text, in the text format of an SQL record, so that different values never give the same
        text.
        """
        return f"ROW({', '.join(f't.{column}' for column in self.columns)})::text"


def fact(table: str, at: str, columns: str, *, years: int = 0, **more: str) -> Fact:
    """Return a fact about rows of accounts whose time is a column of `table`. The rows are kept for `years`; 0 means
    permanently.
    """
    kept = ("account_id", *columns.split(), at)
    only = more.get("only", f"t.{at} IS NOT NULL")
    return Fact(more.get("name", table), table, f"t.{at}", kept, only, years=years)


def global_fact(table: str, at: str, columns: str, **more: str) -> Fact:
    """Return a fact about rows of no account whose time is a column of `table`."""
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
    """The column that names the subject of a row: an order, or a stamping from the balance.

    If another table has the subject, `column` is the column by which the two tables are joined. Rows of a global table belong
    to no account, so they and their ledger entries count under the nil UUID (all zeros) in place of an account.
    """

    column: str
    through: str = ""
    is_global: bool = False


@dataclass(frozen=True, slots=True)
class ClockColumn:
    """A column of times that may lie in the future.

    until  SQL: the latest time that any rule allows in a row `t`
    never  SQL: True for rows for which nothing is scheduled any more; their time may be `infinity`
    since  SQL: the earliest allowed time

    All other columns of times record the past, and none of them may lie in the future.
    """

    table: str
    column: str
    until: str
    never: str = "false"
    since: str = ""


@dataclass(frozen=True, slots=True)
class DueWork:
    """Work that rows of `table` (as `t`) wait for, and when it must be done.

    waits  SQL: True for rows that wait
    at     SQL: the time at which the work is due
    late   SQL: the interval within which it must be done; by default ten minutes, since every worker polls for due rows
    """

    table: str
    at: str
    waits: str = "true"
    late: str = ""


@dataclass(frozen=True, slots=True)
class MarkEvidence:
    """A mark that ends the work on a row: each row of `table` (alias `t`) that matches `marked` must match `proof`,
    both SQL.
    """

    table: str
    marked: str
    proof: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Audited:
    """Declarations for the audit about some tables. Queries are SQL that returns account_id and subject.

    facts        facts: columns whose values never change
    shown        for each table, the columns that no invariant needs to check: the names of columns by the reason for it, or
                 only a reason, which then holds for every column that is not in a fact
    subjects     for each table, the column that names the subject of a row
    of_accounts  tables that have no subject: once a row of an account was written, all rows of the account are checked
    unfinished   queries of subjects with open work, which are checked even if no row of them was written lately
    related      queries of subjects that are related to those found so far (`{found}` in the query)
    standing     tables without a column of times whose rows are never deleted, so that their number must never fall
    clocks       columns of times that may lie in the future, with their bounds
    dues         work that waits for its time
    evidence     marks that end work, and the proof of each
    measure      the table by whose rows the accounts are divided into parts of about equal work
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
    """Merge the declarations of several rooms, the lowest room first. If several rooms declare a `measure`, that of the highest
    room is used.
    """
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
