"""What one stamp says in words: when its document was sealed, and where it is checked.

The words are Indonesian, as the stamp is; its fixed-pitch face has capitals only.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from meterai.kit.clock import WIB
from meterai.sealing.stamp.qr import address_before_serial

_MONTHS = ["Jan", "Feb", "Mar", "Apr", "Mei", "Jun", "Jul", "Agu", "Sep", "Okt", "Nov", "Des"]

_HOST = re.compile(r"[a-z0-9.:-]+")


@dataclass(frozen=True, slots=True)
class Wording:
    """`sealed_at` is a time as 24 Nov 2026 15.04 WIB; `host` what a reader types to check, a name
    without what a browser adds by itself."""

    sealed_at: str
    host: str


@lru_cache(4)
def wording(at: datetime, check_url: str) -> Wording:
    """The words of all stamps that are sealed `at` (with a time zone) and checked below the address.

    Raises what `check_printable` does.
    """
    check_printable(check_url)
    there = at.astimezone(WIB)
    day = f"{there.day} {_MONTHS[there.month - 1]} {there.year}"
    return Wording(f"{day} {there.hour:02}.{there.minute:02} WIB", _host(check_url))


def check_printable(check_url: str) -> None:
    """Raise `ValueError` for a check address that is too long for the code, or has a character that
    the code or the letters of a stamp have not."""
    address_before_serial(check_url)
    if not _HOST.fullmatch(_host(check_url)):
        raise ValueError("a check address has a host that a stamp cannot show")


def _host(check_url: str) -> str:
    return check_url.partition("://")[2].partition("/")[0].lower()
