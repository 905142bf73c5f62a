"""Jobs: each is an event for one of its handlers, and is deleted in the transaction in which the handler writes.

There are two kinds of work, both repeatable:

* an *event handler* runs inside one transaction, which also deletes its job: so its writes happen exactly once;
* a *periodic task* finds due work by the state of rows (an order to expire, a payment to query) and does it.  Slow and
  irreversible acts belong there: commit the intent, act, commit the result.

Several handlers may listen to one event: each has a job of its own, so that a failing handler stops no other.  Handlers
have priorities, and each priority has its own worker pool: jobs that notify people, however many, never delay jobs that
move money.  The transaction that runs a handler locks the row of its job, and all other workers skip the row: a worker
that dies leaves no lock.

A failed job is tried again, later each time, and its last fault is stored.  If the database is away or a lock is held
too long, the job is tried again, and the try does not count as a failure.  A job is moved to `dead_jobs` when a handler
with `gives_up` has failed `TRIES_MAX` times, or when no version declares its handler; `meterai jobs retry` brings it
back. No other job is ever given up: money waits until it can move.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from types import MappingProxyType
from uuid import UUID

import structlog

from meterai.kit.backoff import pause
from meterai.kit.priority import Priority
from meterai.kit.refusal import Refusal
from meterai.plumbing.db.database import (
    Database,
    DatabaseAway,
    DatabaseBusy,
    ReadTx,
    Row,
    Tx,
    jsonb,
)
from meterai.plumbing.db.rows import RowMapper
from meterai.plumbing.observe import telemetry
from meterai.plumbing.observe.stations import APART_MIN, LATE_SECONDS, LATELY_SECONDS, Backlog
from meterai.plumbing.work.events import Subscription
from meterai.plumbing.work.watch import DueWatch, Piece
from meterai.plumbing.work.worker_pool import NOBODY, POLL_SECONDS, PoolTerms, WorkerPool, clock

BATCH = 50  # jobs found by one poll, enough to amortize the query
# Divides the slots and multiplies the polling interval of jobs below the priority of paid orders.
LESS_URGENT = 2
BACKOFF_SECONDS_MAX = 300
TRIES_MAX = 12  # of a handler that may give up; with the pauses between them half an hour
FAULT_LENGTH_MAX = 500

_log = structlog.get_logger()

_PIECE = "account_id AS account, job_id AS id, run_at AS due_at, jsonb_build_array(kind, handler, tries) AS what"
LOOK = f"""
SELECT {_PIECE} FROM jobs
WHERE run_at > %s AND run_at <= now() AND account_id <> ALL(%s) ORDER BY run_at LIMIT %s
"""  # noqa: S608 - columns are a constant
# For any worker pool. A pool finds jobs that were due earlier itself, so rows of finished jobs are not read again and
# again.
DUE = f"""
SELECT {_PIECE} FROM jobs
WHERE run_at > now() - interval '10 seconds' AND run_at <= now() ORDER BY run_at
"""  # noqa: S608 - columns are a constant
# For one worker pool; the names of handlers are those of functions.
DUE_OF = DUE.replace("ORDER BY", "AND handler = ANY('{%s}') ORDER BY")
DUE_BUT = DUE.replace("ORDER BY", "AND handler <> ALL('{%s}') ORDER BY")
# The first for some handlers only, the second for all handlers but some.
LOOK_OF = LOOK.replace("ORDER BY", "AND handler = ANY(%s) ORDER BY")
LOOK_BUT = LOOK.replace("ORDER BY", "AND handler <> ALL(%s) ORDER BY")
TAKE = "SELECT facts, created_at FROM job_take(%s, %s)"
_FAILED = """
UPDATE jobs SET tries = tries + %s, run_at = now() + make_interval(secs => %s), last_fault = %s
WHERE account_id = %s AND job_id = %s
"""
_DIED = """
INSERT INTO dead_jobs (account_id, job_id, handler, kind, facts, created_at, tries, fault)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
"""
# A job that failed waits for other reasons, and says nothing about load.
_LATE = """
SELECT coalesce(extract(epoch FROM clock_timestamp() - min(run_at)), 0)::float8
FROM jobs WHERE run_at <= clock_timestamp() AND tries = 0
"""
_IS_DECLARED = "SELECT %s = ANY(subscribers(%s)) AS is_declared"

# Waits for jobs that move money, counted by account; notifications of a bank count each separately.
_LATE_BUT = f"""
SELECT 1 FROM jobs WHERE run_at > now() - interval '{LATELY_SECONDS} seconds'
    AND run_at < now() - interval '{LATE_SECONDS} seconds' AND tries = 0 AND handler <> ALL('{{%s}}')
