"""Levers (staff actions with a forecast) on waiting lines: create, set the rate, pause, resume, close, engage, end."""

from datetime import datetime, timedelta
from typing import Literal

import msgspec

from meterai.accounts import Permission
from meterai.commands import Effect, Forecast, Lever, Moment, Pull, offered_on
from meterai.kit.numbers import at_most
from meterai.plumbing.db.database import ReadTx, Tx
from meterai.waiting_room import operating
from meterai.waiting_room.model import (
    LINE,
    LINE_SUBJECT,
    GuardedAct,
    LineEvent,
    WaitingLine,
    reason_text,
)
from meterai.waiting_room.operating import CLOSES_SECONDS_MIN, LinePlan, named


class LineCreate(msgspec.Struct, frozen=True):
    """Arguments of the lever that plans a waiting line.

    `rate` is the admission rate in people a second, None if it is measured: as many as can be served.
    """

    name: str
    act: Literal["buy", "check"]
    gathers_at: Moment | None = None
    opens_at: Moment | None = None
    closes_at: Moment | None = None
    rate: float | None = None

    def plan(self) -> LinePlan:
        """Return these arguments as a plan for `operating.create`."""
        return LinePlan(
            self.name,
            GuardedAct(self.act),
            self.gathers_at,
            self.opens_at,
            self.closes_at,
            self.rate,
        )


class LineRate(msgspec.Struct, frozen=True):
    """Arguments of the lever that sets the admission rate of a waiting line, in people a second.

    If `rate` is None the rate is measured (as many as can be served), up to `at_most`.
    """

    name: str
    rate: float | None = None
    at_most: float | None = None


class LinePause(msgspec.Struct, frozen=True):
    """Arguments of the lever that pauses a waiting line, with the reason that the page shows, in both languages."""

    name: str
    reason_id: str
    reason_en: str


class LineNamed(msgspec.Struct, frozen=True):
    """Arguments of a lever that needs only the name of a waiting line."""

    name: str


class LineClose(msgspec.Struct, frozen=True):
    """Arguments of the lever that sets the time until which a waiting line takes new places; `at` is None for no end."""

    name: str
    at: Moment | None = None


class LineStand(msgspec.Struct, frozen=True):
    """Arguments of the lever that sets when a waiting line is engaged: always, never, or by load."""

    name: str
    how: Literal["always", "never", "automatic"]


def _of(line: WaitingLine, *effects: Effect) -> Forecast:
    """Return the forecast of a lever on a waiting line: the effects, and the number of places that wait in the line."""
    waiting = Effect("line_waiting", {"name": line.name, "waiting": at_most(line.waiting)})
    return Forecast([*effects, waiting], rows=1)


def _rate(rate: float | None, most: float) -> Effect:
    if rate is None:
        return Effect("line_rate_measured", {"most": most})
    return Effect("line_rate_fixed", {"rate": rate})


def _moment(word: str, at: datetime | None) -> list[Effect]:
    return [Effect(word, {"moment_at": at.isoformat()})] if at else []


async def _would_create(_tx: ReadTx, asked: LineCreate, pull: Pull) -> Forecast:
    plan = asked.plan()
    _, most = operating.planned(plan, pull.at)
    effects = [
        Effect(f"line_planned_{asked.act}", {"name": plan.name}),
        *_moment("line_gathers", plan.gathers_at),
        *(_moment("line_opens", plan.opens_at) or [Effect("line_opens_now")]),
        *(_moment("line_takes_until", plan.closes_at)),
        _rate(plan.rate, most),
    ]
    return Forecast(effects, rows=1)


async def _create(tx: Tx, asked: LineCreate, pull: Pull) -> None:
    await operating.create(tx, asked.plan(), at=pull.at, actor=pull.actor)


async def _would_set_rate(tx: ReadTx, asked: LineRate, _pull: Pull) -> Forecast:
    line = await named(tx, asked.name)
    _, most = operating.rates_of(line, asked.rate, asked.at_most)
    return _of(line, _rate(asked.rate, most))


