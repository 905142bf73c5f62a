"""Settings of drafts that production accepts with any value, each with the reason."""

from collections.abc import Mapping

from meterai.commands import LOAD, TIME

UNDEMANDED: Mapping[str, str] = {
    "draft_lives_seconds": TIME,
    "draft_lives_seconds_max": TIME,
    "draft_bytes_max": LOAD,
    "account_bytes_min": LOAD,
    "drafts_per_network_max": LOAD,
    "draft_bytes_per_network_max": LOAD,
    "drafts_bytes_max": LOAD,
}
