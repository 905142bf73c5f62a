"""Whole rupiah.

Stamp duty is a fixed number of whole rupiah (UU 10/2020, section 5), so an amount is an integer: no decimals, no
floats, no rounding rule.
"""

import re
from dataclasses import dataclass

STAMP_DUTY = 10_000  # for one document; UU 10/2020, section 5
_SNAP_VALUE = re.compile(r"([0-9]{1,13})(?:\.0{1,4})?\Z")


@dataclass(frozen=True, slots=True, order=True)
class Rupiah:
    """An amount in whole rupiah. `Rupiah(10_000) * 3 == Rupiah(30_000)`."""

    value: int

    def __post_init__(self) -> None:
        # A bool is an int in Python: without this check Rupiah(True) would be one rupiah.
        if type(self.value) is not int:
            raise TypeError(f"an amount is a whole number of rupiah, not {self.value!r}")

    def __add__(self, other: "Rupiah") -> "Rupiah":
        return Rupiah(self.value + other.value)

    def __sub__(self, other: "Rupiah") -> "Rupiah":
        return Rupiah(self.value - other.value)

    def __mul__(self, count: int) -> "Rupiah":
        return Rupiah(self.value * count)

    def __str__(self) -> str:
        sign = "-" if self.value < 0 else ""
        return f"{sign}Rp{abs(self.value):,}".replace(",", ".")

    def snap(self) -> dict[str, str]:
        """Return the amount in the form of SNAP BI: a string with two decimals, and the currency."""
        return {"value": f"{self.value}.00", "currency": "IDR"}

    @classmethod
    def from_snap(cls, amount: object) -> "Rupiah":
        """Read a SNAP BI amount. Raises `ValueError` for anything except whole rupiah.

        The standard demands two decimals. Zero, one or four decimals are also accepted, since some banks send "10000"
        or "10000.0".
        """
        match amount:
            case {"value": str(value), "currency": "IDR"} if found := _SNAP_VALUE.match(value):
                return cls(int(found[1]))
        raise ValueError(f"not an amount in whole rupiah: {amount!r}")
