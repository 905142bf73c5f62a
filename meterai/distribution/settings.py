"""What can be set about sales of distributors."""

import msgspec

from meterai.kit.money import STAMP_DUTY
from meterai.plumbing.config import Positive, Seconds, Whole


class DistributionSettings(msgspec.Struct, frozen=True):
    """Money in rupiah, times in seconds."""

    # The law (PMK 133/2021) leaves the retail price free, so this is the operator's bound: nobody pays more for the
    # sale of a stamp than for its duty.
    distribution_fee_rupiah_max: Whole = STAMP_DUTY
    deposit_rupiah_max: Positive = 1_000_000_000  # of one top-up; its rail may take less
    sale_stamps_max: Positive = 1_000  # of one sale: a typing error must not take a deposit
    sales_per_buyer_day_max: Positive = 20  # each may mail the buyer, who did not ask us
    sale_waits_seconds: Seconds = 86_400  # so long a sale waits for a deposit that is short
    sale_returns_seconds: Seconds = 900  # the same, where its distributor wants it back at once
