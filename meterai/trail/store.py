"""SQL of the audit trail, one function per query."""

from collections.abc import Sequence
from uuid import UUID

from meterai.plumbing.db.database import ReadTx
from meterai.plumbing.db.rows import RowMapper
from meterai.trail.model import TrailLine

_LINES = (
    "SELECT account_id AS account, actor, action, subject, facts, happened_at FROM audit_events"
)
# The opening of a console page by staff is in the trail but not shown on timelines.
_HAPPENED = "action <> 'console_opened'"
OF_ACCOUNT = f"{_LINES} WHERE account_id = %s AND {_HAPPENED} ORDER BY happened_at DESC LIMIT %s"
# Acts of staff on a subject of an account may be recorded under the nil account.
OF_SUBJECT = f"{_LINES} WHERE account_id = ANY(%s) AND subject = %s AND {_HAPPENED} ORDER BY happened_at DESC LIMIT %s"
OF_REQUEST = (
    f"{_LINES} WHERE facts ? 'request' AND facts->>'request' = %s ORDER BY happened_at LIMIT %s"
)
_TRAIL = RowMapper(TrailLine)


async def of_account(tx: ReadTx, account: UUID, limit: int) -> list[TrailLine]:
    """Return the newest audit lines that belong to an account."""
    return await tx.all_as(_TRAIL, OF_ACCOUNT, account, limit)


async def of_subject(
    tx: ReadTx, accounts: Sequence[UUID], subject: str, limit: int
) -> list[TrailLine]:
    """Return the newest audit lines about a subject that were recorded under any of these accounts."""
    return await tx.all_as(_TRAIL, OF_SUBJECT, list(accounts), subject, limit)


async def of_request(tx: ReadTx, request: str, limit: int) -> list[TrailLine]:
    """Return the audit lines written during the request with this id.  A client may have used the id for several requests."""
    return await tx.all_as(_TRAIL, OF_REQUEST, request, limit)
