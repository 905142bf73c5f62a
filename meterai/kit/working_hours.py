"""Working hours of an office in Western Indonesia Time, and due times in working hours; pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from meterai.kit.clock import WIB

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_ONE_DAY = timedelta(days=1)


class WorkingHoursUnreadable(ValueError):
    """The settings do not state valid working hours."""


@dataclass(frozen=True, slots=True)
class WorkingHours:
    """Working days (0 is Monday) with begin and end of work in WIB; nobody works on `holidays`."""

    days: frozenset[int] = frozenset(range(5))
    starts: time = time(8)
    ends: time = time(16)
    holidays: frozenset[date] = frozenset()

    def __post_init__(self) -> None:
        if not self.days or not self.days <= set(range(7)):
            raise WorkingHoursUnreadable("no day of the week has working hours")
        if self.starts >= self.ends:
            raise WorkingHoursUnreadable("working hours end before they begin")

    def of(self, day: date) -> tuple[datetime, datetime] | None:
        """Return begin and end of the working hours of a day; None for a day without work."""
        if day.weekday() not in self.days or day in self.holidays:
            return None
        return datetime.combine(day, self.starts, WIB), datetime.combine(day, self.ends, WIB)

    def between(self, begin: datetime, end: datetime) -> timedelta:
        """Return the working time between two moments; zero if the second is earlier."""
        whole = timedelta()
        day, last = begin.astimezone(WIB).date(), end.astimezone(WIB).date()
        while day <= last:
            if hours := self.of(day):
                whole += max(min(hours[1], end) - max(hours[0], begin), timedelta())
            day += _ONE_DAY
        return whole


def due(after: datetime, hours: float, calendar: WorkingHours) -> datetime:
    """Return the first moment, as a time in WIB, at which `hours` working hours have passed since `after`."""
    left, at = timedelta(hours=hours), after.astimezone(WIB)
    if left <= timedelta():
        return at
    day = at.date()
    while True:
        if there := calendar.of(day):
            begin, end = max(there[0], at), there[1]
            if begin + left <= end:
                return begin + left
            left -= max(end - begin, timedelta())
        day += _ONE_DAY


def read_working_hours(days: str, hours: str, holidays: str = "") -> WorkingHours:
    """Read working hours from settings: `mon-fri,sun`, `08:00-16:00`, `2026-12-25,2027-01-01`.

    Raises `WorkingHoursUnreadable`.
    """
    starts, _, ends = hours.partition("-")
    try:
        return WorkingHours(
            frozenset(_days(days)),
            time.fromisoformat(starts.strip()),
            time.fromisoformat(ends.strip()),
            frozenset(date.fromisoformat(one) for one in _parts(holidays)),
        )
    except ValueError as error:
        raise WorkingHoursUnreadable(str(error)) from None


def _parts(text: str) -> Iterator[str]:
    return (part for one in text.split(",") if (part := one.strip().lower()))


def _days(text: str) -> Iterator[int]:
    for part in _parts(text):
        first, _, last = part.partition("-")
        begin, end = _DAYS.index(first), _DAYS.index(last or first)
        if begin > end:
            raise WorkingHoursUnreadable(f"{part} ends before it begins")
        yield from range(begin, end + 1)
