"""An HTTP proxy that loses some answers: the request is executed, but its client gets no answer."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Dropping:
    """URL of the proxy, number of POST answers that it will still lose, and number of lost answers."""

    url: str
    to_lose: int = 0
    lost: int = 0
    streams: list[asyncio.StreamWriter] = field(default_factory=list)  # all that were opened

    def loses(self, request: bytes) -> bool:
        """Return True if the answer to the request that begins with these bytes is lost, and count it."""
        if not request.startswith(b"POST") or not self.to_lose:
            return False
        self.to_lose -= 1
        self.lost += 1
        return True


async def _pass_on(
    proxy: Dropping, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    streams = [writer]
    ways: list[asyncio.Future[None]] = []
    proxy.streams.append(writer)
    is_lost = False

    async def up() -> None:
        nonlocal is_lost
        begin = True
        while chunk := await reader.read(65_536):
            # A client of a test sends a request and then waits for its answer.
            if begin or chunk.startswith((b"POST ", b"GET ")):
                is_lost = proxy.loses(chunk)
                begin = False
            here.write(chunk)
            await here.drain()

    async def down() -> None:
        while chunk := await there.read(65_536):
            if is_lost:
                return
            writer.write(chunk)
            await writer.drain()

    try:
        there, here = await asyncio.open_connection("127.0.0.1", port)
        streams.append(here)
        proxy.streams.append(here)
        ways += [asyncio.ensure_future(up()), asyncio.ensure_future(down())]
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for one in ways:
            one.cancel()
        for stream in streams:
            stream.close()


@contextmanager
def dropping(port: int) -> Iterator[Dropping]:
    """A proxy in front of a port of this machine."""
    loop = asyncio.new_event_loop()
    proxy = Dropping("")

    async def serve() -> asyncio.Server:
        return await asyncio.start_server(
            lambda reader, writer: _pass_on(proxy, port, reader, writer), "127.0.0.1", 0
        )

    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    server = asyncio.run_coroutine_threadsafe(serve(), loop).result()
    proxy.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"

    async def end() -> None:
        server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for one in others:
            one.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        for stream in proxy.streams:
            stream.transport.abort()
        await asyncio.sleep(0)  # the aborted transports close their sockets

    try:
        yield proxy
    finally:
        asyncio.run_coroutine_threadsafe(end(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
