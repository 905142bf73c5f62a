"""The clock of the stand-ins: milliseconds to store, Jakarta time for people and SNAP.

Everything that asks for the time asks `now_ms` of this module, so a test can move it.
"""

import re
import time
from datetime import UTC, datetime, timedelta, timezone

WIB = timezone(timedelta(hours=7), "WIB")
DAY_MS = 24 * 3600 * 1000

# SNAP writes yyyy-MM-ddTHH:mm:ss+07:00; partners are seen to send milliseconds or UTC as Z.
_SNAP_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)")


def now_ms() -> int:
    """Milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def wib(moment_ms: int) -> datetime:
    """The moment in Western Indonesian Time."""
    return datetime.fromtimestamp(moment_ms / 1000, WIB)


def utc(moment_ms: int) -> datetime:
    """The moment in UTC."""
    return datetime.fromtimestamp(moment_ms / 1000, UTC)


def snap_time(moment_ms: int) -> str:
    """The moment as SNAP BI writes it, to the second: `2026-11-24T15:04:05+07:00`."""
    return wib(moment_ms).isoformat(timespec="seconds")


def read_snap_time(text: str) -> int:
    """Milliseconds since 1970 of a SNAP BI time; raises `ValueError` for anything else."""
    if not _SNAP_TIME.fullmatch(text):
        raise ValueError(f"not a SNAP time: {text!r}")
    return round(datetime.fromisoformat(text).timestamp() * 1000)
