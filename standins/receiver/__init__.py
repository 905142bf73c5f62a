"""A receiver of webhooks: it keeps the received messages, and the path chooses its answer.

`/ok`               200
`/status/500`       that status; `/status/429/30` with Retry-After
`/slow/0.5`         200 after so many seconds
`/once/2`           the first so many tries of each message are answered with 500, then 200
`/dead`             reads the message and never answers
`/cut`              reads the message and closes the connection
`/redirect/URL`     307 to a URL, percent-encoded
`/endless`          200, and a body without an end
`/drip`             200, and a byte each second
`/head`             a head without an end
`/drip-head`        a byte of the head each second
`/many-heads`       200 with an excessive number of headers
`/garbage`          bytes that are not HTTP
`/lies`             200 with a Content-Length above the bytes that it sends; the connection stays open

Messages are kept in memory; tests and benches read them in the same process.
"""

import asyncio
import ssl
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import unquote

HEAD_BYTES_MAX = 64 * 1024
PIECE = b"x" * 16 * 1024


@dataclass(frozen=True, slots=True)
class Received:
    """One received attempt: path, headers with lower-case names, and body."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        """The value of the header webhook-id."""
        return self.headers.get("webhook-id", "")


@dataclass(slots=True)
class Receiver:
    """A receiver on loopback; `delivered` has the ids of messages that it answered with 2xx."""

    url: str = ""
    received: list[Received] = field(default_factory=list)
    delivered: Counter[str] = field(default_factory=Counter)
    under_way: Counter[str] = field(default_factory=Counter)
    most_under_way: Counter[str] = field(default_factory=Counter)
    keeps: bool = True  # keep received attempts, not only answered ids
    _server: asyncio.Server | None = None
    _tries: Counter[str] = field(default_factory=Counter)
    _open: set[asyncio.StreamWriter] = field(default_factory=set)

    async def serve(self, port: int = 0, certificate: ssl.SSLContext | None = None) -> str:
        """Listen. Return the base URL."""
        self._server = await asyncio.start_server(
            self._connected, "127.0.0.1", port, ssl=certificate, limit=HEAD_BYTES_MAX, backlog=1_000
        )
        found = self._server.sockets[0].getsockname()[1]
        self.url = f"{'https' if certificate else 'http'}://127.0.0.1:{found}"
        return self.url

    async def stop(self) -> None:
        """Stop listening, and end every connection."""
        if self._server is not None:
            self._server.close()
        for one in list(self._open):
            one.transport.abort()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            while await self._answer(reader, writer):
                pass
        except (OSError, EOFError, asyncio.LimitOverrunError, ValueError):
            pass
        finally:
            self._open.discard(writer)
            with suppress(OSError):
                writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {
            name.strip().lower(): value.strip()
            for name, _, value in (line.partition(":") for line in head[1:] if line)
        }
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        came = Received(head[0].split(" ")[1], headers, body)
        if self.keeps:
            self.received.append(came)
        self.under_way[came.path] += 1
        self.most_under_way[came.path] = max(
            self.most_under_way[came.path], self.under_way[came.path]
        )
        try:
            return await self._act(came, writer)
        finally:
            self.under_way[came.path] -= 1

    async def _act(self, came: Received, writer: asyncio.StreamWriter) -> bool:
        match came.path.strip("/").split("/"):
            case ["status", status]:
                return await self._say(came, writer, int(status))
            case ["status", status, seconds]:
                return await self._say(came, writer, int(status), f"Retry-After: {seconds}\r\n")
            case ["slow", seconds]:
                await asyncio.sleep(float(seconds))
                return await self._say(came, writer, 200)
            case ["once", times]:
                self._tries[came.id] += 1
                is_enough = self._tries[came.id] > int(times)
                return await self._say(came, writer, 200 if is_enough else 500)
            case ["redirect", url]:
                return await self._say(came, writer, 307, f"Location: {unquote(url)}\r\n")
            case [lie] if lie in _LIES:
                await _LIES[lie](writer)
                return False
            case _:
                return await self._say(came, writer, 200)

    async def _say(
        self, came: Received, writer: asyncio.StreamWriter, status: int, more: str = ""
    ) -> bool:
        if 200 <= status < 300:
            self.delivered[came.id] += 1
        text = f"answered {status}"
        writer.write(
            f"HTTP/1.1 {status} Said\r\n{more}Content-Length: {len(text)}\r\n\r\n{text}".encode()
        )
        await writer.drain()
        return True


async def _dead(_: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


async def _cut(writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


async def _endless(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
    await _without_end(writer, PIECE, 0)


async def _drip(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
    await _without_end(writer, b"x", 1)


async def _head(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nX-Long: ")
    await _without_end(writer, PIECE, 0)


async def _drip_head(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nX-Long: ")
    await _without_end(writer, b"x", 1)


async def _many_heads(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n")
    await _without_end(writer, b"X-Long: x\r\n" * 100, 0)


async def _garbage(writer: asyncio.StreamWriter) -> None:
    writer.write(b"\x00\xff" * 200)
    await writer.drain()


async def _lies(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nshort")
    await asyncio.Event().wait()


async def _without_end(writer: asyncio.StreamWriter, piece: bytes, pause: float) -> None:
    while True:
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(pause)


_LIES = {
    "dead": _dead,
    "cut": _cut,
    "endless": _endless,
    "drip": _drip,
    "head": _head,
    "drip-head": _drip_head,
    "many-heads": _many_heads,
    "garbage": _garbage,
    "lies": _lies,
}
