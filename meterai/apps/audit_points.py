"""The chain of clean audits: what each covered, and a hash over it and the one before.

A point says: everything that happened before `covers_until` was looked at and held.  Its `history`
is a hash over what happened since the point before, so history that is changed behind a point is
seen by the next full audit, which computes every hash again; and its `totals` are compared by
every audit.  Whoever can change the books could change this table too: note `chained` elsewhere
(it is printed), then not even that helps.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from meterai.plumbing.database import Database, Row, jsonb
from meterai.plumbing.invariants import (
    SHOWN_MAX,
    Finding,
    Invariant,
    Scope,
    look,
    patiently,
    written,
)

BEGINNING = datetime(2025, 1, 1, tzinfo=UTC)  # nothing is older: the epoch of our serials
# A row has the time its transaction began and is seen when that ends.  No transaction of ours lasts
# so long; what is younger is looked at again next time.
SETTLED_AFTER = timedelta(minutes=5)

_POINTS = """
SELECT point, kind, covers_from, covers_until, history, totals, chained
FROM audit_points ORDER BY point
"""
# What is written once, by the time it happened.
_HAPPENED = """
SELECT account_id, e.posted_at AS at, 'e' || entry_id AS key,
       concat_ws('|', e.reason, e.subject, l.sides) AS what
FROM {entries?} e JOIN (
    SELECT account_id, entry_id, string_agg(concat_ws(':', book, credit - debit), ','
           ORDER BY book) AS sides FROM {legs?} x GROUP BY account_id, entry_id
) l USING (account_id, entry_id)
UNION ALL
SELECT account_id, captured_at, 'c' || attempt_id || payment, concat_ws('|', amount, learned_by)
FROM {captures?} c
UNION ALL
SELECT account_id, s.delivered_at, 's' || stamping_id,
       concat_ws('|', encode(s.sha256_original, 'hex'), encode(s.sha256_stamped, 'hex'),
                 encode(d.sha256, 'hex'))
FROM {stampings?} s JOIN {deltas?} d USING (account_id, stamping_id)
"""
_HISTORY = f"""
SELECT segment, string_agg(digest, '' ORDER BY account_id) AS digests FROM (
    SELECT width_bucket(at, %s::timestamptz[]) AS segment, account_id,
           sha256(string_agg(sha256(convert_to(concat_ws('|', account_id, key,
               extract(epoch FROM at), what), 'UTF8')), '' ORDER BY key)) AS digest
    FROM ({_HAPPENED}) AS happened WHERE at >= %s AND at < %s
    GROUP BY segment, account_id
) AS digested GROUP BY segment
"""  # noqa: S608 - of constants
_TOTALS = """
SELECT (SELECT count(*) FROM entries) - (SELECT count(*) FROM entries WHERE posted_at >= %s)
           AS entries,
       l.legs - y.legs AS legs, l.debits - y.debits AS debits, l.credits - y.credits AS credits,
       c.captures, c.captured
FROM (SELECT count(*) AS legs, sum(debit)::bigint AS debits, sum(credit)::bigint AS credits
      FROM legs) l,
     (SELECT count(*) AS legs, coalesce(sum(debit), 0)::bigint AS debits,
             coalesce(sum(credit), 0)::bigint AS credits
      FROM entries e JOIN legs USING (account_id, entry_id) WHERE e.posted_at >= %s) y,
     (SELECT count(*) AS captures, coalesce(sum(amount), 0)::bigint AS captured FROM captures
      WHERE captured_at < %s) c
"""
_NEVER_LESS = """
SELECT (SELECT count(*) FROM deltas) AS deltas, (SELECT count(*) FROM stamps) AS stamps,
       (SELECT count(*) FROM serial_directory) AS directory,
       (SELECT count(*) FROM orders) AS orders, (SELECT count(*) FROM refunds) AS refunds
