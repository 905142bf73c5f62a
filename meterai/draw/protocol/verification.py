"""Verification of a draw from its public files; each result is a finding.

No value is trusted: anybody may have written the files.  To show that the root was public before the round existed, a copy of
the record is needed that was saved in time; the files alone cannot show it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import msgspec

from meterai.draw.protocol import chain as drand
from meterai.draw.protocol.chain import QUICKNET_HASH, RoundForged
from meterai.draw.protocol.merkle import is_included, root_of
from meterai.draw.protocol.order import drawn
from meterai.draw.protocol.record import (
    Announcement,
    DrawClosing,
    DrawRecord,
    Result,
    hash_of,
    is_signed,
)
from meterai.draw.protocol.rules import broken_terms, round_time
from meterai.draw.protocol.steps import seed_from
from meterai.kit.refusal import Refusal


class DrawFindingKind(StrEnum):
    """Kind of a finding; the key of its message is `draw.<value>`."""

    # what holds
    ANNOUNCED = "announced"
    SIGNED = "signed"
    KEY_GIVEN = "key_given"
    LINKED = "linked"
    BEACON_KNOWN = "beacon_known"
    CLOSED_IN_TIME = "closed_in_time"
    LIST_COMPLETE = "list_complete"
    ROUND_TRUE = "round_true"
    SEED_TRUE = "seed_true"
    ORDER_TRUE = "order_true"
    SAVED_SAME = "saved_same"
    INCLUDED = "included"
    NUMBER = "number"
    # what could not be judged
    KEY_UNCHECKED = "key_unchecked"
    NOT_CLOSED = "not_closed"
    NOT_DRAWN = "not_drawn"
    LIST_MISSING = "list_missing"
    REPLACES = "replaces"
    # what is wrong
    TERMS_BROKEN = "terms_broken"
    SIGNATURE_BROKEN = "signature_broken"
    KEY_ANOTHER = "key_another"
    LINK_BROKEN = "link_broken"
    BEACON_UNKNOWN = "beacon_unknown"
    LINE_ANOTHER = "line_another"
    CLOSED_AT_WRONG_TIME = "closed_at_wrong_time"
    LIST_COUNT = "list_count"
    LIST_ROOT = "list_root"
    ROUND_FALSE = "round_false"
    ROUND_BEFORE_ITS_TIME = "round_before_its_time"
    SEED_FALSE = "seed_false"
    ORDER_FALSE = "order_false"
    RESULT_COUNT = "result_count"
    SAVED_DIFFERS = "saved_differs"
    NOT_INCLUDED = "not_included"
    NUMBER_ANOTHER = "number_another"


_HOLDS = frozenset(
    list(DrawFindingKind)[: list(DrawFindingKind).index(DrawFindingKind.KEY_UNCHECKED)]
)
_OPEN = frozenset(
    {
        DrawFindingKind.KEY_UNCHECKED,
        DrawFindingKind.NOT_CLOSED,
        DrawFindingKind.NOT_DRAWN,
        DrawFindingKind.LIST_MISSING,
    }
)


class Judgement(StrEnum):
    """Result of a verification."""

    HOLDS = "right"
    OPEN = "open"  # nothing is wrong, and something could not be judged
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class DrawFinding:
    """A finding of a verification, and the values in the sentence that states it."""

    found: DrawFindingKind
    facts: Mapping[str, object]

    @property
    def judgement(self) -> Judgement:
        """Return the judgement that follows from this finding alone."""
        # A replaced draw is reported and does not change the judgement.
        if self.found in _HOLDS or self.found is DrawFindingKind.REPLACES:
            return Judgement.HOLDS
        return Judgement.OPEN if self.found in _OPEN else Judgement.BROKEN


class Inclusion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Proof that an entry is in the list of a draw; it is verified without the list.

    `index` is the position of the entry in the list, from 0, and `count` the number of entries in the list.  The entry and the
    hashes in `proof` are hexadecimal.
    """

    entry: str
    index: int
    count: int
    proof: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawQuestion:
    """Input of a verification in addition to the record.

    entries     the public list, or None if it is not available
    public_key  the operator's public key from another source, in hexadecimal
    chain_hash  hash of a drand chain that is accepted in addition to quicknet
    saved       a copy of the record from an earlier time
    entry       an entry whose number is wanted
    number      the number that this entry is claimed to have
    inclusion   a proof for an entry, in place of the list
    """

    entries: Sequence[bytes] | None = None
    public_key: str = ""
    chain_hash: str = ""
    saved: DrawRecord | None = None
    entry: bytes | None = None
    number: int | None = None
    inclusion: Inclusion | None = None


