"""Settings of refunds."""

import msgspec

from meterai.plumbing.config import Positive, Seconds, Whole


class RefundSettings(msgspec.Struct, frozen=True):
    """Settings of refunds; money in rupiah, times in seconds."""

    compensation_per_day: Whole = 0  # for each whole day that a refund is past its due time
    compensation_max: Whole = 100_000  # of one refund
    account_tries_per_day_max: Positive = 5  # of one buyer; each asks a bank for a name
    # For each network, since anybody can create accounts; enough for an office or a village behind one address.
    account_tries_per_hour_per_network_max: Positive = 20  # in each web process
    # For the installation: prevents reading the register of names; when a rail fails, all its buyers come within hours.
    account_tries_per_hour_max: Positive = 1_000
    account_buyers_max: Positive = 3  # buyers who named one account; the next waits for a person
    account_buyers_seconds: Seconds = 90 * 86_400.0  # so long they are counted
    account_rupiah_max: Positive = 2_000_000  # without a second look, to an account just named
    claim_link_lives_seconds: Seconds = 30 * 86_400.0  # then another is mailed, while money waits
