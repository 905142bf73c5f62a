"""Checks of seals and objects: stamped documents are compared with their rows, and the object store with the tables.

A delta is the bytes that sealing appended to a document; in it are our seal and the claims (the signed contents of the
QR codes). A query of every audit compares the serials and the hash of each delta with its row. This module also
verifies the signatures in deltas: each claim must be ours and name its serial and the document. The seal must be ours
too, which can be checked only while the original is kept.

This takes milliseconds per document, so only a random sample is checked; the seed is printed, and the same seed draws
the same sample.
"""

import hashlib
import random  # noqa: TID251 - seeded below
import re
from collections.abc import AsyncIterator, Container, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from meterai import drafts, reconciliation, sealing
from meterai.documents import OBJECTS_OF_STORE, content_name, object_name
from meterai.kit.clock import Clock
from meterai.kit.refusal import Refusal
from meterai.plumbing.db.database import Database, Row
from meterai.plumbing.db.invariants import SHOWN_MAX, Invariant, InvariantFinding, look
from meterai.plumbing.objects import ObjectStore, ObjectUnreadable, Stored
from meterai.sealing import Issuers, Verdict

DRAWN = 200  # documents opened by default, which takes half a second
READ_AT_ONCE = 50  # deltas of 15 KB read by one statement
LISTED_AT_ONCE = 1_000  # names of objects listed at once

SEALS = Invariant(
    "seal_says_what_the_register_says",
    "Every delivered document bears our seal and our claims, made for its original and its "
    "serials.",
    "",
)
OBJECTS = Invariant(
    "objects_are_those_of_documents",
    "Every document that is still kept has its bytes in the object store, and the store has no "
    "bytes without a document.",
    "",
)

_IDS = "SELECT account_id, stamping_id FROM deltas ORDER BY account_id, stamping_id"
_READ = """
SELECT s.account_id, s.stamping_id, s.sha256_original, s.sha256_stamped, d.delta,
       c.forgotten_at IS NULL AND c.sha256 IS NOT NULL AS is_kept,
       ARRAY(SELECT t.serial FROM stamps t WHERE t.account_id = s.account_id
             AND t.stamping_id = s.stamping_id ORDER BY t.position) AS serials
FROM unnest(%s::uuid[], %s::uuid[]) AS wanted (account_id, stamping_id)
JOIN stampings s USING (account_id, stamping_id)
JOIN deltas d USING (account_id, stamping_id)
LEFT JOIN documents c ON c.account_id = s.account_id AND c.sha256 = s.sha256_original
"""
_KEPT = """
SELECT account_id, sha256 FROM documents WHERE forgotten_at IS NULL
    AND kept_until > now()
    AND received_at >= coalesce((SELECT marked_at FROM object_store), '-infinity')
"""
_KNOWN = "SELECT account_id, sha256 FROM documents WHERE forgotten_at IS NULL"
_DRAFTED = """
SELECT f.file_id, o.object_id, NULL::bytea AS sha256, f.added_at
FROM draft_files f, unnest(array_append(f.parts, f.content_id)) AS o (object_id)
WHERE o.object_id IS NOT NULL
UNION ALL
SELECT f.file_id, NULL, f.sha256, f.added_at FROM draft_files f
WHERE f.state IN ('ready', 'repaired') AND f.content_id IS NULL
"""
_RECORDS = "SELECT sha256, pieces FROM record_files WHERE pieces > 0"
_CONDEMNED = "SELECT name FROM condemned_objects"
# After a restore, objects whose rows were lost remain until an operator confirms the store and the
# sweep has seen them, and objects of drafts may be missing. After a failover, objects whose rows were
# lost remain.
_TIMELINE = """
SELECT hold IS NOT NULL OR coalesce(confirmed_at >= %s, false) AS is_unsettled,
    greatest(held_at, confirmed_at) AS restored_at, spared
FROM object_store
"""
_UNMARKED: Row = {"is_unsettled": False, "restored_at": None, "spared": ()}
_CLAIMS = re.compile(rb"/Claims\[((?:\([0-9A-Z]+\))+)\]")


@dataclass(frozen=True, slots=True)
class DeltaSample:
    """A random sample of deltas (the bytes that sealing appended to documents): at most `at_most`, drawn with `seed`; all
    deltas if `at_most` is None.
    """

    seed: int
    at_most: int | None = DRAWN

    def draw(self, ids: Sequence[Row]) -> list[Row]:
        """Return the rows of `ids` that are in the sample."""
        if self.at_most is None or len(ids) <= self.at_most:
            return list(ids)
        return random.Random(self.seed).sample(list(ids), self.at_most)  # noqa: S311 - a sample


