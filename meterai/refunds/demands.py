"""Settings of refunds that production accepts with any value, each with the reason."""

from collections.abc import Mapping

from meterai.commands import LOAD, TIME

UNDEMANDED: Mapping[str, str] = {
    "compensation_per_day": "none is a sum too; what is paid is shown to the buyer",
    "compensation_max": "none is a sum too; what is paid is shown to the buyer",
    "account_tries_per_day_max": LOAD,
    "account_tries_per_hour_per_network_max": LOAD,
    "account_tries_per_hour_max": LOAD,
    "account_buyers_max": "more of them wait for a person, or fewer",
    "account_buyers_seconds": TIME,
    "account_rupiah_max": "more of them wait for a person, or fewer",
    "claim_link_lives_seconds": TIME,
}
