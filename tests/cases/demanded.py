"""Settings with which production has what it demands of cases, and ways to lack it."""

from collections.abc import Mapping, Sequence

from tests.support.demanding import Wrong, setting

WRONG: Mapping[str, Sequence[Wrong]] = {
    "case_hours_readable": [
        *setting("case_working_days", "mon-someday"),
        *setting("case_working_hours", "16:00-08:00"),
        *setting("case_holidays", "25 December"),
    ],
}
