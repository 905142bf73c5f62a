"""Days and months in texts."""

from datetime import date

import pytest

from meterai.kit.days import Month, begin_of, read_day
from meterai.kit.refusal import Malformed, NotFound


@pytest.mark.parametrize("named", ["2026-13", "2026-1", "0000-01", "0001-01", "1999-12", "9999-12"])
def test_month_outside_the_range_is_refused(named: str) -> None:
    with pytest.raises(NotFound):
        Month.read(named)


@pytest.mark.parametrize("named", ["2026-02-30", "0001-01-01", "9999-12-31"])
def test_day_outside_the_range_is_refused(named: str) -> None:
    with pytest.raises(Malformed):
        read_day(named)


@pytest.mark.parametrize("named", ["2000-01", "2026-11", "2999-12"])
def test_months_follow_each_other(named: str) -> None:
    month = Month.read(named)
    assert (month.before.next, month.next.before) == (month, month)
    assert (month.begins, month.ends) == (month.before.ends, month.next.begins)


def test_month_begins_at_midnight_in_wib() -> None:
    assert Month.read("2026-11").begins == begin_of(date(2026, 11, 1))
    assert Month.read("2026-11").begins.isoformat() == "2026-10-31T17:00:00+00:00"
