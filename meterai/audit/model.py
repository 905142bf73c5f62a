"""Points of the chain of clean audits, and how the platform's own audit stands; pure."""

from datetime import datetime
from typing import NamedTuple


class AuditStanding(NamedTuple):
    """How the audit stands that the platform makes by itself.

    covered_until  what the last point of the chain covers; None where there is none
    broken         promises that did not hold in the last audit of its own
    """

    covered_until: datetime | None
    broken: list[str]


class CleanAudit(NamedTuple):
    """One point of the chain of clean audits: what it covers, the hash of that, and the hash of the chain."""

    point: int
    kind: str
    covers_from: datetime
    covers_until: datetime
    history: bytes
    chained: bytes
