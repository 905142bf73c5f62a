"""Settings of distribution that production accepts with any value, each with the reason."""

from collections.abc import Mapping

from meterai.commands import LOAD, TIME

UNDEMANDED: Mapping[str, str] = {
    "distribution_fee_rupiah_max": "none is a bound too; two people approve each fee below it",
    "deposit_rupiah_max": "the rail of a top-up refuses what is above its own",
    "sale_stamps_max": LOAD,
    "sales_per_buyer_day_max": LOAD,
    "sale_waits_seconds": TIME,
    "sale_returns_seconds": TIME,
}
