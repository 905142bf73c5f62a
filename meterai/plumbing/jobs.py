"""Jobs: rows written with the fact that caused them, deleted with the effect they have.

Two kinds of work, both repeatable:

* an *effect* runs inside one transaction, which also deletes the job: it happens exactly once;
* a *sweep* looks by state for what is due (an order to lapse, a payment to ask about) and does
  it.  Slow and irreversible acts are sweeps: commit the intent, act, commit the result.

Jobs are leased in batches with SKIP LOCKED and polled.  A worker that dies leaves its leases to
run out.  A job that fails is tried again, later each time, and its last fault is kept.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import structlog

from meterai.kit.refusal import Refusal
from meterai.plumbing import telemetry
from meterai.plumbing.database import Database, Row, Tx

BATCH = 50  # jobs leased at once; enough to amortize the query, few enough to share
POLL_SECONDS = 0.05
LEASE_SECONDS = 15  # an effect takes milliseconds; after this its worker is taken for dead
BACKOFF_SECONDS_MAX = 300

_log = structlog.get_logger()

_LEASE = """
UPDATE jobs SET run_at = now() + make_interval(secs => %s), tries = tries + 1
WHERE (account_id, job_id) IN (
    SELECT account_id, job_id FROM jobs WHERE run_at <= now()
    ORDER BY run_at LIMIT %s FOR UPDATE SKIP LOCKED)
RETURNING account_id, job_id, kind, facts, tries
"""
_DONE = "DELETE FROM jobs WHERE account_id = %s AND job_id = %s"
_FAILED = """
UPDATE jobs SET run_at = now() + make_interval(secs => %s), last_fault = %s
WHERE account_id = %s AND job_id = %s
"""


@dataclass(frozen=True, slots=True)
class Job:
    """One leased job: the account it belongs to, what happened, and the facts of it."""

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


Effect = Callable[[Tx, Job], Awaitable[None]]
Sweep = Callable[[], Awaitable[int]]


@dataclass(frozen=True, slots=True)
class Rounds:
    """A sweep and how long to rest after it found nothing, in seconds."""

    name: str
    sweep: Sweep
    rest_seconds: float


class LeaseLost(Exception):
    """The lease ran out and another worker finished the job; this effect is rolled back."""


def _job(row: Row) -> Job:
    return Job(row["account_id"], row["job_id"], row["kind"], row["facts"], row["tries"])


class Worker:
    """Runs the effects of jobs and makes the rounds, until it is told to stop."""

    def __init__(
        self,
        database: Database,
        effects: Mapping[str, Sequence[Effect]],
        rounds: Sequence[Rounds],
        *,
        concurrency: int,
    ) -> None:
        self._database = database
        self._effects = effects
        self._rounds = rounds
        self._free = asyncio.Semaphore(concurrency)
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Finish what is begun and return from `run`."""
        self._stopping.set()

    async def run(self) -> None:
        """Work until `stop`."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._go(Rounds("jobs", self.run_batch, POLL_SECONDS)))
            for rounds in self._rounds:
                tasks.create_task(self._go(rounds))

    async def _go(self, rounds: Rounds) -> None:
        while not self._stopping.is_set():
            try:
                found = await rounds.sweep()
            except Refusal as refusal:
                _log.warning("round_refused", round=rounds.name, code=refusal.code)
                found = 0
            except Exception as fault:  # the edge: a round that fails is tried again
                telemetry.FAULTS.labels(where=rounds.name).inc()
                _log.error("round_failed", round=rounds.name, fault=repr(fault), exc_info=True)
                found = 0
            if not found:
                await self._rest(rounds.rest_seconds)

    async def _rest(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._stopping.wait(), seconds)
        except TimeoutError:
            return

    async def run_batch(self) -> int:
        """Lease a batch, run it, and say how many jobs there were."""
        rows = await self._database.read(_LEASE, LEASE_SECONDS, BATCH)
        await asyncio.gather(*(self._run_one(_job(row)) for row in rows))
        return len(rows)

    async def _run_one(self, job: Job) -> None:
        async with self._free:
            try:
                async with self._database.transaction() as tx:
                    for effect in self._effects[job.kind]:
                        await effect(tx, job)
                    if not await tx.run(_DONE, job.account, job.id):
                        raise LeaseLost(job.kind)
            except LeaseLost:
                _log.warning("lease_lost", kind=job.kind, job=str(job.id))
            except Exception as fault:  # the edge: anything here is kept and tried again
                await self._keep(job, fault)
            else:
                telemetry.JOBS.labels(kind=job.kind, outcome="done").inc()

    async def _keep(self, job: Job, fault: Exception) -> None:
        telemetry.JOBS.labels(kind=job.kind, outcome="failed").inc()
        text = fault.code if isinstance(fault, Refusal) else repr(fault)
        _log.error("job_failed", kind=job.kind, job=str(job.id), tries=job.tries, fault=text)
        wait = min(2.0**job.tries, BACKOFF_SECONDS_MAX)
        await self._database.call(_FAILED, wait, text[:500], job.account, job.id)
