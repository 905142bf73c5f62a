"""The current time, behind a protocol so that a test can set it."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Protocol

# Western Indonesia Time: the zone of most of the country and of all deadlines.
WIB = timezone(timedelta(hours=7), "WIB")


class Clock(Protocol):
    """Source of the current time."""

    def now(self) -> datetime:
        """Return the current time in UTC."""
        ...


class SystemClock:
    """The clock of the machine."""

    def now(self) -> datetime:
        """Return the current time in UTC."""
        return datetime.now(UTC)
