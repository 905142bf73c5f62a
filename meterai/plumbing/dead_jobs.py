"""Jobs that fail, and those that were given up: seen by people, run again when they say so."""

from uuid import UUID

from meterai.plumbing.database import Row, Tx

_FAILING = """
SELECT account_id, job_id, NULL AS handler, kind, created_at, tries, last_fault AS fault
FROM jobs WHERE tries >= 3 ORDER BY created_at LIMIT %s
"""
_DEAD = """
SELECT account_id, job_id, handler, kind, created_at, tries, fault
FROM dead_jobs ORDER BY died_at DESC LIMIT %s
"""
_COUNTS = """
SELECT (SELECT count(*) FROM jobs WHERE tries >= 3) AS failing,
       (SELECT count(*) FROM dead_jobs) AS dead,
       (SELECT coalesce(extract(epoch FROM now() - min(run_at)), 0)::float8
        FROM jobs WHERE run_at <= now()) AS late_seconds
"""
# The job may still be there for another of its handlers.
_BACK = """
WITH back AS (
    DELETE FROM dead_jobs WHERE %s::uuid IS NULL OR job_id = %s
    RETURNING account_id, job_id, handler, kind, facts, created_at)
INSERT INTO jobs (account_id, job_id, kind, facts, created_at, handlers)
SELECT account_id, job_id, min(kind), min(facts::text)::jsonb, min(created_at), array_agg(handler)
FROM back GROUP BY account_id, job_id
ON CONFLICT ON CONSTRAINT jobs_pkey DO UPDATE
SET handlers = jobs.handlers || excluded.handlers, run_at = now(), tries = 0
RETURNING job_id
"""
_NOW = """
UPDATE jobs SET run_at = now()
WHERE tries >= 3 AND run_at > now() AND (%s::uuid IS NULL OR job_id = %s) RETURNING job_id
"""


async def failing(tx: Tx, limit: int) -> list[Row]:
    """Jobs that failed several times and are tried again, oldest first."""
    return await tx.all(_FAILING, limit)


async def dead(tx: Tx, limit: int) -> list[Row]:
    """Handlers that were given up, the newest first."""
    return await tx.all(_DEAD, limit)


async def counts(tx: Tx) -> Row:
    """How many jobs fail, how many handlers were given up, and how late the oldest job is."""
    row = await tx.one(_COUNTS)
    assert row is not None
    return row


async def retry(tx: Tx, job: UUID | None) -> int:
    """Run a given-up handler or a failing job again, or all of them; how many jobs there were."""
    back = await tx.all(_BACK, job, job)
    now = await tx.all(_NOW, job, job)
    return len({row["job_id"] for row in back} | {row["job_id"] for row in now})
