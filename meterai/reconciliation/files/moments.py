"""Parsing of times in files: with an offset or in Western Indonesia Time (WIB); the day is written before the month."""

import re
from datetime import date, datetime

from meterai.kit.clock import WIB
from meterai.kit.numbers import counted

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "jan january januari",
            "feb february februari",
            "mar march maret",
            "apr april",
            "may mei",
            "jun june juni",
            "jul july juli",
            "aug august agu agt agustus",
            "sep sept september",
            "oct october okt oktober",
            "nov november nop nopember",
            "dec december des desember",
        ),
        1,
    )
    for name in names.split()
}
_DAY_FIRST = re.compile(
    r"(?P<day>[0-9]{1,2})(?P<sep>[/\-. ])(?P<month>[0-9]{1,2}|[A-Za-z]{3,9})(?P=sep)(?P<year>[0-9]{4})"
    r"(?:[ T,]+(?P<time>[0-9]{1,2}[:.][0-9]{2}(?:[:.][0-9]{2})?)(?: ?WIB)?)?\Z"
)


def read_moment(told: object) -> datetime | None:
    """Parse the moment in a cell; None if the cell has no readable moment."""
    if isinstance(told, datetime):
        return told if told.tzinfo else told.replace(tzinfo=WIB)
    if isinstance(told, date):
        return datetime(told.year, told.month, told.day, tzinfo=WIB)
    text = told.strip() if isinstance(told, str) else ""
    try:
        # A number alone is ambiguous: a serial number of a spreadsheet, or a day without separators.
        found = (
            None if counted(text) is not None else datetime.fromisoformat(text.removesuffix(" WIB"))
        )
    except ValueError:
        found = None
    if found is not None:
        return found if found.tzinfo else found.replace(tzinfo=WIB)
    parts = _DAY_FIRST.match(text)
    return None if parts is None else _day_first(parts)


def _day_first(parts: re.Match[str]) -> datetime | None:
    month = _MONTHS.get(parts["month"].lower()) or counted(parts["month"]) or 0
    hour, minute, second, *_ = [*map(int, re.split("[:.]", parts["time"] or "0")), 0, 0]
    try:
        return datetime(
            int(parts["year"]), month, int(parts["day"]), hour, minute, second, tzinfo=WIB
        )
    except ValueError:
        return None
