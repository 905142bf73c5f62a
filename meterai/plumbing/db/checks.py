"""A room's own checks for the audit, where one query cannot say what must be true."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import Database
from meterai.plumbing.db.invariants import Finding
from meterai.plumbing.db.marks import Mark


@dataclass(frozen=True, slots=True)
class AuditedPart:
    """What one audit looks at: everything (`since` is None), or what was written since a mark and
    happened from `begins` on."""

    database: Database
    settings: Settings
    since: Mark | None
    begins: datetime


Check: TypeAlias = Callable[[AuditedPart], Awaitable[Finding]]
