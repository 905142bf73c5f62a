"""Days and months in WIB: first and last moments, and the last completed day; pure."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from meterai.kit.clock import WIB
from meterai.kit.refusal import Malformed, NotFound

# An entry is stamped with the time at which its transaction began, so an entry of yesterday may appear some minutes
# after midnight.
SETTLED_AFTER = timedelta(minutes=10)
DAY = timedelta(days=1)
# Years from 2000 to 2999: `datetime` can represent every moment of them and of the adjacent days.
_MONTH = re.compile(r"2[0-9]{3}-[0-9]{2}", re.ASCII)
_DAY = re.compile(r"2[0-9]{3}-[0-9]{2}-[0-9]{2}", re.ASCII)


def begin_of(day: date) -> datetime:
    """Return the first moment of a day in WIB, as a time in UTC."""
    return datetime.combine(day, time(), WIB).astimezone(UTC)


def day_of(at: datetime) -> date:
    """Return the day in WIB that contains a moment."""
    return at.astimezone(WIB).date()


def last_settled(now: datetime) -> date:
    """Return the latest day in WIB to which no ledger entry can be added any more: it ended at least `SETTLED_AFTER` ago."""
    return day_of(now - SETTLED_AFTER) - DAY


def read_day(text: str, field: str = "day") -> date:
    """Read a day written as 2026-11-30. `field` names the input in the refusal. Refuses `Malformed`."""
    try:
        if _DAY.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise Malformed(field, "day")


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A month in WIB, represented by its first day."""

    first: date

    @classmethod
    def of(cls, day: date) -> "Month":
        """Return the month that contains a day."""
        return cls(day.replace(day=1))

    @classmethod
    def read(cls, text: str) -> "Month":
        """Read a month written as 2026-11. Refuses `NotFound`."""
        try:
            if _MONTH.fullmatch(text):
                return cls(date.fromisoformat(f"{text}-01"))
        except ValueError:
            pass
        raise NotFound("the text is not a month")

    @property
    def next(self) -> "Month":
        """The month after this one."""
        return Month.of(self.first + 31 * DAY)

    @property
    def before(self) -> "Month":
        """The month before this one."""
        return Month.of(self.first - DAY)

    @property
    def last(self) -> date:
        """The last day of the month."""
        return self.next.first - DAY

    @property
    def begins(self) -> datetime:
        """The first moment of the month."""
        return begin_of(self.first)

    @property
    def ends(self) -> datetime:
        """The first moment after the month."""
        return begin_of(self.next.first)

    def __str__(self) -> str:
        return f"{self.first:%Y-%m}"
