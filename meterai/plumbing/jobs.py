"""Jobs: rows written with the fact that caused them, deleted with what their handlers did.

Two kinds of work, both repeatable:

* an *event handler* runs inside one transaction, which also takes it off its job: what it writes is
  written exactly once;
* a *periodic task* looks by state for what is due (an order to expire, a payment to ask about) and
  does it.  Slow and irreversible acts belong there: commit the intent, act, commit the result.

Several handlers may listen to one kind of job.  Each runs in a transaction of its own, so that
one that fails stops no other; the job keeps the names of those that have not run.  Its row is
locked by the transaction that runs a handler and skipped by everybody else: a worker that dies
holds nothing.

What fails is tried again, later each time, and its last fault is kept.  A database that is away or
a lock that is held is no failure of a handler: it is tried again and the try is not counted.  A handler that was marked
with `gives_up` and failed `TRIES_MAX` times goes to `dead_jobs`, from where `meterai jobs retry`
brings it back.  No other is ever given up: money waits until it can move.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog

from meterai.kit.backoff import pause
from meterai.kit.refusal import Refusal
from meterai.plumbing import telemetry
from meterai.plumbing.database import Database, DatabaseAway, DatabaseBusy, Row, Tx, jsonb
from meterai.plumbing.lane import Lane, Piece

BATCH = 50  # jobs seen by one look; enough to amortize the query
BACKOFF_SECONDS_MAX = 300
TRIES_MAX = 12  # of what may be given up; half an hour with the pauses between
FAULT_LENGTH_MAX = 500

_log = structlog.get_logger()

LOOK = """
SELECT account_id, job_id, run_at, kind, handlers, tries FROM jobs
WHERE run_at > %s AND run_at <= now() AND account_id <> ALL(%s) ORDER BY run_at LIMIT %s
"""
CLOCK = "SELECT now() AS now"
# Claimed by its lock: who comes second passes on.  `handlers` as it was seen, or not at all.
_ROW = """
account_id = %s AND job_id IN (
    SELECT job_id FROM jobs WHERE account_id = %s AND job_id = %s AND run_at <= now()
        AND handlers IS NOT DISTINCT FROM %s::text[]
    FOR UPDATE SKIP LOCKED)
RETURNING kind, facts, tries, created_at
"""
_LAST = f"DELETE FROM jobs WHERE {_ROW}"  # noqa: S608 - a constant
_NOT_LAST = f"UPDATE jobs SET handlers = %s WHERE {_ROW}"  # noqa: S608
_FAILED = """
UPDATE jobs SET tries = tries + %s, run_at = now() + make_interval(secs => %s), last_fault = %s
WHERE account_id = %s AND job_id = %s
"""
_DIED = """
INSERT INTO dead_jobs (account_id, job_id, handler, kind, facts, created_at, tries, fault)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
"""


@dataclass(frozen=True, slots=True)
class Job:
    """One job: the account it belongs to, what happened, and the facts of it."""

    account: UUID
    id: UUID
    kind: str
    facts: dict[str, object]
    tries: int

    def uuid(self, name: str) -> UUID:
        """A fact that is an id."""
        return UUID(str(self.facts[name]))

    def text(self, name: str) -> str:
        """A fact that is a text."""
        return str(self.facts[name])

    def number(self, name: str) -> int:
        """A fact that is a whole number."""
        value = self.facts[name]
        assert isinstance(value, int)
        return value


EventHandler = Callable[[Tx, Job], Awaitable[None]]
Run = Callable[[], Awaitable[int]]


@dataclass(frozen=True, slots=True)
class PeriodicTask:
    """What looks for due work, and how many seconds it rests after it found none."""

    name: str
    run: Run
    rest_seconds: float


def gives_up(handler: EventHandler) -> EventHandler:
    """Mark a handler that may be given up after `TRIES_MAX` tries: it only tells people."""
    vars(handler)["gives_up"] = True
    return handler


def name_of(handler: EventHandler) -> str:
    """What a handler is called in the rows of jobs; within a kind of job no two are the same."""
    return str(handler.__name__)


def told(fault: Exception) -> str:
    """A fault as it is kept and logged."""
    text = fault.code if isinstance(fault, Refusal) else repr(fault)
    return text[:FAULT_LENGTH_MAX]


class Gone(Exception):
    """Somebody else has the job, or it is done; whatever was done here is rolled back."""


class Worker:
    """Runs the event handlers of jobs and the periodic tasks, until it is told to stop."""

    def __init__(
        self,
        database: Database,
        event_handlers: Mapping[str, Sequence[EventHandler]],
        periodic_tasks: Sequence[PeriodicTask],
        *,
        concurrency: int,
        lanes: Sequence[Lane] = (),
    ) -> None:
        self._database = database
        self._handlers = event_handlers
        self._periodic_tasks = periodic_tasks
        self._lanes = lanes
        self._concurrency = concurrency
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Finish what is begun and return from `run`."""
        self._stopping.set()

    async def run(self) -> None:
        """Work until `stop`."""
        async with asyncio.TaskGroup() as tasks:
            for lane in (self.lane(), *self._lanes):
                tasks.create_task(lane.run(self._stopping))
            for task in self._periodic_tasks:
                tasks.create_task(self._go(task))

    async def _go(self, task: PeriodicTask) -> None:
        while not self._stopping.is_set():
            rest_seconds = task.rest_seconds
            try:
                found = await task.run()
            except Refusal as refusal:
                _log.warning("round_refused", round=task.name, code=refusal.code)
                found = 0
                rest_seconds = max(rest_seconds, refusal.retry_after_seconds or 0.0)
            except Exception as fault:  # the edge: a periodic task that fails is tried again
                telemetry.FAULTS.labels(where=task.name).inc()
                _log.error("round_failed", round=task.name, fault=repr(fault), exc_info=True)
                found = 0
            if not found:
                await self._rest(rest_seconds)

    async def _rest(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._stopping.wait(), seconds)
        except TimeoutError:
            return

    # -- jobs ------------------------------------------------------------------------------

    def lane(self) -> Lane:
        """Where the jobs run."""
        return Lane(
            "jobs",
            self._look,
            self._run_one,
            self._read_clock,
            places=self._concurrency,
            batch=BATCH,
        )

    async def run_batch(self) -> int:
        """Run what is due now, at most `BATCH` jobs, and say how many there were."""
        return await self.lane().once()

    async def _look(self, most: int, since: datetime, without: Sequence[UUID]) -> Sequence[Piece]:
        rows = await self._database.read(LOOK, since, list(without), most)
        return [Piece(row["account_id"], row["job_id"], row["run_at"], row) for row in rows]

    async def _read_clock(self) -> datetime:
        row = await self._database.call(CLOCK)
        assert row is not None
        now: datetime = row["now"]
        return now

    async def _run_one(self, piece: Piece) -> None:
        row = piece.what
        assert isinstance(row, dict)
        await _Run(self._database, row, self._handlers.get(row["kind"])).all()


