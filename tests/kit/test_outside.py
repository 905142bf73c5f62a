"""Times from outside: with a zone, in a possible year."""

from datetime import UTC, datetime

import msgspec
import pytest

from meterai.kit.outside import FromOutside


class _Said(FromOutside, frozen=True):
    at: datetime
    later: datetime | None = None


@pytest.mark.parametrize(
    "at", ["2026-11-30T05:00:00", "2019-12-31T23:59:59Z", "9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+14:00"]
)  # fmt: skip
@pytest.mark.parametrize("name", ["at", "later"])
def test_time_without_a_zone_or_of_an_impossible_year_is_refused(name: str, at: str) -> None:
    said = {"at": "2026-11-30T05:00:00Z"} | {name: at}
    with pytest.raises(msgspec.ValidationError, match=f"{name} has no time zone"):
        msgspec.convert(said, _Said)


def test_time_with_a_zone_is_read() -> None:
    found = msgspec.convert({"at": "2026-11-30T12:00:00+07:00"}, _Said)
    assert found == _Said(datetime(2026, 11, 30, 5, tzinfo=UTC))
