"""An invariant: a promise and the query that finds every row that breaks it.

An invariant is asked of all rows, of the rows of some accounts, or of what was touched since a
moment.  So its query names tables in braces, and the scope says which rows of them are meant:

    {orders}           the rows about what is in scope
    {stamps@lot_id}    the same, found by another column than the usual one
    {legs*}            every row of the accounts in scope: for sums over an account
    {mails?}           rows to look up by key from a row that is in scope

Each query is one statement and so sees one moment of the database: money that moves while it runs
is seen before or after its transaction, never in between.  No two queries share a snapshot, since
a snapshot that is held for long keeps dead rows of the job queue alive.
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
AT_ONCE = 20  # in one statement, where there are few rows
STATEMENT_SECONDS_MAX = 1800  # over everything at once, on a large installation
LATE = "interval '10 minutes'"  # every worker looks for due rows: one that is due for longer shows that no worker runs
AHEAD = "interval '10 minutes'"  # between the clocks of two machines, and for a lease to be seen
# While the version before digests still ran beside the one that writes them.
BEFORE_DIGESTS = "(SELECT applied_at + interval '1 day' FROM applied_migrations WHERE right(name, 11) = 'digests.sql')"

_TABLE = re.compile(r"\{(\w+)(?:@(\w+))?([*?]?)\}")
_NOBODY = "'00000000-0000-0000-0000-000000000000'::uuid"  # whose rows are of no account
Subjects: TypeAlias = Mapping[str, SubjectColumn]  # by table


@dataclass(frozen=True, slots=True)
class Invariant:
    """A name, the promise in one sentence, and a query that must find nothing."""

    name: str
    promise: str
    query: str

    @property
    def is_whole(self) -> bool:
        """True where it is about everything at once and cannot be asked of a part."""
        return _TABLE.search(self.query) is None


@dataclass(frozen=True, slots=True)
class Posting:
    """By which rule entries of some reasons come to be.

    The query answers, from what the entries were made from and never from the entries alone:
    account_id, entry_id, reason, subject, posted_at, books, amounts (credits positive).
    """

    reasons: tuple[str, ...]
    query: str


@dataclass(frozen=True, slots=True)
class MailCause:
    """Why a room writes mails.

    The query answers account_id, cause_key, template, contact (the address; NULL: that of the account), since
    when the mail is owed (NULL: it may be left out), and the subject: the value of `fact` in the jobs of `kinds`, which
    write it.
    """

    query: str
    kinds: tuple[str, ...] = ()
    fact: str = ""


@dataclass(frozen=True, slots=True)
class InvariantFinding:
    """What checking one invariant found: the broken rows, none where it holds."""

    invariant: Invariant
    broken: int
    evidence: list[Row]

    @property
    def holds(self) -> bool:
        """True where nothing breaks the promise."""
        return self.broken == 0

    def __add__(self, other: "InvariantFinding") -> "InvariantFinding":
        """The findings of one invariant in two parts of the rows, together."""
        shown = (self.evidence + other.evidence)[:SHOWN_MAX]
        return InvariantFinding(self.invariant, self.broken + other.broken, shown)


class RowScope(Protocol):
    """Which rows an invariant is asked of."""

    @property
    def parameters(self) -> tuple[object, ...]:
        """The parameters of the SQL in `head`."""

    @property
    def is_broad(self) -> bool:
        """True where it is all rows of some accounts, not a few rows of many."""

    def rows(self, table: str, column: str | None, kind: str) -> str:
        """SQL that stands for a table in a query: a name or a subquery."""

    def head(self) -> str:
        """SQL that a query begins with, as an item of WITH; empty if nothing."""


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
    """The rows of accounts from `low` up to `high`, exclusive; None is no bound."""

    subjects: Subjects
    low: UUID | None
    high: UUID | None
    parameters: tuple[object, ...] = ()
    is_broad: bool = True

    def rows(self, table: str, column: str | None, kind: str) -> str:
        # Written out, not parameters: the plan depends on how much lies between the two.
        bounds = [f"account_id >= '{self.low}'"] if self.low else []
        bounds += [f"account_id < '{self.high}'"] if self.high else []
        where = " AND ".join(bounds) or "true"
        source = _with_nobody(table, self.subjects)
        return f"(SELECT * FROM {source} AS source WHERE {where})"

    def head(self) -> str:
        return ""


@dataclass(frozen=True, slots=True)
class Touched:
    """The rows about some orders and stampings, given as accounts and ids side by side."""

    subjects: Subjects
    parameters: tuple[object, ...]
    is_broad: bool = False

    @classmethod
    def of(cls, subjects: Subjects, touched: Sequence[tuple[UUID, UUID]]) -> "Touched":
        """The rows about these (account, order or stamping)."""
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
    """The SQL that asks a query of a scope."""
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
    """A condition: a job of one of these kinds waits with this fact, for the account of a row.

    tries_max  a job that was tried so often fails, and waits no more
    """
    listed = ", ".join(f"'{kind}'" for kind in kinds)
    return (
        f"EXISTS (SELECT 1 FROM jobs j WHERE j.account_id = {alias}.account_id"
        f" AND j.kind IN ({listed}) AND j.facts->>'{fact}' = ({value})::text"
        f"{'' if tries_max is None else f' AND j.tries < {tries_max:d}'})"
    )


# Evidence as JSON: a row may hold what our types cannot (a time that is infinite), and a broken
# promise may have millions of rows of which a few are enough.
_FOUND = f"""
SELECT count(*) OVER () AS broken, to_jsonb(found) AS row FROM (<query>) AS found LIMIT {SHOWN_MAX}
"""


async def check(database: Database, invariant: Invariant, scope: RowScope) -> InvariantFinding:
    """Ask one invariant of a scope, in a snapshot of its own, however long it takes."""
    asked = Everything({}) if invariant.is_whole else scope
    async with database.transaction() as tx:
        rows = await patiently(
            tx, _asked(invariant, asked), *asked.parameters, is_broad=asked.is_broad
        )
    return _finding(invariant, rows)


async def check_quickly(
    database: Database, invariants: Sequence[Invariant], scope: Everything
) -> list[InvariantFinding]:
    """Ask invariants of all rows, where there are few: several in one statement, with no time of their own."""
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


# The planner takes keys of two columns for independent and expects one row where there are
# thousands; then it looks each of them up among all of the account.  What reads all rows of some
# accounts is joined by hashes, whatever it expects.
_BROADLY = """
SELECT set_config('transaction_read_only', 'on', true), set_config('work_mem', '64MB', true),
       set_config('enable_nestloop', %s, true),
       -- How values are written, where they are hashed.
       set_config('TimeZone', 'UTC', true), set_config('DateStyle', 'ISO, MDY', true),
       set_config('bytea_output', 'hex', true), set_config('extra_float_digits', '1', true)
"""


async def name_ours(tx: Tx) -> None:
    """Set the search path to our schema until the transaction ends, whatever the session has."""
    await tx.run(f"SET LOCAL search_path = {SEARCH_PATH}")


async def look(database: Database, query: str, *parameters: object) -> list[Row]:
    """The rows of a short statement of the audit."""
    async with database.transaction() as tx:
        await name_ours(tx)
        return await tx.all(query, *parameters)


async def patiently(
    tx: Tx, statement: str, *parameters: object, is_broad: bool = True
) -> list[Row]:
    """The rows of a statement that reads much and changes nothing; it may take
    `STATEMENT_SECONDS_MAX`.
    """
    await name_ours(tx)
    await tx.run(_BROADLY, "off" if is_broad else "on")
    await tx.allow(STATEMENT_SECONDS_MAX)
    return await tx.all(statement, *parameters)
