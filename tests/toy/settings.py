"""Settings of the guest book."""

import msgspec

from meterai.plumbing.config import Positive


class GuestSettings(msgspec.Struct, frozen=True):
    """Number of guests that are shown."""

    guests_shown_max: Positive = 100