class _Run:
    """One run of a job: each handler that has not run, one after the other."""

    def __init__(
        self, database: Database, row: Row, event_handlers: Sequence[EventHandler] | None
    ) -> None:
        self._database = database
        self._account, self._id = row["account_id"], row["job_id"]
        self._kind: str = row["kind"]
        self._tries: int = row["tries"]
        self._created_at: datetime | None = None
        self._seen: list[str] | None = row["handlers"]  # the row's column, as far as we know
        self._handlers = {name_of(handler): handler for handler in event_handlers or ()}
        self._left = list(self._handlers) if self._seen is None else list(self._seen)
        self._is_known = event_handlers is not None and set(self._left) <= set(self._handlers)

    async def all(self) -> None:
        """Run them; note what failed and when it is tried again."""
        if not self._is_known:
            # We are a version behind: another worker knows it, or this one soon will.
            await self._failed([LookupError(f"nobody here handles {self._kind} {self._left}")])
            return
        try:
            if not self._left:
                async with self._database.transaction() as tx:
                    await self._claim(tx, [])
            ends = [await self._handle(name) for name in tuple(self._left)]
        except Gone:
            return
        if faults := [fault for fault in ends if fault]:
            await self._failed(faults)

    async def _handle(self, name: str) -> Exception | None:
        """Run one handler, in its transaction; its fault, where it is to be tried again."""
        left = [one for one in self._left if one != name]
        try:
            async with self._database.transaction() as tx:
                job = await self._claim(tx, left)
                await self._handlers[name](tx, job)
        except (Gone, DatabaseAway):
            raise
        except DatabaseBusy as busy:  # somebody holds a lock: no fault of the handler
            return busy
        except Exception as fault:  # the edge: anything here is kept and tried again
            return await self._missed(name, left, fault)
        self._seen = self._left = left
        telemetry.JOBS.labels(kind=self._kind, outcome="done").inc()
        return None

    async def _claim(self, tx: Tx, left: list[str]) -> Job:
        """Lock the job and leave to it only these handlers; what the handler writes is in the same transaction."""
        row = (self._account, self._account, self._id, self._seen)
        found = await (tx.one(_NOT_LAST, left, *row) if left else tx.one(_LAST, *row))
        if found is None:
            raise Gone(self._kind)
        self._tries, self._created_at = found["tries"], found["created_at"]
        return Job(self._account, self._id, self._kind, found["facts"], found["tries"] + 1)

    async def _missed(self, name: str, left: list[str], fault: Exception) -> Exception | None:
        telemetry.JOBS.labels(kind=self._kind, outcome="failed").inc()
        tries = self._tries + 1
        about = {"kind": self._kind, "handler": name, "job": str(self._id), "tries": tries}
        _log.error("job_failed", **about, fault=told(fault))
        if not getattr(self._handlers[name], "gives_up", False) or tries < TRIES_MAX:
            return fault
        async with self._database.transaction() as tx:
            job = await self._claim(tx, left)
            why = (jsonb(job.facts), self._created_at, tries, told(fault))
            await tx.run(_DIED, self._account, self._id, name, self._kind, *why)
        self._seen = self._left = left
        telemetry.JOBS.labels(kind=self._kind, outcome="given_up").inc()
        _log.error("job_given_up", **about)
        return None

    async def _failed(self, faults: Sequence[Exception]) -> None:
        """Try again what is left, later each time."""
        wait = pause(self._tries + 1, longest=BACKOFF_SECONDS_MAX)
        # A lock that was held is no failed try, and must not hide one.
        failed = [one for one in faults if not isinstance(one, DatabaseBusy)]
        worst, tries = (failed or faults)[0], min(len(failed), 1)
        await self._database.call(_FAILED, tries, wait, told(worst), self._account, self._id)
