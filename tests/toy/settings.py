"""What can be set about the guest book."""

import msgspec

from meterai.plumbing.config import Positive


class GuestSettings(msgspec.Struct, frozen=True):
    """How many are shown."""

    guests_shown_max: Positive = 100
