"""The chain of clean audits: each audit point has its coverage, and a hash over itself and the previous point.

A point states that everything before `covers_until` was audited without findings. It contains a hash of each fact
(`plumbing/db/audited.py`) for each stretch of time that it covers. An incremental point covers the time since the
previous point; a full point covers all time, month by month. So a later audit compares with the last full point and the
points after it. An attacker who can change the books could also change the points: to detect that, keep the printed
chained hash outside the database.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from meterai.audit.history import (
    BEGINNING,
    Cell,
    Hashing,
    Stretch,
    StretchDigest,
    hashed,
    months,
    row_counts,
    unproven,
)
from meterai.kit.clock import SystemClock
from meterai.plumbing.db.audited import Audited
from meterai.plumbing.db.database import Database, Row, jsonb
from meterai.plumbing.db.invariants import SHOWN_MAX, Everything, Invariant, InvariantFinding, look
from meterai.plumbing.db.marks import Mark
from meterai.plumbing.work.retention import YEAR

# A row has the time at which its transaction began, and becomes visible when the transaction commits.
# No transaction of ours lasts this long; younger rows are covered by the next point.
SETTLED_AFTER = timedelta(minutes=5)

_POINTS = """
SELECT point, kind, covers_from, covers_until, history, totals, chained
FROM audit_points ORDER BY point
"""
_INSERT = """
INSERT INTO audit_points (point, kind, covers_from, covers_until, history, totals, chained)
VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT ON CONSTRAINT audit_points_pkey DO NOTHING
"""

UNCHANGED = Invariant(
    "history_is_as_it_was_audited",
    "Records of past events are the same as at each earlier audit: none is deleted, changed or "
    "added, and the chain of audits is consistent.",
    "",
)


@dataclass(frozen=True, slots=True)
class Point:
    """One clean audit, as a link of the chain."""

    number: int
    kind: str
    covers_from: datetime
    covers_until: datetime
    history: bytes
    totals: dict[str, Any]
    chained: bytes

    @property
    def has_facts(self) -> bool:
        """True if the point has hashes of single facts. A point of an earlier release has none, so that only its link
        in the chain is checked.
        """
        return "facts" in self.totals

    @property
    def stretches(self) -> list[Stretch]:
        """Return the stretches of time for which the point has hashes."""
        if self.kind == "full":
            return months(BEGINNING, self.covers_until)
        return [(self.covers_from, self.covers_until)]

    @property
    def cells(self) -> dict[Cell, StretchDigest]:
        """Return the hashes of the point by cell: the name of a fact, and the beginning of a stretch of time."""
        return {
            (fact, datetime.fromisoformat(start)): StretchDigest(rows, sha256)
            for fact, by_start in self.totals["facts"].items()
            for start, (rows, sha256) in by_start.items()
        }

    @property
    def mark(self) -> Mark:
        """Moment at which the point was made, as a position in the sequence of transactions of a database."""
        return Mark.read(self.totals["mark"])


def chained(before: bytes, point: "Point") -> bytes:
    """Return the chained hash of a point: over the chained hash `before` of the previous point, and the point itself."""
    told = [point.number, point.kind, point.covers_from.timestamp(), point.covers_until.timestamp()]
    text = json.dumps([*told, point.history.hex(), point.totals], sort_keys=True)
    return hashlib.sha256(before + text.encode()).digest()


async def points(database: Database) -> list[Point]:
    """Return the points of all clean audits, the oldest first."""
    return [Point(*row.values()) for row in await look(database, _POINTS)]


def compared_to_last(known: Sequence[Point]) -> list[Point]:
    """Return the last full point and all later points, which together cover all time; empty if there is no full point."""
    for place in reversed(range(len(known))):
        if known[place].kind == "full" and known[place].has_facts:
            return list(known[place:])
    return []


def wrong_links(known: Sequence[Point]) -> list[Row]:
    """Return a row for each inconsistency of the chain: a gap, a wrong chained hash, or a wrong hash of history."""
    wrong: list[Row] = []
    before, until = b"", BEGINNING
    for place, point in enumerate(known):
        told: Row = {"point": point.number, "covers_until": point.covers_until.isoformat()}
        if point.number != place + 1 or point.covers_from != until:
            wrong.append(told | {"is": "out of line"})
        if point.chained != chained(before, point):
            wrong.append(told | {"is": "changed"})
        if point.has_facts and point.history != _sha256(point.totals["facts"]):
            wrong.append(told | {"is": "about another history"})
        before, until = point.chained, point.covers_until
    return wrong


class Past:
    """Hashes of old rows as the last points recorded them, to be compared with the current rows."""

    def __init__(self, audited: Audited, known: Sequence[Point]) -> None:
        self._audited = audited
        kept = compared_to_last(known)
        self.stretches = [stretch for point in kept for stretch in point.stretches]
        # A fact is not compared if a point recorded it with another definition of its columns or rows.
        shapes: list[dict[str, str]] = [point.totals.get("shapes", {}) for point in kept]
        self._facts = {
            fact.name: fact
            for fact in audited.facts
            if all(one.get(fact.name) == fact.shape for one in shapes)
        }
        self._cells = {
            cell: digest
            for point in kept
            for cell, digest in point.cells.items()
            if cell[0] in self._facts
        }
        self._row_counts: dict[str, int] = kept[-1].totals["standing"] if kept else {}
        self.hashing = Hashing(audited.facts, self.stretches)

    async def compare_young(self, database: Database, since: Mark) -> list[Row]:
        """Return the differences between old rows and their recorded hashes; only stretches of time with a row written since
        the mark are hashed again.
        """
        if not self.stretches:
            return []
        facts = self._facts.values()
        scope = Everything(self._audited.subjects)
        left = await unproven(database, scope, facts, self._cells, self.stretches, since)
        found = await hashed(database, self._audited, self.stretches, left) if left else {}
        return self._differences(found, left)

    def compare_all(self) -> list[Row]:
        """Return the differences between old rows and their recorded hashes in all stretches of time; `hashing` must have read
        every scope before.
        """
        found = self.hashing.digests()
        told = {cell for cell in found if cell[0] in self._facts}
        return self._differences(found, self._cells.keys() | told)

    def _differences(
        self, found: Mapping[Cell, StretchDigest], cells: set[Cell] | frozenset[Cell]
    ) -> list[Row]:
        return [
            {
                "fact": cell[0],
                "since": cell[1].isoformat(),
                "is": "another history",
                "rows": found[cell].rows if cell in found else 0,
                "rows_then": self._cells[cell].rows if cell in self._cells else 0,
            }
            for cell in sorted(cells)
            if found.get(cell) != self._cells.get(cell) and self._stays(cell)
        ]

    def _stays(self, cell: Cell) -> bool:
        """True as long as no retention rule deletes rows of the cell (a fact in a stretch of time), so that no row may be
        missing.
        """
        years = self._facts[cell[0]].years
        return not years or SystemClock().now() - years * YEAR < cell[1]

    async def compare_row_counts(self, database: Database) -> list[Row]:
        """Return the tables that have fewer rows than at the last point, although their rows are never deleted. A table
        that this release does not count is skipped.
        """
        counted = self._audited.standing
        now = await row_counts(database, counted) if self._row_counts else {}
        return [
            {"table": table, "is": "less than it was", "rows": now[table], "rows_then": then}
            for table, then in self._row_counts.items()
            if table in now and now[table] < then
        ]

    async def facts(
        self, database: Database, stretches: Sequence[Stretch]
    ) -> dict[Cell, StretchDigest]:
        """Return the hashes of facts for a new audit point; hashes of stretches that were just compared are reused."""
        same = {start for start, _ in set(self.stretches) & set(stretches)}
        known = {cell: digest for cell, digest in self._cells.items() if cell[1] in same}
        rest = {
            (fact.name, start)
            for fact in self._audited.facts
            for start, _ in stretches
            if fact.name not in self._facts or start not in same
        }
        return known | await hashed(database, self._audited, stretches, rest)


def finding(wrong: list[Row]) -> InvariantFinding:
    """Return the differences between old rows and their recorded hashes as the finding of the invariant `UNCHANGED`."""
    return InvariantFinding(UNCHANGED, len(wrong), wrong[:SHOWN_MAX])


def _sha256(facts: object) -> bytes:
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).digest()


async def record(
    database: Database,
    audited: Audited,
    kind: str,
    known: Sequence[Point],
    until: datetime,
    mark: Mark,
) -> Point | None:
    """Add a clean audit to the chain and return its point; None if another audit has already added a point with the same
    number.
    """
    last = known[-1] if known else None
    covers_from = last.covers_until if last else BEGINNING
    draft = Point(len(known) + 1, kind, covers_from, until, b"", {}, b"")
    facts: dict[str, dict[str, tuple[int, str]]] = {}
    found = await Past(audited, known).facts(database, draft.stretches)
    for (name, start), one in sorted(found.items()):
        facts.setdefault(name, {})[start.isoformat()] = (one.rows, one.sha256)
    counted = {
        "facts": facts,
        "shapes": {fact.name: fact.shape for fact in audited.facts},
        "mark": asdict(mark),
        "standing": await row_counts(database, audited.standing),
    }
    point = Point(draft.number, kind, covers_from, until, _sha256(facts), counted, b"")
    link = chained(last.chained if last else b"", point)
    async with database.transaction() as tx:
        is_ours = await tx.run(
            _INSERT, point.number, kind, covers_from, until, point.history, jsonb(counted), link
        )
    if not is_ours:
        return None
    return Point(point.number, kind, covers_from, until, point.history, counted, link)
