"""Settings of refunds that production accepts with any value, each with the reason."""

from collections.abc import Mapping

from meterai.commands import LOAD, TIME

UNDEMANDED: Mapping[str, str] = {
    "compensation_per_day": "zero is valid; the buyer sees the amount that is paid",
    "compensation_max": "zero is valid; the buyer sees the amount that is paid",
    "account_tries_per_day_max": LOAD,
    "account_tries_per_hour_per_network_max": LOAD,
    "account_tries_per_hour_max": LOAD,
    "account_buyers_max": "it only changes how many accounts staff must check",
    "account_buyers_seconds": TIME,
    "account_rupiah_max": "it only changes how many accounts staff must check",
    "claim_link_lives_seconds": TIME,
}
