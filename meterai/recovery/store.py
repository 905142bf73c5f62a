"""SQL of recoveries, one function per query."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from meterai.plumbing.db.database import ReadTx, Tx, jsonb
from meterai.plumbing.db.rows import RowMapper
from meterai.recovery.model import LiveNumbers, Recovery, RecoveryStep, StepTaken

LOOK_SECONDS = 2  # seconds between two looks at the numbers of an automatic recovery
_COLUMNS = (
    "recovery_id AS id, incident_id AS incident, state, number, is_going, before, backs, holds_since, worse_since,"
    " looked_at, started_at, moved_at, ended_at"
)
_UNDER_WAY = f"SELECT {_COLUMNS} FROM recoveries WHERE ended_at IS NULL"  # noqa: S608 - columns are a constant
_NEWEST = f"SELECT {_COLUMNS} FROM recoveries ORDER BY recovery_id DESC LIMIT %s"  # noqa: S608
_ONE = f"SELECT {_COLUMNS} FROM recoveries WHERE recovery_id = %s"  # noqa: S608
_OF_INCIDENT = f"SELECT {_COLUMNS} FROM recoveries WHERE incident_id = %s ORDER BY recovery_id"  # noqa: S608
_INSERT = """
INSERT INTO recoveries (recovery_id, incident_id, state, number, before, looked_at, started_at, moved_at)
VALUES (%s, %s, %s, 1, %s, %s, %s, %s)
"""
_MOVE = """
UPDATE recoveries SET state = %s, number = %s, backs = %s, moved_at = %s, ended_at = %s, looked_at = %s,
    holds_since = NULL, worse_since = NULL WHERE recovery_id = %s
"""
_TAKE = """
INSERT INTO recovery_steps (recovery_id, number, state, event, actor, numbers, entered_at)
VALUES (%s, %s, %s, %s, %s, %s, %s)
"""
_LOOKED = "UPDATE recoveries SET holds_since = %s, worse_since = %s, looked_at = %s WHERE recovery_id = %s"
_SET_GOING = """
UPDATE recoveries SET is_going = %s, backs = 0, holds_since = NULL, worse_since = NULL WHERE recovery_id = %s
"""
_TAKEN = """
SELECT number, state, event, actor, numbers, entered_at FROM recovery_steps WHERE recovery_id = %s ORDER BY number
"""
# A clock that was set back must not delay the next look, so a recovery whose last look lies in the future is due.
DUE = f"""
SELECT 1 FROM recoveries WHERE ended_at IS NULL AND is_going
    AND abs(extract(epoch FROM clock_timestamp() - looked_at)) >= {LOOK_SECONDS}
"""  # noqa: S608 - seconds are a constant


def _numbers(found: Any) -> LiveNumbers:
    return msgspec.convert(found, LiveNumbers)


_RECOVERIES = RowMapper(Recovery)
_STEPS = RowMapper(StepTaken, numbers=_numbers)


async def under_way(tx: ReadTx, *, is_locked: bool = False) -> Recovery | None:
    """Return the current recovery, locked until the transaction ends if `is_locked`; None if no recovery is under way."""
    return await tx.one_as(_RECOVERIES, _UNDER_WAY + (" FOR UPDATE" if is_locked else ""))


async def newest(tx: ReadTx, limit: int = 1) -> list[Recovery]:
    """Return the newest recoveries, at most `limit`."""
    return await tx.all_as(_RECOVERIES, _NEWEST, limit)


async def one(tx: ReadTx, recovery: UUID) -> Recovery | None:
    """Return the recovery with this id; None if it does not exist."""
    return await tx.one_as(_RECOVERIES, _ONE, recovery)


async def of_incident(tx: ReadTx, incident: UUID) -> list[Recovery]:
    """Return the recoveries of an incident, the oldest first."""
    return await tx.all_as(_RECOVERIES, _OF_INCIDENT, incident)


async def taken(tx: ReadTx, recovery: UUID) -> Sequence[StepTaken]:
    """Return every move of a recovery, in order."""
    return await tx.all_as(_STEPS, _TAKEN, recovery)


async def insert(
    tx: Tx, recovery: UUID, incident: UUID, before: Mapping[str, object], at: datetime
) -> None:
    """Insert a recovery."""
    kept = jsonb(before)
    await tx.run(_INSERT, recovery, incident, RecoveryStep.CLOSING, kept, at, at, at)


async def take(tx: Tx, recovery: UUID, step: StepTaken) -> None:
    """Insert a move of a recovery."""
    numbers = jsonb(msgspec.to_builtins(step.numbers))
    await tx.run(
        _TAKE, recovery, step.number, step.state, step.event, step.actor, numbers, step.entered_at
    )


async def move(
    tx: Tx, recovery: UUID, step: StepTaken, *, backs: int, ended_at: datetime | None
) -> None:
    """Store the new state of a recovery after a move; `backs` counts its automatic moves back."""
    at = step.entered_at
    await tx.run(_MOVE, step.state, step.number, backs, at, ended_at, at, recovery)


async def looked(
    tx: Tx,
    recovery: UUID,
    holds_since: datetime | None,
    worse_since: datetime | None,
    at: datetime,
) -> None:
    """Store when the live numbers of a recovery were checked, and since when they are good or bad without a break."""
    await tx.run(_LOOKED, holds_since, worse_since, at, recovery)


async def set_going(tx: Tx, recovery: UUID, *, is_going: bool) -> None:
    """Switch a recovery to automatic moves, or to moves by hand."""
    await tx.run(_SET_GOING, is_going, recovery)