async def _set_rate(tx: Tx, asked: LineRate, pull: Pull) -> None:
    await operating.set_rate(
        tx, asked.name, rate=asked.rate, rate_max=asked.at_most, actor=pull.actor
    )


async def _would_pause(tx: ReadTx, asked: LinePause, _pull: Pull) -> Forecast:
    texts = operating.pause_reason(asked.reason_id, asked.reason_en)
    facts = dict(zip(("reason_id", "reason_en"), texts, strict=True))
    return _of(await named(tx, asked.name), Effect("line_pauses", facts))


async def _pause(tx: Tx, asked: LinePause, pull: Pull) -> None:
    await operating.pause(
        tx, asked.name, reason_id=asked.reason_id, reason_en=asked.reason_en, actor=pull.actor
    )


async def _would_resume(tx: ReadTx, asked: LineNamed, _pull: Pull) -> Forecast:
    return _of(await named(tx, asked.name), Effect("line_resumes"))


async def _resume(tx: Tx, asked: LineNamed, pull: Pull) -> None:
    await operating.resume(tx, asked.name, actor=pull.actor)


async def _would_close(tx: ReadTx, asked: LineClose, pull: Pull) -> Forecast:
    line = await named(tx, asked.name)
    operating.check_closes(line, asked.at)
    if asked.at is not None and asked.at < pull.at + timedelta(seconds=CLOSES_SECONDS_MIN):
        return _of(line, Effect("line_takes_no_more"))
    return _of(line, *(_moment("line_takes_until", asked.at) or [Effect("line_takes_without_end")]))


async def _close(tx: Tx, asked: LineClose, pull: Pull) -> None:
    await operating.close_at(tx, asked.name, asked.at, actor=pull.actor)


async def _would_stand(tx: ReadTx, asked: LineStand, _pull: Pull) -> Forecast:
    return _of(await named(tx, asked.name), Effect(f"line_stands_{asked.how}"))


async def _stand(tx: Tx, asked: LineStand, pull: Pull) -> None:
    await operating.stand(tx, asked.name, asked.how, actor=pull.actor)


async def _would_end(tx: ReadTx, asked: LineNamed, pull: Pull) -> Forecast:
    line = await named(tx, asked.name)
    LINE.after(line.state, LineEvent.ENDS)
    return _of(line, Effect("line_ends", {"reason": reason_text(pull.reason, "reason")}))


async def _end(tx: Tx, asked: LineNamed, pull: Pull) -> None:
    await operating.end(tx, asked.name, reason=pull.reason, actor=pull.actor)


_on_lines = offered_on(LINE_SUBJECT.kind, "name")
_MAY = Permission.CONSOLE_OPERATIONS
CREATE = Lever(
    name="line create",
    permission=_MAY,
    arguments=LineCreate,
    forecast=_would_create,
    carry_out=_create,
)
RATE = Lever(
    name="line rate",
    permission=_MAY,
    arguments=LineRate,
    forecast=_would_set_rate,
    carry_out=_set_rate,
    offered=_on_lines,
)
PAUSE = Lever(
    name="line pause",
    permission=_MAY,
    arguments=LinePause,
    forecast=_would_pause,
    carry_out=_pause,
    offered=_on_lines,
)
RESUME = Lever(
    name="line resume",
    permission=_MAY,
    arguments=LineNamed,
    forecast=_would_resume,
    carry_out=_resume,
    offered=_on_lines,
)
CLOSE = Lever(
    name="line close",
    permission=_MAY,
    arguments=LineClose,
    forecast=_would_close,
    carry_out=_close,
    offered=_on_lines,
)
STAND = Lever(
    name="line stand",
    permission=_MAY,
    arguments=LineStand,
    forecast=_would_stand,
    carry_out=_stand,
    offered=_on_lines,
)
END = Lever(
    name="line end",
    permission=_MAY,
    arguments=LineNamed,
    forecast=_would_end,
    carry_out=_end,
    offered=_on_lines,
)
LEVERS = (CREATE, RATE, PAUSE, RESUME, CLOSE, STAND, END)
