"""Actions of the operator on waiting lines; each is recorded in the audit trail."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from meterai import trail
from meterai.accounts import NOBODY
from meterai.kit.actor import Actor
from meterai.kit.ids import new_id, show
from meterai.kit.refusal import Malformed
from meterai.plumbing.db.database import ReadTx, Tx
from meterai.waiting_room import store
from meterai.waiting_room.estimate import SPREAD_FIRST
from meterai.waiting_room.model import (
    LINE,
    GuardedAct,
    LineEvent,
    LineState,
    LineUnknown,
    Policy,
    WaitingLine,
    admission_rate,
    check_times,
    line_name,
    reason_text,
)
from meterai.waiting_room.places import BLOCK_SECONDS
from meterai.waiting_room.rate import RATE_FIRST
from meterai.waiting_room.service import OLD_SECONDS

KIND = "lin"
# After this time every process knows the closing time, and gives no place after it.
CLOSES_SECONDS_MIN = OLD_SECONDS + BLOCK_SECONDS


@dataclass(frozen=True, slots=True)
class LinePlan:
    """Plan of a waiting line; times in UTC, admission rates in people a second.

    `rate` is None if the rate is measured: as many as can be served.
    """

    name: str
    act: GuardedAct
    gathers_at: datetime | None = None
    opens_at: datetime | None = None
    closes_at: datetime | None = None
    rate: float | None = None
    rate_max: float = 200.0


async def lines(tx: ReadTx) -> list[WaitingLine]:
    """Return all waiting lines, also ended ones, the oldest first."""
    return await store.lines(tx)


async def create(tx: Tx, plan: LinePlan, *, at: datetime, actor: Actor) -> UUID:
    """Create a waiting line, and return its id.  Refuses `Malformed`, `LineExists`."""
    rate, rate_max = planned(plan, at)
    line = new_id()
    policy = Policy.MEASURED if plan.rate is None else Policy.FIXED
    values = (
        line,
        plan.name,
        plan.act,
        policy,
        rate,
        rate_max,
        SPREAD_FIRST,
        plan.gathers_at,
        plan.opens_at,
        plan.closes_at,
        at,
        at,
        at,
    )
    await store.create(tx, values)
    await _record(tx, actor, "line_created", line, name=plan.name, act=plan.act)
    return line


def planned(plan: LinePlan, at: datetime) -> tuple[float, float]:
    """Check a plan, and return the first rate of the waiting line and its highest rate.  Refuses `Malformed`."""
    line_name(plan.name)
    check_times(plan.gathers_at, plan.opens_at, plan.closes_at)
    rate_max = admission_rate(plan.rate_max)
    rate = admission_rate(plan.rate if plan.rate is not None else min(RATE_FIRST, rate_max))
    if plan.closes_at is not None and plan.closes_at <= at:
        raise Malformed("closes_at", "line_times")
    return rate, max(rate, rate_max)


async def set_rate(
    tx: Tx, name: str, *, rate: float | None, rate_max: float | None, actor: Actor
) -> None:
    """Set the admission rate of a waiting line, in people a second.

    If `rate` is None the rate is measured (as many as can be served), up to `rate_max`.  Refuses `Malformed`, `LineUnknown`.
    """
    line = await named(tx, name)
    now, most = rates_of(line, rate, rate_max)
    policy = Policy.MEASURED if rate is None else Policy.FIXED
    await store.set_rate(tx, line.id, policy, now, most)
    await _record(tx, actor, "line_rate_set", line.id, policy=policy, rate=now)


def rates_of(line: WaitingLine, rate: float | None, rate_max: float | None) -> tuple[float, float]:
    """Return the new admission rate and the new highest rate of a waiting line; None keeps the current value.

    Refuses `Malformed`.
    """
    most = admission_rate(rate_max if rate_max is not None else line.rate_max)
    now = admission_rate(rate if rate is not None else min(line.rate, most))
    return now, max(now, most)


async def pause(tx: Tx, name: str, *, reason_id: str, reason_en: str, actor: Actor) -> None:
    """Stop calling numbers of a waiting line, with a reason in both languages.  Refuses `Malformed`, `LineUnknown`."""
    await _set_paused(tx, name, pause_reason(reason_id, reason_en), is_paused=True, actor=actor)


def pause_reason(reason_id: str, reason_en: str) -> tuple[str, str]:
    """Check and return the reason for a pause, in both languages.  Refuses `Malformed`."""
    for text, field in ((reason_id, "reason_id"), (reason_en, "reason_en")):
        if not text.strip():
            raise Malformed(field, "given")
    return reason_text(reason_id, "reason_id"), reason_text(reason_en, "reason_en")


async def resume(tx: Tx, name: str, *, actor: Actor) -> None:
    """Resume calling numbers of a waiting line.  Refuses `LineUnknown`."""
    await _set_paused(tx, name, ("", ""), is_paused=False, actor=actor)


async def _set_paused(
    tx: Tx, name: str, texts: tuple[str, str], *, is_paused: bool, actor: Actor
) -> None:
    line = await named(tx, name)
    await store.set_paused(tx, line.id, is_paused, *texts)
    action = "line_paused" if is_paused else "line_resumed"
    await _record(tx, actor, action, line.id, reason=texts[0])


async def close_at(
    tx: Tx, name: str, closes_at: datetime | None, *, actor: Actor
) -> datetime | None:
    """Set the time until which a waiting line takes new places, and return the time that was set.

    The set time may be some seconds later than `closes_at`: until every process knows it, places are still given, and these
    must stay valid.  Refuses `Malformed`, `LineUnknown`, `NotAllowedNow`.
    """
    line = await named(tx, name)
    check_closes(line, closes_at)
    until = await store.set_closing(tx, line.id, closes_at, CLOSES_SECONDS_MIN)
    shown = until.isoformat() if until else None
    await _record(tx, actor, "line_closing_set", line.id, closes_at=shown)
    return until


def check_closes(line: WaitingLine, closes_at: datetime | None) -> None:
    """Check a new closing time of a waiting line.

    Refuses `Malformed`, and `NotAllowedNow` for a line that has already closed.
    """
    check_times(line.gathers_at, line.opens_at, closes_at)
    if line.state == LineState.CLOSING:
        LINE.after(line.state, LineEvent.CLOSES)


async def stand(tx: Tx, name: str, how: str, *, actor: Actor) -> None:
    """Set when a waiting line is engaged: `always`, `never`, or by load (`automatic`).  Refuses `LineUnknown`."""
    line = await named(tx, name)
    engaged = {"always": True, "never": False}.get(how, line.is_engaged)
    await store.set_engaged(tx, line, automatic=how == "automatic", engaged=engaged)
    await _record(tx, actor, "line_stands", line.id, how=how)


async def end(tx: Tx, name: str, *, reason: str, actor: Actor) -> None:
    """End a waiting line, so that visitors may do the guarded act without a turn.  Refuses `LineUnknown`, `Malformed`."""
    text = reason_text(reason, "reason")
    line = await named(tx, name)
    LINE.after(line.state, LineEvent.ENDS)
    await store.end(tx, line.id)
    await _record(tx, actor, "line_ended", line.id, reason=text)


async def named(tx: ReadTx, name: str) -> WaitingLine:
    """Return the waiting line of this name, unless it has ended.  Refuses `LineUnknown`."""
    line = await store.line_named(tx, name)
    if line is None:
        raise LineUnknown(f"no line {name}")
    return line


async def _record(tx: Tx, actor: Actor, action: str, line: UUID, /, **facts: object) -> None:
    subject = show(KIND, line)
    await trail.record(tx, NOBODY, actor=actor, action=action, subject=subject, **facts)
