"""Processing the rows of a periodic task one by one.

A periodic task finds due rows by their state and passes them to `each`.  Promises of this module:

* a row that fails does not stop another one, and no two rows share a transaction;
* a row that failed is left out of the next runs during a pause, so that rows that cannot be processed never block the
  others (`not_paused`, in the query); the pause doubles with each failure up to a bound;
* a row that another process has locked is skipped: the query says FOR UPDATE SKIP LOCKED, and `run_row` waits only
  briefly for locks taken after the query;
* a row that could not be processed is reported: by a line in the log with its code, by `meterai_round_rows_total`, and
  by a row of `round_faults` until it is done.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Concatenate, Protocol, TypeVar
from uuid import UUID

import structlog

from meterai.kit.refusal import Refusal
from meterai.plumbing.db.database import Answer, Database, DatabaseAway, Given, Tx
from meterai.plumbing.observe import telemetry

AT_ONCE = 8  # rows of one run processed concurrently; each uses a connection for moments
LOCK_WAIT_MS_MAX = 200  # for one row of a periodic task; the next run comes soon
PAUSE_SECONDS_MAX = 300  # between two tries of the same row

_FAILED = """
INSERT INTO round_faults (account_id, round, subject, code, last_fault, try_at)
VALUES (%s, %s, %s, %s, %s, now() + interval '1 second')
ON CONFLICT ON CONSTRAINT round_faults_pkey DO UPDATE
SET tries = round_faults.tries + 1, code = excluded.code, last_fault = excluded.last_fault,
    last_at = now(),
    try_at = now() + make_interval(secs => backoff_seconds(1, round_faults.tries, %s))
"""
# A row that was not tried for a day is no longer due: it was processed in another way.
_DONE = """
DELETE FROM round_faults WHERE round = %s AND (last_at < now() - interval '1 day'
    OR (account_id, subject) IN (SELECT * FROM unnest(%s::uuid[], %s::text[])))
"""
_log = structlog.get_logger()


class OfAccount(Protocol):
    """A row that belongs to an account."""

    @property
    def account(self) -> UUID:
        """The account of the row."""
        ...


Due = TypeVar("Due", bound=OfAccount)


def not_paused(name: str, subject: str) -> str:
    """Return an SQL condition that leaves out rows whose pause after a failure is not over.

    The condition is for the query of a periodic task, in which the table has the alias `o`. `name` is the name of the task, and
    `subject` the column that identifies a row within its account. A periodic task that leases its rows does not need the
    condition, since a failed row waits for the end of its lease.
    """
    return f"""NOT EXISTS (SELECT 1 FROM round_faults f WHERE f.account_id = o.account_id
        AND f.round = '{name}' AND f.subject = o.{subject}::text AND f.try_at > now())
    """.rstrip()  # noqa: S608 - names are constants


async def each(
    database: Database,
    name: str,
    rows: Sequence[Due],
    act: Callable[[Due], Awaitable[object]],
    *,
    subject: str,
    at_once: int = AT_ONCE,
) -> int:
    """Call `act` for every row; return the number of rows for which it succeeded.

    `name` is that of the periodic task; `subject` is the field that identifies a row within its account. Raises only if
    the database is away, which is no fault of a row.
    """
    slots = asyncio.Semaphore(at_once)
    done: list[tuple[UUID, str]] = []

    async def one(row: Due) -> None:
        account, which = row.account, _text(getattr(row, subject))
        async with slots:
            try:
                await act(row)
            except DatabaseAway:
                raise
            # The edge of a row: the fault is stored and reported, and the row tried again.
            except Exception as fault:
                await _keep(database, name, account, which, fault)
            else:
                telemetry.ROUND_ROWS.labels(round=name, outcome="done").inc()
                done.append((account, which))

    # A row that fails does not cancel the others.
    for outcome in await asyncio.gather(*(one(row) for row in rows), return_exceptions=True):
        if isinstance(outcome, BaseException):
            raise outcome
    if done:
        accounts = [account for account, _ in done]
        await database.call(_DONE, name, accounts, [which for _, which in done])
    return len(done)


async def _keep(
    database: Database, name: str, account: UUID, subject: str, fault: Exception
) -> None:
    code = _code(fault)
    telemetry.ROUND_ROWS.labels(round=name, outcome=code).inc()
    if code == "fault":
        telemetry.FAULTS.labels(where=name).inc()
    _log.error("round_row_failed", round=name, subject=subject, code=code, fault=repr(fault))
    await database.call(_FAILED, account, name, subject, code, repr(fault)[:500], PAUSE_SECONDS_MAX)


def _text(subject: object) -> str:
    """Return an id as PostgreSQL writes it as text."""
    return f"\\x{subject.hex()}" if isinstance(subject, bytes) else str(subject)


def _code(fault: Exception) -> str:
    return fault.code if isinstance(fault, Refusal) else "fault"


async def run_row(
    database: Database,
    command: Callable[Concatenate[Tx, Given], Awaitable[Answer]],
    *arguments: Given.args,
    **named: Given.kwargs,
) -> Answer:
    """Run the command of one row in a transaction; wait only `LOCK_WAIT_MS_MAX` for locks of other processes."""

    async def briefly(tx: Tx) -> Answer:
        await tx.run(f"SET LOCAL lock_timeout = {LOCK_WAIT_MS_MAX}")
        return await command(tx, *arguments, **named)

    return await database.run(briefly)