"""
_INSERT = """
INSERT INTO audit_points (point, kind, covers_from, covers_until, history, totals, chained)
VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT ON CONSTRAINT audit_points_pkey DO NOTHING
"""

UNCHANGED = Invariant(
    "history_is_as_it_was_audited",
    "What happened before an audit is what it was then: hashes, totals and the chain agree.",
    "",
)


@dataclass(frozen=True, slots=True)
class Point:
    """One clean audit."""

    number: int
    kind: str
    covers_from: datetime
    covers_until: datetime
    history: bytes
    totals: dict[str, Any]
    chained: bytes


def chained(before: bytes, point: "Point") -> bytes:
    """The hash over a point and the one before it."""
    told = [point.number, point.kind, point.covers_from.timestamp(), point.covers_until.timestamp()]
    text = json.dumps([*told, point.history.hex(), point.totals], sort_keys=True)
    return hashlib.sha256(before + text.encode()).digest()


async def points(database: Database) -> list[Point]:
    """Every clean audit, oldest first."""
    return [Point(*row.values()) for row in await look(database, _POINTS)]


class Historian:
    """Computes the hashes of history, range of accounts by range, in the order of accounts."""

    def __init__(self, cuts: Sequence[datetime]) -> None:
        self._cuts = list(cuts)
        self._hashes = [hashlib.sha256() for _ in pairwise(self._cuts)]

    async def take(self, database: Database, scope: Scope) -> None:
        """Read what happened to the accounts of one scope."""
        if not self._hashes:
            return
        query = written(_HISTORY, scope)
        async with database.transaction() as tx:
            rows = await patiently(tx, query, self._cuts, self._cuts[0], self._cuts[-1])
        for row in rows:
            self._hashes[row["segment"] - 1].update(row["digests"])

    def histories(self) -> list[bytes]:
        """The hash of what happened between each two moments."""
        return [one.digest() for one in self._hashes]


async def totals(database: Database, until: datetime) -> dict[str, Any]:
    """Counts and sums of what happened before a moment, and counts that never fall."""
    async with database.transaction() as tx:
        rows = await patiently(tx, _TOTALS, until, until, until)
        rows += await patiently(tx, _NEVER_LESS)
    return {name: value or 0 for row in rows for name, value in row.items()}


def compared(known: Sequence[Point], histories: Sequence[bytes]) -> list[Row]:
    """What of the chain does not agree: with itself, or with history where that was read."""
    wrong: list[Row] = []
    before, until = b"", BEGINNING
    for place, point in enumerate(known):
        told: Row = {"point": point.number, "covers_until": point.covers_until.isoformat()}
        if point.number != place + 1 or point.covers_from != until:
            wrong.append(told | {"is": "out of line"})
        if point.chained != chained(before, point):
            wrong.append(told | {"is": "changed"})
        if histories and histories[place] != point.history:
            wrong.append(told | {"is": "about another history"})
        before, until = point.chained, point.covers_until
    return wrong


async def compared_totals(database: Database, last: Point) -> list[Row]:
    """Totals that are not what they were at the last point."""
    now = await totals(database, last.covers_until)
    grows = {"deltas", "stamps", "directory", "orders", "refunds"}
    return [
        {"total": name, "was": was, "is": now[name]}
        for name, was in last.totals.items()
        if (now[name] < was if name in grows else now[name] != was)
    ]


def finding(wrong: list[Row]) -> Finding:
    """What was found about the chain."""
    return Finding(UNCHANGED, len(wrong), wrong[:SHOWN_MAX])


async def record(
    database: Database, kind: str, known: Sequence[Point], until: datetime, history: bytes
) -> Point | None:
    """Add a clean audit to the chain; None where another audit was faster."""
    last = known[-1] if known else None
    covers_from = last.covers_until if last else BEGINNING
    counted = await totals(database, until)
    draft = Point(len(known) + 1, kind, covers_from, until, history, counted, b"")
    link = chained(last.chained if last else b"", draft)
    async with database.transaction() as tx:
        is_ours = await tx.run(
            _INSERT, draft.number, kind, covers_from, until, history, jsonb(counted), link
        )
    return (
        Point(draft.number, kind, covers_from, until, history, counted, link) if is_ours else None
    )
