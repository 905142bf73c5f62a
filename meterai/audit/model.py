"""Lines of the trail, and points of the chain of clean audits; pure."""

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID


class TrailLine(NamedTuple):
    """One line of the trail."""

    account: UUID
    actor: str
    action: str
    subject: str
    facts: dict[str, Any]
    happened_at: datetime


class CleanAudit(NamedTuple):
    """One point of the chain of clean audits: what it covers, the hash of that, and the hash of the chain."""

    point: int
    kind: str
    covers_from: datetime
    covers_until: datetime
    history: bytes
    chained: bytes