def judge(findings: Sequence[DrawFinding]) -> Judgement:
    """Return the worst judgement among the findings."""
    all_found = {finding.judgement for finding in findings}
    for judgement in (Judgement.BROKEN, Judgement.OPEN):
        if judgement in all_found:
            return judgement
    return Judgement.HOLDS


def examine(record: DrawRecord, question: DrawQuestion) -> Iterator[DrawFinding]:
    """Verify a record that `read` returned; yield the findings in the order of the draw's steps."""
    announcement, closing = record.announcement, record.closing
    broken = broken_terms(announcement)
    if broken:
        yield _found(DrawFindingKind.TERMS_BROKEN, terms=", ".join(broken))
    else:
        yield _found(
            DrawFindingKind.ANNOUNCED,
            line=announcement.line,
            round=announcement.round,
            at=round_time(announcement),
        )
    yield from _of_parts(record, question)
    if drand.is_usable(announcement.chain):
        yield from _of_beacon(announcement, question)
    if announcement.replaces:
        yield _found(
            DrawFindingKind.REPLACES, replaced=announcement.replaces, reason=announcement.reason
        )
    if closing is None:
        yield _found(DrawFindingKind.NOT_CLOSED, at=announcement.closes_at)
        return
    yield from _of_closing(announcement, closing)
    yield from _of_list(closing, question)
    if broken:
        return  # the announcement determines no round
    if record.result is None:
        yield _found(DrawFindingKind.NOT_DRAWN)
    else:
        yield from _of_result(record, closing, record.result)
        yield from _of_order(closing, record.result, question)


def _found(found: DrawFindingKind, /, **facts: object) -> DrawFinding:
    return DrawFinding(found, facts)


def _of_parts(record: DrawRecord, question: DrawQuestion) -> Iterator[DrawFinding]:
    """Check the signatures, the key, the chain of hashes, and the saved copy."""
    unsigned = [part.kind for part in record.parts if not is_signed(part, record.public_key)]
    for kind in unsigned:
        yield _found(DrawFindingKind.SIGNATURE_BROKEN, part=kind)
    if not unsigned:
        yield _found(DrawFindingKind.SIGNED, parts=len(record.parts))
    if not question.public_key:
        yield _found(DrawFindingKind.KEY_UNCHECKED, public_key=record.public_key)
    elif question.public_key == record.public_key:
        yield _found(DrawFindingKind.KEY_GIVEN)
    else:
        yield _found(
            DrawFindingKind.KEY_ANOTHER, found=record.public_key, expected=question.public_key
        )
    bodies = (record.closing, record.result)
    later = [body for body in bodies if body is not None]
    loose = [
        part.kind
        for before, part, body in zip(record.parts, record.parts[1:], later, strict=False)
        if body.after != hash_of(before).hex()
    ]
    for kind in loose:
        yield _found(DrawFindingKind.LINK_BROKEN, part=kind)
    if later and not loose:
        yield _found(DrawFindingKind.LINKED)
    if question.saved is not None:
        yield from _of_saved(record, question.saved)


def _of_saved(record: DrawRecord, saved: DrawRecord) -> Iterator[DrawFinding]:
    for part in saved.parts:
        now = record.part(part.kind)
        if now is None or now.body != part.body or record.public_key != saved.public_key:
            yield _found(DrawFindingKind.SAVED_DIFFERS, part=part.kind)
            return
    yield _found(DrawFindingKind.SAVED_SAME, part=saved.parts[-1].kind)


def _of_beacon(announcement: Announcement, question: DrawQuestion) -> Iterator[DrawFinding]:
    name = drand.hash_of(announcement.chain)
    accepted = {QUICKNET_HASH, question.chain_hash}
    found = DrawFindingKind.BEACON_KNOWN if name in accepted else DrawFindingKind.BEACON_UNKNOWN
    yield _found(found, beacon=announcement.chain.beacon, hash=name)


