"""Actions of the operator on random draws: enter the signature of a round by hand, announce a failed draw again.

Each action is recorded in the audit trail.
"""

from datetime import datetime

from meterai import trail
from meterai.accounts import NOBODY
from meterai.draw import store
from meterai.draw.protocol import chain as drand
from meterai.draw.protocol import steps
from meterai.draw.protocol.record import DrawRecord, RecordSigner, hash_of, read, write
from meterai.draw.protocol.rules import announced_anew
from meterai.draw.store import DueDraw
from meterai.kit.actor import Actor
from meterai.kit.ids import show
from meterai.kit.refusal import CommandRefusal
from meterai.plumbing.db.database import Tx

KIND = "lin"  # kind of the id in the audit trail: the line that the draw is for


class DrawUnknown(CommandRefusal):
    """The draw has not been announced."""

    code = "draw_unknown"
    status = 404


class DrawSound(CommandRefusal):
    """The draw can still be carried out, or was carried out, so it must not be announced again."""

    code = "draw_sound"


async def carry_in_round(tx: Tx, draw: DueDraw, signature: str, *, actor: Actor) -> int:
    """Store the signature of the deciding round, entered by the operator; return the number of the round.

    Used if no relay can be reached.  Refuses `RoundForged`.
    """
    announcement = _read(draw).announcement
    drand.randomness_of(announcement.chain, announcement.round, signature)
    await store.set_round(tx, draw.id, draw.attempt, signature)
    await _record(tx, actor, "draw_round_given", draw, round=announcement.round)
    return announcement.round


async def replace_void(
    tx: Tx, draw: DueDraw, reason: str, at: datetime, *, signer: RecordSigner, actor: Actor
) -> int:
    """Announce again, over the same entries, a draw that cannot be carried out; return the number of the attempt.

    Refuses `AnnouncementUnfair`, and `DrawSound` if the draw can still be carried out.
    """
    if not draw.is_drawing or not steps.is_void(_read(draw), int(at.timestamp())):
        raise DrawSound(f"the draw of {draw.name} can still be carried out")
    return await announce_anew(tx, draw, reason, at, signer=signer, actor=actor)


async def announce_anew(
    tx: Tx, draw: DueDraw, reason: str, at: datetime, *, signer: RecordSigner, actor: Actor
) -> int:
    """Begin the next attempt of a draw, with an announcement that gives the reason; return the number of the attempt."""
    before, attempt = _read(draw), draw.attempt + 1
    seconds = int(at.timestamp())
    replaced = hash_of(before.parts[0]).hex()
    announcement = announced_anew(before.announcement, replaced, reason, seconds)
    text = write(steps.announce(announcement, seconds, signer)).decode()
    await store.announce(tx, draw.id, attempt, text, at)
    await _record(tx, actor, "draw_announced_anew", draw, reason=reason)
    return attempt


def _read(draw: DueDraw) -> DrawRecord:
    if draw.record is None:
        raise DrawUnknown(f"the draw of {draw.name} is not announced yet")
    return read(draw.record.encode())


async def _record(tx: Tx, actor: Actor, action: str, draw: DueDraw, /, **facts: object) -> None:
    subject = show(KIND, draw.id)
    await trail.record(
        tx, NOBODY, actor=actor, action=action, subject=subject, attempt=draw.attempt, **facts
    )
