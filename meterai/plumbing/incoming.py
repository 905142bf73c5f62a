"""The messages of a request: one task at a time calls `receive` of ASGI.

A `receive` of the server that is cancelled may already have taken a message, and the next one then
finds a stream out of step: an upload that arrived whole was told to be incomplete (Granian 2.8). So
the server is asked by one task at a time, and that task lasts until its message is here or the
request is over.  Whoever waits may stop waiting at any moment; the message is for who asks next.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
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
        self._ahead: asyncio.Task[None] | None = None
        self._kept: list[HTTPReceiveMessage] = []  # read ahead; one at most

    @property
    def is_gone(self) -> bool:
        """True where the client is known to have gone; nobody knows who does not ask or `watch`."""
        return self._end is not None

    def watch(self, when_gone: Callable[[], None]) -> None:
        """Call this when the client goes.  Of a body only the first part is read ahead of its time,
        so whoever goes while sending more is not noticed before that is asked for."""
        self._ahead = asyncio.create_task(self._look_ahead(when_gone))

    async def _look_ahead(self, when_gone: Callable[[], None]) -> None:
        with suppress(Exception):  # what the server cannot give is told to who reads
            message = await self._next()
            if message["type"] != GONE:
                self._kept.append(message)
                if message.get("more_body"):
                    return
                await self._next()  # of a request that is here whole nothing else can come
            when_gone()

    async def __call__(self) -> HTTPReceiveMessage:
        """The next message.  A caller that is cancelled leaves it for the next one."""
        return await self._next(self._kept)

    async def _next(self, kept: list[HTTPReceiveMessage] | None = None) -> HTTPReceiveMessage:
        while self._end is None or kept:
            if kept:
                return kept.pop()
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
        if self._ahead is not None:
            self._ahead.cancel()
        if self._end is None:
            self._end = {"type": GONE}
        if self._asked is not None:
            self._asked.cancel()
            self._asked = None

    async def _ask(self) -> HTTPReceiveMessage:
        # The server's own awaitable is no task: it knows only one waiter, and cancelling that cancels it.
        message: HTTPReceiveMessage = await self._receive()  # type: ignore[assignment]
        return message
