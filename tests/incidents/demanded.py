"""Settings with which production has what it demands of incidents, and ways to lack it."""

from collections.abc import Mapping, Sequence

from tests.support.demanding import Wrong, setting

WRONG: Mapping[str, Sequence[Wrong]] = {
    "watchers_readable": setting("watchers_file", "/nowhere/watchers.toml"),
}
