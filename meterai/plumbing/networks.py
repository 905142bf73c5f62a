"""The networks that contain a visitor's address, and limits for each of them.

A stranger has as many IPv6 networks of 64 bits as their provider assigns: 256 at home (a /56), up to 65,536 with a
rented server (a /48). So a limit for one network also applies to the wider networks around it, with a larger value,
since many people share those.
"""

from collections import Counter, OrderedDict
from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Network, ip_network
from time import monotonic

from meterai.plumbing.config import ConfigurationWrong

# Factors of the limit: for an address or a /64, and for each wider network around it.
WIDER = (1, 4, 16)
# The same factors for resources held at once, which are scarce: if one network may have a quarter of them, the widest
# network still leaves a quarter to others.
WIDER_AT_ONCE = (1, 2, 3)
NAMES_MAX = 4_096  # networks whose wider ones are cached; computing them takes some microseconds
NETWORKS_MAX = 50_000  # known to one limit; the one unseen for longest is dropped first


def networks_of(setting: str, text: str) -> tuple[IPv4Network | IPv6Network, ...]:
    """Return the networks in a setting, separated by commas or spaces. Refuses `ConfigurationWrong`."""
    try:
        return tuple(ip_network(one) for one in text.replace(",", " ").split())
    except ValueError as error:
        raise ConfigurationWrong(setting, "settings", str(error)) from None


@lru_cache(maxsize=NAMES_MAX)
def nested(network: str) -> tuple[str, ...]:
    """Return the names of the nested networks around a network that `network_of` returned, from narrow to wide, itself first.

    For IPv6 a /64, /56 and /48; for IPv4 an address and its /24; for an unknown address the given name alone.
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
    """Return the /32 of IPv6 or the /16 of IPv4 around a network that `network_of` returned, which is roughly the range of one
    provider.
    """
    if network.endswith("/64"):
        return f"{int(IPv6Network(network).network_address) >> 96:x}/32"
    try:
        return f"{int(IPv4Address(network)) >> 16:x}/16"
    except ValueError:
        return network


class Buckets:
    """Token buckets by network. A network has at most `most` tokens, and each act takes one; an empty bucket is full
    again after `refill_seconds`.

    Wider networks have more tokens, by the factors `wider`. The tokens are those of one process, so an installation has
    as many times more as it has web processes.
    """

    def __init__(self, most: float, refill_seconds: float, wider: tuple[int, ...] = WIDER) -> None:
        self._most = tuple(most * times for times in wider)
        self._refill_seconds = refill_seconds
        # Tokens left, and when they were counted (monotonic seconds).
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, names: Sequence[str]) -> bool:
        """Count one act for all networks of these names, narrow to wide.

        Return False, and count nothing, if one of the networks has no token left.
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
        """True if all networks of these names have a token left, so that `take` would count an act."""
        return all(left >= 1 for _, left in self._found(names))

    def give_back(self, names: Sequence[str]) -> None:
        """Undo the count of one act that was not carried out."""
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
    """Counts the resources, such as bytes, that the clients of one process hold now.

    A client is a network, or any other name. The resources of a network also count for the wider networks around it. If a wider
    network holds many, `of` returns a higher number for each network in it.
    """

    def __init__(self) -> None:
        self._held: Counter[str] = Counter()

    def of(self, client: str, more: int = 0) -> float:
        """Return the number of resources of a client, as if the client held `more` in addition.

        For a network this is the greatest of its own number and the numbers of the wider networks around it, each of which is
        first divided by its factor in `WIDER_AT_ONCE`.
        """
        return max(
            (self._held[name] + more) / times
            for name, times in zip(nested(client), WIDER_AT_ONCE, strict=False)
        )

    def add(self, client: str, count: int = 1) -> None:
        """Add to the resources that a client holds."""
        for name in nested(client):
            self._held[name] += count

    def give_back(self, client: str, count: int = 1) -> None:
        """Subtract from the resources that a client holds."""
        for name in nested(client):
            self._held[name] -= count
            if not self._held[name]:
                del self._held[name]
