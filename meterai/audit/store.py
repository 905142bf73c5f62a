"""SQL of audit, one function per query."""

from collections.abc import Sequence
from datetime import datetime

from meterai.audit.model import AuditState, CleanAudit
from meterai.plumbing.db.database import ReadTx, Tx
from meterai.plumbing.db.rows import RowMapper

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
    f"SELECT {_LAST} AS covered_until, coalesce((SELECT broken FROM audit_turn), '{{}}') AS broken"
)
_STANDS = RowMapper(AuditState)
_AUDITS = RowMapper(CleanAudit)


async def audits_after(tx: ReadTx, at: datetime, limit: int) -> list[CleanAudit]:
    """Return the earliest clean audits that cover a moment, at most `limit`, the oldest first."""
    return await tx.all_as(_AUDITS, _AUDITS_AFTER, at, limit)


async def take_turn(tx: Tx, since: datetime, seconds: float) -> bool:
    """Reserve the right to audit for the next `seconds`. Return false if the last audit point already covers the time up to
    `since` or later, or if another worker audits.
    """
    return bool(await tx.run(_TAKE_TURN, seconds, since))


async def end_turn(tx: Tx, broken: Sequence[str], rest_seconds: float) -> None:
    """Record the broken invariants, and that no worker audits again for `rest_seconds`."""
    await tx.run(_END_TURN, list(broken), rest_seconds)


async def audit_state(tx: ReadTx) -> AuditState:
    """Return the state of the automatic audit: the end of the last point, and the broken invariants."""
    found = await tx.one_as(_STANDS, _STANDING)
    assert found is not None
    return found
