"""Audit points (links of the chain of clean audits), and the state of the automatic audit; pure."""

from datetime import datetime
from typing import NamedTuple


class AuditState(NamedTuple):
    """State of the automatic audit.

    covered_until end of the last point of the chain; None if there is no point
    broken         invariants that did not hold in the last automatic audit
    """

    covered_until: datetime | None
    broken: list[str]


class CleanAudit(NamedTuple):
    """Point of the chain of clean audits: the covered time, the hash of the covered history, and the hash of the chain."""

    point: int
    kind: str
    covers_from: datetime
    covers_until: datetime
    history: bytes
    chained: bytes
