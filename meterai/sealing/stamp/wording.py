"""Words on a stamp: the time of sealing and the check address.

The words are Indonesian.  The stamp shows them in capitals, since its fixed-pitch typeface has no other letters.
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
    """Words on a stamp.

    `sealed_at` is the time of sealing, such as 24 Nov 2026 15.04 WIB.  `host` is the name that a reader types into a
    browser to check the stamp.
    """

    sealed_at: str
    host: str


@lru_cache(4)
def wording(at: datetime, check_url: str) -> Wording:
    """Return the words on stamps with the time of sealing `at` (with a time zone) and check addresses below `check_url`.

    Raises like `check_printable`.
    """
    check_printable(check_url)
    there = at.astimezone(WIB)
    day = f"{there.day} {_MONTHS[there.month - 1]} {there.year}"
    return Wording(f"{day} {there.hour:02}.{there.minute:02} WIB", _host(check_url))


def check_printable(check_url: str) -> None:
    """Raise `ValueError` for a check address that a stamp cannot show.

    Such an address is too long for the QR code, or has a character that the code or the typeface lacks.
    """
    address_before_serial(check_url)
    if not _HOST.fullmatch(_host(check_url)):
        raise ValueError("a check address has a host that a stamp cannot show")


def _host(check_url: str) -> str:
    return check_url.partition("://")[2].partition("/")[0].lower()
