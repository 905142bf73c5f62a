"""HTTP/1.1 of a visitor's device: over one connection, at the speed of its network.

Simple and cheap: the generator shares the machine with the measured server.
"""

import asyncio
import errno
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from meterai_rehearsal.clients.sites import Site
from meterai_rehearsal.clients.wire import ConnectionLost, Wire, body_of, framed

SLOW_BUFFER_BYTES = 16 * 1024  # buffer of a slow device, after which its kernel stops the server
SLICES_PER_SECOND = 20  # slices of a slow device's sending
# Errors of this machine, which say nothing about the server.
_STARVED = frozenset(
    {errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS, errno.EADDRNOTAVAIL, errno.EADDRINUSE}
)


@dataclass(frozen=True, slots=True)
class Answer:
    """One complete answer. Names of headers are in lower case; of several headers with one name the last counts."""

    status: int
    headers: Mapping[str, str]
    cookies: tuple[str, ...]
    body: bytes


@dataclass(frozen=True, slots=True)
class Network:
    """Latency and speed of the network between a device and the server."""

    latency_seconds: float = 0.0  # one way
    bytes_per_second: int = 0  # 0: unlimited


@dataclass(slots=True)
class Traffic:
    """Bytes that all connections of a process sent and received, and requests sent.

    `starved` counts connections for which this machine had no file, port or memory.
    """

    sent: int = 0
    received: int = 0
    requests: int = 0
    starved: int = 0


AT_ONCE = Network()


