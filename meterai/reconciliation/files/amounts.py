"""Sums of rupiah in files, read exactly or rejected.

A sum is whole rupiah with a direction.  Indonesian banks write a point between thousands and a comma before sen, or the
other way round, so the number of digits after a separator decides: three digits are thousands, two are sen.  An
ambiguous text is rejected.
"""

import re
from functools import lru_cache
from typing import NamedTuple

_SPACES = re.compile(r"\s+")
_PARTED = re.compile(r"[0-9]\s+[0-9]")
_CURRENCY = re.compile(r"(?:rp\.?|idr)(?=[-+(0-9])|(?<=[0-9)])idr\Z", re.IGNORECASE)
# Credit and debit of an account of ours: kredit, debet.
_MARK = re.compile(r"(?P<mark>cr|c|k|db|dr|d)\.?\Z", re.IGNORECASE)
_IN = frozenset({"cr", "c", "k"})
_THOUSANDS = re.compile(
    r"(?P<head>[1-9][0-9]{0,2})(?P<rest>(?:(?P<sep>[.,])[0-9]{3})(?:(?P=sep)[0-9]{3})*)\Z"
)
_USUAL = re.compile(r"(-?)([1-9][0-9]{0,14})(?:\.00)?\Z")
_PLAIN = re.compile(r"(?:0|[1-9][0-9]*)\Z")
_SEN = re.compile(r"(?P<whole>.*[0-9])(?P<sep>[.,])(?P<sen>[0-9]|[0-9]{2}|[0-9]{4})\Z")
LENGTH_MAX = 40  # characters of a sum; a longer text is rejected
DIGITS_MAX = 15  # above any real sum, and within a bigint


class ReadAmount(NamedTuple):
    """Rupiah, and their direction: True for incoming, False for outgoing, None if the text does not show it."""

    rupiah: int
    is_in: bool | None


def read_sum(text: str) -> ReadAmount | None:
    """Parse the sum in a text; None if the text has no sum, a sum with sen, or an ambiguous one."""
    if found := _USUAL.match(text):  # fast path for the form that programs usually write
        return ReadAmount(int(found[2]), False if found[1] else None)
    return _read_sum(text)


@lru_cache(maxsize=4_096)  # a file of a million lines has few sums
def _read_sum(text: str) -> ReadAmount | None:
    if len(text) > LENGTH_MAX or _PARTED.search(text):
        return None
    bare, currencies = _CURRENCY.subn("", _SPACES.sub("", text).replace("\u2212", "-"))
    directions: list[bool] = []
    if mark := _MARK.search(bare):
        directions.append(mark["mark"].lower() in _IN)
        bare = bare[: mark.start()]
    bare = bare.removesuffix(",-")  # means that there are no sen
    if bare[:1] == "(" and bare[-1:] == ")":
        directions.append(False)
        bare, more = _CURRENCY.subn("", bare[1:-1])
        currencies += more
    if bare[:1] in ("-", "+") and len(bare) > 1:
        directions.append(bare[0] == "+")
        bare, more = _CURRENCY.subn("", bare[1:])
        currencies += more
    elif bare[-1:] == "-":
        directions.append(False)
        bare = bare[:-1]
    rupiah = _whole(bare)
    if rupiah is None or currencies > 1 or len(directions) > 1:
        return None
    return ReadAmount(rupiah, directions[0] if directions else None)


def _whole(bare: str) -> int | None:
    """Parse whole rupiah from a text without sign and currency; None if they cannot be read exactly."""
    used = None
    if found := _SEN.match(bare):
        if found["sen"].strip("0"):
            return None
        bare, used = found["whole"], found["sep"]
    if thousands := _THOUSANDS.match(bare):
        if thousands["sep"] == used:
            return None  # the same separator before sen and between thousands
        bare = bare.replace(thousands["sep"], "")
    elif not _PLAIN.match(bare):
        return None
    return int(bare) if len(bare) <= DIGITS_MAX else None
