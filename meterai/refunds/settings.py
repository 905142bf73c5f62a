"""Settings of refunds."""

import msgspec

from meterai.plumbing.config import Positive, Seconds, Whole


class RefundSettings(msgspec.Struct, frozen=True):
    """Settings of refunds; money in rupiah, times in seconds."""

    compensation_per_day: Whole = 0  # for each whole day that a refund is past its due time
    compensation_max: Whole = 100_000  # of one refund
    account_tries_per_day_max: Positive = 5  # of one buyer; each try queries a bank for a name
    # For each network, since anybody can create accounts; enough for an office or a village behind one address.
    account_tries_per_hour_per_network_max: Positive = 20  # in each web process
    # For the installation: low enough that nobody can collect names of account holders, high enough for the outage of a
    # rail, when all its buyers name accounts within hours.
    account_tries_per_hour_max: Positive = 1_000
    # Buyers who named the same account; a person examines the claim of the next buyer.
    account_buyers_max: Positive = 3
    # Buyers who named the account within this time are counted.
    account_buyers_seconds: Seconds = 90 * 86_400.0
    # A person examines an account that would get more money.
    account_rupiah_max: Positive = 2_000_000
    # Life of a claim link; after it, a new link is mailed if money still waits.
    claim_link_lives_seconds: Seconds = 30 * 86_400.0
