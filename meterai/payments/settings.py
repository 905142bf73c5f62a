"""What can be set about payments, whatever they are made by."""

import msgspec

from meterai.plumbing.config import Hour, Seconds


class PaymentSettings(msgspec.Struct, frozen=True):
    """Which rails there are, and when they are called; times in seconds."""

    # Who called has died; more than two time-outs, see plumbing/leases.py.
    bank_lease_seconds: Seconds = 15
    poll_after_seconds: Seconds = 5  # first status query for a payment nobody told us about
    # The rails of this installation by their names, with spaces between; the first is the default.
    payment_rails: str = "bank"
    bank_compared_at_hour: Hour = 3  # in WIB; the books beside the bank's own record, each night
