"""HTTP/1.1 connection and reader of answers, for a visitor's device and for a load.

Answers are read by Content-Length, in chunks or to the end of the connection (RFC 9112, section 6.3). The head of an answer
is not parsed until a header is needed, since a load only counts statuses.
"""

import asyncio
import sys
from collections.abc import Iterator
from typing import NamedTuple, cast

from meterai.kit.numbers import DIGITS_MAX

ANSWER_BYTES_MAX = 64 * 1024 * 1024
HEAD_BYTES_MAX = 64 * 1024
_NO_BODY = frozenset({204, 304})
_NOT_YET = sys.maxsize  # the end is not known yet
_END = b"\r\n\r\n"  # of a head


class ConnectionLost(Exception):
    """The connection ended, or could not be made, before the complete answer.

    `was_idle` is True if it was idle and nothing of an answer had arrived: browsers then send again.
    """

    def __init__(self, reason: str, *, was_idle: bool = False) -> None:
        super().__init__(reason)
        self.was_idle = was_idle


class Framed(NamedTuple):
    """Position of a complete answer in the received bytes."""

    status: int
    head: bytes
    begin: int  # of the body
    end: int
    is_chunked: bool


class Wire(asyncio.Protocol):
    """One connection with at most one request at a time."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._received = b""
        self._is_over = False

    @property
    def is_open(self) -> bool:
        """True while it can be used."""
        return self._transport is not None and not self._is_over

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the event loop of asyncio."""
        # uvloop's transports are no subclasses of asyncio's.
        self._transport = cast("asyncio.Transport", transport)

    def close(self) -> None:
        """Close the connection after unsent bytes were sent."""
        self._is_over = True
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Abort the connection; unsent bytes are dropped."""
        self._is_over = True
        if self._transport is not None:
            self._transport.abort()


def framed(received: bytes, *, is_whole: bool) -> Framed | None:
    """Return the position of the answer at the beginning of the bytes, None while it is incomplete. `is_whole` means that
    no more bytes will come. Raises `ConnectionLost` if the bytes are no answer.
    """
    at, end = 0, received.find(_END)
    while received[at + 9 : at + 10] == b"1" and end >= 0:  # 1xx: the final answer follows
        at = end + len(_END)
        end = received.find(_END, at)
    if end < 0:
        if len(received) > HEAD_BYTES_MAX:
            raise ConnectionLost("a head without an end")
        return None
    head = received[at:end]
    try:
        status = int(head[8:13])
    except ValueError:
        raise ConnectionLost("no answer of HTTP") from None
    begin = end + len(_END)
    end, is_chunked = _end_of_body(received, begin, status, head.lower(), is_whole=is_whole)
    if end <= len(received):
        return Framed(status, head, begin, end, is_chunked)
    if len(received) > ANSWER_BYTES_MAX:
        raise ConnectionLost("an answer without an end")
    return None


def body_of(received: bytes, found: Framed) -> bytes:
    """Return the body of a found answer."""
    if found.is_chunked:
        return b"".join(received[at : at + size] for at, size in _chunks(received, found.begin))
    return received[found.begin : found.end]


def _end_of_body(
    received: bytes, begin: int, status: int, head: bytes, *, is_whole: bool
) -> tuple[int, bool]:
    """Return the end of the body (`_NOT_YET` while unknown), and True if the body is in chunks."""
    if status in _NO_BODY:
        return begin, False
    if b"chunked" in _value(head, b"\r\ntransfer-encoding:"):
        last = (at + 2 for at, size in _chunks(received, begin) if size == 0)
        return next(last, _NOT_YET), True
    length = _value(head, b"\r\ncontent-length:")
    if not length:
        return (len(received) if is_whole else _NOT_YET), False
    if not length.isdigit() or len(length) > DIGITS_MAX:  # of bytes: ASCII digits only
        raise ConnectionLost("a length that is no number")
    return begin + int(length), False


def _value(head: bytes, name: bytes) -> bytes:
    """Return the value of a header from a `head` in lower case, empty if it is missing; `name` begins with the
    line break and ends with the colon.
    """
    begin = head.find(name)
    if begin < 0:
        return b""
    return head[begin + len(name) :].split(b"\r", 1)[0].strip()


def _chunks(received: bytes, at: int) -> Iterator[tuple[int, int]]:
    """Yield (begin, number of bytes) of each chunk from `at` on; the last chunk has 0 bytes."""
    while (end := received.find(b"\r\n", at)) >= 0:
        try:
            size = int(received[at:end].split(b";", 1)[0], 16)
        except ValueError:
            raise ConnectionLost("a chunk without a size") from None
        at = end + 2
        if len(received) < at + size + 2:
            return
        yield at, size
        if size == 0:
            return
        at += size + 2
