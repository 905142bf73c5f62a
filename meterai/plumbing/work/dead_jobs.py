"""Jobs that fail and are tried again, and jobs whose handler failed permanently (given up): list, count, run again."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from meterai.plumbing.db.database import ReadTx, Tx
from meterai.plumbing.db.rows import RowMapper

_FAILING = """
SELECT account_id AS account, job_id AS id, handler, kind, created_at, tries, last_fault AS fault
FROM jobs WHERE tries >= 3 ORDER BY created_at LIMIT %s
"""
_DEAD = """
SELECT account_id AS account, job_id AS id, handler, kind, created_at, tries, fault
FROM dead_jobs ORDER BY died_at DESC LIMIT %s
"""
_GIVEN_UP = """
SELECT account_id AS account, job_id AS id, handler, kind, created_at, tries, fault
FROM dead_jobs WHERE job_id = %s
"""
_COUNTS = """
SELECT (SELECT count(*) FROM jobs WHERE tries >= 3) AS failing,
       (SELECT count(*) FROM dead_jobs) AS dead,
       (SELECT coalesce(extract(epoch FROM now() - min(run_at)), 0)::float8
        FROM jobs WHERE run_at <= now()) AS late_seconds
"""
_BACK = """
WITH back AS (
    DELETE FROM dead_jobs WHERE %s::uuid IS NULL OR job_id = %s
    RETURNING account_id, job_id, handler, kind, facts, created_at)
INSERT INTO jobs (account_id, job_id, kind, handler, handlers, facts, created_at)
SELECT account_id, job_id, kind, handler, ARRAY[handler], facts, created_at FROM back
RETURNING job_id
"""
_NOW = """
UPDATE jobs SET run_at = now()
WHERE tries >= 3 AND run_at > now() AND (%s::uuid IS NULL OR job_id = %s) RETURNING job_id
"""
_WOULD_RETRY = """
SELECT handler AS what, count(*) AS number FROM (
    SELECT handler FROM dead_jobs WHERE %s::uuid IS NULL OR job_id = %s
    UNION ALL
    SELECT coalesce(handler, kind) FROM jobs WHERE tries >= 3 AND (%s::uuid IS NULL OR job_id = %s)) AS one
GROUP BY handler ORDER BY handler
"""


class Retried(NamedTuple):
    """Number of jobs of one handler that would be tried again."""

    what: str
    number: int


@dataclass(frozen=True, slots=True)
class FailedJob:
    """A job that failed, with its handler and its last fault."""

    account: UUID
    id: UUID
    handler: str
    kind: str
    created_at: datetime
    tries: int
    fault: str | None


class JobCounts(NamedTuple):
    """Number of failing jobs, number of handlers given up, and seconds by which the oldest job is late."""

    failing: int
    dead: int
    late_seconds: float


_JOBS = RowMapper(FailedJob)
_RETRIED = RowMapper(Retried)
_JOB_COUNTS = RowMapper(JobCounts)


async def failing(tx: ReadTx, limit: int) -> list[FailedJob]:
    """Return jobs that failed several times and will be tried again, oldest first."""
    return await tx.all_as(_JOBS, _FAILING, limit)


async def dead(tx: ReadTx, limit: int) -> list[FailedJob]:
    """Return handlers that were given up, newest first."""
    return await tx.all_as(_JOBS, _DEAD, limit)


async def given_up(tx: ReadTx, job: UUID) -> list[FailedJob]:
    """Return the handlers of this job that were given up."""
    return await tx.all_as(_JOBS, _GIVEN_UP, job)


async def counts(tx: ReadTx) -> JobCounts:
    """Return how many jobs fail, how many handlers were given up, and how late the oldest job is."""
    found = await tx.one_as(_JOB_COUNTS, _COUNTS)
    assert found is not None
    return found


async def would_retry(tx: ReadTx, job: UUID | None) -> list[Retried]:
    """Return for each handler how many jobs `retry` would try again; `job` limits this to one job, None means all jobs.

    A failing job that is due at this moment is counted too, so that the result does not depend on the moment.
    """
    return await tx.all_as(_RETRIED, _WOULD_RETRY, job, job, job, job)


async def retry(tx: Tx, job: UUID | None) -> int:
    """Try one failing or given-up job again, or all such jobs if `job` is None; return the number of jobs."""
    back = await tx.all(_BACK, job, job)
    now = await tx.all(_NOW, job, job)
    return len({row["job_id"] for row in back} | {row["job_id"] for row in now})
