"""Holding the waiting line of a guarded act during a recovery, and admitting visitors afterwards.

A held line keeps its places and gives new numbers, but calls nobody.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from math import ceil

import msgspec

from meterai.kit.actor import Actor
from meterai.plumbing.db.database import ReadTx, Tx
from meterai.plumbing.work.jobs import oldest_overdue
from meterai.waiting_room import operating, store
from meterai.waiting_room.model import GuardedAct, LineState, Policy, WaitingLine
from meterai.waiting_room.operating import LinePlan
from meterai.waiting_room.rate import RATE_FIRST, Load

MADE = "recovery"  # prefix of the name of a line that was created for the hold, since no line guarded the act


class LineBefore(msgspec.Struct, frozen=True):
    """State of a waiting line before it was held; `is_made`: the line was created for the hold."""

    name: str
    is_made: bool
    is_automatic: bool
    is_engaged: bool
    is_paused: bool
    policy: str
    rate: float
    rate_max: float
    reason_id: str
    reason_en: str


@dataclass(frozen=True, slots=True)
class LineHold:
    """Current state of a waiting line.

    `is_closed` is True if nobody is let in.  `waiting` is the number of places not called yet, `rate` the admissions per
    second.
    """

    name: str
    is_closed: bool
    waiting: int
    rate: float

    @property
    def wait_seconds(self) -> int:
        """Waiting time of the last place at the current rate, in seconds."""
        return ceil(self.waiting / self.rate)


async def guarding(tx: ReadTx, act: GuardedAct) -> LineHold | None:
    """Return the state of the waiting line that guards an act; None if no line guards it."""
    line = await _guarding(tx, act)
    if line is None:
        return None
    return LineHold(line.name, line.is_engaged and line.is_paused, line.waiting, line.rate)


async def _guarding(tx: ReadTx, act: GuardedAct) -> WaitingLine | None:
    found = [one for one in await store.lines(tx) if one.act == act]
    return next((one for one in found if one.state != LineState.ENDED), None)


async def load_now(tx: ReadTx) -> Load:
    """Return the load that all processes reported in the last seconds, without its counts of visitors and arrivals (left at
    0).
    """
    reported, job_age = await store.loads(tx), await oldest_overdue(tx)
    return Load(refused=reported.refused, job_age=job_age, pressure=reported.pressure)


async def before(tx: ReadTx, act: GuardedAct) -> LineBefore | None:
    """Return the state of the waiting line that guards an act, to restore it later; None if no line guards the act."""
    line = await _guarding(tx, act)
    return None if line is None else _kept(line, is_made=False)


def _kept(line: WaitingLine, *, is_made: bool) -> LineBefore:
    names = [name for name in LineBefore.__struct_fields__ if name != "is_made"]
    return LineBefore(is_made=is_made, **{name: getattr(line, name) for name in names})


def _made(act: GuardedAct) -> str:
    return f"{MADE}-{act}"


async def hold(
    tx: Tx, act: GuardedAct, reason: Mapping[str, str], *, at: datetime, actor: Actor
) -> LineBefore:
    """Hold the waiting line of an act: it is engaged whatever the load is, and paused with the reason in both languages.

    Creates a line if no line guards the act.  Returns the state of the line before the hold.
    """
    line = await _guarding(tx, act)
    is_made = line is None
    if line is None:
        name = _made(act)
        await operating.create(tx, LinePlan(name, act), at=at, actor=actor)
        line = await operating.named(tx, name)
    if not line.is_engaged or line.is_automatic:
        await operating.stand(tx, line.name, "always", actor=actor)
    shown = (line.reason_id, line.reason_en)
    if not line.is_paused or shown != (reason["id"], reason["en"]):
        texts = {"reason_id": reason["id"], "reason_en": reason["en"]}
        await operating.pause(tx, line.name, **texts, actor=actor)
    return _kept(line, is_made=is_made)


async def let_in(tx: Tx, act: GuardedAct, *, actor: Actor) -> None:
    """Let waiting visitors in, in order, at the measured rate.  Without effect if no line guards the act."""
    line = await _guarding(tx, act)
    if line is None:
        return
    rate = min(RATE_FIRST, line.rate_max)
    if line.is_paused:
        await operating.set_rate(tx, line.name, rate=rate, rate_max=None, actor=actor)
    await operating.set_rate(tx, line.name, rate=None, rate_max=None, actor=actor)
    if line.is_paused:
        await operating.resume(tx, line.name, actor=actor)


async def put_back(
    tx: Tx,
    act: GuardedAct,
    kept: LineBefore,
    reason: Mapping[str, str],
    *,
    actor: Actor,
) -> None:
    """Restore the waiting line of an act to the state `kept` from before the hold.

    A line that was created for the hold ends if nobody waits in it; else it becomes automatic.  If an operator has put another
    line in place of the held one, that line is not changed, except that it is resumed if it is paused for `reason`.
    """
    line = await _guarding(tx, act)
    if line is None:
        return
    if kept.is_made or line.name != kept.name:
        if line.name == _made(act):
            await _let_go(tx, line, actor)
        elif line.reason_en == reason["en"]:
            await operating.resume(tx, line.name, actor=actor)
        return
    rate = kept.rate if kept.policy == Policy.FIXED else None
    await operating.set_rate(tx, line.name, rate=rate, rate_max=kept.rate_max, actor=actor)
    how = "automatic" if kept.is_automatic else "always" if kept.is_engaged else "never"
    # A worker disengages an automatic line once nobody waits in it.
    await operating.stand(tx, line.name, how, actor=actor)
    if kept.is_paused:
        texts = {"reason_id": kept.reason_id, "reason_en": kept.reason_en}
        await operating.pause(tx, line.name, **texts, actor=actor)
    elif line.is_paused:
        await operating.resume(tx, line.name, actor=actor)


async def _let_go(tx: Tx, line: WaitingLine, actor: Actor) -> None:
    if line.waiting == 0:
        await operating.end(tx, line.name, reason="", actor=actor)
        return
    await operating.stand(tx, line.name, "automatic", actor=actor)
    if line.is_paused:
        await operating.resume(tx, line.name, actor=actor)
