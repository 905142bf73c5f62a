"""Numbers that the state gives to organizations: NPWP and NIB.

A number in an unknown format is stored as typed, with a warning, because the state may introduce a new format.
"""

import re
from typing import NamedTuple

from meterai.kit.refusal import Malformed

LENGTH_MAX = 40  # characters of a stored number
_SIGNS = str.maketrans("", "", " .-/")
# NPWP: 15 digits until 2024, 16 digits since (PMK 112/PMK.03/2022).
_NPWP = re.compile(r"[0-9]{15,16}\Z")
# NIB: 13 digits (PP 5/2021).
_NIB = re.compile(r"[0-9]{13}\Z")


class StateNumber(NamedTuple):
    """A number of an organization (NPWP or NIB) as it is stored; `is_known` is True if its format is known."""

    text: str
    is_known: bool


def npwp(typed: str) -> StateNumber:
    """Parse the tax number of an organization.  Refuses `Malformed`."""
    return _read("npwp", typed, _NPWP)


def nib(typed: str) -> StateNumber:
    """Parse the business number of an organization.  Refuses `Malformed`."""
    return _read("nib", typed, _NIB)


def _read(name: str, typed: str, known: re.Pattern[str]) -> StateNumber:
    digits = typed.translate(_SIGNS)
    if known.match(digits):
        return StateNumber(digits, is_known=True)
    kept = " ".join(typed.split())
    if len(kept) > LENGTH_MAX or not kept.isprintable():
        raise Malformed(name, "shown_text", length_max=LENGTH_MAX)
    return StateNumber(kept, is_known=False)
