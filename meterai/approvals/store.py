"""SQL of approvals, one function per query."""

from datetime import timedelta
from uuid import UUID

from meterai.approvals.model import Approval, ApprovalState
from meterai.plumbing.db.database import ReadTx, Tx, jsonb
from meterai.plumbing.db.rows import RowMapper

_COLUMNS = (
    "approval_id AS id, command, arguments, reason, forecast, forecast_sha256, rows, rupiah, requested_by,"
    " requested_at, expires_at, state, decided_by, decided_at, note, found"
)
_ASK = """
INSERT INTO approvals
    (approval_id, command, arguments, reason, forecast, forecast_sha256, rows, rupiah, requested_by, expires_at,
    kept_sha256)
SELECT %s, %s, asked.arguments, %s, asked.forecast, %s, %s, %s, %s, now() + make_interval(secs => %s),
    sha256(convert_to(asked.arguments::text || asked.forecast::text, 'UTF8'))
FROM (SELECT %s::jsonb AS arguments, %s::jsonb AS forecast) AS asked
"""
_ONE = f"SELECT {_COLUMNS} FROM approvals WHERE approval_id = %s"  # noqa: S608 - columns are a constant
_LOCKED = f"{_ONE} FOR UPDATE"
_WAITING = f"""
SELECT {_COLUMNS} FROM approvals WHERE state = 'waiting' ORDER BY expires_at, approval_id LIMIT %s
"""  # noqa: S608
_NEWEST = f"SELECT {_COLUMNS} FROM approvals ORDER BY approval_id DESC LIMIT %s"  # noqa: S608
_DECIDE = """
UPDATE approvals SET state = %s, decided_by = %s, decided_at = now(), note = %s, found = %s
WHERE approval_id = %s
"""
# If an approver decides concurrently, the row lock lets one of both win; the other finds no waiting request.
_EXPIRE = """
UPDATE approvals SET state = 'expired', decided_at = now() WHERE state = 'waiting' AND expires_at <= now()
RETURNING approval_id
"""
EXPIRED = "SELECT approval_id FROM approvals WHERE state = 'waiting' AND expires_at <= now()"
# Requests that are not blanked, in batches.
_KEPT = f"""
SELECT {_COLUMNS} FROM approvals WHERE forecast <> '{{}}' AND approval_id > %s ORDER BY approval_id LIMIT %s
"""  # noqa: S608
_BLANKED_EARLY = f"""
SELECT {_COLUMNS} FROM approvals WHERE forecast = '{{}}' AND (decided_at IS NULL OR decided_at > now() - %s)
"""  # noqa: S608
_APPROVALS = RowMapper(Approval)


async def lock_lever(tx: Tx, lever: str) -> None:
    """Lock this lever against concurrent pulls until the transaction ends."""
    await tx.run("SELECT pg_advisory_xact_lock(16011, hashtext(%s))", lever)


async def ask(tx: Tx, identifier: UUID, *values: object) -> None:
    """Insert a request with this id; `values` are the further parameters of the statement `_ASK`, in its order."""
    await tx.run(_ASK, identifier, *values)


async def one(tx: ReadTx, identifier: UUID) -> Approval | None:
    """Return the request for approval with this id; None if it does not exist."""
    return await tx.one_as(_APPROVALS, _ONE, identifier)


async def locked(tx: Tx, identifier: UUID) -> Approval | None:
    """Return the request for approval with this id, locked until the transaction ends; None if it does not exist."""
    return await tx.one_as(_APPROVALS, _LOCKED, identifier)


async def waiting(tx: ReadTx, limit: int) -> list[Approval]:
    """Return the requests that wait for approval, the first to expire first."""
    return await tx.all_as(_APPROVALS, _WAITING, limit)


async def newest(tx: ReadTx, limit: int) -> list[Approval]:
    """Return requests for approval in any state, the newest first."""
    return await tx.all_as(_APPROVALS, _NEWEST, limit)


async def kept(tx: ReadTx, after: UUID, limit: int) -> list[Approval]:
    """Return requests for approval whose content was not blanked by retention, with ids after `after`, in the order of their
    ids.
    """
    return await tx.all_as(_APPROVALS, _KEPT, after, limit)


async def blanked_early(tx: ReadTx, after: timedelta) -> list[Approval]:
    """Return requests for approval whose content was blanked too early: before their decision, or within `after` of it."""
    return await tx.all_as(_APPROVALS, _BLANKED_EARLY, after)


async def decide(
    tx: Tx, identifier: UUID, state: ApprovalState, by: UUID, note: str, found: object = None
) -> None:
    """Store the decision on a request; `found` is set for an overtaken request (see `Approval`)."""
    kept = None if found is None else jsonb(found)
    await tx.run(_DECIDE, state, by, note, kept, identifier)


async def expire(tx: Tx) -> list[UUID]:
    """Expire the requests for approval whose time is over; return their ids."""
    return [row["approval_id"] for row in await tx.all(_EXPIRE)]
