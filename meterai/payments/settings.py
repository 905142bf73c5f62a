"""Settings of payments, for all rails."""

import msgspec

from meterai.kit.numbers import counted
from meterai.plumbing.config import ConfigurationWrong, Hour, Positive, Seconds


class PaymentSettings(msgspec.Struct, frozen=True):
    """The rails, and the times of calls to them in seconds."""

    # More than two time-outs of a call, see plumbing/work/leases.py.
    bank_lease_seconds: Seconds = 15
    poll_after_seconds: Seconds = 5  # first status query of an attempt without news
    # The rails of this installation by their names, with spaces between; the first is the default.
    payment_rails: str = "bank"
    # The rails of a method in order with their shares of new attempts, as `qris=bank:3,bri:1 va=bri`; the first
    # alone if none has a share.  A method that is not named has the order of payment_rails.
    payment_order: str = ""
    bank_compared_at_hour: Hour = (
        3  # in WIB; nightly comparison of the books with the bank's record
    )
    # Refunds of one buyer with a smaller sum wait so long for more of them, never past their due time: a transfer
    # costs Rp2.500 for any sum.
    transfer_small_rupiah: Positive = 100_000
    transfer_pools_seconds: Seconds = 3_600
    # Float accounts that cover fewer days of need raise an alarm.
    float_cover_days_min: Positive = 3


def weights_of(payment_order: str) -> dict[str, dict[str, int]]:
    """Parse `payment_order`: the share of each rail of each method.  Refuses `ConfigurationWrong`."""
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
