"""SQL of audit, one function per question."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from meterai.audit.model import CleanAudit, Standing, TrailLine
from meterai.plumbing.db.database import ReadTx, Tx
from meterai.plumbing.db.rows import RowMapper

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
_LAST = "(SELECT covers_until FROM audit_points ORDER BY point DESC LIMIT 1)"
_TAKE_TURN = f"""
INSERT INTO audit_turn (leased_until) SELECT now() + make_interval(secs => %s)
WHERE coalesce({_LAST}, '-infinity') < %s
ON CONFLICT (only_row) DO UPDATE SET leased_until = excluded.leased_until WHERE audit_turn.leased_until < now()
"""
_END_TURN = "UPDATE audit_turn SET ended_at = now(), broken = %s, leased_until = now() + make_interval(secs => %s)"
_STANDING = (
    f"SELECT {_LAST} AS covered_until, coalesce((SELECT broken FROM audit_turn), '{{}}') AS broken"  # noqa: S608 - of constants
)
_STANDS = RowMapper(Standing)
_AUDITS = RowMapper(CleanAudit)
_TRAIL = RowMapper(TrailLine)


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


async def take_turn(tx: Tx, since: datetime, seconds: float) -> bool:
    """True where no point covers so much, and nobody else audits: it is this process's turn for so long."""
    return bool(await tx.run(_TAKE_TURN, seconds, since))


async def end_turn(tx: Tx, broken: Sequence[str], rest_seconds: float) -> None:
    """Write down what did not hold; nobody begins again before its rest is over."""
    await tx.run(_END_TURN, list(broken), rest_seconds)


async def standing(tx: ReadTx) -> Standing:
    """How the audit stands that the platform makes by itself."""
    found = await tx.one_as(_STANDS, _STANDING)
    assert found is not None
    return found
