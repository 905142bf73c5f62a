"""Advances the waiting lines: a step per second for each line, one in ten seconds for an idle line.

Any worker may do a step.  A crash during a step has no effect on the line, and the next worker continues from the stored
state. If no worker runs, no line advances and nobody is called.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from uuid import UUID

import structlog

from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import Database, DatabaseAway, DatabaseBusy, ReadTx, Tx
from meterai.plumbing.observe import telemetry
from meterai.plumbing.signed import DocumentSigner
from meterai.plumbing.work.events import emit
from meterai.plumbing.work.jobs import oldest_overdue
from meterai.plumbing.work.periodic import each, run_row
from meterai.waiting_room import metrics, store
from meterai.waiting_room.crowds import SERIAL_FIRST, told_crowds
from meterai.waiting_room.estimate import learned
from meterai.waiting_room.events import TurnNear
from meterai.waiting_room.model import LINE, TURN_SECONDS, LineEvent, LineState, Policy, WaitingLine
from meterai.waiting_room.rate import (
    USUAL_SECONDS,
    Gap,
    Load,
    away_share,
    called_to,
    calm_rate,
    first_rate,
    next_rate,
    numbers_called,
)
from meterai.waiting_room.settings import WaitingRoomSettings
from meterai.waiting_room.store import STEP_SECONDS, LockedLine

# Calls that were missed in a longer pause of the workers are not made up for.
STEP_SECONDS_MAX = 5.0
SAMPLE_SECONDS = 5  # between two samples of a line
FAST_SECONDS, SLOW_SECONDS = 60, 600  # windows over which the two rates of calling are measured
# A called visitor counts as gone after `COMES_WITHIN_SECONDS`; their share is measured over `LOOK_BACK_SECONDS`.
COMES_WITHIN_SECONDS, LOOK_BACK_SECONDS = 150, 900
ADMITTED_SECONDS = 5.0  # window for counting admissions, as long as a process's report is valid
# A window for counting: a shorter one has few samples, a longer one mixes different loads.
FINISHED_SECONDS = 15.0
CALM_SECONDS = 30.0  # time without overload after which a line in which nobody waits is disengaged
# A mail is sent if the turn comes within this time: a mail is read within minutes.
NEAR_SECONDS = 300.0
NEAR_BATCH = 200  # mails of one run
HELD_SMOOTHING = 0.02  # weight of each new wait in `held_share`
PUBLIC = "public"  # folder in the installation's directory: files for a public file server
DOCUMENT = "now-serving.json"
NOW_SERVING = "meterai-now-serving"
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class LineStep:
    """New state of a waiting line after a step; the fields are columns of the row of the line."""

    line: WaitingLine
    carried: float
    called: float
    away: float
    busy_at: datetime | None
    decreased_at: datetime | None
    engaged_at: datetime | None


class Advancing:
    """Advances the waiting lines of an installation."""

    def __init__(self, database: Database, signer: DocumentSigner, settings: Settings) -> None:
        self._database = database
        self._signer = signer
        self._inside_max = settings.of(WaitingRoomSettings).waiting_room_inside_max
        self._public = settings.process.directory / PUBLIC / "lines"

    async def advance_due(self) -> int:
        """Periodic task: advance every due waiting line by one step.  Always returns 0, so that the worker rests before the
        next run.
        """
        found = await self._database.once(store.due)
        for line in found:
            try:
                moved = await self._database.run(partial(self._advance, line=line))
                if moved is not None:
                    self._publish(moved)
            except (DatabaseAway, DatabaseBusy):
                raise
            except Exception as fault:  # a fault of one line must not stop the others
                telemetry.FAULTS.labels(where="advance_lines").inc()
                _log.error("line_not_advanced", line=str(line), fault=repr(fault), exc_info=True)
        return 0

    async def _advance(self, tx: Tx, line: UUID) -> WaitingLine | None:
        """Advance a waiting line by one step; None if another worker has just done so, or the line has ended."""
        stands = await store.lock_line(tx, line)
        if (
            stands is None
            or (stands.now - stands.line.advanced_at).total_seconds() < STEP_SECONDS / 2
        ):
            return None
        load = await self._load(tx, stands)
        # A disengaged line has no numbers to call.
        is_engaged, serving = stands.line.is_engaged, stands.line.serving
        gaps = await store.gaps(tx, line, serving) if is_engaged else ()
        # A disengaged line lets all spaced places pass at once.
        spaced = await store.spaced(tx, line, serving if is_engaged else SERIAL_FIRST)
        stands = replace(stands, line=replace(stands.line, spaced=spaced))
        step = _stepped(stands, load, self._inside_max, gaps)
        step = replace(step, away=await _away_share_of(tx, stands, step.away))
        step, held, learned_to = await _learn(tx, stands, step)
        line_now = await _with_flow(tx, stands.now, step)
        line_now = replace(line_now, spaced=told_crowds(line_now.spaced))
        line_now = replace(
            line_now, document=self._signer.sign(NOW_SERVING, document_facts(line_now, stands.now))
        )
        await store.advance(tx, line, _values(line_now, step, held, learned_to, stands.now))
        await self._sample(tx, stands, line_now, load, step.called)
        _set_metrics(line_now, load)
        return line_now

    async def _load(self, tx: Tx, stands: LockedLine) -> Load:
        line, now = stands.line, stands.now
        reported = await store.loads(tx)
        engaged = (now - stands.engaged_at).total_seconds() if stands.engaged_at else USUAL_SECONDS
        usual_seconds = min(max(engaged, ADMITTED_SECONDS), USUAL_SECONDS)
        turns = await store.inside(
            tx,
            line.id,
            since=now - timedelta(seconds=TURN_SECONDS),
            finished_since=now - timedelta(seconds=FINISHED_SECONDS),
            admitted_since=now - timedelta(seconds=ADMITTED_SECONDS),
            usual_since=now - timedelta(seconds=usual_seconds),
        )
        return Load(
            refused=reported.refused,
            job_age=await oldest_overdue(tx),
            admitted=turns.admitted / ADMITTED_SECONDS,
            usual=turns.usual / usual_seconds,
            inside=turns.inside,
            arrivals=reported.arrivals,
            finished=turns.finished / FINISHED_SECONDS,
            pressure=reported.pressure,
            is_crowded=reported.is_crowded,
        )

    async def _sample(
        self, tx: Tx, stands: LockedLine, line: WaitingLine, load: Load, called: float
    ) -> None:
        second = int(stands.now.timestamp())
        if second // SAMPLE_SECONDS == int(stands.line.advanced_at.timestamp()) // SAMPLE_SECONDS:
            return
        before = await store.last_sample_before(tx, line.id, stands.now)
        if not line.is_engaged and before is not None and before.serving == line.serving:
            return  # the line is idle
        since = before.at if before else stands.line.advanced_at
        admitted = await store.admitted_since(tx, line.id, since)
        await store.sample(
            tx,
            line.id,
            (
                stands.now,
                line.serving,
                line.next_number,
                admitted,
                load.inside,
                line.rate,
                line.is_engaged,
                line.is_paused,
                load.refused,
                called,
            ),
        )

    def _publish(self, line: WaitingLine) -> None:
        """Write the published status file of a waiting line, atomically.

        A write error, such as a full disk, does not undo the step: the file then shows an earlier state.
        """
        folder = self._public / line.name
        draft = folder / f".now-serving.{os.getpid()}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            draft.write_text(line.document)
            draft.replace(folder / DOCUMENT)
        except OSError as fault:
            _log.error("line_not_published", line=line.name, fault=repr(fault))

    async def retire(self) -> int:
        """Periodic task: delete the published status files of ended waiting lines, so that waiting pages ask the application
        instead.

        Returns the number of deleted files.
        """
        async with self._database.reading() as tx:
            lines = await store.lines(tx)
        # Documents of lines that this database does not know are kept: another database may share the directory.
        lasting = {line.name for line in lines if line.state != LineState.ENDED}
        gone = {line.name for line in lines} - lasting
        ended = [one for one in self._public.glob(f"*/{DOCUMENT}") if one.parent.name in gone]
        for one in ended:
            one.unlink(missing_ok=True)
        return len(ended)

    async def notify_near(self) -> int:
        """Periodic task: emit `TurnNear` once for each account that asked for a mail and whose turn is near."""
        async with self._database.reading() as tx:
            found = await store.near_turns(tx, NEAR_SECONDS, NEAR_BATCH)
        return await each(
            self._database,
            "tell_near_turns",
            found,
            lambda near: run_row(self._database, _notify, near),
            subject="line",
        )

    @property
    def public(self) -> Path:
        """Folder of the published status files of waiting lines."""
        return self._public


async def _notify(tx: Tx, near: store.NearTurn) -> None:
    if await store.set_notified(tx, near.account, near.line):
        await emit(
            tx,
            TurnNear(account=near.account, line_id=near.line, line=near.name, number=near.number),
        )


# -- one step ------------------------------------------------------------------------------


def _stepped(stands: LockedLine, load: Load, inside_max: int, gaps: Sequence[Gap]) -> LineStep:
    line, now = stands.line, stands.now
    busy_at = now if load.is_too_much else stands.busy_at
    seconds = min((now - line.advanced_at).total_seconds(), STEP_SECONDS_MAX)
    step = LineStep(
        line,
        stands.carried,
        stands.called,
        stands.away,
        busy_at,
        stands.decreased_at,
        stands.engaged_at,
    )
    step = _by_clock(step, now)
    step = _with_engagement(step, now, load)
    if step.line.policy == Policy.MEASURED:
        step = _with_rate(step, now, load, seconds)
    return _with_calls(
        step, numbers_called(step.line.rate, step.away, seconds, load.inside, inside_max), gaps
    )


def _with_rate(step: LineStep, now: datetime, load: Load, seconds: float) -> LineStep:
    before, most = step.line.rate, step.line.rate_max
    if not step.line.is_engaged:
        rate = calm_rate(before, most, load, seconds=seconds)
        return replace(step, line=replace(step.line, rate=rate))
    since = (now - step.decreased_at).total_seconds() if step.decreased_at else 1e9
    rate = next_rate(before, most, load, seconds=seconds, since_decrease=since)
    decreased = now if rate < before else step.decreased_at
    return replace(step, line=replace(step.line, rate=rate), decreased_at=decreased)


def _by_clock(step: LineStep, now: datetime) -> LineStep:
    """Return the step with the state that the waiting line's times demand: gathering, open, or closing.

    Only an operator ends a line.
    """
    line = step.line
    if line.state == LineState.PLANNED and line.gathers_at and line.gathers_at <= now:
        line = replace(line, state=LINE.after(line.state, LineEvent.GATHERS))
    if line.state == LineState.PLANNED and not line.gathers_at and (line.opens_at or now) <= now:
        line = replace(line, state=LINE.after(line.state, LineEvent.OPENS))
    if line.state == LineState.OPEN and line.closes_at and line.closes_at <= now:
        line = replace(line, state=LINE.after(line.state, LineEvent.CLOSES))
    return replace(step, line=line)


def _with_engagement(step: LineStep, now: datetime, load: Load) -> LineStep:
    """Engage an automatic waiting line (a line that is engaged by load) if the load is too high.

    Disengage it if nobody waits and the load has stayed low.
    """
    line = step.line
    if not line.is_automatic:
        return step
    # An arrival rate above the highest admission rate becomes overload a moment later.
    is_too_much = load.is_too_much or load.arrivals > line.rate_max
    if not line.is_engaged and (is_too_much or load.is_crowded):
        if not load.is_crowded:
            # Nobody waits yet: calling begins after the last number that was given.
            line = replace(line, serving=line.next_number - 1)
        line = replace(line, is_engaged=True)
        if line.policy == Policy.MEASURED and is_too_much:
            line = replace(line, rate=first_rate(line.rate_max, load.finished))
        # The state of an earlier engagement is reset.  `decreased_at` is now, since visitors who were let in before this
        # step still add to the load.
        return replace(step, line=line, engaged_at=now, carried=0.0, away=0.0, decreased_at=now)
    calm = (now - step.busy_at).total_seconds() if step.busy_at else CALM_SECONDS + 1
    if line.is_engaged and line.waiting == 0 and calm > CALM_SECONDS:
        return replace(step, line=replace(line, is_engaged=False))
    return step


def _with_calls(step: LineStep, more: float, gaps: Sequence[Gap]) -> LineStep:
    line = step.line
    if line.state not in (LineState.OPEN, LineState.CLOSING) or line.is_paused:
        return step
    if not line.is_engaged:
        return replace(step, line=replace(line, serving=line.next_number - 1), carried=0.0)
    calls, most = step.carried + more, line.next_number - 1
    serving, left = called_to(line.serving, calls, most, gaps, line.spaced)
    # Spaced places may be called with numbers that nobody has yet; new visitors get numbers after these.
    line = replace(line, serving=serving, next_number=max(line.next_number, serving + 1))
    # Calls are not saved up while nobody waits: else the next crowd would come in at once.
    carried = left if line.waiting else 0.0
    return replace(step, line=line, carried=carried, called=step.called + calls - left)


async def _away_share_of(tx: ReadTx, stands: LockedLine, before: float) -> float:
    """Return the share of called visitors who did not come within some minutes, as a moving average that continues `before`."""
    line, now = stands.line, stands.now
    if (
        int(now.timestamp()) // SAMPLE_SECONDS
        == int(line.advanced_at.timestamp()) // SAMPLE_SECONDS
    ):
        return before
    since = now - timedelta(seconds=LOOK_BACK_SECONDS)
    if stands.engaged_at and stands.engaged_at > since:
        since = stands.engaged_at
    first = await store.oldest_sample(tx, line.id, since)
    last = await store.last_sample_before(
        tx, line.id, now - timedelta(seconds=COMES_WITHIN_SECONDS)
    )
    if first is None or last is None or last.at <= first.at:
        return before
    if first.called is None or last.called is None:
        return before  # a worker of an earlier release did not count calls
    came = await store.came(tx, line.id, first.serving, last.serving)
    return away_share(before, round(last.called - first.called), came)


async def _learn(
    tx: ReadTx, stands: LockedLine, step: LineStep
) -> tuple[LineStep, float | None, datetime]:
    """Adjust the spread, the factor by which the shown range of waiting time is widened.

    The adjustment is made from the waits that ended since the last adjustment.  Returns the step; the new `held_share`, None
    if no wait ended; and the time up to which ended waits are now counted.
    """
    line = step.line
    waits = await store.ended_waits(tx, line.id, stands.learned_to, stands.now)
    count = waits.inside + waits.outside
    if not count:
        return step, None, stands.learned_to
    share = waits.inside / count
    held = line.held_share
    weight = min(HELD_SMOOTHING * count, 1.0)
    held = share if held is None else held + weight * (share - held)
    line = replace(line, spread=learned(line.spread, waits.inside, waits.outside), held_share=held)
    return replace(step, line=line), held, stands.now


async def _with_flow(tx: ReadTx, now: datetime, step: LineStep) -> WaitingLine:
    """Return the waiting line with its recent rates of calling (`flow_fast`, `flow_slow`), in places per second.

    If the line is disengaged, or has too few samples, its aimed admission rate takes the place of both.
    """
    if not step.line.is_engaged:
        return replace(step.line, flow_fast=step.line.rate, flow_slow=step.line.rate)
    fast = await _flow(tx, now, step, FAST_SECONDS)
    slow = await _flow(tx, now, step, SLOW_SECONDS)
    return replace(step.line, flow_fast=fast, flow_slow=slow)


async def _flow(tx: ReadTx, now: datetime, step: LineStep, seconds: int) -> float:
    line, since = step.line, now - timedelta(seconds=seconds)
    if step.engaged_at is not None:
        since = max(since, step.engaged_at)  # nobody was called earlier
    first = await store.oldest_sample(tx, line.id, since)
    is_short = first is None or (now - first.at).total_seconds() < 2 * SAMPLE_SECONDS
    if first is None or first.called is None or is_short:
        return line.rate
    flow = (step.called - first.called) / (now - first.at).total_seconds()
    # If nobody waits, fewer visitors are called than could be: then the aimed rate is the better estimate.
    return flow if line.waiting else max(flow, line.rate)


def document_facts(line: WaitingLine, now: datetime) -> dict[str, object]:
    """Return the content of the public status file of a waiting line (JSON)."""
    slowest, fastest = sorted((line.flow_fast, line.flow_slow))
    return {
        "line": line.name,
        "line_id": str(line.id),
        "state": line.state,
        "is_engaged": line.is_engaged,
        "is_paused": line.is_paused,
        "serving": line.serving,
        "last": line.next_number - 1,
        "spaced": line.spaced,
        "per_second": {"fast": round(fastest, 4), "slow": round(slowest, 4)},
        "spread": round(line.spread, 3),
        "held_share": line.held_share and round(line.held_share, 3),
        "reason": {"id": line.reason_id, "en": line.reason_en},
        "opens_at": line.opens_at and line.opens_at.isoformat(),
        "closes_at": line.closes_at and line.closes_at.isoformat(),
        "at": now.isoformat(timespec="milliseconds"),
    }


def _values(
    line: WaitingLine, step: LineStep, held: float | None, learned_to: datetime, now: datetime
) -> tuple[object, ...]:
    return (
        line.state,
        line.is_engaged,
        line.rate,
        line.serving,
        step.carried,
        step.away,
        line.flow_fast,
        line.flow_slow,
        line.spread,
        held,
        learned_to,
        step.busy_at,
        step.decreased_at,
        step.engaged_at,
        now,
        line.document,
        line.next_number,
        step.called,
        [number for crowd in line.spaced for number in crowd],
    )


def _set_metrics(line: WaitingLine, load: Load) -> None:
    metrics.RATE.labels(line=line.name).set(line.rate)
    metrics.WAITING.labels(line=line.name).set(line.waiting)
    metrics.INSIDE.labels(line=line.name).set(load.inside)
