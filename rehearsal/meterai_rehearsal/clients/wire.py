"""One connection of HTTP/1.1 and the reader of answers, for a visitor's device and for a load.

Answers are read by Content-Length, in chunks or to the end of the connection (RFC 9112, section 6.3).  The head
stays bytes until somebody asks for a header: a load counts statuses alone.
"""

import asyncio
import sys
from collections.abc import Iterator
from typing import NamedTuple, cast

from meterai.kit.numbers import DIGITS_MAX

ANSWER_BYTES_MAX = 64 * 1024 * 1024
HEAD_BYTES_MAX = 64 * 1024
_NO_BODY = frozenset({204, 304})
_NOT_YET = sys.maxsize  # an end that is not known
_END = b"\r\n\r\n"  # of a head


class ConnectionLost(Exception):
    """The connection ended, or could not be made, before the whole answer was here.

    `was_idle` is true where it had rested and nothing of an answer had come: browsers then ask again.
    """

    def __init__(self, reason: str, *, was_idle: bool = False) -> None:
        super().__init__(reason)
        self.was_idle = was_idle


class Framed(NamedTuple):
    """Where an answer is in what was received, once all of it is there."""

    status: int
    head: bytes
    begin: int  # of the body
    end: int
    is_chunked: bool


class Wire(asyncio.Protocol):
    """One connection: at most one request on it at a time."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._received = b""
        self._is_over = False

    @property
    def is_open(self) -> bool:
        """True while it can be asked."""
        return self._transport is not None and not self._is_over

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the loop."""
        # uvloop's transports are no subclasses of asyncio's.
        self._transport = cast("asyncio.Transport", transport)

    def close(self) -> None:
        """End it in order."""
        self._is_over = True
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Break it off: what was not sent is not sent any more."""
        self._is_over = True
        if self._transport is not None:
            self._transport.abort()


def framed(received: bytes, *, is_whole: bool) -> Framed | None:
    """The answer that begins here, if all of it is here; `is_whole` where no more will come.

    Raises `ConnectionLost` for what is no answer.
    """
    at, end = 0, received.find(_END)
    while received[at + 9 : at + 10] == b"1" and end >= 0:  # 1xx: the answer comes after it
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
    """The body of an answer that was found here."""
    if found.is_chunked:
        return b"".join(received[at : at + size] for at, size in _chunks(received, found.begin))
    return received[found.begin : found.end]


def _end_of_body(
    received: bytes, begin: int, status: int, head: bytes, *, is_whole: bool
) -> tuple[int, bool]:
    """Where the body ends, `_NOT_YET` where that is not known, and whether it is in chunks."""
    if status in _NO_BODY:
        return begin, False
    if b"chunked" in _value(head, b"\r\ntransfer-encoding:"):
        last = (at + 2 for at, size in _chunks(received, begin) if size == 0)
        return next(last, _NOT_YET), True
    length = _value(head, b"\r\ncontent-length:")
    if not length:
        return (len(received) if is_whole else _NOT_YET), False
    if not length.isdigit() or len(length) > DIGITS_MAX:  # of bytes: digits of ASCII alone
        raise ConnectionLost("a length that is no number")
    return begin + int(length), False


def _value(head: bytes, name: bytes) -> bytes:
    """A header of a head in lower case; empty where it is not there."""
    begin = head.find(name)
    if begin < 0:
        return b""
    return head[begin + len(name) :].split(b"\r", 1)[0].strip()


def _chunks(received: bytes, at: int) -> Iterator[tuple[int, int]]:
    """(where it begins, its bytes) of each chunk that is here from `at` on; the last has 0."""
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