@dataclass(frozen=True, slots=True)
class DeltaReader:
    """Checks the seals and the claims (signed contents of QR codes) in deltas, which are the bytes that a stamping appends to
    a document. Reads the original documents from the object store, and verifies with our keys.
    """

    objects: ObjectStore
    issuers: Issuers
    clock: Clock

    async def check(self, database: Database, drawing: DeltaSample) -> InvariantFinding:
        """Check the deltas of the sample; return a finding with the deltas whose seal or claim is wrong."""
        drawn = drawing.draw(await look(database, _IDS))
        wrong: list[Row] = []
        for start in range(0, len(drawn), READ_AT_ONCE):
            part = drawn[start : start + READ_AT_ONCE]
            rows = await look(
                database,
                _READ,
                [row["account_id"] for row in part],
                [row["stamping_id"] for row in part],
            )
            for row in rows:
                told = {"account_id": row["account_id"], "stamping_id": row["stamping_id"]}
                wrong += [told | {"is": complaint} for complaint in await self._complaints(row)]
        return InvariantFinding(SEALS, len(wrong), wrong[:SHOWN_MAX])

    async def _complaints(self, row: Row) -> list[str]:
        original: bytes | None = None
        if row["is_kept"]:
            try:
                original = await self.objects.get(content_name(bytes(row["sha256_original"])))
                if original is None:
                    original = await self.objects.get(
                        object_name(row["account_id"], row["sha256_original"])
                    )
            except ObjectUnreadable:
                return ["the original cannot be read"]
        if original is None:
            return list(self._claims(row))
        return list(self._sealed(row, original))

    def _sealed(self, row: Row, original: bytes) -> Iterator[str]:
        stamped = original + row["delta"]
        if hashlib.sha256(original).digest() != row["sha256_original"]:
            yield "another original"
        if hashlib.sha256(stamped).digest() != row["sha256_stamped"]:
            yield "another stamped document"
        report = sealing.verify_own(stamped, self.issuers, at=self.clock.now())
        if report.verdict != Verdict.GENUINE:
            failed = [one.name for one in report.checks if not one.passed]
            yield f"{report.verdict}: {', '.join(failed)}"
        elif report.serials[-len(row["serials"]) :] != tuple(row["serials"]):
            yield f"sealed for {', '.join(report.serials)}"

    def _claims(self, row: Row) -> Iterator[str]:
        """Yield each fault of the claims (signed contents of QR codes) in a delta; this check does not need the original. In an
        encrypted document the claims are unreadable, and skipped.
        """
        found = [
            text.decode()
            for listed in _CLAIMS.findall(row["delta"])
            for text in re.findall(rb"\(([0-9A-Z]+)\)", listed)
        ]
        for serial, text in zip(row["serials"], found, strict=False):
            try:
                claim = sealing.claim.read(f"{serial}/{text}", self.issuers.claim_keys)
            except Refusal as refusal:
                yield f"claim of {serial}: {refusal.code}"
                continue
            if not sealing.claim.matches(claim, row["sha256_original"]):
                yield f"claim of {serial}: it names another document"


def _old_name(row: dict[str, Any]) -> str:
    account: UUID = row["account_id"]
    return object_name(account, bytes(row["sha256"]))


def _name(row: dict[str, Any], there: Container[str]) -> str:
    """Return the name of a document in the object store `there`. If the object exists only under the name that the previous
    release gave, return that name, otherwise the name that this release gives.
    """
    name, old = content_name(bytes(row["sha256"])), _old_name(row)
    return old if old in there and name not in there else name


async def check_objects(
    database: Database, objects: ObjectStore, written_before: datetime
) -> InvariantFinding:
    """Compare the object store with the rows of documents, of drafts and of bank records; find objects without a row,
    and rows without their object.

    Objects and files of drafts that are younger than `written_before` are skipped, because their counterpart may still follow.
    If a new store replaced a lost one, documents received before the replacement need no object.
    """
    wrong = await _wrong_objects(database, objects, written_before)
    if wrong:
        # Store and tables are read one after the other.  A difference by a concurrent change appears
        # in only one of two comparisons.
        again = await _wrong_objects(database, objects, written_before)
        wrong = [one for one in wrong if one in again]
    return InvariantFinding(OBJECTS, len(wrong), wrong[:SHOWN_MAX])


async def _wrong_objects(
    database: Database, objects: ObjectStore, written_before: datetime
) -> list[Row]:
    there = {one.name: one.written_at async for one in _objects(objects)}
    known = set[str]()
    for row in await look(database, _KNOWN):
        known |= {content_name(bytes(row["sha256"])), _old_name(row)}
    known.update(row["name"] for row in await look(database, _CONDEMNED))
    kept = {_name(row, there) for row in await look(database, _KEPT)}
    timeline = next(iter(await look(database, _TIMELINE, written_before)), _UNMARKED)
    restored_at = timeline["restored_at"]
    for row in await look(database, _RECORDS):
        pieces = set(reconciliation.object_names(row["sha256"], row["pieces"]))
        known |= pieces
        kept |= pieces
    for row in await look(database, _DRAFTED):
        if row["sha256"] is not None:
            name = content_name(bytes(row["sha256"]))
        else:
            name = drafts.object_name(row["file_id"], row["object_id"])
        known.add(name)
        if row["added_at"] < written_before and not (restored_at and row["added_at"] < restored_at):
            kept.add(name)

    def is_of_nobody(name: str, written_at: datetime) -> bool:
        if name in known or name in OBJECTS_OF_STORE or written_at >= written_before:
            return False
        is_spared = any(written_at in one for one in timeline["spared"])
        return not timeline["is_unsettled"] and not is_spared

    wrong: list[Row] = [
        {"object": name, "is": "of no document"}
        for name, written_at in there.items()
        if is_of_nobody(name, written_at)
    ]
    wrong += [{"object": name, "is": "missing"} for name in sorted(kept - there.keys())]
    return wrong


async def _objects(objects: ObjectStore) -> AsyncIterator[Stored]:
    after = ""
    while listed := await objects.list(after, LISTED_AT_ONCE):
        for one in listed:
            yield one
        after = listed[-1].name
