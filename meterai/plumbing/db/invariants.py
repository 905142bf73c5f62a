"""An invariant: a promise, and the query that finds every row that breaks it.

An invariant is checked for all rows, for the rows of some accounts, or for what was written since a moment.  So its
query names tables in braces, and the scope of the check replaces each by the rows it covers:

    {orders}           the rows about the subjects in scope
    {stamps@lot_id}    the same, found by another column than the usual one
    {legs*}            every row of the accounts in scope: for sums over an account
    {mails?}           rows to look up by key from a row that is in scope

Each query is one statement and so sees one snapshot of the database: money that moves while it runs is seen before or
after its transaction, never in between.  No two queries share a snapshot, since a snapshot that is held for long keeps
dead rows of the job queue alive.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias
from uuid import UUID

from meterai.plumbing.db.audited import SubjectColumn
from meterai.plumbing.db.catalog import SEARCH_PATH
from meterai.plumbing.db.database import Database, Row, Tx

SHOWN_MAX = 20  # rows of evidence kept per broken invariant
AT_ONCE = 20  # invariants checked by one statement, if there are few rows
STATEMENT_SECONDS_MAX = 1800  # for one query over everything, on a large installation
LATE = "interval '10 minutes'"  # longest delay of a due row while any worker runs
AHEAD = "interval '10 minutes'"  # allowed difference of two clocks, and time until a lease is seen
# Covers the time in which the version without digests still ran beside the version that writes them.
BEFORE_DIGESTS = "(SELECT applied_at + interval '1 day' FROM applied_migrations WHERE right(name, 11) = 'digests.sql')"

_TABLE = re.compile(r"\{(\w+)(?:@(\w+))?([*?]?)\}")
# The account of rows that belong to no account.
_NOBODY = "'00000000-0000-0000-0000-000000000000'::uuid"
Subjects: TypeAlias = Mapping[str, SubjectColumn]  # by table


@dataclass(frozen=True, slots=True)
class Invariant:
    """A name, the promise in one sentence, and a query that must return no row."""

    name: str
    promise: str
    query: str

    @property
    def is_whole(self) -> bool:
        """True if the invariant concerns all rows at once and cannot be checked for a part of the rows: no table in its query
        is in braces.
        """
        return _TABLE.search(self.query) is None


@dataclass(frozen=True, slots=True)
class Posting:
    """The rule that determines all ledger entries whose reason is one of `reasons`. The query derives the entries that must
    exist from the rows that cause them, never from the entries themselves. It returns account_id, entry_id, reason, subject,
    posted_at, books, amounts (credits positive).
    """

    reasons: tuple[str, ...]
    query: str


@dataclass(frozen=True, slots=True)
class MailCause:
    """A cause for which a room writes mails.

    The query returns account_id, cause_key, template, contact (the address; NULL: that of the account), the time since which
    the mail is owed (NULL: it may be missing), and the subject. A job of one of the `kinds` writes the mail; its fact named
    `fact` is the subject.
    """

    query: str
    kinds: tuple[str, ...] = ()
    fact: str = ""


@dataclass(frozen=True, slots=True)
class InvariantFinding:
    """Result of checking one invariant: the number of rows that break it, and some of them as evidence."""

    invariant: Invariant
    broken: int
    evidence: list[Row]

    @property
    def holds(self) -> bool:
        """True if no row breaks the promise."""
        return self.broken == 0

    def __add__(self, other: "InvariantFinding") -> "InvariantFinding":
        """Merge the findings of one invariant for two parts of the rows."""
        shown = (self.evidence + other.evidence)[:SHOWN_MAX]
        return InvariantFinding(self.invariant, self.broken + other.broken, shown)


class RowScope(Protocol):
    """The rows for which an invariant is checked."""

    @property
    def parameters(self) -> tuple[object, ...]:
        """The parameters of the SQL that `head` returns."""

    @property
    def is_broad(self) -> bool:
        """True if the scope is all rows of some accounts, False if it is a few rows of many accounts."""

    def rows(self, table: str, column: str | None, kind: str) -> str:
        """Return the SQL that replaces a table in a query: a name or a subquery. `kind` is '', '*' or '?', as in the braces."""

    def head(self) -> str:
        """Return the SQL that a query begins with, as an item of WITH; empty if it needs none."""


@dataclass(frozen=True, slots=True)
class Everything:
    """Every row of every table."""

    subjects: Subjects
    parameters: tuple[object, ...] = ()
    is_broad: bool = True

    def rows(self, table: str, column: str | None, kind: str) -> str:
        return _with_nobody(table, self.subjects)

    def head(self) -> str:
        return ""


@dataclass(frozen=True, slots=True)
class Accounts:
    """The rows of accounts from `low` to before `high`; None means no bound."""

    subjects: Subjects
    low: UUID | None
    high: UUID | None
    parameters: tuple[object, ...] = ()
    is_broad: bool = True

    def rows(self, table: str, column: str | None, kind: str) -> str:
        # The bounds are written into the SQL instead of being parameters: the plan depends on how many accounts lie
        # between them.
        bounds = [f"account_id >= '{self.low}'"] if self.low else []
        bounds += [f"account_id < '{self.high}'"] if self.high else []
        where = " AND ".join(bounds) or "true"
        source = _with_nobody(table, self.subjects)
        return f"(SELECT * FROM {source} AS source WHERE {where})"

    def head(self) -> str:
        return ""


@dataclass(frozen=True, slots=True)
class Touched:
    """The rows about some orders and stampings, given as a list of accounts and a list of ids of the same length."""

    subjects: Subjects
    parameters: tuple[object, ...]
    is_broad: bool = False

    @classmethod
    def of(cls, subjects: Subjects, touched: Sequence[tuple[UUID, UUID]]) -> "Touched":
        """Return the scope for these (account, order or stamping) pairs."""
        ids = ([account for account, _ in touched], [subject for _, subject in touched])
        return cls(subjects, ids)

    def head(self) -> str:
        return (
            "touched AS MATERIALIZED (SELECT * FROM"
            " unnest(%s::uuid[], %s::uuid[]) AS t (account_id, subject))"
        )

    def rows(self, table: str, column: str | None, kind: str) -> str:
        source = _with_nobody(table, self.subjects)
        if kind == "?":
            return source
        if kind == "*":
            within = "(SELECT DISTINCT account_id FROM touched)"
            return f"(SELECT x.* FROM {within} t JOIN {source} x USING (account_id))"
        known = self.subjects.get(table)
        if known and known.through:
            inner = f"{self.rows(known.through, None, '')} t"
            on = f"x.account_id = t.account_id AND x.{known.column} = t.{known.column}"
        else:
            key, inner = column or self.subjects[table].column, "touched t"
            on = f"x.account_id = t.account_id AND x.{key} = t.subject"
        return f"(SELECT x.* FROM {inner} JOIN {source} x ON {on})"


def _with_nobody(table: str, subjects: Subjects) -> str:
    if table in subjects and subjects[table].is_global:
        return f"(SELECT {_NOBODY} AS account_id, x.* FROM {table} x)"
    return table


def written(query: str, scope: RowScope) -> str:
    """Return the SQL of a query with each table in braces replaced by the rows of this table that a scope covers."""
    body = _TABLE.sub(lambda found: scope.rows(found[1], found[2], found[3]), query).strip()
    head = scope.head()
    if not head:
        return body
    if body.startswith("WITH "):
        return f"WITH {head}, {body.removeprefix('WITH ')}"
    return f"WITH {head} {body}"


def waits(
    alias: str, kinds: Sequence[str], fact: str, value: str, tries_max: int | None = None
) -> str:
    """Return an SQL condition on a row: its account has a waiting job of one of these kinds, whose fact `fact` is `value`.
    `alias` is the alias of the row's table, `value` is SQL.

    tries_max  number of tries from which on a job no longer counts as waiting; None: it always counts
    """
    listed = ", ".join(f"'{kind}'" for kind in kinds)
    return (
        f"EXISTS (SELECT 1 FROM jobs j WHERE j.account_id = {alias}.account_id"
        f" AND j.kind IN ({listed}) AND j.facts->>'{fact}' = ({value})::text"
        f"{'' if tries_max is None else f' AND j.tries < {tries_max:d}'})"
    )


# Evidence is JSON, since a row may contain values that our types cannot hold (an infinite time). A broken promise may
# have millions of rows, of which a few suffice.
_FOUND = f"""
SELECT count(*) OVER () AS broken, to_jsonb(found) AS row FROM (<query>) AS found LIMIT {SHOWN_MAX}
"""


async def check(database: Database, invariant: Invariant, scope: RowScope) -> InvariantFinding:
    """Check one invariant for a scope, in a snapshot of its own, with a long time-out."""
    asked = Everything({}) if invariant.is_whole else scope
    async with database.transaction() as tx:
        rows = await patiently(
            tx, _asked(invariant, asked), *asked.parameters, is_broad=asked.is_broad
        )
    return _finding(invariant, rows)


async def check_quickly(
    database: Database, invariants: Sequence[Invariant], scope: Everything
) -> list[InvariantFinding]:
    """Check invariants for all rows of small tables: several in one statement, with the usual time-out."""
    found: list[InvariantFinding] = []
    for first in range(0, len(invariants), AT_ONCE):
        several = invariants[first : first + AT_ONCE]
        asked = " UNION ALL ".join(
            f"(SELECT {number} AS number, one.* FROM ({_asked(one, scope)}) AS one)"
            for number, one in enumerate(several)
        )
        rows = await look(database, asked)
        found += [
            _finding(one, [row for row in rows if row["number"] == number])
            for number, one in enumerate(several)
        ]
    return found


def _asked(invariant: Invariant, scope: RowScope) -> str:
    return _FOUND.replace("<query>", written(invariant.query, scope))


def _finding(invariant: Invariant, rows: list[Row]) -> InvariantFinding:
    return InvariantFinding(
        invariant, rows[0]["broken"] if rows else 0, [row["row"] for row in rows]
    )


# The planner assumes that two key columns are independent, and so expects one row where there are thousands; then it
# would look up each of them among all rows of the account. A query over all rows of some accounts uses hash joins
# whatever it expects.
_BROADLY = """
SELECT set_config('transaction_read_only', 'on', true), set_config('work_mem', '64MB', true),
       set_config('enable_nestloop', %s, true),
       -- Text format of values that are hashed.
       set_config('TimeZone', 'UTC', true), set_config('DateStyle', 'ISO, MDY', true),
       set_config('bytea_output', 'hex', true), set_config('extra_float_digits', '1', true)
"""


async def name_ours(tx: Tx) -> None:
    """Set the search path to our schema until the transaction ends, whatever the session has set."""
    await tx.run(f"SET LOCAL search_path = {SEARCH_PATH}")


async def look(database: Database, query: str, *parameters: object) -> list[Row]:
    """Run a short statement of the audit; return its rows."""
    async with database.transaction() as tx:
        await name_ours(tx)
        return await tx.all(query, *parameters)


async def patiently(
    tx: Tx, statement: str, *parameters: object, is_broad: bool = True
) -> list[Row]:
    """Run a statement that reads much and changes nothing; return its rows.

    The statement may take `STATEMENT_SECONDS_MAX`.
    """
    await name_ours(tx)
    await tx.run(_BROADLY, "off" if is_broad else "on")
    await tx.allow(STATEMENT_SECONDS_MAX)
    return await tx.all(statement, *parameters)
