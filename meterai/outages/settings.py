"""Settings of outage records."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from meterai.incidents import IncidentSettings
from meterai.plumbing.config import Positive, Settings
from meterai.plumbing.files import read_settings_file
from meterai.plumbing.readings import Watcher, WatchersWrong, read_watchers


class OutageSettings(msgspec.Struct, frozen=True):
    """Limit of the sealed copies of records that the addresses of one IP network can get in an hour."""

    # Copies are sealed one by one, some 20 ms of a processor each; a carrier's phones share one address.
    outage_copies_per_hour_per_network_max: Positive = 60


def watchers_of(settings: Settings) -> Sequence[Watcher]:
    """Return the watchers of the installation; empty if no file is set.  Refuses `WatchersWrong`."""
    path = settings.of(IncidentSettings).watchers_file
    try:
        return read_watchers(read_settings_file(Path(path))) if path else ()
    except (OSError, UnicodeDecodeError) as error:
        raise WatchersWrong(f"{path}: {error}") from None
