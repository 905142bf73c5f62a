"""The steps of a draw, in their order: announce, close, reveal, finish.

Each takes the record so far and gives it with one more signed part; each refuses to be done at a
time at which it would let somebody choose.
"""

from collections.abc import Sequence

from meterai.kit.refusal import CommandRefusal
from meterai.waiting_room.draw import chain as drand
from meterai.waiting_room.draw import parties
from meterai.waiting_room.draw.order import seed_of
from meterai.waiting_room.draw.parties import Reveal
from meterai.waiting_room.draw.record import (
    Announcement,
    Closing,
    Kind,
    Record,
    RecordMalformed,
    Result,
    Reveals,
    Signer,
    begun,
    extended,
    hash_of,
)
from meterai.waiting_room.draw.rules import broken_terms, round_time, uses_round


class AnnouncementUnfair(CommandRefusal):
    """An announcement that the rules do not allow; `terms` names what breaks them."""

    code = "draw_announcement_unfair"
    status = 422

    def __init__(self, terms: Sequence[str]) -> None:
        super().__init__(f"an announcement breaks the rules: {', '.join(terms)}")
        self.terms = ", ".join(terms)


class StepTooEarly(CommandRefusal):
    """The step may be done from a time on."""

    code = "draw_too_early"
    passes = True

    def __init__(self, at: int, due: int) -> None:
        super().__init__(f"at {at}, not before {due}")
        self.due = due


class StepTooLate(CommandRefusal):
    """The step was not done while nobody could know what decides: this draw cannot be carried out.

    It has to be announced anew, in public, with a reason.
    """

    code = "draw_too_late"

    def __init__(self, at: int, due: int) -> None:
        super().__init__(f"at {at}, due until {due}")
        self.due = due


class RevealForged(CommandRefusal):
    """A reveal is not the secret its party committed to, or is for another closing."""

    code = "draw_reveal_forged"
    status = 422

    def __init__(self, name: str) -> None:
        super().__init__(f"the reveal of {name} does not hold")
        self.name = name


class RoundNeeded(CommandRefusal):
    """The round is part of the seed, and its signature was not given."""

    code = "draw_round_needed"
    passes = True

    def __init__(self, number: int) -> None:
        super().__init__(f"round {number} is needed")
        self.round = number


def announce(announcement: Announcement, at: int, signer: Signer) -> Record:
    """Before anybody enters.  Refuses `AnnouncementUnfair`, `StepTooLate`."""
    if broken := broken_terms(announcement):
        raise AnnouncementUnfair(broken)
    if at >= announcement.closes_at:
        raise StepTooLate(at, announcement.closes_at)
    return begun(announcement, signer)


def close(record: Record, root: bytes, count: int, at: int, signer: Signer) -> Record:
    """The root over the sorted entries, and how many.  Refuses `StepTooEarly`, `StepTooLate`."""
    announcement = record.announcement
    _follows(record, Kind.ANNOUNCEMENT)
    if at < announcement.closes_at:
        raise StepTooEarly(at, announcement.closes_at)
    if at > announcement.published_by:
        raise StepTooLate(at, announcement.published_by)
    closing = Closing(
        after=_last_hash(record),
        line=announcement.line,
        root=root.hex(),
        count=count,
        at=at,
    )
    return extended(record, closing, signer)


def reveal(record: Record, given: Sequence[Reveal], at: int, signer: Signer) -> Record:
    """The secrets of the parties, once all are there or their time is over.

    Refuses `RevealForged`, `StepTooEarly`, and `StepTooLate`: who is missing must be said before
    the round exists.  Where nobody is, there is nothing to choose and no hurry.
    """
    announcement = record.announcement
    _follows(record, Kind.CLOSING)
    closing = bytes.fromhex(_last_hash(record))
    by_name = {one.name: one for one in given}
    revealed, missing = [], []
    for party in announcement.parties:
        found = by_name.pop(party.name, None)
        if found is None:
            missing.append(party.name)
        elif parties.is_true(found, party, announcement.line, closing):
            revealed.append(found)
        else:
            raise RevealForged(party.name)
    if by_name:
        raise RevealForged(min(by_name))
    if missing and at < announcement.reveals_until:
        raise StepTooEarly(at, announcement.reveals_until)
    if missing and at >= round_time(announcement):
        raise StepTooLate(at, round_time(announcement))
    body = Reveals(after=closing.hex(), revealed=tuple(revealed), missing=tuple(missing), at=at)
    return extended(record, body, signer)


def needs_round(record: Record) -> bool:
    """Whether a closed draw, with its reveals if it has parties, waits for the round."""
    reveals = record.reveals
    return uses_round(record.announcement, len(reveals.missing) if reveals else 0)


def seed_from(record: Record, round_signature: str) -> bytes:
    """The seed of a closed draw; the signature is empty where the round is not used.

    Refuses `RoundNeeded`, `RoundForged`.
    """
    announcement, closing, reveals = record.announcement, record.closing, record.reveals
    first = record.part(Kind.ANNOUNCEMENT)
    if closing is None or first is None or bool(announcement.parties) != (reveals is not None):
        raise RecordMalformed("a part is missing before the result")
    randomness = None
    if needs_round(record):
        if not round_signature:
            raise RoundNeeded(announcement.round)
        randomness = drand.randomness_of(announcement.chain, announcement.round, round_signature)
    told = {one.name: bytes.fromhex(one.secret) for one in (reveals.revealed if reveals else ())}
    secrets = [told.get(party.name) for party in announcement.parties]
    return seed_of(hash_of(first), bytes.fromhex(closing.root), closing.count, secrets, randomness)


def finish(record: Record, order: str, round_signature: str, at: int, signer: Signer) -> Record:
    """The result; `order` is the hash of the entries as drawn by `seed_from`.

    Refuses `RoundNeeded`, `RoundForged`; the round is asked for only where it is used.
    """
    seed = seed_from(record, round_signature)
    closing = record.closing
    assert closing is not None, "a seed without a closing"
    body = Result(
        after=_last_hash(record),
        round_signature=round_signature if needs_round(record) else "",
        seed=seed.hex(),
        order=order,
        count=closing.count,
        at=at,
    )
    return extended(record, body, signer)


def _last_hash(record: Record) -> str:
    return hash_of(record.parts[-1]).hex()


def _follows(record: Record, kind: Kind) -> None:
    if not record.parts or record.parts[-1].kind is not kind:
        raise RecordMalformed(f"the last part is not the {kind}")


def why_void(record: Record, at: int) -> str:
    """Why a draw cannot be carried out any more; empty where it can, or was.

    Only then may it be announced anew: else whoever does not like an order would do so.
    """
    announcement = record.announcement
    if record.closing is None:
        return "closed_too_late" if at > announcement.published_by else ""
    is_over = bool(announcement.parties) and at >= round_time(announcement)
    return "missing_too_late" if is_over and record.reveals is None else ""
