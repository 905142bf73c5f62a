"""Days and months in WIB: their begins, and which are over; pure."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from meterai.kit.clock import WIB
from meterai.kit.refusal import Malformed, NotFound

# An entry has the time of the begin of its transaction: one that began before midnight appears some minutes after it.
SETTLED_AFTER = timedelta(minutes=10)
DAY = timedelta(days=1)
# Years from 2000 to 2999: every moment of them and of the adjacent days can be represented.
_MONTH = re.compile(r"2[0-9]{3}-[0-9]{2}", re.ASCII)
_DAY = re.compile(r"2[0-9]{3}-[0-9]{2}-[0-9]{2}", re.ASCII)


def begin_of(day: date) -> datetime:
    """Return the first moment of a day in WIB."""
    return datetime.combine(day, time(), WIB).astimezone(UTC)


def day_of(at: datetime) -> date:
    """Return the day in WIB of a moment."""
    return at.astimezone(WIB).date()


def last_settled(now: datetime) -> date:
    """Return the last day whose entries all exist."""
    return day_of(now - SETTLED_AFTER) - DAY


def read_day(text: str, field: str = "day") -> date:
    """Read a day as 2026-11-30, from the field `field`. Refuses `Malformed`."""
    try:
        if _DAY.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise Malformed(field, "day")


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A month in WIB, by its first day."""

    first: date

    @classmethod
    def of(cls, day: date) -> "Month":
        """Return the month of a day."""
        return cls(day.replace(day=1))

    @classmethod
    def read(cls, text: str) -> "Month":
        """Read a month as 2026-11. Refuses `NotFound`."""
        try:
            if _MONTH.fullmatch(text):
                return cls(date.fromisoformat(f"{text}-01"))
        except ValueError:
            pass
        raise NotFound("no month is called so")

    @property
    def next(self) -> "Month":
        """The next month."""
        return Month.of(self.first + 31 * DAY)

    @property
    def before(self) -> "Month":
        """The previous month."""
        return Month.of(self.first - DAY)

    @property
    def last(self) -> date:
        """Its last day."""
        return self.next.first - DAY

    @property
    def begins(self) -> datetime:
        """Its first moment."""
        return begin_of(self.first)

    @property
    def ends(self) -> datetime:
        """The first moment after it."""
        return begin_of(self.next.first)

    def __str__(self) -> str:
        return f"{self.first:%Y-%m}"
