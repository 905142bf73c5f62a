"""Working hours: due times in the hours of an office, in WIB."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterai.kit.clock import WIB
from meterai.kit.working_hours import (
    WorkingHours,
    WorkingHoursUnreadable,
    due,
    read_working_hours,
)

OFFICE = WorkingHours()


def wib(day: int, hour: int, minute: int = 0) -> datetime:
    """A moment in September 2024, whose first day is a Sunday."""
    return datetime(2024, 9, day, hour, minute, tzinfo=WIB)


@pytest.mark.parametrize(
    ("after", "hours", "expected"),
    [
        (wib(3, 9), 2, wib(3, 11)),  # within a Tuesday
        (wib(3, 15), 2, wib(4, 9)),  # over a night
        (wib(6, 15), 2, wib(9, 9)),  # over a weekend
        (wib(7, 12), 1, wib(9, 9)),  # asked on a Saturday
        (wib(3, 6), 1, wib(3, 9)),  # before the office opens
        (wib(3, 22), 8, wib(4, 16)),  # after the office closed: the whole next day
        (wib(2, 8), 40, wib(6, 16)),  # a week
    ],
)
def test_due_time_counts_working_hours_only(
    after: datetime, hours: float, expected: datetime
) -> None:
    assert due(after, hours, OFFICE) == expected


def test_working_hours_are_read_from_settings() -> None:
    read = read_working_hours("mon-thu, SAT", "07:30 - 15:45", "2026-12-25, 2027-01-01")
    assert read == WorkingHours(
        frozenset({0, 1, 2, 3, 5}),
        time(7, 30),
        time(15, 45),
        frozenset({date(2026, 12, 25), date(2027, 1, 1)}),
    )
    assert read_working_hours("mon-fri", "08:00-16:00") == OFFICE


@pytest.mark.parametrize(
    ("days", "hours", "holidays"),
    [
        ("", "08:00-16:00", ""),
        ("mon-fri", "16:00-08:00", ""),
        ("mon-fri", "08:00", ""),
        ("fri-mon", "08:00-16:00", ""),
        ("someday", "08:00-16:00", ""),
        ("mon-fri", "08:00-16:00", "25 December"),
    ],
)
def test_unreadable_settings_are_refused(days: str, hours: str, holidays: str) -> None:
    with pytest.raises(WorkingHoursUnreadable):
        read_working_hours(days, hours, holidays)


MOMENTS = st.integers(0, 5 * 366 * 24 * 60).map(
    lambda minutes: datetime(2024, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)
MINUTES = st.integers(0, 24 * 60 - 1).map(lambda one: time(one // 60, one % 60))


@st.composite
def calendars(draw: st.DrawFn) -> WorkingHours:
    starts, ends = sorted(draw(st.lists(MINUTES, min_size=2, max_size=2, unique=True)))
    days = draw(st.frozensets(st.integers(0, 6), min_size=1))
    first = date(2024, 1, 1)
    off = draw(st.frozensets(st.integers(0, 1800).map(lambda one: first + timedelta(one))))
    return WorkingHours(days, starts, ends, off)


@given(MOMENTS, st.integers(0, 400), calendars())
def test_due_time_follows_the_working_hours_exactly(
    after: datetime, quarters: int, calendar: WorkingHours
) -> None:
    at = due(after, quarters / 4, calendar)
    assert at >= after
    assert calendar.between(after, at) == timedelta(minutes=15 * quarters)
