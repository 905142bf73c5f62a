"""A night in which the books are compared with the bank's own record; pure."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from meterai.kit.clock import WIB


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


@dataclass(frozen=True, slots=True)
class Night:
    """A night that this worker may compare, and from when on."""

    night: date
    begins: datetime
    tries: int


@dataclass(frozen=True, slots=True)
class NightResult:
    """The last night that was begun."""

    night: date
    fault: str | None
    compared_at: datetime | None
    differences: int
    unreadable: int
    last_compared_at: datetime | None  # of any night
    first_night: date

    def days_missing(self, now: datetime) -> list[str]:
        """The days in WIB that no night compared to their end, before today."""
        first, today = self.first_night - timedelta(days=1), now.astimezone(WIB).date()
        if self.last_compared_at is not None:
            first = self.last_compared_at.astimezone(WIB).date()
        return [str(first + timedelta(days=n)) for n in range((today - first).days)]

    def age_seconds(self, now: datetime) -> float:
        """How long ago both records were compared; where they never were, since the first night."""
        first = datetime.combine(self.first_night, datetime.min.time(), WIB)
        return (now - (self.last_compared_at or first)).total_seconds()

    def said(self, now: datetime) -> str:
        """The result as one line for `/readyz`: no sums, since anybody may read it."""
        found = f"not compared ({self.fault or 'under way'})"
        if self.compared_at is not None:
            found = "differs" if self.differences else "agrees"
        missing = self.days_missing(now)
        # Yesterday is compared in the night that comes.
        late = self.compared_at is None or len(missing) > 1
        return f"{self.night} {found}" + (f", days missing: {', '.join(missing)}" if late else "")
