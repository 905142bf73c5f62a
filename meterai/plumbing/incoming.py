"""The messages of a request: one task at a time calls `receive` of ASGI.

A `receive` of the server that is cancelled may already have taken a message, and the next one then
finds a stream out of step: an upload that arrived whole was told to be incomplete (Granian 2.8). So
the server is asked by one task at a time, and that task lasts until its message is here or the
request is over.  Whoever waits may stop waiting at any moment; the message is for who asks next.
"""

import asyncio
from typing import Literal

from litestar.types import HTTPReceiveMessage, Receive

GONE: Literal["http.disconnect"] = "http.disconnect"


class Incoming:
    """The messages of one request, in order and each once; stands in for the server's `receive`.

    After the client has gone every call says so.  Whoever made it calls `close` when the request
    is over.
    """

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._asked: asyncio.Task[HTTPReceiveMessage] | None = None
        self._end: HTTPReceiveMessage | None = None  # the client has gone

    async def __call__(self) -> HTTPReceiveMessage:
        """The next message.  A caller that is cancelled leaves it for the next one."""
        while self._end is None:
            if self._asked is None:
                self._asked = asyncio.create_task(self._ask())
            asked = self._asked
            await asyncio.wait((asked,))
            if asked is self._asked:  # else somebody who waited beside us has taken it
                self._asked = None
                message = asked.result()
                if message["type"] == GONE:
                    self._end = message
                return message
        return self._end

    def close(self) -> None:
        """Ask no more: the request is over, and whoever still waits hears that the client has gone."""
        if self._end is None:
            self._end = {"type": GONE}
        if self._asked is not None:
            self._asked.cancel()
            self._asked = None

    async def _ask(self) -> HTTPReceiveMessage:
        # The server's own awaitable is no task: it knows only one waiter, and cancelling that cancels it.
        message: HTTPReceiveMessage = await self._receive()  # type: ignore[assignment]
        return message
