"""Time, asked for in one place so that a test can move it."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Protocol

# Western Indonesia Time: where most of the country and all of the deadlines are.
WIB = timezone(timedelta(hours=7), "WIB")


class Clock(Protocol):
    """Something that knows what time it is."""

    def now(self) -> datetime:
        """The present moment, in UTC."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """The present moment, in UTC."""
        return datetime.now(UTC)
