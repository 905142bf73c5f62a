"""Settings of privacy."""

import msgspec

from meterai.plumbing.config import Positive


class PrivacySettings(msgspec.Struct, frozen=True):
    """Times of requests."""

    # The thief of a session cannot erase its person: the mail is read within a week, and explains
    # the withdrawal.
    erasure_delay_days: Positive = 7
