"""Scopes of an audit (the rows that one statement checks): ranges of accounts for a full audit, or the subjects with
rows written since the last point.
"""

from collections.abc import Sequence
from functools import partial
from itertools import pairwise, starmap
from uuid import UUID

from meterai.plumbing.db.audited import Audited, SubjectColumn
from meterai.plumbing.db.database import Database
from meterai.plumbing.db.invariants import Accounts, Everything, RowScope, Touched, patiently
from meterai.plumbing.db.marks import IS_YOUNG, Mark

ROWS_PER_RANGE = 20_000  # with so many rows, a statement takes a second and its sorts fit in memory
SUBJECTS_PER_PART = 5_000

# Accounts at which the ranges are cut, a given number of rows of the table `measure` apart.  All rows
# of an account are in the same range.
_CUTS = """
SELECT DISTINCT account_id FROM (
    SELECT account_id, row_number() OVER (ORDER BY account_id) AS place
    FROM {measure}) AS placed
WHERE mod(place, %s) = 0 ORDER BY account_id
"""
_IS_YOUNG = IS_YOUNG.format(row="t")


def _young(audited: Audited, table: str, subject: SubjectColumn) -> str:
    """Return SQL that selects the subjects of those rows of a table that were written since a mark. A row counts as written
    since the mark by its transaction, not by a time in its columns.
    """
    if subject.through:
        known = audited.subjects[subject.through].column
        source = f"{table} t JOIN {subject.through} USING (account_id, {subject.column})"
        return f"SELECT account_id, {known} AS subject FROM {source} WHERE {_IS_YOUNG}"
    account = f"'{UUID(int=0)}'::uuid" if subject.is_global else "account_id"
    return f"SELECT {account}, {subject.column} AS subject FROM {table} t WHERE {_IS_YOUNG}"


def query_of_touched(audited: Audited) -> str:
    """Return SQL that selects the subjects with rows written since a mark, those with unfinished work, and all related
    subjects: such as the documents of an order, the order of a document, the lot of a stamp. Each room, from the
    highest down, adds subjects related to those found so far.
    """
    subjects = dict(audited.subjects) | {
        table: SubjectColumn("account_id") for table in audited.of_accounts
    }
    young = starmap(partial(_young, audited), subjects.items())
    moved = [*young, *audited.unfinished]
    steps = [f"found_0 (account_id, subject) AS ({' UNION '.join(moved)})"]
    for number, query in enumerate(audited.related):
        found = f"found_{number}"
        related = f"SELECT account_id, subject FROM {found} UNION {query.format(found=found)}"
        steps.append(f"found_{number + 1} AS ({related})")
    last = f"found_{len(audited.related)}"
    return f"WITH {', '.join(steps)} SELECT account_id, subject FROM {last} ORDER BY 1, 2"


async def of_everything(database: Database, audited: Audited) -> Sequence[RowScope]:
    """Return scopes that cover all accounts; each is a range of accounts for one statement."""
    async with database.transaction() as tx:
        rows = await patiently(tx, _CUTS.format(measure=audited.measure), ROWS_PER_RANGE)
    cuts: list[UUID | None] = [None, *(row["account_id"] for row in rows), None]
    if len(cuts) == 2:
        return [Everything(audited.subjects)]
    return [Accounts(audited.subjects, low, high) for low, high in pairwise(cuts)]


async def of_what_moved(database: Database, audited: Audited, since: Mark) -> Sequence[RowScope]:
    """Return scopes that cover the subjects with rows written since a mark or with unfinished work, at most
    `SUBJECTS_PER_PART` each.
    """
    query = query_of_touched(audited)
    async with database.transaction() as tx:
        marks = [since.xid] * query.count("%s")
        rows = await patiently(tx, query, *marks, is_broad=False)
    touched = [(row["account_id"], row["subject"]) for row in rows]
    starts = range(0, len(touched), SUBJECTS_PER_PART)
    return [
        Touched.of(audited.subjects, touched[start : start + SUBJECTS_PER_PART]) for start in starts
    ]
