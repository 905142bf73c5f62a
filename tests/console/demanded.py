"""Settings with which production has what it demands of the console, and ways to lack it."""

from collections.abc import Mapping, Sequence

from tests.support.demanding import Wrong, setting

RIGHT = {
    "console_networks": "10.8.0.0/24",
}
WRONG: Mapping[str, Sequence[Wrong]] = {
    "console_door": setting(
        "console_networks", None, "0.0.0.0/0", "10.8.0.0/24, ::/0", "10.8.0.1/24"
    ),
}
