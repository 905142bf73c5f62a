"""A proxy to a database that loses answers: a command is committed, but its client gets no answer."""

import asyncio
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict

LOST = (
    b"meterai-answer-lost"  # the command to be lost raises this text as a warning before it commits
)
_SOCKET = ".s.PGSQL.5432"
_PIECE = 65_536
_READY = b"Z\x00\x00\x00\x05I"  # the server waits for the next query, outside a transaction


async def _pass_on(server: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    there, here = await asyncio.open_unix_connection(server)

    async def up() -> None:
        while piece := await reader.read(_PIECE):
            here.write(piece)
            await here.drain()

    async def down() -> None:
        seen, is_lost = b"", False
        while piece := await there.read(_PIECE):
            seen = seen[-len(LOST) :] + piece
            is_lost = is_lost or LOST in seen
            if not is_lost:
                writer.write(piece)
                await writer.drain()
            elif seen.endswith(_READY):
                return

    ways = [asyncio.ensure_future(up()), asyncio.ensure_future(down())]
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for one in ways:
            one.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
        for stream in (writer, here):
            stream.close()
            with suppress(ConnectionError):
                await stream.wait_closed()


@contextmanager
def losing(url: str) -> Iterator[str]:
    """A URL that leads to the database through the proxy.

    If an answer contains the warning `LOST`, its connection is closed after the commit, before the answer is
    passed on.
    """
    about = conninfo_to_dict(url)
    server = str(Path(str(about["host"])) / _SOCKET)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    with tempfile.TemporaryDirectory() as folder:

        async def serve() -> asyncio.Server:
            return await asyncio.start_unix_server(
                lambda reader, writer: _pass_on(server, reader, writer), Path(folder) / _SOCKET
            )

        running = asyncio.run_coroutine_threadsafe(serve(), loop).result()

        async def end() -> None:
            running.close()
            others = asyncio.all_tasks() - {asyncio.current_task()}
            for one in others:
                one.cancel()
            await asyncio.gather(*others, return_exceptions=True)

        try:
            yield f"postgresql://{about['user']}@/{about['dbname']}?host={folder}"
        finally:
            asyncio.run_coroutine_threadsafe(end(), loop).result()
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.close()
