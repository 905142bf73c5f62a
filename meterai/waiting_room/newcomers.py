"""New places by the network they are asked from, so that one machine does not fill a line.

A carrier's phones share one address by the thousand, so what one network may take at once is much;
a program that takes numbers without end is slowed to what a crowd of people would take.
"""

from collections import OrderedDict
from time import monotonic

REFILL_SECONDS = 100.0  # in which a network may take as many again
NETWORKS_MAX = 50_000  # known at once; the one not seen for longest is forgotten first


class Newcomers:
    """A bucket of `places` for each network, filled again within `REFILL_SECONDS`."""

    def __init__(self, places: int) -> None:
        self._places = places
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()  # places, when

    def may_come(self, network: str) -> bool:
        """Count a new place; false where the network has taken all it may for now."""
        now = monotonic()
        left, at = self._left.get(network, (float(self._places), now))
        left = min(left + (now - at) * self._places / REFILL_SECONDS, float(self._places))
        may = left >= 1
        self._left[network] = (left - 1 if may else left, now)
        self._left.move_to_end(network)
        if len(self._left) > NETWORKS_MAX:
            self._left.popitem(last=False)
        return may
