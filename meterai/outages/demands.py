"""Settings of outage records that production accepts with any value, each with the reason."""

from collections.abc import Mapping

from meterai.commands import LOAD

UNDEMANDED: Mapping[str, str] = {"outage_copies_per_hour_per_network_max": LOAD}
