"""Settings with which production has what it demands of orders, and ways to lack it."""

from collections.abc import Mapping, Sequence

from tests.support.demanding import Wrong, setting

WRONG: Mapping[str, Sequence[Wrong]] = {
    "stamp_price": setting("stamp_price", 9_999, 12_000),
}
