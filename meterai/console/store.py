"""SQL of the console, one function per query."""

from datetime import datetime

from meterai.console.model import MinuteSample
from meterai.plumbing.db.database import ReadTx, Tx, jsonb
from meterai.plumbing.db.rows import RowMapper

_SAMPLES = RowMapper(MinuteSample)
KEEP = """
INSERT INTO console_samples (at, source, figures) VALUES (%s, %s, %s)
ON CONFLICT ON CONSTRAINT console_samples_pkey DO NOTHING
"""
_IS_KEPT = "SELECT 1 FROM console_samples WHERE at = %s AND source = %s"
_SINCE = "SELECT at, source, figures FROM console_samples WHERE at > %s ORDER BY at LIMIT %s"


async def keep(tx: Tx, at: datetime, source: str, figures: dict[str, float]) -> None:
    """Insert the figures of a minute from a `source`, unless another worker has inserted them."""
    await tx.run(KEEP, at, source, jsonb(figures))


async def is_kept(tx: ReadTx, at: datetime, source: str) -> bool:
    """True if the figures of this minute are stored."""
    return await tx.value(_IS_KEPT, at, source) is not None


async def since(tx: ReadTx, at: datetime, limit: int) -> list[MinuteSample]:
    """Return the samples after a moment, the earliest first."""
    return await tx.all_as(_SAMPLES, _SINCE, at, limit)
