"""Settings of payments, for all rails."""

import msgspec

from meterai.kit.numbers import counted
from meterai.plumbing.config import ConfigurationWrong, Hour, Positive, Seconds


class PaymentSettings(msgspec.Struct, frozen=True):
    """Settings of payments, for all rails; money in rupiah, times in seconds unless the name says otherwise."""

    # Lease of a call to a provider: longer than two time-outs of a call, see plumbing/work/leases.py.
    bank_lease_seconds: Seconds = 15
    # Time after which an attempt without news is queried for the first time.
    poll_after_seconds: Seconds = 5
    # Names of the rails of this installation, separated by spaces; the first is the default.
    payment_rails: str = "bank"
    # For each method its rails, in order, with their shares of new attempts, such as `qris=bank:3,bri:1 va=bri`.  If no rail
    # of a method has a share, the first gets all new attempts.  A method that is not named has the order of payment_rails.
    payment_order: str = ""
    bank_compared_at_hour: Hour = (
        3  # hour in WIB of the nightly comparison of the books with the records of providers
    )
    # Refunds of one buyer by transfer whose sum is smaller wait `transfer_pools_seconds` for more refunds, but never past
    # their due time: a transfer costs Rp2.500 for any sum.
    transfer_small_rupiah: Positive = 100_000
    transfer_pools_seconds: Seconds = 3_600
    # An alarm is raised if the float accounts cover the mean need of fewer days.
    float_cover_days_min: Positive = 3


def weights_of(payment_order: str) -> dict[str, dict[str, int]]:
    """Parse the setting `payment_order`: shares of rails by method and rail.  Refuses `ConfigurationWrong`."""
    found: dict[str, dict[str, int]] = {}
    for one in payment_order.split():
        method, _, rails = one.partition("=")
        for rail in rails.split(","):
            name, colon, share = rail.partition(":")
            weight = counted(share) if colon else 0
            if weight is None or not name or name in found.setdefault(method, {}):
                raise ConfigurationWrong(
                    "payment_order", "settings", f"the value does not have the form {one!r}"
                )
            found[method][name] = weight
    return found
