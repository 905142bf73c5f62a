"""What can be set about signing in."""

import msgspec

from meterai.plumbing.config import Positive, Seconds


class AccountSettings(msgspec.Struct, frozen=True):
    """Times in seconds."""

    code_lives_seconds: Seconds = 600
    code_tries_max: Positive = 5
    # Per e-mail address; a device that the address signed in with has as many of its own.
    codes_per_hour_max: Positive = 6
    # Codes that opened nothing yet, within the life of one. A person who waits for a mail asks again, and once more
    # on another device.  Each has five tries, so as few as do that.
    codes_outstanding_max: Positive = 3
    codes_per_hour_per_network_max: Positive = 2_000  # a carrier's phones share one address
    session_lives_seconds: Seconds = 30 * 86_400
    # Whether staff approve of an organization before anybody acts for it.
    organizations_need_approval: bool = False