ORDER BY run_at
"""  # noqa: S608 - seconds are constants
_MEAN_WAIT_BUT = f"""
SELECT avg(waited)::double precision AS seconds FROM (
    SELECT avg(extract(epoch FROM now() - run_at)) AS waited FROM (
        SELECT account_id, job_id, run_at FROM jobs
        WHERE run_at > now() - interval '{LATELY_SECONDS} seconds' AND run_at <= now() AND tries = 0
            AND handler <> ALL('{{%s}}')
        ORDER BY run_at LIMIT 1000) AS job
    GROUP BY account_id, CASE WHEN account_id = '{NOBODY}' THEN job_id END) AS of_account
HAVING count(*) >= {APART_MIN}
"""  # noqa: S608 - numbers are constants

Run = Callable[[], Awaitable[int]]
Find = Callable[[Tx, datetime, Sequence[UUID], int], Awaitable[Sequence[Piece]]]


@dataclass(frozen=True, slots=True)
class PeriodicTask:
    """A loop that does due work, and the seconds that it rests after a run that found no work.

    due           SQL that finds a due row: the common poll of the worker runs it, and wakes the task if it finds one;
                  without it the task runs at its interval (`plumbing/work/watch.py`)
    is_cut        True if the task takes minutes and only reads, so that it is cancelled when the worker stops
    without_rows  for a task that passes no rows to `each` (`plumbing/work/periodic.py`), the reason for that; else empty
    """

    name: str
    run: Run
    rest_seconds: float
    due: str = ""
    is_cut: bool = False
    without_rows: str = ""


_PIECES = RowMapper(Piece)


async def due(tx: ReadTx, since: datetime, without: Sequence[UUID], limit: int) -> list[Piece]:
    """Return jobs that became due after `since`, except jobs of the accounts in `without`."""
    return await tx.all_as(_PIECES, LOOK, since, list(without), limit)


async def oldest_overdue(tx: ReadTx) -> float:
    """Return for how many seconds the oldest untried job has been due; 0 if none is due."""
    return float(await tx.value(_LATE))


async def waiting(tx: ReadTx, kind: str) -> int:
    """Return the number of unfinished jobs of one kind of event, due or postponed."""
    return int(await tx.value("SELECT count(*) FROM jobs WHERE kind = %s", kind))


async def due_of(
    tx: ReadTx, since: datetime, without: Sequence[UUID], limit: int, handlers: Sequence[str]
) -> list[Piece]:
    """Return jobs as `due` does, of these handlers only."""
    return await tx.all_as(_PIECES, LOOK_OF, since, list(without), list(handlers), limit)


async def due_but(
    tx: ReadTx, since: datetime, without: Sequence[UUID], limit: int, handlers: Sequence[str]
) -> list[Piece]:
    """Return jobs as `due` does, of all handlers except these."""
    return await tx.all_as(_PIECES, LOOK_BUT, since, list(without), list(handlers), limit)


async def _is_declared(tx: ReadTx, handler: str, kind: str) -> bool:
    return bool(await tx.value(_IS_DECLARED, handler, kind))


def told(fault: Exception) -> str:
    """Return a fault as one line, for storage and logs."""
    text = fault.code if isinstance(fault, Refusal) else repr(fault)
    return text[:FAULT_LENGTH_MAX]


class Gone(Exception):
    """Another worker has taken the job, or the job is done; the transaction of this worker is rolled back."""


class Worker:
    """Runs the event handlers of jobs and the periodic tasks, until `stop`."""

    def __init__(
        self,
        database: Database,
        subscriptions: Iterable[Subscription],
        periodic_tasks: Sequence[PeriodicTask],
        *,
        concurrency: int,
        services: Mapping[type, object] = MappingProxyType({}),
        worker_pools: Sequence[WorkerPool] = (),
    ) -> None:
        self._database = database
        self._subscriptions = {(one.kind, one.name): one for one in subscriptions}
        self._services = services
        self._periodic_tasks = periodic_tasks
        self._worker_pools = worker_pools
        self._concurrency = concurrency
        self._stopping = asyncio.Event()
        self._watch = DueWatch(
            database,
            self._stopping,
            [task.due for task in periodic_tasks],
            [pool.due for pool in (*self.worker_pools(), *worker_pools)],
        )

    def stop(self) -> None:
        """Stop beginning work; `run` returns when all work under way is finished."""
        self._stopping.set()

    async def run(self) -> None:
        """Work until `stop` is called."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._watch.run())
            for pool in (*self.worker_pools(), *self._worker_pools):
                tasks.create_task(pool.run(self._watch))
            for task in self._periodic_tasks:
                tasks.create_task(self._go(task))

    async def _go(self, task: PeriodicTask) -> None:
        rest = self._watch.rest_of(task.due)
        while not self._stopping.is_set():
            least, most = task.rest_seconds, 0.0
            try:
                if await (self._cut(task.run()) if task.is_cut else task.run()):
                    least = 0.0  # there may be more
            except Refusal as refusal:
                _log.warning("round_refused", round=task.name, code=refusal.code)
                least = most = max(least, refusal.retry_after_seconds or 0.0)
            except Exception as fault:  # the edge: a periodic task that fails is tried again
                telemetry.FAULTS.labels(where=task.name).inc()
                _log.error("round_failed", round=task.name, fault=repr(fault), exc_info=True)
                most = least
            if task.due and not least:
                self._watch.found()
                self._watch.soon()
            await rest.wait(least, most)

    async def _cut(self, run: Awaitable[int]) -> int:
        """Await `run` and return its result; if the worker stops meanwhile, cancel `run` and return 0."""
        running, stopping = asyncio.ensure_future(run), asyncio.ensure_future(self._stopping.wait())
        try:
            await asyncio.wait((running, stopping), return_when=asyncio.FIRST_COMPLETED)
            return running.result() if running.done() else 0
        finally:
            for one in (running, stopping):
                one.cancel()
            await asyncio.gather(running, stopping, return_exceptions=True)

    # -- jobs ------------------------------------------------------------------------------

    def worker_pool(self) -> WorkerPool:
        """Return a worker pool for jobs of all priorities, so that one poll finds all of them."""
        return self._pool("jobs", due, DUE, Priority.MONEY)

    def worker_pools(self) -> Iterator[WorkerPool]:
        """Yield one worker pool for each priority, so that jobs of one priority never wait behind those of another.

        The pool of `MONEY` also runs jobs whose handlers this process does not know.
        """
        lower = _by_priority(self._subscriptions.values())
        names = [name for of in lower.values() for name in of]
        others = DUE_BUT % ",".join(names)
        yield self._pool("jobs", partial(due_but, handlers=names), others, Priority.MONEY)
        for priority, of in lower.items():
            name = f"jobs_{priority.name.lower()}"
            yield self._pool(name, partial(due_of, handlers=of), DUE_OF % ",".join(of), priority)

    def _pool(self, name: str, find: Find, due: str, priority: Priority) -> WorkerPool:
        async def look(most: int, since: datetime, without: Sequence[UUID]) -> Sequence[Piece]:
            return await self._database.once(find, since, without, most)

        is_urgent = priority <= Priority.PAID
        return WorkerPool(
            name,
            look,
            self._run_one,
            partial(self._database.once, clock),
            slots=self._concurrency if is_urgent else max(1, self._concurrency // LESS_URGENT),
            batch=BATCH,
            terms=PoolTerms(
                priority, POLL_SECONDS if is_urgent else LESS_URGENT * POLL_SECONDS, due=due
            ),
        )

    async def run_batch(self) -> int:
        """Run jobs that are due now, at most `BATCH`; return how many were run."""
        return await self.worker_pool().once()

    async def _run_one(self, piece: Piece) -> None:
        assert isinstance(piece.what, list)
        kind, handler, tries = piece.what
        run = _Run(self._database, piece, kind, handler, tries, self._services)
        subscription = self._subscriptions.get((kind, handler))
        with suppress(Gone):
            await (run.handle(subscription) if subscription else run.set_aside())
            self._watch.soon()  # for the events that it emitted


def execution(subscriptions: Iterable[Subscription]) -> Backlog:
    """Return the backlog of people who wait for jobs that move money, such as the execution of paid orders."""
    lower = ",".join(name for of in _by_priority(subscriptions).values() for name in of)
    return Backlog("execution", _LATE_BUT % lower, _MEAN_WAIT_BUT % lower)


def _by_priority(subscriptions: Iterable[Subscription]) -> dict[Priority, list[str]]:
    """Return names of handlers for each priority below `MONEY`; a name with several priorities has the highest."""
    highest: dict[str, Priority] = {}
    for one in subscriptions:
        highest[one.name] = min(highest.get(one.name, one.priority), one.priority)
    lower = sorted(set(highest.values()) - {Priority.MONEY})
    return {
        priority: sorted(name for name, its in highest.items() if its is priority)
        for priority in lower
    }


class _Run:
    """One try of a job."""

    def __init__(
        self,
        database: Database,
        piece: Piece,
        kind: str,
        handler: str,
        tries: int,
        services: Mapping[type, object],
    ) -> None:
        self._database = database
        self._services = services
        self._account, self._id = piece.account, piece.id
        self._kind, self._handler = kind, handler
        self._tries = tries + 1
        self._about = {
            "kind": self._kind,
            "handler": self._handler,
            "job": str(self._id),
            "tries": self._tries,
        }

    async def handle(self, subscription: Subscription) -> None:
        """Run the handler; if it fails, store the fault and the time of the next try."""
        try:
            handled = partial(self._handled, subscription=subscription)
            await self._database.run_on(handled, TAKE, self._account, self._id)
        except (Gone, DatabaseAway):
            raise
        except DatabaseBusy as busy:  # a lock is held, which is no fault of the handler
            await self._try_again(busy, is_counted=False)
        except Exception as fault:  # the edge: any fault is stored and the job tried again
            self._count("failed")
            _log.error("job_failed", **self._about, fault=told(fault))
            if subscription.gives_up and self._tries >= TRIES_MAX:
                await self._give_up(fault)
            else:
                await self._try_again(fault)
        else:
            self._count("done")

    async def _handled(self, tx: Tx, taken: Row | None, subscription: Subscription) -> None:
        if taken is None:
            raise Gone(self._kind)
        await subscription.run(tx, self._account, taken["facts"], self._services)

    async def set_aside(self) -> None:
        """Postpone or give up a job whose handler this process does not know: it waits for a newer worker, or for a person."""
        fault = LookupError(
            f"this process does not handle the event {self._kind} by the handler {self._handler!r}"
        )
        self._count("failed")
        _log.error("job_unknown", **self._about)
        if await self._database.once(_is_declared, self._handler, self._kind):
            # A newer version declared it: a worker of that version runs it.
            await self._try_again(fault)
        else:
            await self._give_up(fault)

    async def _try_again(self, fault: Exception, *, is_counted: bool = True) -> None:
        wait = pause(self._tries, longest=BACKOFF_SECONDS_MAX)
        about = (told(fault), self._account, self._id)
        await self._database.call(_FAILED, int(is_counted), wait, *about)

    async def _give_up(self, fault: Exception) -> None:
        moved = partial(self._moved, fault=fault)
        await self._database.run_on(moved, TAKE, self._account, self._id)
        self._count("given_up")
        _log.error("job_given_up", **self._about)

    async def _moved(self, tx: Tx, taken: Row | None, fault: Exception) -> None:
        if taken is None:
            raise Gone(self._kind)
        why = (jsonb(taken["facts"]), taken["created_at"], self._tries, told(fault))
        await tx.run(_DIED, self._account, self._id, self._handler, self._kind, *why)

    def _count(self, outcome: str) -> None:
        telemetry.JOBS.labels(kind=self._kind, outcome=outcome).inc()
