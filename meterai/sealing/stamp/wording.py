"""Words on a stamp: the time of sealing and the check address.

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
    """`sealed_at` is a time as 24 Nov 2026 15.04 WIB; `host` is the name that a reader types to check, without
    the parts that a browser adds.
    """

    sealed_at: str
    host: str


@lru_cache(4)
def wording(at: datetime, check_url: str) -> Wording:
    """Return the words of all stamps that are sealed `at` (with a time zone) and checked below the address.

    Raises like `check_printable`.
    """
    check_printable(check_url)
    there = at.astimezone(WIB)
    day = f"{there.day} {_MONTHS[there.month - 1]} {there.year}"
    return Wording(f"{day} {there.hour:02}.{there.minute:02} WIB", _host(check_url))


def check_printable(check_url: str) -> None:
    """Raise `ValueError` for a check address that is too long for the code, or has a character that
    the code or the letters of a stamp lack.
    """
    address_before_serial(check_url)
    if not _HOST.fullmatch(_host(check_url)):
        raise ValueError("a check address has a host that a stamp cannot show")


def _host(check_url: str) -> str:
    return check_url.partition("://")[2].partition("/")[0].lower()
