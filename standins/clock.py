"""The clock of the stand-ins: milliseconds in stores, Jakarta time for people and SNAP. All code gets the time from
`now_ms` of this module, so a test can move it.
"""

import re
import time
from datetime import UTC, datetime, timedelta, timezone

WIB = timezone(timedelta(hours=7), "WIB")
DAY_MS = 24 * 3600 * 1000

# SNAP demands yyyy-MM-ddTHH:mm:ss+07:00; some partners send milliseconds, or UTC as Z.
_SNAP_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)")


def now_ms() -> int:
    """Return the current time in milliseconds since 1970 (UTC)."""
    return time.time_ns() // 1_000_000


def wib(moment_ms: int) -> datetime:
    """Return a moment in Western Indonesian Time (UTC+7)."""
    return datetime.fromtimestamp(moment_ms / 1000, WIB)


def utc(moment_ms: int) -> datetime:
    """Return a moment in UTC."""
    return datetime.fromtimestamp(moment_ms / 1000, UTC)


def snap_time(moment_ms: int) -> str:
    """Return a moment in the form of SNAP BI, to the second: `2026-11-24T15:04:05+07:00`."""
    return wib(moment_ms).isoformat(timespec="seconds")


def read_snap_time(text: str) -> int:
    """Return the milliseconds since 1970 of a time in the form of SNAP BI. Raises `ValueError` for anything else."""
    if not _SNAP_TIME.fullmatch(text):
        raise ValueError(f"not a SNAP time: {text!r}")
    return round(datetime.fromisoformat(text).timestamp() * 1000)
