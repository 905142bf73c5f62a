"""What can be set about payments, whatever they are made by."""

import msgspec

from meterai.kit.numbers import counted
from meterai.plumbing.config import ConfigurationWrong, Hour, Positive, Seconds


class PaymentSettings(msgspec.Struct, frozen=True):
    """Which rails there are, and when they are called; times in seconds."""

    # Who called has died; more than two time-outs, see plumbing/work/leases.py.
    bank_lease_seconds: Seconds = 15
    poll_after_seconds: Seconds = 5  # first status query for a payment nobody told us about
    # The rails of this installation by their names, with spaces between; the first is the default.
    payment_rails: str = "bank"
    # The rails of a method in their order with their shares of new attempts, as `qris=bank:3,bri:1 va=bri`; the
    # first alone where none has a share.  A method that is not named has the order of payment_rails.
    payment_order: str = ""
    bank_compared_at_hour: Hour = 3  # in WIB; the books beside the bank's own record, each night
    # Refunds of one buyer that are less than this together wait so long for more of them, never past their due time:
    # a transfer costs Rp2.500 whatever its sum.
    transfer_small_rupiah: Positive = 100_000
    transfer_pools_seconds: Seconds = 3_600
    # Below so many days of need the float accounts raise an alarm.
    float_cover_days_min: Positive = 3


def weights_of(payment_order: str) -> dict[str, dict[str, int]]:
    """The share of each rail of each method, as written.  Refuses `ConfigurationWrong`."""
    found: dict[str, dict[str, int]] = {}
    for one in payment_order.split():
        method, _, rails = one.partition("=")
        for rail in rails.split(","):
            name, colon, share = rail.partition(":")
            weight = counted(share) if colon else 0
            if weight is None or not name or name in found.setdefault(method, {}):
                raise ConfigurationWrong("payment_order", "settings", f"not of this form: {one!r}")
            found[method][name] = weight
    return found
