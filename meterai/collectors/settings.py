"""What can be set about collectors."""

import msgspec

from meterai.plumbing.config import Positive, Whole


class CollectorSettings(msgspec.Struct, frozen=True):
    """Money in rupiah, days of a month in WIB."""

    collector_limit_rupiah_max: Positive = 100_000_000_000  # of a month; more is a typing error
    # The law (PMK 78/2024): a month's duty is deposited by the 15th of the next, its return is filed by the 20th.
    collector_deposit_day: Positive = 15
    collector_report_day: Positive = 20
    # From this day on nothing is drawn while the month before is not deposited; 1 is the letter of the law, which lets
    # nobody draw before the month before is paid, and leaves no day to pay it.
    collector_stop_day: Positive = 16
    # In so many months from its first draw on a collector draws whatever is deposited (the law: the first two).
    collector_free_months: Whole = 2
    collector_waits_seconds: Positive = (
        604_800  # so long an order waits for its credit; none waits longer than a week
    )

    @property
    def stops(self) -> tuple[int, int]:
        """By what draws stop: the day of a month, and the number of first months in which none does."""
        return self.collector_stop_day, self.collector_free_months
