"""A slow line with TLS in front of an instance, like the connection of a phone.

Octets are delayed by size and distance, separately in each direction, for all connections together. The line
counts what it carries, and can cut a connection at an octet. The delay of opening a TCP connection is not
imitated.
"""

import asyncio
import datetime
import hashlib
import re
import ssl
import tempfile
import threading
from base64 import b64encode
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from time import monotonic
from typing import Self
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

PIECE_BYTES = 4096  # of one connection before it is another one's turn
AHEAD_SECONDS = 0.1  # of octets that wait before the line; more would make a queue of its own
_REQUEST = re.compile(rb"^([A-Z]{3,7}) (/\S*) HTTP/1\.1\r\n", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Shape:
    """Properties of a line: bits per second each way, and seconds from end to end."""

    bits_per_second: float
    one_way_seconds: float

    def seconds(self, octets: int, round_trips: int) -> float:
        """The least time in seconds for this number of octets and round trips."""
        return octets * 8 / self.bits_per_second + round_trips * 2 * self.one_way_seconds


POOR = Shape(400_000, 0.2)
# Fast enough for a test, but slow enough that something is always under way.
QUICK = Shape(20_000_000, 0.005)


@dataclass
class Counts:
    """Octets carried in each direction, TLS included, and the requests."""

    up: int = 0
    down: int = 0
    connections: int = 0
    requests: list[tuple[str, str]] = field(default_factory=list)

    def of(self, method: str) -> Counter[str]:
        """Number of requests with this method, by path."""
        return Counter(path for asked, path in self.requests if asked == method)


def certificate(folder: Path) -> tuple[ssl.SSLContext, str]:
    """A server's side of TLS with a self-signed certificate, and the hash of its key, by which a browser trusts
    it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=7))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    pem = folder / "line.pem"
    pem.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_alpn_protocols(["http/1.1"])
    context.load_cert_chain(pem)
    spki = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return context, b64encode(hashlib.sha256(spki).digest()).decode()


class _Way:
    """One direction of a line, which all connections share."""

    def __init__(self, shape: Shape) -> None:
        self._shape = shape
        self._free_at = 0.0

    async def take(self, octets: int) -> float:
        """Return the time when these octets arrive at the other end. Wait while too many octets are before the
        line."""
        now = monotonic()
        self._free_at = max(self._free_at, now) + octets * 8 / self._shape.bits_per_second
        arrives = self._free_at + self._shape.one_way_seconds
        if self._free_at - now > AHEAD_SECONDS:
            await asyncio.sleep(self._free_at - now - AHEAD_SECONDS)
        return arrives


class ShapedLine:
    """A line to the address of an instance. Use as a context manager.

    A browser opens `url`; the option `argument` makes it trust the certificate. `cuts` are counts of octets
    sent upwards; at each, every connection is cut once.
    """

    def __init__(self, url: str, shape: Shape = POOR, cuts: Sequence[int] = ()) -> None:
        there = urlsplit(url)
        self._there = (there.hostname or "", there.port or 0)
        self._shape = shape
        self._cuts = sorted(cuts)
        self._open: set[asyncio.StreamWriter] = set()
        self._met: list[asyncio.StreamWriter] = []  # also closed ones
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._servers: list[asyncio.Server] = []
        self.counts = Counts()
        self.url = self.argument = ""

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(30)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(30)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(30)
        self._loop.close()

    async def _start(self) -> None:
        self._up, self._down = _Way(self._shape), _Way(self._shape)
        with tempfile.TemporaryDirectory() as folder:
            context, key = certificate(Path(folder))
        end = await asyncio.start_server(self._decrypt, "127.0.0.1", 0, ssl=context)
        # With the option the browser trusts the certificate at once. Otherwise it would open its first
        # connection twice.
        self.argument = f"--ignore-certificate-errors-spki-list={key}"
        self._end = end.sockets[0].getsockname()[:2]
        front = await asyncio.start_server(self._carry, "127.0.0.1", 0)
        self._servers = [front, end]
        self.url = f"https://127.0.0.1:{front.sockets[0].getsockname()[1]}"

    async def _stop(self) -> None:
        for server in self._servers:
            server.close()
        self._cut()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        if others:
            await asyncio.wait(others, timeout=10)
        # A socket that is still open when the loop ends would cause a warning in a later test.
        for writer in self._met:
            writer.transport.abort()
        closed = (writer.wait_closed() for writer in self._met)
        await asyncio.wait_for(asyncio.gather(*closed, return_exceptions=True), 10)

    def _cut(self) -> None:
        for writer in self._open:
            writer.transport.abort()

    # -- the line ------------------------------------------------------------------------------

    async def _carry(self, near: asyncio.StreamReader, near_out: asyncio.StreamWriter) -> None:
        self.counts.connections += 1
        far, far_out = await asyncio.open_connection(*self._end)
        await self._joined((near, far_out, self._up, True), (far, near_out, self._down, False))

    async def _joined(
        self, *ways: tuple[asyncio.StreamReader, asyncio.StreamWriter, _Way, bool]
    ) -> None:
        outs = [out for _, out, _, _ in ways]
        self._open.update(outs)
        self._met += outs
        carried = [asyncio.ensure_future(self._shaped(*one)) for one in ways]
        try:
            await asyncio.wait(carried, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in carried:
                one.cancel()
            self._open.difference_update(outs)
            for out in outs:
                out.close()

    async def _shaped(
        self, source: asyncio.StreamReader, out: asyncio.StreamWriter, way: _Way, is_up: bool
    ) -> None:
        under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

        async def arrive() -> None:
            while True:
                at, piece = await under_way.get()
                await asyncio.sleep(max(0.0, at - monotonic()))
                if not piece:
                    return
                out.write(piece)

        arriving = asyncio.ensure_future(arrive())
        try:
            with suppress(ConnectionError):
                while piece := await source.read(PIECE_BYTES):
                    self._count(len(piece), is_up=is_up)
                    under_way.put_nowait((await way.take(len(piece)), piece))
            under_way.put_nowait((monotonic() + self._shape.one_way_seconds, b""))
            await arriving
        finally:
            arriving.cancel()

    def _count(self, octets: int, *, is_up: bool) -> None:
        if not is_up:
            self.counts.down += octets
            return
        self.counts.up += octets
        if self._cuts and self.counts.up >= self._cuts[0]:
            self._cuts.pop(0)
            self._cut()

    # -- the end of the line: TLS --------------------------------------------------------------

    async def _decrypt(self, near: asyncio.StreamReader, near_out: asyncio.StreamWriter) -> None:
        far, far_out = await asyncio.open_connection(*self._there)
        self._open.update((near_out, far_out))
        self._met += (near_out, far_out)
        ways = [
            asyncio.ensure_future(self._copied(near, far_out, is_asked=True)),
            asyncio.ensure_future(self._copied(far, near_out, is_asked=False)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in ways:
                one.cancel()
            self._open.difference_update((near_out, far_out))
            for out in (near_out, far_out):
                out.close()

    async def _copied(
        self, source: asyncio.StreamReader, out: asyncio.StreamWriter, *, is_asked: bool
    ) -> None:
        with suppress(ConnectionError, ssl.SSLError):
            while piece := await source.read(65_536):
                if is_asked:
                    found = _REQUEST.findall(piece)
                    self.counts.requests += [(how.decode(), path.decode()) for how, path in found]
                out.write(piece)
                await out.drain()
