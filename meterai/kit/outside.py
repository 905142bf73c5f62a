"""Base of structures received from outside; checks that their times are safe to calculate with; pure."""

from datetime import UTC, datetime

import msgspec

# Far from the limits of `datetime`, so that each time in between can be expressed in every zone.
EARLIEST, LATEST = datetime(2020, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


class FromOutside(msgspec.Struct, frozen=True):
    """Base of data received from outside: each time in it must have a zone and lie from `EARLIEST` to `LATEST`.

    `msgspec` reports any other time as `ValidationError`, like all invalid data.
    """

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            found = getattr(self, name)
            if isinstance(found, datetime) and not (
                found.tzinfo is not None and EARLIEST <= found <= LATEST
            ):
                raise ValueError(f"{name} has no time zone, or an impossible year")
