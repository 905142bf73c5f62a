"""Settings of outage records of which production demands nothing, and why."""

from collections.abc import Mapping

from meterai.commands import LOAD

UNDEMANDED: Mapping[str, str] = {"outage_copies_per_hour_per_network_max": LOAD}
