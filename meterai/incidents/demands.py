"""The condition that the settings of incidents must meet in production: a configured file of watchers is readable."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from meterai.commands import LOAD, Demand, Facts
from meterai.plumbing.config import Configuration
from meterai.plumbing.readings import WatchersWrong, read_watchers


def _readable(of: Configuration) -> Iterator[Facts]:
    path = of.value("watchers_file")
    if not path:
        return
    try:
        read_watchers(Path(path).read_text())
    except (OSError, UnicodeDecodeError, WatchersWrong) as fault:
        yield {"path": path, "found": str(fault)}


DEMANDS: tuple[Demand, ...] = (Demand("watchers_readable", ("watchers_file",), _readable),)
UNDEMANDED: Mapping[str, str] = {
    "subscriptions_per_hour_per_network_max": LOAD,
    "subscriptions_per_hour_max": LOAD,
    "incidents_by_watch": (
        "whether staff or the watchers open an incident; in both cases every page shows it"
    ),
}
