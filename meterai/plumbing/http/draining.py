"""Reading the rest of a body whose request was answered before the body was read.

A server that closes a connection with unread bytes resets it, and a client that is still sending finds the connection
broken before it reads the answer. So the remaining bytes are read and discarded after the answer: a limited number of
bytes, for a limited time, of a few requests at once, and without a permit. Beyond these bounds the connection breaks.
"""

import asyncio
from time import monotonic

from litestar.types import HTTPScope

from meterai.kit.numbers import counted
from meterai.plumbing.http.head import head_of
from meterai.plumbing.http.incoming import Incoming

BYTES_MAX = 1024 * 1024  # left of one body: a document of many pages, four parts of an upload
SECONDS_MAX = 1.0  # of one body; the connection of a slower client breaks
AT_ONCE_MAX = 64
# About sixty refused parts of uploads at once, and then a rate that costs some milliseconds of work a second: a crowd
# that posts is refused a thousand times meanwhile, and no payer waits for its bytes.
BURST_BYTES_MAX = 16 * 1024 * 1024
BYTES_PER_SECOND = 4 * 1024 * 1024
_DIGITS_MAX = len(str(BYTES_MAX))


class Draining:
    """Reads the unread rest of request bodies, within the bounds of one process."""

    def __init__(self) -> None:
        self._at_once = 0
        self._left = float(BURST_BYTES_MAX)
        self._counted_at = monotonic()

    async def drain(self, scope: HTTPScope, incoming: Incoming) -> None:
        """Read the rest of the body of an answered request; a body without a Content-Length is not read."""
        head = head_of(scope).values
        told = head.get(b"content-length")
        # A client that waits for 100 Continue sends no body now.
        if told is None or b"expect" in head or incoming.is_gone:
            return
        announced = counted(told.decode("latin-1"), _DIGITS_MAX)
        if announced is None or not 0 < announced - incoming.received <= BYTES_MAX:
            return
        if not self._may_begin(announced - incoming.received):
            return
        self._at_once += 1
        try:
            async with asyncio.timeout(SECONDS_MAX):
                while incoming.received < announced and not incoming.is_gone:
                    await incoming.next()
        except TimeoutError:
            pass
        finally:
            self._at_once -= 1

    def _may_begin(self, size: int) -> bool:
        now = monotonic()
        more = (now - self._counted_at) * BYTES_PER_SECOND
        self._left, self._counted_at = min(BURST_BYTES_MAX, self._left + more), now
        if self._at_once >= AT_ONCE_MAX or size > self._left:
            return False
        self._left -= size
        return True
