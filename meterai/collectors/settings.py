"""Settings of collectors."""

import msgspec

from meterai.plumbing.config import Positive, Whole


class CollectorSettings(msgspec.Struct, frozen=True):
    """Money in rupiah, days of a month in WIB."""

    collector_limit_rupiah_max: Positive = (
        100_000_000_000  # of a month; a larger one is a typing error
    )
    # The law (PMK 78/2024): the duty of a month is deposited by the 15th of the next month, its return is filed by the
    # 20th.
    collector_deposit_day: Positive = 15
    collector_report_day: Positive = 20
    # From this day on nothing is drawn while the month before is not deposited. The letter of the law is 1: nobody
    # draws before the month before is paid, and no day is left to pay it.
    collector_stop_day: Positive = 16
    # Months from the first draw in which a collector draws without regard to deposits (the law: the first two).
    collector_free_months: Whole = 2
    collector_waits_seconds: Positive = (
        604_800  # longest wait of an order for its credit; a week at most
    )

    @property
    def stops(self) -> tuple[int, int]:
        """Rule that stops draws: the day of a month, and the number of first months without the rule."""
        return self.collector_stop_day, self.collector_free_months
