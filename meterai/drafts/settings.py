"""What can be set about drafts."""

from datetime import datetime, timedelta

import msgspec

from meterai.plumbing.config import Positive, Seconds

MB = 1024 * 1024


class DraftSettings(msgspec.Struct, frozen=True):
    """Sizes in bytes, times in seconds.  How many files a draft has is `stampings_per_order_max`."""

    draft_lives_seconds: Seconds = 86_400  # since it was used: an evening's files, the next evening
    draft_lives_seconds_max: Seconds = 3 * 86_400  # since it began, however often it is looked at
    # All of it is in memory for a moment when it is ordered.  An ordinary document has less than one.
    draft_bytes_max: Positive = 100 * MB
    # What each account may have, whatever others of its network hold: some scanned letters.  A network is a
    # whole city behind one address, and one of it can fill what is the network's; an account takes a mail.
    account_bytes_min: Positive = 8 * MB
    # Of nobody's account.  Phones of one carrier share an address: a whole school may choose its files at once.
    drafts_per_network_max: Positive = 2_000
    draft_bytes_per_network_max: Positive = 4 * 1024 * MB
    drafts_bytes_max: Positive = (
        20 * 1024 * MB
    )  # of all drafts: what the store has to hold for them

    def until(self, began: datetime, now: datetime) -> datetime:
        """How long a draft is kept that is used now."""
        most = began + timedelta(seconds=self.draft_lives_seconds_max)
        return min(now + timedelta(seconds=self.draft_lives_seconds), most)
