"""What can be set about drafts."""

import msgspec

from meterai.plumbing.config import Positive, Seconds

MB = 1024 * 1024


class DraftSettings(msgspec.Struct, frozen=True):
    """Sizes in bytes, times in seconds.  How many files a draft has is `stampings_per_order_max`."""

    draft_lives_seconds: Seconds = 86_400  # an evening's files are still there the next evening
    # All of it is in memory for a moment when it is ordered.  An ordinary document has less than one.
    draft_bytes_max: Positive = 100 * MB
    # Phones of one carrier share an address: a whole school may choose its files at once.
    drafts_per_network_max: Positive = 2_000
    draft_bytes_per_network_max: Positive = 4 * 1024 * MB
    drafts_bytes_max: Positive = (
        20 * 1024 * MB
    )  # of all drafts: what the store has to hold for them
