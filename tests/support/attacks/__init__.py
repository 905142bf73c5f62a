"""Attacks on sealed documents, each by name: how it is made, and what must be said of it.

`ATTACKS` is the catalogue.  The tests make every attack anew and ask for its verdict; the golden
files are those of `FAMILIES`, made once.  Nothing in it may ever be genuine.
"""

from tests.support.attacks import (
    borrowed,
    by_hand,
    catalog,
    concealed,
    drawn_apart,
    endless,
    forgeries,
    gap,
    heavy,
    honest,
    keyless,
    later,
    octets,
    pictures,
    read_apart,
    rebuilt,
    replacing,
    shadows,
    signatures,
    structure,
    uncertain,
    updates,
)
from tests.support.attacks.families import FAMILIES
from tests.support.attacks.lab import Attack, Lab

HONEST: dict[str, Attack] = (
    honest.CASES
    | by_hand.HONEST
    | gap.HONEST
    | pictures.HONEST
    | keyless.HONEST
    | rebuilt.HONEST
    | structure.HONEST
    | read_apart.HONEST
)
ATTACKS: dict[str, Attack] = (
    octets.CASES
    | replacing.CASES
    | updates.CASES
    | catalog.CASES
    | concealed.CASES
    | signatures.CASES
    | shadows.CASES
    | forgeries.CASES
    | gap.CASES
    | endless.CASES
    | heavy.CASES
    | by_hand.CASES
    | borrowed.CASES
    | later.CASES
    | drawn_apart.CASES
    | pictures.CASES
    | keyless.CASES
    | rebuilt.CASES
    | structure.CASES
    | uncertain.CASES
    | read_apart.CASES
)

GOLDEN = {
    name: case
    for name, case in (HONEST | ATTACKS).items()
    if name in HONEST or any(name in family for family in FAMILIES.values())
}

__all__ = ["ATTACKS", "FAMILIES", "GOLDEN", "HONEST", "Attack", "Lab"]
