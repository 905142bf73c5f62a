"""Settings that meet the demands of production on orders, and ways to break each demand."""

from collections.abc import Mapping, Sequence

from tests.support.demanding import Wrong, setting

WRONG: Mapping[str, Sequence[Wrong]] = {
    "stamp_price": setting("stamp_price", 9_999, 12_000),
}
