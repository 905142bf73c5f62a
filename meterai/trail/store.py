"""SQL of the trail, one function per question."""

from collections.abc import Sequence
from uuid import UUID

from meterai.plumbing.db.database import ReadTx
from meterai.plumbing.db.rows import RowMapper
from meterai.trail.model import TrailLine

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
