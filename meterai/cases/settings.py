"""Settings of cases."""

import msgspec

from meterai.kit.working_hours import WorkingHours, read_working_hours
from meterai.plumbing.config import Positive, Seconds


class CaseSettings(msgspec.Struct, frozen=True):
    """Due times of answers, working hours of staff, and the quota of complaints."""

    # Working hours until the first answer of staff: one working day.
    case_hours: Seconds = 8.0
    # Days after which a case that waits for its person ends, as in SP4N-LAPOR!.
    case_closes_days: Positive = 10
    case_working_days: str = "mon-fri"
    case_working_hours: str = "08:00-16:00"
    case_holidays: str = ""  # days, separated by commas: 2026-12-25,2027-01-01
    # Phones of a carrier share one IP address; the people behind one address send only a few
    # complaints a minute.
    cases_per_hour_per_network_max: Positive = 60

    @property
    def calendar(self) -> WorkingHours:
        """Working hours of staff."""
        return read_working_hours(
            self.case_working_days, self.case_working_hours, self.case_holidays
        )
