"""The networks that an address of a visitor lies in, and a bound for each of them.

A stranger has as many IPv6 networks of 64 bits as their provider gives: a home has 256 (a /56), a rented
server up to 65,536 (a /48).  So a bound for one network holds for the wider ones too, where it is larger,
since many people share those.
"""

from collections import Counter, OrderedDict
from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Network, ip_network
from time import monotonic

from meterai.plumbing.config import ConfigurationWrong

WIDER = (1, 4, 16)  # times the bound of an address or a /64, for each network that nests
# The same for what is held at once, of which there is little: where one network may have a quarter of all, the
# widest leaves a quarter to others.
WIDER_AT_ONCE = (1, 2, 3)
NAMES_MAX = 4_096  # networks whose wider ones are at hand; another costs some microseconds
NETWORKS_MAX = 50_000  # known to one bound; the one not seen for longest is forgotten first


def networks_of(setting: str, text: str) -> tuple[IPv4Network | IPv6Network, ...]:
    """The networks that a setting names, with commas or spaces between.  Refuses `ConfigurationWrong`."""
    try:
        return tuple(ip_network(one) for one in text.replace(",", " ").split())
    except ValueError as error:
        raise ConfigurationWrong(setting, "settings", str(error)) from None


@lru_cache(maxsize=NAMES_MAX)
def nested(network: str) -> tuple[str, ...]:
    """Names of the networks that nest around one of `network_of`, itself first.

    A /64, /56 and /48 of IPv6; an address and its /24 of IPv4; alone where nobody knows the address.
    """
    if network.endswith("/64"):
        number = int(IPv6Network(network).network_address)
        return network, f"{number >> 72:x}/56", f"{number >> 80:x}/48"
    try:
        number = int(IPv4Address(network))
    except ValueError:
        return (network,)
    return network, f"{number >> 8:x}/24"


def provider(network: str) -> str:
    """The /32 of IPv6 or the /16 of IPv4 that a network of `network_of` lies in: about what one provider has."""
    if network.endswith("/64"):
        return f"{int(IPv6Network(network).network_address) >> 96:x}/32"
    try:
        return f"{int(IPv4Address(network)) >> 16:x}/16"
    except ValueError:
        return network


class Buckets:
    """So many at once for one network, again within `refill_seconds`; for a wider one `WIDER` times as many.

    Of one process: an installation lets in as many times more as it has web processes.
    """

    def __init__(self, most: float, refill_seconds: float, wider: tuple[int, ...] = WIDER) -> None:
        self._most = tuple(most * times for times in wider)
        self._refill_seconds = refill_seconds
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()  # how much, when

    def take(self, names: Sequence[str]) -> bool:
        """Count one for all networks of these names, narrow to wide; false where one of them has had all it may
        for now, and nothing is counted.
        """
        found = self._found(names)
        may = all(left >= 1 for _, left in found)
        for name, left in found:
            if may:
                self._left[name] = (left - 1, monotonic())
            if name in self._left:
                self._left.move_to_end(name)
        while len(self._left) > NETWORKS_MAX:
            self._left.popitem(last=False)
        return may

    def have(self, names: Sequence[str]) -> bool:
        """Whether one more would be counted."""
        return all(left >= 1 for _, left in self._found(names))

    def give_back(self, names: Sequence[str]) -> None:
        """Nothing came of one that was counted."""
        for name in names:
            if name in self._left:
                left, at = self._left[name]
                self._left[name] = (left + 1, at)

    def _found(self, names: Sequence[str]) -> list[tuple[str, float]]:
        now = monotonic()
        return [
            (name, self._now(name, most, now))
            for name, most in zip(names, self._most, strict=False)
        ]

    def _now(self, name: str, most: float, now: float) -> float:
        left, at = self._left.get(name, (most, now))
        return min(left + (now - at) * most / self._refill_seconds, most)


class NetworkCounts:
    """The number that each client, a network or another, has at once.

    A client has as much as the one of its networks that has most, where a wider one counts a share of what it has
    (`WIDER_AT_ONCE`).  Of one process.
    """

    def __init__(self) -> None:
        self._held: Counter[str] = Counter()

    def of(self, client: str, more: int = 0) -> float:
        """The number that a client has, and would have with so many more."""
        return max(
            (self._held[name] + more) / times
            for name, times in zip(nested(client), WIDER_AT_ONCE, strict=False)
        )

    def add(self, client: str, count: int = 1) -> None:
        """A client has so much more."""
        for name in nested(client):
            self._held[name] += count

    def give_back(self, client: str, count: int = 1) -> None:
        """A client has so much less."""
        for name in nested(client):
            self._held[name] -= count
            if not self._held[name]:
                del self._held[name]
