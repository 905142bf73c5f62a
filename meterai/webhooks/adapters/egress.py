"""Addresses to which messages may be sent.

Anybody can register a URL, which our machines then call. Hosts of our own network trust our machines, so only public addresses
may be called. A host name is resolved, each of its IP addresses is checked, and the connection uses one of the checked
addresses. Therefore it does not matter if the name resolves differently a moment later.
"""

import asyncio
import socket
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
)
from time import monotonic

from aiohttp.abc import AbstractResolver, ResolveResult

from meterai.webhooks.model import PORTS, Address, WebhookUrlRefused

LOOK_UPS_MAX = 100  # names resolved at the same time; each look-up occupies a thread
PINNED_SECONDS = 5.0  # seconds for which an answer is reused
NAMES_MAX = 10_000  # cached answers; a full cache is emptied
ADDRESSES_MAX = 16  # addresses of one host name that are checked and used

_IP = IPv4Address | IPv6Address
_IPV6 = IPv6Network("2000::/3")  # all allocated unicast addresses (RFC 4291)
_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052: contains an IPv4 address
_SIX_TO_FOUR = IPv6Network("2002::/16")  # RFC 3056: contains an IPv4 address
_NOT_PUBLIC = (
    IPv6Network("2001::/23"),  # Teredo, benchmarks, ORCHID: no web servers
    IPv6Network("2001:db8::/32"),
    IPv6Network("3fff::/20"),
    IPv4Network("168.63.129.16/32"),  # metadata service of a cloud, at an address that looks public
    IPv4Network("192.88.99.0/24"),  # relays of 6to4
)


def is_public(address: _IP) -> bool:
    """True if the address is globally routable: it leads to the same host from everywhere on the internet."""
    if isinstance(address, IPv6Address):
        behind = address.ipv4_mapped
        if address in _NAT64:
            behind = IPv4Address(int(address) & 0xFFFFFFFF)
        elif address in _SIX_TO_FOUR:
            behind = address.sixtofour
        if behind is not None:
            return is_public(behind)
        if address not in _IPV6 or address.scope_id is not None:
            return False
    return (
        address.is_global
        and not address.is_multicast
        and not any(address in one for one in _NOT_PUBLIC if one.version == address.version)
    )


class NotPublic(OSError):
    """The host has an address that is neither public nor in an allowed network."""


class NoAddress(OSError):
    """The name of the host has no address, or cannot be resolved."""


class Egress(AbstractResolver):
    """Resolves hosts of receivers and checks their IP addresses; checked addresses are cached for some seconds, and connections
    use only these.
    """

    def __init__(self, networks: Sequence[IPv4Network | IPv6Network] = ()) -> None:
        """`networks` are ranges to which messages may be sent in addition to public addresses."""
        self._allowed = networks
        self._threads = ThreadPoolExecutor(LOOK_UPS_MAX, "webhook-names")
        self._pinned: dict[str, tuple[float, asyncio.Task[Sequence[_IP]]]] = {}

    async def check(self, address: Address) -> None:
        """Check that messages may be sent to this address. Refuses `WebhookUrlRefused`."""
        try:
            found = await self.addresses(address)
        except NotPublic:
            raise WebhookUrlRefused("not_public") from None
        except OSError:
            raise WebhookUrlRefused("no_address") from None
        if not (reason := self._why_not(address, found)):
            return
        raise WebhookUrlRefused(reason)

    async def addresses(self, address: Address) -> Sequence[_IP]:
        """Return the checked IP addresses of a host. Raises `NotPublic`, `NoAddress`."""
        found = await self._addresses_of(address.host)
        if not all(self._is_permitted(one) for one in found):
            raise NotPublic(address.host)
        return found

    async def to_send(self, address: Address) -> None:
        """Check an address before a message is sent to it. Raises `NotPublic`, `NoAddress`."""
        if self._why_not(address, await self.addresses(address)):
            raise NotPublic(address.host)

    def _why_not(self, address: Address, found: Sequence[_IP]) -> str | None:
        if all(self._is_allowed(one) for one in found):
            return None
        if not address.is_https:
            return "not_https"
        return None if address.port in PORTS else "port"

    def _is_permitted(self, address: _IP) -> bool:
        return is_public(address) or self._is_allowed(address)

    def _is_allowed(self, address: _IP) -> bool:
        return any(one.version == address.version and address in one for one in self._allowed)

    async def _addresses_of(self, host: str) -> Sequence[_IP]:
        try:
            return (ip_address(host),)
        except ValueError:
            pass
        until, asked = self._pinned.get(host, (0.0, None))
        if asked is None or until < monotonic():
            if len(self._pinned) >= NAMES_MAX:
                self._pinned.clear()
            asked = asyncio.create_task(self._resolve(host))
            # Retrieves the exception, so that asyncio does not log one that nobody awaits.
            asked.add_done_callback(lambda task: task.cancelled() or task.exception())
            # Concurrent requests for the same name wait for this look-up, so that a slow name occupies one thread.
            self._pinned[host] = (float("inf"), asked)
        return await asyncio.shield(asked)

    async def _resolve(self, host: str) -> Sequence[_IP]:
        loop = asyncio.get_running_loop()
        try:
            rows = await loop.run_in_executor(self._threads, _look_up, host)
        except (OSError, UnicodeError):
            raise NoAddress(host) from None
        finally:
            asked = asyncio.current_task()
            assert asked is not None
            self._pinned[host] = (monotonic() + PINNED_SECONDS, asked)
        found = {ip_address(str(row[4][0])) for row in rows[:ADDRESSES_MAX]}
        if not found:
            raise NoAddress(host)
        return sorted(found, key=lambda one: (one.version, int(one)))

    # -- resolver of aiohttp -----------------------------------------------------------------

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the checked addresses of a host, in the form that aiohttp's connector needs."""
        del family
        found = await self.addresses(Address(is_https=True, host=host, port=port))
        return [
            ResolveResult(
                hostname=host,
                host=str(one),
                port=port,
                family=socket.AF_INET if one.version == 4 else socket.AF_INET6,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for one in found
        ]

    async def close(self) -> None:
        """Stop the threads that resolve host names; a running look-up ends only when its resolver answers."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _look_up(host: str) -> Sequence[tuple[object, object, object, object, tuple[object, ...]]]:
    return socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
