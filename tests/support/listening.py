"""A small server for a test. It listens while its context is open, and then drops its connections."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Self


class Listener:
    """Listens on a port of its own; `converse` handles a connection."""

    port = 0

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        raise NotImplementedError

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Self]:
        """Listen; at the end drop every connection."""
        self._tasks: set[asyncio.Task[None]] = set()
        server = await asyncio.start_server(self._met, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            self.hang_up()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def hang_up(self) -> None:
        """Break every connection."""
        for task in list(self._tasks):
            task.cancel()

    def _met(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self.converse(reader, writer)
        except OSError:
            pass  # the other side has closed
        finally:
            writer.close()
