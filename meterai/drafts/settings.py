"""Settings of drafts."""

from datetime import datetime, timedelta

import msgspec

from meterai.plumbing.config import Positive, Seconds

MB = 1024 * 1024


class DraftSettings(msgspec.Struct, frozen=True):
    """Limits of drafts; sizes in bytes, times in seconds.

    The number of files in a draft is limited by the setting `stampings_per_order_max`.
    """

    # Since the last use: files chosen in the evening are kept until the next evening.
    draft_lives_seconds: Seconds = 86_400
    draft_lives_seconds_max: Seconds = 3 * 86_400  # since its creation, for any number of visits
    # An order has all files of a draft in memory for a moment.  An ordinary document is smaller than 1 MB.
    draft_bytes_max: Positive = 100 * MB
    # Guaranteed to each account, independent of its network: enough for some scanned letters.  A whole city may be
    # behind one address, where one visitor can use up the limit of the network; an account needs a mail address.
    account_bytes_min: Positive = 8 * MB
    # Drafts without an account.  Phones of one carrier share an address: a whole school may choose files at once.
    drafts_per_network_max: Positive = 2_000
    draft_bytes_per_network_max: Positive = 4 * 1024 * MB
    drafts_bytes_max: Positive = 20 * 1024 * MB  # of all drafts: the size of the store

    def until(self, began: datetime, now: datetime) -> datetime:
        """Return the time until which a draft is kept if it began at `began` and is used `now`."""
        most = began + timedelta(seconds=self.draft_lives_seconds_max)
        return min(now + timedelta(seconds=self.draft_lives_seconds), most)
