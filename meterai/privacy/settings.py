"""Settings of privacy."""

import msgspec

from meterai.plumbing.config import Positive


class PrivacySettings(msgspec.Struct, frozen=True):
    """Setting of privacy: the delay between the request for an erasure and the erasure."""

    # Days from the request to the erasure. Somebody with a stolen session cannot erase the person,
    # who reads the mail about the request within a week and can withdraw it.
    erasure_delay_days: Positive = 7
