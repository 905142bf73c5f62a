"""SQL of audit, one function per question."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from meterai.audit.model import CleanAudit, Night, NightResult, TrailLine
from meterai.plumbing.database import ReadTx, Tx
from meterai.plumbing.rows import RowMapper

# From the last night on that found no difference: one that is not explained is seen again each night.
# A night that was begun is begun again once its lease has run out, where nothing came of it.
_BEGIN = """
INSERT INTO bank_nights (night, begins, leased_until)
SELECT %s, least(%s, greatest(%s, (SELECT max(compared_at) - interval '1 hour' FROM bank_nights
                                    WHERE differences = 0))), now() + make_interval(secs => %s)
WHERE %s OR EXISTS (SELECT 1 FROM bank_nights)
ON CONFLICT ON CONSTRAINT bank_nights_pkey DO UPDATE
SET leased_until = excluded.leased_until, tries = bank_nights.tries + 1
WHERE bank_nights.compared_at IS NULL AND bank_nights.leased_until <= now()
RETURNING night, begins, tries
"""
_ENDED = """
UPDATE bank_nights SET compared_at = %s, fault = NULL, payments = %s, differences = %s, unreadable = %s
WHERE night = %s
"""
_FAILED = "UPDATE bank_nights SET fault = %s WHERE night = %s"
_LAST = """
SELECT night, fault, compared_at, differences, unreadable,
    (SELECT max(compared_at) FROM bank_nights) AS last_compared_at,
    (SELECT min(night) FROM bank_nights) AS first_night
FROM bank_nights ORDER BY night DESC LIMIT 1
"""
_LINES = (
    "SELECT account_id AS account, actor, action, subject, facts, happened_at FROM audit_events"
)
# A look of staff is in the trail and on no timeline: nothing happened to its subject.
_HAPPENED = "action <> 'console_opened'"
OF_ACCOUNT = f"{_LINES} WHERE account_id = %s AND {_HAPPENED} ORDER BY happened_at DESC LIMIT %s"
# Acts of staff on something of an account may be written down under no account.
OF_SUBJECT = f"{_LINES} WHERE account_id = ANY(%s) AND subject = %s AND {_HAPPENED} ORDER BY happened_at DESC LIMIT %s"
OF_REQUEST = (
    f"{_LINES} WHERE facts ? 'request' AND facts->>'request' = %s ORDER BY happened_at LIMIT %s"
)
_AUDITS_AFTER = """
SELECT point, kind, covers_from, covers_until, history, chained FROM audit_points
WHERE covers_until > %s ORDER BY point LIMIT %s
"""
_AUDITS = RowMapper(CleanAudit)
_TRAIL = RowMapper(TrailLine)
_NIGHTS = RowMapper(Night)
_RESULTS = RowMapper(NightResult)


async def begin_night(
    tx: Tx, night: date, at_least: datetime, at_most: datetime, seconds: float, *, is_hour: bool
) -> Night | None:
    """Lease a night; None where it was compared, or another has it."""
    return await tx.one_as(_NIGHTS, _BEGIN, night, at_least, at_most, seconds, is_hour)


async def end_night(tx: Tx, night: date, at: datetime, *counts: int) -> None:
    """Payments, differences and unreadable lines of a night."""
    await tx.run(_ENDED, at, *counts, night)


async def fail_night(tx: Tx, night: date, fault: str) -> None:
    """Why a night could not be compared."""
    await tx.run(_FAILED, fault, night)


async def last_night(tx: ReadTx) -> NightResult | None:
    """The result of the last night that was begun."""
    return await tx.one_as(_RESULTS, _LAST)


async def of_account(tx: ReadTx, account: UUID, limit: int) -> list[TrailLine]:
    """The newest lines of an account."""
    return await tx.all_as(_TRAIL, OF_ACCOUNT, account, limit)


async def of_subject(
    tx: ReadTx, accounts: Sequence[UUID], subject: str, limit: int
) -> list[TrailLine]:
    """The newest lines about one thing, written down under any of these accounts."""
    return await tx.all_as(_TRAIL, OF_SUBJECT, list(accounts), subject, limit)


async def of_request(tx: ReadTx, request: str, limit: int) -> list[TrailLine]:
    """Lines that a request wrote; a client may have used its id for several."""
    return await tx.all_as(_TRAIL, OF_REQUEST, request, limit)


async def audits_after(tx: ReadTx, at: datetime, limit: int) -> list[CleanAudit]:
    """The first clean audits that cover what happened at a moment."""
    return await tx.all_as(_AUDITS, _AUDITS_AFTER, at, limit)
