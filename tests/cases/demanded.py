"""Settings that meet the demands of production on cases, and ways to break each demand."""

from collections.abc import Mapping, Sequence

from tests.support.demanding import Wrong, setting

WRONG: Mapping[str, Sequence[Wrong]] = {
    "case_hours_readable": [
        *setting("case_working_days", "mon-someday"),
        *setting("case_working_hours", "16:00-08:00"),
        *setting("case_holidays", "25 December"),
    ],
}
