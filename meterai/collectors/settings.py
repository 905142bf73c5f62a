"""Settings of collectors."""

import msgspec

from meterai.plumbing.config import Positive, Whole


class CollectorSettings(msgspec.Struct, frozen=True):
    """Bounds of a collector's credit: largest monthly limit in rupiah, days of the month by which duty is deposited and returns
    are filed, and the longest wait of an order for credit.
    """

    collector_limit_rupiah_max: Positive = (
        100_000_000_000  # of a month; a larger limit is a typing error
    )
    # The law (PMK 78/2024): the duty of a month is deposited by the 15th of the next month, its return is filed by the
    # 20th.
    collector_deposit_day: Positive = 15
    collector_report_day: Positive = 20
    # From this day of a month on, draws stop while the month before is not deposited. Read strictly, the law demands 1:
    # no draw before the month before is paid. That leaves no day to pay it.
    collector_stop_day: Positive = 16
    # Months, from that of the first draw on, in which missing deposits do not stop draws (the law: two).
    collector_free_months: Whole = 2
    collector_waits_seconds: Positive = (
        604_800  # longest wait of an order for credit; a week at most
    )

    @property
    def stops(self) -> tuple[int, int]:
        """Return (day of the month from which draws stop if the deposit of an earlier month is missing, number of first months
        of a collector in which draws do not stop).
        """
        return self.collector_stop_day, self.collector_free_months
