"""Base of structures from outside, whose times are safe to calculate with; pure."""

from datetime import UTC, datetime

import msgspec

# Far from the ends of `datetime`, so that a time in between can be expressed in every zone.
EARLIEST, LATEST = datetime(2020, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


class FromOutside(msgspec.Struct, frozen=True):
    """Base of data from others: each of its times has a zone and lies from `EARLIEST` to `LATEST`.

    `msgspec` refuses any other time, as all invalid data (`ValidationError`).
    """

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            found = getattr(self, name)
            if isinstance(found, datetime) and not (
                found.tzinfo is not None and EARLIEST <= found <= LATEST
            ):
                raise ValueError(f"{name} has no zone, or is of a year that cannot be")
