"""The messages of a request: one task at a time calls `receive` of ASGI.

A `receive` of the server that is cancelled may already have taken a message, and the next one then
finds a stream out of step: an upload that arrived whole was told to be incomplete (Granian 2.8). So
the server is asked by one task at a time, and that task lasts until its message is here or the
request is over.  Whoever waits may stop waiting at any moment; the message is for who asks next.
"""

import asyncio
from typing import Literal

from litestar.types import HTTPReceiveMessage, Receive

LOOKS = 6  # turns of the event loop within which a server says what it knows: two messages
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
        self._kept: list[HTTPReceiveMessage] = []  # read ahead; one at most
        self.received = 0  # bytes of the body that the server gave

    @property
    def is_gone(self) -> bool:
        """True where the client is known to have gone; nobody knows before `has_gone` was asked."""
        return self._end is not None or _has_come(self._asked, GONE)

    def was_left(self) -> bool:
        """The same, to be asked later."""
        return self.is_gone

    async def has_gone(self) -> bool:
        """True where the client has gone already, as far as the server can tell now.

        Reads ahead: the first part of a body, and after a body that is here whole what can only be
        that the client has gone, so that `is_gone` follows it from now on.  Whoever goes while
        sending a larger body is not noticed before that is asked for.
        """
        for _ in range(LOOKS):
            if self._asked is None:
                self._asked = asyncio.create_task(self._ask())
            await asyncio.sleep(0)
            if self.is_gone:
                return True
            if not self._kept and _has_come(self._asked, "http.request"):
                message = self._asked.result()
                self._asked = None
                self._kept.append(message)
                if message.get("more_body"):
                    break
        return False

    async def __call__(self) -> HTTPReceiveMessage:
        """The next message.  A caller that is cancelled leaves it for the next one."""
        while self._end is None or self._kept:
            if self._kept:
                return self._kept.pop()
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

    async def next(self) -> HTTPReceiveMessage:
        """The same for the one task that reads the body, at a tenth of the price: it asks the server itself.

        Where it is cancelled the message may be lost, so that is the end of the request.
        """
        if self._end is not None or self._kept or self._asked is not None:
            return await self()
        try:
            message: HTTPReceiveMessage = await self._receive()  # type: ignore[assignment]
        except asyncio.CancelledError:
            self._end = {"type": GONE}
            raise
        if message["type"] == GONE:
            self._end = message
        else:
            self.received += len(message["body"])
        return message

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
        if message["type"] != GONE:
            self.received += len(message["body"])
        return message


def _has_come(asked: asyncio.Task[HTTPReceiveMessage] | None, kind: str) -> bool:
    if asked is None or not asked.done() or asked.cancelled() or asked.exception() is not None:
        return False  # what the server cannot give is told to who reads
    return asked.result()["type"] == kind
