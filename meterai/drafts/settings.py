"""Settings of drafts."""

from datetime import datetime, timedelta

import msgspec

from meterai.plumbing.config import Positive, Seconds

MB = 1024 * 1024


class DraftSettings(msgspec.Struct, frozen=True):
    """Sizes in bytes, times in seconds.  `stampings_per_order_max` limits the files of a draft."""

    draft_lives_seconds: Seconds = (
        86_400  # since its last use: an evening's files, the next evening
    )
    draft_lives_seconds_max: Seconds = 3 * 86_400  # since it began, for any number of visits
    # An order has all of it in memory for a moment.  An ordinary document has less than one.
    draft_bytes_max: Positive = 100 * MB
    # Guaranteed to each account, independent of its network: some scanned letters.  A network may be a
    # whole city behind one address, and one visitor can fill it; an account needs a mail address.
    account_bytes_min: Positive = 8 * MB
    # Without an account.  Phones of one carrier share an address: a whole school may choose its files at once.
    drafts_per_network_max: Positive = 2_000
    draft_bytes_per_network_max: Positive = 4 * 1024 * MB
    drafts_bytes_max: Positive = 20 * 1024 * MB  # of all drafts: the size of the store

    def until(self, began: datetime, now: datetime) -> datetime:
        """Return the time until which a draft is kept that is used now."""
        most = began + timedelta(seconds=self.draft_lives_seconds_max)
        return min(now + timedelta(seconds=self.draft_lives_seconds), most)
