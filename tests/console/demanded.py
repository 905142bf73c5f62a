"""Settings that meet the demands of production on the console, and ways to break each demand."""

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