def request(
    site: Site, method: str, path: str, headers: Mapping[str, str], body: bytes = b""
) -> bytes:
    """Return the bytes of a request."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {site.authority}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if body or method == "POST":
        lines.append(f"Content-Length: {len(body)}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


def address_alone(number: int) -> str:
    """Return an address of this machine for one visitor, so that the server sees each visitor in a network of its own."""
    return f"127.{64 + (number >> 16) % 128}.{(number >> 8) % 256}.{1 + number % 254}"


def address_among(group: int, number: int, *, neighbours: bool) -> str:
    """Return an address that several visitors share: the address `number` of a group, in a /24 of its own, or
    with `neighbours` in the same /24 as the other addresses. There are 20 groups of 600 addresses, below the
    addresses of `address_alone`.
    """
    first = 1 + 3 * group
    if neighbours:
        return f"127.{first}.0.{1 + number}"
    return f"127.{first + (number >> 8)}.{number % 256}.1"


def can_choose_address(site: Site) -> bool:
    """True if visitors can have different addresses: on loopback Linux accepts all of 127.0.0.0/8; other targets see one
    address.
    """
    return sys.platform == "linux" and site.is_loopback and ":" not in site.address


class Connection(Wire):
    """One connection that has the latency and speed of a `Network`; each request waits for its answer."""

    def __init__(self, network: Network, traffic: Traffic) -> None:
        super().__init__()
        self._network = network
        self._traffic = traffic
        self._answer: asyncio.Future[Answer] | None = None
        self._has_rested = False

    @classmethod
    async def open(
        cls, site: Site, network: Network, traffic: Traffic, source: str | None = None
    ) -> "Connection":
        """Connect.  Raises `ConnectionLost`."""
        loop = asyncio.get_running_loop()
        try:
            door = socket.socket(site.family)
        except OSError as error:
            traffic.starved += 1
            raise ConnectionLost(error.strerror or type(error).__name__) from None
        try:
            door.setblocking(False)  # noqa: FBT003 - of the standard library
            door.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if network.bytes_per_second:
                door.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SLOW_BUFFER_BYTES)
            if source is not None:
                door.bind((source, 0))
            await asyncio.sleep(2 * network.latency_seconds)
            await loop.sock_connect(door, (site.address, site.port))
            made = cls(network, traffic)
            context = site.context()
            name = site.host if context else None
            await loop.create_connection(lambda: made, sock=door, ssl=context, server_hostname=name)
        except OSError as error:
            door.close()
            traffic.starved += error.errno in _STARVED
            raise ConnectionLost(error.strerror or type(error).__name__) from None
        except BaseException:
            door.close()
            raise
        return made

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by the event loop of asyncio."""
        self._is_over = True
        if self._answer is None or self._answer.done():
            return
        self._look(is_whole=True)
        if not self._answer.done():
            was_idle = self._has_rested and not self._received
            self._answer.set_exception(ConnectionLost("it ended", was_idle=was_idle))

    def data_received(self, data: bytes) -> None:
        """Called by the event loop of asyncio."""
        self._traffic.received += len(data)
        self._received += data
        if self._answer is None or self._answer.done():
            self.close()  # unexpected data
            return
        if self._network.bytes_per_second and self._transport is not None:
            # The next piece is read only when this piece would have passed the network.
            self._transport.pause_reading()
            rest = len(data) / self._network.bytes_per_second
            asyncio.get_running_loop().call_later(rest, self._resume_reading)
        else:
            self._look(is_whole=False)

    def _resume_reading(self) -> None:
        if self._transport is not None and not self._is_over:
            self._transport.resume_reading()
        self._look(is_whole=False)

    def _look(self, *, is_whole: bool) -> None:
        if self._answer is None or self._answer.done():
            return
        try:
            found = framed(self._received, is_whole=is_whole)
        except ConnectionLost as lost:
            self._answer.set_exception(lost)
            self.close()
            return
        if found is not None:
            headers, cookies = _headers(found.head)
            if headers.get("connection", "").lower() == "close":
                self.close()
            self._answer.set_result(
                Answer(found.status, headers, cookies, body_of(self._received, found))
            )

    async def ask(self, sent: bytes) -> Answer:
        """Send a request and wait for its answer. Raises `ConnectionLost`."""
        self._begin()
        assert self._answer is not None
        if (
            self._network.latency_seconds
        ):  # latency of both directions, waited for once before sending
            await asyncio.sleep(2 * self._network.latency_seconds)
        await self._send(sent)
        answer = await self._answer
        self._received = b""
        self._has_rested = True
        return answer

    async def cut(self, sent: bytes, after: float) -> None:
        """Send a request and abort the connection `after` seconds later, even if an answer arrived."""
        self._begin()
        try:
            async with asyncio.timeout(after):
                await self._send(sent)
                assert self._answer is not None
                await asyncio.wait([self._answer])
        except (TimeoutError, ConnectionLost):
            pass
        finally:
            self.abort()

    def _begin(self) -> None:
        if not self.is_open:
            raise ConnectionLost("it is closed", was_idle=self._has_rested)
        self._received = b""
        self._answer = asyncio.get_running_loop().create_future()
        # Retrieves the exception of an aborted connection, which nobody awaits.
        self._answer.add_done_callback(lambda one: one.cancelled() or one.exception())
        self._traffic.requests += 1

    async def _send(self, sent: bytes) -> None:
        rate = self._network.bytes_per_second
        piece = max(rate // SLICES_PER_SECOND, 1) if rate else len(sent)
        for begin in range(0, len(sent), piece):
            if not self.is_open or self._transport is None:
                return  # the answer tells the reason
            part = sent[begin : begin + piece]
            self._transport.write(part)
            self._traffic.sent += len(part)
            if rate:
                await asyncio.sleep(len(part) / rate)


def _headers(head: bytes) -> tuple[dict[str, str], tuple[str, ...]]:
    headers: dict[str, str] = {}
    cookies: list[str] = []
    for line in head.decode("latin-1").split("\r\n")[1:]:
        name, _, value = line.partition(":")
        name = name.strip().lower()
        if name == "set-cookie":
            cookies.append(value.strip())
        headers[name] = value.strip()
    return headers, tuple(cookies)


async def exchange(site: Site, sent: bytes, traffic: Traffic, seconds: float) -> Answer:
    """Send one request over its own connection. Raises `ConnectionLost`."""
    try:
        async with asyncio.timeout(seconds):
            made = await Connection.open(site, AT_ONCE, traffic)
            try:
                return await made.ask(sent)
            finally:
                made.close()
    except TimeoutError:
        raise ConnectionLost(f"no answer in {seconds:.0f} s") from None