def _of_closing(announcement: Announcement, closing: DrawClosing) -> Iterator[DrawFinding]:
    if closing.line != announcement.line:
        yield _found(DrawFindingKind.LINE_ANOTHER, found=closing.line, expected=announcement.line)
    in_time = announcement.closes_at <= closing.at <= announcement.published_by
    yield _found(
        DrawFindingKind.CLOSED_IN_TIME if in_time else DrawFindingKind.CLOSED_AT_WRONG_TIME,
        at=closing.at,
        first=announcement.closes_at,
        last=announcement.published_by,
    )


def _of_list(closing: DrawClosing, question: DrawQuestion) -> Iterator[DrawFinding]:
    entries, inclusion = question.entries, question.inclusion
    if entries is not None:
        if len(entries) != closing.count:
            yield _found(DrawFindingKind.LIST_COUNT, found=len(entries), expected=closing.count)
        root = root_of(entries).hex()
        same = root == closing.root
        yield _found(
            DrawFindingKind.LIST_COMPLETE if same else DrawFindingKind.LIST_ROOT,
            found=root,
            expected=closing.root,
            count=len(entries),
        )
        if question.entry is not None and question.entry not in entries:
            yield _found(DrawFindingKind.NOT_INCLUDED, entry=question.entry.hex())
    elif inclusion is None:
        yield _found(DrawFindingKind.LIST_MISSING)
    if inclusion is not None:
        yield _found(
            DrawFindingKind.INCLUDED
            if _holds(inclusion, closing)
            else DrawFindingKind.NOT_INCLUDED,
            entry=inclusion.entry,
        )


def _holds(inclusion: Inclusion, closing: DrawClosing) -> bool:
    try:
        proof = [bytes.fromhex(one) for one in inclusion.proof]
        entry, root = bytes.fromhex(inclusion.entry), bytes.fromhex(closing.root)
    except ValueError:
        return False
    return inclusion.count == closing.count and is_included(
        entry, inclusion.index, closing.count, proof, root
    )


def _of_result(record: DrawRecord, closing: DrawClosing, result: Result) -> Iterator[DrawFinding]:
    """Check the round and the seed; `_of_order` checks the order."""
    announcement = record.announcement
    if result.count != closing.count:
        yield _found(DrawFindingKind.RESULT_COUNT, found=result.count, expected=closing.count)
    if result.at < round_time(announcement):
        yield _found(
            DrawFindingKind.ROUND_BEFORE_ITS_TIME, at=result.at, first=round_time(announcement)
        )
    try:
        seed = seed_from(record, result.round_signature).hex()
    except RoundForged as forged:
        yield _found(DrawFindingKind.ROUND_FALSE, round=forged.round)
        return
    except (Refusal, ValueError, OverflowError):
        yield _found(DrawFindingKind.SEED_FALSE, found=result.seed, expected="-")
        return
    yield _found(DrawFindingKind.ROUND_TRUE, round=announcement.round)
    same = seed == result.seed
    yield _found(
        DrawFindingKind.SEED_TRUE if same else DrawFindingKind.SEED_FALSE,
        found=result.seed,
        expected=seed,
    )


def _of_order(
    closing: DrawClosing, result: Result, question: DrawQuestion
) -> Iterator[DrawFinding]:
    """Check the drawn order, recomputed from the seed in the result; `_of_result` checks that seed.

    Yields nothing if the list of entries is not available.
    """
    if question.entries is None:
        return
    try:
        seed = bytes.fromhex(result.seed)
    except ValueError:
        return
    digest, place = drawn(question.entries, seed, question.entry)
    same = digest == result.order
    yield _found(
        DrawFindingKind.ORDER_TRUE if same else DrawFindingKind.ORDER_FALSE,
        found=result.order,
        expected=digest,
    )
    if place is None:
        return
    if question.number not in (None, place):
        yield _found(DrawFindingKind.NUMBER_ANOTHER, found=question.number, expected=place)
    else:
        yield _found(DrawFindingKind.NUMBER, number=place, count=closing.count)
