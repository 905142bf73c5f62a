"""Settings of distribution that production accepts with any value, each with the reason."""

from collections.abc import Mapping

from meterai.commands import LOAD, TIME

UNDEMANDED: Mapping[str, str] = {
    "distribution_fee_rupiah_max": "zero is valid; two people approve each fee up to it",
    "deposit_rupiah_max": "the rail of a top-up refuses an amount above its own limit",
    "sale_stamps_max": LOAD,
    "sales_per_buyer_day_max": LOAD,
    "sale_waits_seconds": TIME,
    "sale_returns_seconds": TIME,
}
