"""What an operator does about draws: carry in a round, announce anew what could not be carried out.

Each act is in the audit trail.
"""

from datetime import datetime

from meterai import trail
from meterai.accounts import NOBODY
from meterai.draw import store
from meterai.draw.protocol import chain as drand
from meterai.draw.protocol import steps
from meterai.draw.protocol.record import Record, Signer, hash_of, read, write
from meterai.draw.protocol.rules import announced_anew
from meterai.draw.store import DueDraw
from meterai.kit.actor import Actor
from meterai.kit.clock import Clock
from meterai.kit.ids import show
from meterai.kit.refusal import CommandRefusal
from meterai.plumbing.db.database import Database, ReadTx, Tx
from meterai.waiting_room.model import LineState, LineUnknown

KIND = "lin"  # as lines are called in the audit trail


class DrawUnknown(CommandRefusal):
    """The line has no draw, or none that is announced."""

    code = "draw_unknown"
    status = 404


class DrawSound(CommandRefusal):
    """The draw can be carried out, or was: it is not announced anew."""

    code = "draw_sound"


async def announce_anew(
    tx: Tx, draw: DueDraw, reason: str, at: datetime, *, signer: Signer, actor: Actor
) -> int:
    """Begin the next attempt of a draw; its number."""
    before, attempt = _read(draw), draw.attempt + 1
    seconds = int(at.timestamp())
    replaced = hash_of(before.parts[0]).hex()
    announcement = announced_anew(before.announcement, replaced, reason, seconds)
    text = write(steps.announce(announcement, seconds, signer)).decode()
    await store.announce(tx, draw.line, attempt, text, at)
    await _record(tx, actor, "draw_announced_anew", draw, reason=reason)
    return attempt


class DrawOperating:
    """Commands over draws."""

    def __init__(self, database: Database, signer: Signer, clock: Clock) -> None:
        self._database = database
        self._signer = signer
        self._clock = clock

    async def draw_of(self, name: str) -> DueDraw:
        """The draw of a line.  Refuses `LineUnknown`, `DrawUnknown`."""
        async with self._database.reading() as tx:
            return await _draw_of(tx, name)

    async def carry_in_round(self, name: str, signature: str, *, actor: Actor) -> int:
        """Use a round whose signature was brought by hand; its number.  Refuses `RoundForged`."""

        async def act(tx: Tx) -> int:
            draw = await _draw_of(tx, name)
            announcement = _read(draw).announcement
            drand.randomness_of(announcement.chain, announcement.round, signature)
            await store.set_round(tx, draw.line, draw.attempt, signature)
            await _record(tx, actor, "draw_round_given", draw, round=announcement.round)
            return announcement.round

        return await self._database.run(act)

    async def announce_anew(self, name: str, *, reason: str, actor: Actor) -> int:
        """A new announcement over the same entries, in place of one that could not be carried out.

        Refuses `DrawSound`, `AnnouncementUnfair`.
        """

        async def act(tx: Tx) -> int:
            draw = await _draw_of(tx, name)
            at = self._clock.now()
            if draw.state != LineState.DRAWING or not steps.is_void(
                _read(draw), int(at.timestamp())
            ):
                raise DrawSound(f"the draw of {name} can be carried out")
            return await announce_anew(tx, draw, reason, at, signer=self._signer, actor=actor)

        return await self._database.run(act)


async def _draw_of(tx: ReadTx, name: str) -> DueDraw:
    draw = await store.draw_of(tx, name)
    if draw is None:
        raise LineUnknown(f"no line {name} with a draw")
    return draw


def _read(draw: DueDraw) -> Record:
    if draw.record is None:
        raise DrawUnknown(f"the draw of {draw.name} is not announced yet")
    return read(draw.record.encode())


async def _record(tx: Tx, actor: Actor, action: str, draw: DueDraw, /, **facts: object) -> None:
    subject = show(KIND, draw.line)
    await trail.record(
        tx, NOBODY, actor=actor, action=action, subject=subject, attempt=draw.attempt, **facts
    )
