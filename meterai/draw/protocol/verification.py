"""Everything about a draw that can be recomputed from its public files, and what is wrong if it cannot.

Nothing here is believed: the parts are read as strangers wrote them.  What only somebody who was
there can know, whether the root was public before the round existed, is asked of a copy that was
saved then.
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
    Closing,
    Record,
    Result,
    hash_of,
    is_signed,
)
from meterai.draw.protocol.rules import broken_terms, round_time
from meterai.draw.protocol.steps import seed_from
from meterai.kit.refusal import Refusal


class Found(StrEnum):
    """What an examination can find; each has a sentence, `draw.<value>`."""

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


_HOLDS = frozenset(list(Found)[: list(Found).index(Found.KEY_UNCHECKED)])
_OPEN = frozenset({Found.KEY_UNCHECKED, Found.NOT_CLOSED, Found.NOT_DRAWN, Found.LIST_MISSING})


class Judgement(StrEnum):
    """What an examination came to."""

    HOLDS = "right"
    OPEN = "open"  # nothing is wrong, and something could not be judged
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found, and the facts of its sentence."""

    found: Found
    facts: Mapping[str, object]

    @property
    def judgement(self) -> Judgement:
        """What it means by itself."""
        # That a draw replaces another is said, and leaves the judgement as it is.
        if self.found in _HOLDS or self.found is Found.REPLACES:
            return Judgement.HOLDS
        return Judgement.OPEN if self.found in _OPEN else Judgement.BROKEN


class Inclusion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A proof that one entry is in a list, without the list; hashes in hexadecimal."""

    entry: str
    index: int
    count: int
    proof: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is examined beside the record.

    entries     the public list, or None where it is not at hand
    public_key  the operator's key from elsewhere, hexadecimal
    chain_hash  a drand chain that is accepted beside quicknet
    saved       a copy of the record from an earlier time
    entry       whose place is asked for
    number      which number it is said to have
    inclusion   a proof for an entry, in place of the list
    """

    entries: Sequence[bytes] | None = None
    public_key: str = ""
    chain_hash: str = ""
    saved: Record | None = None
    entry: bytes | None = None
    number: int | None = None
    inclusion: Inclusion | None = None


def judge(findings: Sequence[Finding]) -> Judgement:
    """What all findings come to."""
    all_found = {finding.judgement for finding in findings}
    for judgement in (Judgement.BROKEN, Judgement.OPEN):
        if judgement in all_found:
            return judgement
    return Judgement.HOLDS


def examine(record: Record, question: Question) -> Iterator[Finding]:
    """What is found, in the order in which it happened.  The record is one that `read` gave."""
    announcement, closing = record.announcement, record.closing
    broken = broken_terms(announcement)
    if broken:
        yield _found(Found.TERMS_BROKEN, terms=", ".join(broken))
    else:
        yield _found(
            Found.ANNOUNCED,
            line=announcement.line,
            round=announcement.round,
            at=round_time(announcement),
        )
    yield from _of_parts(record, question)
    if drand.is_usable(announcement.chain):
        yield from _of_beacon(announcement, question)
    if announcement.replaces:
        yield _found(Found.REPLACES, replaced=announcement.replaces, reason=announcement.reason)
    if closing is None:
        yield _found(Found.NOT_CLOSED, at=announcement.closes_at)
        return
    yield from _of_closing(announcement, closing)
    yield from _of_list(closing, question)
    if broken:
        return  # no round follows from what was announced
    if record.result is None:
        yield _found(Found.NOT_DRAWN)
    else:
        yield from _of_result(record, closing, record.result)
        yield from _of_order(closing, record.result, question)


def _found(found: Found, /, **facts: object) -> Finding:
    return Finding(found, facts)


def _of_parts(record: Record, question: Question) -> Iterator[Finding]:
    """Signatures, the key, the chain of hashes, and the copy that was saved."""
    unsigned = [part.kind for part in record.parts if not is_signed(part, record.public_key)]
    for kind in unsigned:
        yield _found(Found.SIGNATURE_BROKEN, part=kind)
    if not unsigned:
        yield _found(Found.SIGNED, parts=len(record.parts))
    if not question.public_key:
        yield _found(Found.KEY_UNCHECKED, public_key=record.public_key)
    elif question.public_key == record.public_key:
        yield _found(Found.KEY_GIVEN)
    else:
        yield _found(Found.KEY_ANOTHER, found=record.public_key, expected=question.public_key)
    bodies = (record.closing, record.result)
    later = [body for body in bodies if body is not None]
    loose = [
        part.kind
        for before, part, body in zip(record.parts, record.parts[1:], later, strict=False)
        if body.after != hash_of(before).hex()
    ]
    for kind in loose:
        yield _found(Found.LINK_BROKEN, part=kind)
    if later and not loose:
        yield _found(Found.LINKED)
    if question.saved is not None:
        yield from _of_saved(record, question.saved)


