"""Hashes of facts (columns that never change) over consecutive stretches of time, and a quick proof that a stretch is
unchanged.

The hash of a stretch covers the hashes of its rows, sorted within each account, account by account. So it does not
depend on the order in which rows were written.

The quick proof needs no hashing. PostgreSQL stores in each row version the transaction that wrote it (xmin), and no SQL
statement can set xmin. A stretch is unchanged if it has as many rows as when it was hashed, and all row versions are older
than the hash. If a row version is younger (another column changed, or somebody forged the row), the stretch is hashed again
and compared.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from meterai.plumbing.db.audited import Audited, Fact
from meterai.plumbing.db.database import Database
from meterai.plumbing.db.invariants import Everything, RowScope, patiently, written
from meterai.plumbing.db.marks import IS_YOUNG, Mark

BEGINNING = datetime(2025, 1, 1, tzinfo=UTC)  # epoch of our serials; nothing is older

Stretch = tuple[datetime, datetime]  # begin, and end (exclusive)
Cell = tuple[str, datetime]  # name of a fact, and begin of a stretch


@dataclass(frozen=True, slots=True)
class StretchDigest:
    """Number of rows of a fact (columns that never change) in a stretch of time, and the hash over these rows."""

    rows: int
    sha256: str


_DIGESTS = """
SELECT stretch, sum(rows)::bigint AS rows, string_agg(digest, '' ORDER BY owner) AS digests FROM (
    SELECT stretch, owner, count(*) AS rows,
           sha256(string_agg(sha256(convert_to(content, 'UTF8')), ''
                             ORDER BY sha256(convert_to(content, 'UTF8')))) AS digest
    FROM (SELECT width_bucket({at}, %s::timestamptz[]) AS stretch, {owner} AS owner,
                 {content} AS content
          FROM {table} t {join} WHERE {only} AND {at} >= %s AND {at} < %s) AS happened
    GROUP BY stretch, owner
) AS of_owners GROUP BY stretch
"""
_COUNTS = f"""
SELECT width_bucket({{at}}, %s::timestamptz[]) AS stretch, count(*) AS rows,
       count(*) FILTER (WHERE {IS_YOUNG.format(row="t")}) AS young
FROM {{table}} t {{join}} WHERE {{only}} AND {{at}} >= %s AND {{at}} < %s GROUP BY stretch
"""


def _of(fact: Fact, query: str) -> str:
    table = fact.table if fact.is_global else f"{{{fact.table}?}}"
    return query.format(
        at=fact.at,
        owner=fact.owner,
        content=fact.content,
        only=fact.only,
        table=table,
        join=fact.join,
    )


def months(start: datetime, until: datetime) -> list[Stretch]:
    """Cut a period into stretches at the beginnings of months, so that after a late change only one month is hashed
    again.
    """
    cuts = [start]
    while cuts[-1] < until:
        last = cuts[-1]
        following = datetime(last.year + last.month // 12, last.month % 12 + 1, 1, tzinfo=UTC)
        cuts.append(min(following, until))
    return list(pairwise(cuts))


class Hashing:
    """Hashes facts (columns that never change), separately for each stretch of time. `take` must be called for one scope after
    another, in the order of accounts.

    The stretches must be consecutive. A cell is a fact in a stretch. `digests` returns the hashes of `cells`, or of all cells
    if `cells` is None.
    """

    def __init__(
        self,
        facts: Sequence[Fact],
        stretches: Sequence[Stretch],
        cells: Iterable[Cell] | None = None,
    ) -> None:
        self._facts = facts
        self._stretches = list(stretches)
        self._cells = None if cells is None else set(cells)
        self._found: dict[Cell, tuple[int, Any]] = {}
        self._is_global_taken = False

    async def take(self, database: Database, scope: RowScope) -> None:
        """Read and hash the facts of the accounts in a scope; facts without an account are read with the first scope."""
        for fact in self._facts:
            if not (fact.is_global and self._is_global_taken):
                await self._take(database, fact, scope)
        self._is_global_taken = True

    def _wanted(self, fact: Fact) -> list[Stretch]:
        return [
            one
            for one in self._stretches
            if self._cells is None or (fact.name, one[0]) in self._cells
        ]

    async def _take(self, database: Database, fact: Fact, scope: RowScope) -> None:
        wanted = self._wanted(fact)
        if not wanted:
            return
        cuts = [start for start, _ in self._stretches if start >= wanted[0][0]]
        query = written(_of(fact, _DIGESTS), scope)
        async with database.transaction() as tx:
            rows = await patiently(tx, query, cuts, wanted[0][0], wanted[-1][1])
        for row in rows:
            cell = (fact.name, cuts[row["stretch"] - 1])
            count, digest = self._found.get(cell, (0, hashlib.sha256()))
            digest.update(row["digests"])
            self._found[cell] = (count + row["rows"], digest)

    def digests(self) -> dict[Cell, StretchDigest]:
        """Return the hashes by cell (a fact in a stretch of time); cells without rows are left out."""
        return {
            cell: StretchDigest(rows, digest.hexdigest())
            for cell, (rows, digest) in self._found.items()
            if self._cells is None or cell in self._cells
        }


async def hashed(
    database: Database,
    audited: Audited,
    stretches: Sequence[Stretch],
    cells: Iterable[Cell] | None = None,
) -> dict[Cell, StretchDigest]:
    """Return the hashes over the rows of all accounts by cell (a fact in one of these stretches of time), read in one pass."""
    hashing = Hashing(audited.facts, stretches, cells)
    if stretches:
        await hashing.take(database, Everything(audited.subjects))
    return hashing.digests()


async def unproven(
    database: Database,
    scope: Everything,
    facts: Iterable[Fact],
    known: Mapping[Cell, StretchDigest],
    stretches: Sequence[Stretch],
    since: Mark,
) -> set[Cell]:
    """Return the cells (a fact in a stretch) for which the quick proof that no row changed fails, so that they must be hashed
    again. `known` are the hashes of the cells at the mark `since`.
    """
    cuts = [start for start, _ in stretches]
    left: set[Cell] = set()
    for fact in facts:
        query = written(_of(fact, _COUNTS), scope)
        async with database.transaction() as tx:
            rows = await patiently(tx, query, cuts, since.xid, cuts[0], stretches[-1][1])
        found = {cuts[row["stretch"] - 1]: row for row in rows}
        for start in cuts:
            was = known.get((fact.name, start))
            row = found.get(start)
            is_same = (row["rows"] if row else 0) == (was.rows if was else 0)
            if not is_same or (row and row["young"]):
                left.add((fact.name, start))
    return left


async def row_counts(database: Database, tables: Iterable[str]) -> dict[str, int]:
    """Count the rows of each of these tables, whose rows have no column of times and are never deleted."""
    counted = (f"(SELECT count(*) FROM {table}) AS {table}" for table in tables)
    async with database.transaction() as tx:
        [row] = await patiently(tx, f"SELECT {', '.join(counted)}")
    return row
