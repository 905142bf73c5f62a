"""The condition that the settings of cases must meet in production: the working hours of staff are readable."""

from collections.abc import Iterator, Mapping

from meterai.commands import LOAD, TIME, Demand, Facts
from meterai.kit.working_hours import WorkingHoursUnreadable, read_working_hours
from meterai.plumbing.config import Configuration

_HOURS = ("case_working_days", "case_working_hours", "case_holidays")


def _hours(of: Configuration) -> Iterator[Facts]:
    try:
        read_working_hours(*(of.value(name) for name in _HOURS))
    except WorkingHoursUnreadable as fault:
        yield {"found": str(fault)}


DEMANDS: tuple[Demand, ...] = (Demand("case_hours_readable", _HOURS, _hours),)
UNDEMANDED: Mapping[str, str] = {
    "case_hours": TIME,
    "case_closes_days": TIME,
    "cases_per_hour_per_network_max": LOAD,
}