def _of_saved(record: Record, saved: Record) -> Iterator[Finding]:
    for part in saved.parts:
        now = record.part(part.kind)
        if now is None or now.body != part.body or record.public_key != saved.public_key:
            yield _found(Found.SAVED_DIFFERS, part=part.kind)
            return
    yield _found(Found.SAVED_SAME, part=saved.parts[-1].kind)


def _of_beacon(announcement: Announcement, question: Question) -> Iterator[Finding]:
    name = drand.hash_of(announcement.chain)
    accepted = {QUICKNET_HASH, question.chain_hash}
    found = Found.BEACON_KNOWN if name in accepted else Found.BEACON_UNKNOWN
    yield _found(found, beacon=announcement.chain.beacon, hash=name)


def _of_closing(announcement: Announcement, closing: Closing) -> Iterator[Finding]:
    if closing.line != announcement.line:
        yield _found(Found.LINE_ANOTHER, found=closing.line, expected=announcement.line)
    in_time = announcement.closes_at <= closing.at <= announcement.published_by
    yield _found(
        Found.CLOSED_IN_TIME if in_time else Found.CLOSED_AT_WRONG_TIME,
        at=closing.at,
        first=announcement.closes_at,
        last=announcement.published_by,
    )


def _of_list(closing: Closing, question: Question) -> Iterator[Finding]:
    entries, inclusion = question.entries, question.inclusion
    if entries is not None:
        if len(entries) != closing.count:
            yield _found(Found.LIST_COUNT, found=len(entries), expected=closing.count)
        root = root_of(entries).hex()
        same = root == closing.root
        yield _found(
            Found.LIST_COMPLETE if same else Found.LIST_ROOT,
            found=root,
            expected=closing.root,
            count=len(entries),
        )
        if question.entry is not None and question.entry not in entries:
            yield _found(Found.NOT_INCLUDED, entry=question.entry.hex())
    elif inclusion is None:
        yield _found(Found.LIST_MISSING)
    if inclusion is not None:
        yield _found(
            Found.INCLUDED if _holds(inclusion, closing) else Found.NOT_INCLUDED,
            entry=inclusion.entry,
        )


def _holds(inclusion: Inclusion, closing: Closing) -> bool:
    try:
        proof = [bytes.fromhex(one) for one in inclusion.proof]
        entry, root = bytes.fromhex(inclusion.entry), bytes.fromhex(closing.root)
    except ValueError:
        return False
    return inclusion.count == closing.count and is_included(
        entry, inclusion.index, closing.count, proof, root
    )


def _of_result(record: Record, closing: Closing, result: Result) -> Iterator[Finding]:
    """The round and the seed; the order is `_of_order`."""
    announcement = record.announcement
    if result.count != closing.count:
        yield _found(Found.RESULT_COUNT, found=result.count, expected=closing.count)
    if result.at < round_time(announcement):
        yield _found(Found.ROUND_BEFORE_ITS_TIME, at=result.at, first=round_time(announcement))
    try:
        seed = seed_from(record, result.round_signature).hex()
    except RoundForged as forged:
        yield _found(Found.ROUND_FALSE, round=forged.round)
        return
    except (Refusal, ValueError, OverflowError):
        yield _found(Found.SEED_FALSE, found=result.seed, expected="-")
        return
    yield _found(Found.ROUND_TRUE, round=announcement.round)
    same = seed == result.seed
    yield _found(Found.SEED_TRUE if same else Found.SEED_FALSE, found=result.seed, expected=seed)


def _of_order(closing: Closing, result: Result, question: Question) -> Iterator[Finding]:
    """The order that follows from the seed of the result, which `_of_result` has recomputed."""
    if question.entries is None:
        return
    try:
        seed = bytes.fromhex(result.seed)
    except ValueError:
        return
    digest, place = drawn(question.entries, seed, question.entry)
    same = digest == result.order
    yield _found(
        Found.ORDER_TRUE if same else Found.ORDER_FALSE, found=result.order, expected=digest
    )
    if place is None:
        return
    if question.number not in (None, place):
        yield _found(Found.NUMBER_ANOTHER, found=question.number, expected=place)
    else:
        yield _found(Found.NUMBER, number=place, count=closing.count)
