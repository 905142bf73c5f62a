"""Settings that meet the demands of production on incidents, and ways to break each demand."""

from collections.abc import Mapping, Sequence

from tests.support.demanding import Wrong, setting

WRONG: Mapping[str, Sequence[Wrong]] = {
    "watchers_readable": setting("watchers_file", "/nowhere/watchers.toml"),
}
