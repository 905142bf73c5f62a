"""Structures that come from outside, with times that can be reckoned with; pure."""

from datetime import UTC, datetime

import msgspec

# Far from the ends of `datetime`, so that a time between them can be said in every zone.
EARLIEST, LATEST = datetime(2020, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


class FromOutside(msgspec.Struct, frozen=True):
    """Base of what others say: each of its times has a zone and lies from `EARLIEST` to `LATEST`.

    `msgspec` refuses a time that does not, as whatever else does not fit (`ValidationError`).
    """

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            found = getattr(self, name)
            if isinstance(found, datetime) and not (
                found.tzinfo is not None and EARLIEST <= found <= LATEST
            ):
                raise ValueError(f"{name} has no zone, or is of a year that cannot be")
