"""Jobs that fail, and those that were given up, each of one handler: seen by people, run again when they say so."""

from uuid import UUID

from meterai.plumbing.database import ReadTx, Row, Tx

_FAILING = """
SELECT account_id, job_id, handler, kind, created_at, tries, last_fault AS fault
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


async def failing(tx: Tx, limit: int) -> list[Row]:
    """Jobs that failed several times and are tried again, oldest first."""
    return await tx.all(_FAILING, limit)


async def dead(tx: Tx, limit: int) -> list[Row]:
    """Handlers that were given up, the newest first."""
    return await tx.all(_DEAD, limit)


async def counts(tx: ReadTx) -> Row:
    """How many jobs fail, how many handlers were given up, and how late the oldest job is."""
    row = await tx.one(_COUNTS)
    assert row is not None
    return row


async def retry(tx: Tx, job: UUID | None) -> int:
    """Run a given-up handler or a failing job again, or all of them; how many jobs there were."""
    back = await tx.all(_BACK, job, job)
    now = await tx.all(_NOW, job, job)
    return len({row["job_id"] for row in back} | {row["job_id"] for row in now})
