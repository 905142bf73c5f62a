"""Settings of accounts."""

import msgspec

from meterai.plumbing.config import Positive, Seconds


class AccountSettings(msgspec.Struct, frozen=True):
    """Settings of sign-in, sessions and organizations; times in seconds."""

    code_lives_seconds: Seconds = 600
    code_tries_max: Positive = 5
    # Codes for one mail address; a device that signed in with the address has a separate quota.
    codes_per_hour_max: Positive = 6
    # Unused codes within the lifetime of a code.  A person who waits for a mail requests a second code, and a third on
    # another device.  Each code has five tries, so the maximum is low.
    codes_outstanding_max: Positive = 3
    codes_per_hour_per_network_max: Positive = 2_000  # phones of a carrier share one IP address
    session_lives_seconds: Seconds = 30 * 86_400
    # If true, nobody can act for an organization before staff approve it.
    organizations_need_approval: bool = False
