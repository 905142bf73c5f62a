"""Settings of distribution."""

import msgspec

from meterai.kit.money import STAMP_DUTY
from meterai.plumbing.config import Positive, Seconds, Whole


class DistributionSettings(msgspec.Struct, frozen=True):
    """Limits of fees, deposits and sales: money in rupiah, times in seconds."""

    # Highest fee of a seller for each stamp. The law (PMK 133/2021) leaves the retail price free, so the operator sets
    # this bound: the fee is at most the duty.
    distribution_fee_rupiah_max: Whole = STAMP_DUTY
    deposit_rupiah_max: Positive = 1_000_000_000  # of one top-up; a rail may allow less
    sale_stamps_max: Positive = 1_000  # of one sale: a typing error must not use up a deposit
    sales_per_buyer_day_max: Positive = 20  # each sale may send the buyer an unrequested mail
    sale_waits_seconds: Seconds = 86_400  # longest wait of a sale for a deposit
    sale_returns_seconds: Seconds = 900  # the same, if the distributor chose `return`
