"""Local server that answers with scripted bytes, and records its requests."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from meterai_rehearsal.clients.sites import Site

Answering = Callable[[bytes], Awaitable[bytes | None]]


def answer(status: int, body: bytes = b"", *headers: str) -> bytes:
    """Return a complete answer."""
    lines = [f"HTTP/1.1 {status} Said", f"Content-Length: {len(body)}", *headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


class ScriptedServer:
    """Answers each request with the result of `answering`; None closes the connection."""

    def __init__(self, answering: Answering) -> None:
        self._answering = answering
        self.asked: list[bytes] = []
        self.connections = 0
        self._writers: list[asyncio.StreamWriter] = []
        self.site = Site("127.0.0.1", 0, "127.0.0.1")

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.append(writer)
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = head.lower().partition(b"content-length: ")[2].split(b"\r", 1)[0]
                asked = head + await reader.readexactly(int(length or b"0"))
                self.asked.append(asked)
                told = await self._answering(asked)
                if told is None:
                    break
                writer.write(told)
                await writer.drain()
                if b"connection: close" in told.lower():
                    break
        writer.close()

    @asynccontextmanager
    async def running(self) -> AsyncIterator["ScriptedServer"]:
        """Listen during the `with` block."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        self.site = Site("127.0.0.1", port, "127.0.0.1")
        try:
            yield self
        finally:
            server.close()
            for writer in self._writers:
                writer.transport.abort()
            await asyncio.sleep(0.01)  # both ends of each connection are notified


def always(told: bytes | None) -> ScriptedServer:
    """Return a server with the same answer for every request."""

    async def answering(_: bytes) -> bytes | None:
        return told

    return ScriptedServer(answering)


def in_turn(*told: bytes | None) -> ScriptedServer:
    """Return a server that gives these answers in their order, and then repeats the last."""
    left = list(told)

    async def answering(_: bytes) -> bytes | None:
        return left.pop(0) if len(left) > 1 else left[0]

    return ScriptedServer(answering)
