"""Steps of a draw, in order: announce, close, finish.

Each step returns the record with one more signed part.  A step is refused if it is so late or so early that somebody could
choose the result.
"""

from collections.abc import Sequence

from meterai.draw.protocol import chain as drand
from meterai.draw.protocol.order import seed_of
from meterai.draw.protocol.record import (
    Announcement,
    DrawClosing,
    DrawRecord,
    RecordMalformed,
    RecordPartKind,
    RecordSigner,
    Result,
    begun,
    extended,
    hash_of,
)
from meterai.draw.protocol.rules import broken_terms
from meterai.kit.refusal import CommandRefusal


class AnnouncementUnfair(CommandRefusal):
    """The announcement breaks rules; `terms` names the broken rules."""

    code = "draw_announcement_unfair"
    status = 422

    def __init__(self, terms: Sequence[str]) -> None:
        super().__init__(f"the announcement violates the rules: {', '.join(terms)}")
        self.terms = ", ".join(terms)


class StepTooEarly(CommandRefusal):
    """The step may not be done before a later time; `due` is that time, in seconds since 1970."""

    code = "draw_too_early"
    passes = True

    def __init__(self, at: int, due: int) -> None:
        super().__init__(f"at {at}, not before {due}")
        self.due = due


class StepTooLate(CommandRefusal):
    """The step was not done before its latest time; from then on the value of the round could be known.

    The draw cannot be carried out, and has to be announced again, in public, with a reason.  `due` is the latest time, in
    seconds since 1970.
    """

    code = "draw_too_late"

    def __init__(self, at: int, due: int) -> None:
        super().__init__(f"at {at}, due until {due}")
        self.due = due


def announce(announcement: Announcement, at: int, signer: RecordSigner) -> DrawRecord:
    """Return a new record with the announcement, made before the first entry.

    `at` is the current time, in seconds since 1970.  Refuses `AnnouncementUnfair`, `StepTooLate`.
    """
    if broken := broken_terms(announcement):
        raise AnnouncementUnfair(broken)
    if at >= announcement.closes_at:
        raise StepTooLate(at, announcement.closes_at)
    return begun(announcement, signer)


def close(record: DrawRecord, root: bytes, count: int, at: int, signer: RecordSigner) -> DrawRecord:
    """Return the record with its closing: the root over the sorted entries, and their count.

    `at` is the current time, in seconds since 1970.  Refuses `StepTooEarly`, `StepTooLate`.
    """
    announcement = record.announcement
    _follows(record, RecordPartKind.ANNOUNCEMENT)
    if at < announcement.closes_at:
        raise StepTooEarly(at, announcement.closes_at)
    if at > announcement.published_by:
        raise StepTooLate(at, announcement.published_by)
    closing = DrawClosing(
        after=_last_hash(record),
        line=announcement.line,
        root=root.hex(),
        count=count,
        at=at,
    )
    return extended(record, closing, signer)


def seed_from(record: DrawRecord, round_signature: str) -> bytes:
    """Return the seed of a closed draw.  Refuses `RoundForged`, `RecordMalformed`."""
    announcement, closing = record.announcement, record.closing
    first = record.part(RecordPartKind.ANNOUNCEMENT)
    if closing is None or first is None:
        raise RecordMalformed("a part is missing before the result")
    randomness = drand.randomness_of(announcement.chain, announcement.round, round_signature)
    return seed_of(hash_of(first), bytes.fromhex(closing.root), closing.count, randomness)


def finish(
    record: DrawRecord, order: str, round_signature: str, at: int, signer: RecordSigner
) -> DrawRecord:
    """Return the record with its result; `order` is the hash of the order that follows from `seed_from`.

    `at` is the current time, in seconds since 1970.  Refuses `RoundForged`.
    """
    seed = seed_from(record, round_signature)
    closing = record.closing
    assert closing is not None, "a seed without a closing"
    body = Result(
        after=_last_hash(record),
        round_signature=round_signature,
        seed=seed.hex(),
        order=order,
        count=closing.count,
        at=at,
    )
    return extended(record, body, signer)


def _last_hash(record: DrawRecord) -> str:
    return hash_of(record.parts[-1]).hex()


def _follows(record: DrawRecord, kind: RecordPartKind) -> None:
    if not record.parts or record.parts[-1].kind is not kind:
        raise RecordMalformed(f"the last part is not of the kind {kind}")


def is_void(record: DrawRecord, at: int) -> bool:
    """True if a draw can no longer be carried out, because its list was not closed in time.

    Only such a draw may be announced again; otherwise the operator could replace an unwelcome order.
    """
    return record.closing is None and at > record.announcement.published_by
