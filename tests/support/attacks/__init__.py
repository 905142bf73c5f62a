"""Attacks on sealed documents, by name: how each is made, and the verdict that it must get.

`FAMILIES` is the catalogue. The tests make every attack anew and check its verdict. The verdict is never
`genuine`.
"""

from tests.support.attacks import (
    behind,
    evidence,
    forgeries,
    gap,
    octets,
    replacing,
    restamped,
    shadows,
)
from tests.support.attacks.lab import Attack, Lab

FAMILIES: dict[str, dict[str, Attack]] = {
    "covered bytes changed, moved, cut": octets.CASES,
    "the stamp replaced": replacing.CASES,
    "what the seal does not cover": gap.CASES,
    "something behind the seal": behind.CASES,
    "something that looks like our evidence": evidence.CASES,
    "prepared before stamping, swapped after it": shadows.CASES,
    "stamped again": restamped.CASES,
    "made with other keys": forgeries.CASES,
}
ATTACKS: dict[str, Attack] = {
    name: attack for family in FAMILIES.values() for name, attack in family.items()
}

__all__ = ["ATTACKS", "FAMILIES", "Attack", "Lab"]
