"""Settings of privacy."""

import msgspec

from meterai.plumbing.config import Positive


class PrivacySettings(msgspec.Struct, frozen=True):
    """Times of requests."""

    # Whoever stole a session cannot erase its person: the mail is read within a week, and says how to withdraw.
    erasure_delay_days: Positive = 7
