"""The messages of a request: one task at a time calls the `receive` of ASGI.

A cancelled `receive` of the server may already have taken a message, and the next call then finds a broken sequence: a
complete upload was reported as incomplete (Granian 2.8). So one task at a time calls the server, and runs until its
message arrives or the request is over. A caller may stop waiting at any moment; the next caller gets the message.
"""

import asyncio
from typing import Literal

from litestar.types import HTTPReceiveMessage, Receive

LOOKS = 6  # turns of the event loop that a server needs to report what it knows: two messages
GONE: Literal["http.disconnect"] = "http.disconnect"


class Incoming:
    """The messages of one request, in order and each once; replaces the server's `receive`.

    Once the client has gone every call returns the message `http.disconnect`. The creator calls `close` when the request
    is over.
    """

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._asked: asyncio.Task[HTTPReceiveMessage] | None = None
        # The message that the client has gone, once received.
        self._end: HTTPReceiveMessage | None = None
        self._kept: list[HTTPReceiveMessage] = []  # messages read ahead; at most one
        self.received = 0  # bytes of the body received from the server

    @property
    def is_gone(self) -> bool:
        """True if the client has gone; noticed only after `has_gone` was called."""
        return self._end is not None or _has_come(self._asked, GONE)

    def was_left(self) -> bool:
        """Return `is_gone`; a method, so that it can be passed on and called later."""
        return self.is_gone

    async def has_gone(self) -> bool:
        """Return True if the client has already gone, as far as the server can tell now.

        It reads ahead: the first piece of a body, and after a complete body the message that the client has gone, so
        that `is_gone` changes when this message arrives. If a client leaves while it sends a larger body, that is
        noticed only when the body is read further.
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
        """Return the next message. If the call is cancelled, the message is kept for the next call."""
        while self._end is None or self._kept:
            if self._kept:
                return self._kept.pop()
            if self._asked is None:
                self._asked = asyncio.create_task(self._ask())
            asked = self._asked
            await asyncio.wait((asked,))
            if asked is self._asked:  # else another waiting caller has taken it
                self._asked = None
                message = asked.result()
                if message["type"] == GONE:
                    self._end = message
                return message
        return self._end

    async def next(self) -> HTTPReceiveMessage:
        """Return the next message to the one task that reads the body. This method calls the server directly, which costs a
        tenth of a call of `__call__`.

        If the call is cancelled the message may be lost, so the request counts as ended then.
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
        """End reading, since the request is over: a caller that still waits gets the message that the client has gone."""
        if self._end is None:
            self._end = {"type": GONE}
        if self._asked is not None:
            self._asked.cancel()
            self._asked = None

    async def _ask(self) -> HTTPReceiveMessage:
        # The server's own awaitable is no task: it has only one waiter, and cancelling the waiter cancels it.
        message: HTTPReceiveMessage = await self._receive()  # type: ignore[assignment]
        if message["type"] != GONE:
            self.received += len(message["body"])
        return message


def _has_come(asked: asyncio.Task[HTTPReceiveMessage] | None, kind: str) -> bool:
    if asked is None or not asked.done() or asked.cancelled() or asked.exception() is not None:
        return False  # a failure of the server is reported to the next reader
    return asked.result()["type"] == kind
