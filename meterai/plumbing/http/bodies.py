"""Bodies of requests: where they are stored, and bounds of their bytes and of their duration.

A stranger can send bytes without any key, so the resources used here are bounded, however many bytes are sent:

* A small body is held in memory; a larger one goes to an unnamed file as it arrives.
* The sum of both is bounded for the process, counted by the bytes that have arrived: a client that announces much and
  sends little uses little.  A body that would not fit is refused before it is read, with a Retry-After; the clients
  of one network (a prefix of IP addresses) cannot use all of the space.
* A body in a file is read back into memory only when memory for it is free.
* Bodies of requests with a low priority (`kit/priority.py`) leave a part of each budget free for those with a higher
  one, which also go first when bodies wait.
* While a body arrives, its request holds no permit of the limiter, so slow clients keep nobody out; a client that sends
  too slowly, or leaves, loses its space.

Nothing of a body remains when its request or its process ends.
"""

import asyncio
import tempfile
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import IO, Any, TypeVar

from litestar.exceptions.http_exceptions import RequestEntityTooLarge
from litestar.types import Receive

from meterai.kit.priority import Priority
from meterai.kit.refusal import Refusal
from meterai.plumbing.http.incoming import Incoming
from meterai.plumbing.networks import NetworkCounts
from meterai.plumbing.permits import PURPOSE, WorkPurpose
from meterai.plumbing.threads import to_the_end

# A JSON command; smaller bodies are not counted: 16 MiB for as many connections as there may be.
UNCOUNTED_BYTES_MAX = 8 * 1024
# Largest body that is held in memory, if there is space; a larger one goes to a file.
HELD_BYTES_MAX = 1024 * 1024
ARRIVING_BYTES_MAX = 64 * 1024 * 1024  # of all bodies in memory while they arrive
# Bytes of all bodies read back from files into memory; the largest body has 100 MiB.
WORKING_BYTES_MAX = 128 * 1024 * 1024
# Share of each budget up to which a body of this priority may take its part. Strangers who post documents for checking
# fill half of a budget at most, so payers still find space.
SHARES = MappingProxyType(
    {
        Priority.MONEY: 1.0,
        Priority.PAID: 1.0,
        Priority.CHECKOUT: 0.75,
        Priority.CHECKING: 0.5,
        Priority.NEW: 0.5,
    }
)
SHARE_OF_ONE_NETWORK = (
    0.25  # of the files, a /24 and a /56 twice, a /48 thrice; a carrier's phones share an address
)
WRITE_BYTES = 64 * 1024  # collected before they are written to a file
READ_BYTES = 256 * 1024

AT_ONCE_SECONDS = 0.05  # while a body takes longer than this its request holds no permit
SILENCE_SECONDS_MAX = 20.0  # between two pieces of a body
GRACE_SECONDS = 20.0  # after which the speed of a body is checked
BYTES_PER_SECOND_MIN = 8 * 1024  # 64 kbit/s, as of the slowest phone that still gets anywhere
TURN_SECONDS_MAX = 30.0  # of waiting for memory; after that the body is refused, with a Retry-After

Answer = TypeVar("Answer")


class UploadsFull(Refusal):
    """The uploads under way use all bytes that this process may hold. Nothing was done or charged."""

    code = "uploads_full"
    status = 503
    retry_after_seconds = 5  # an upload on an ordinary connection takes about as long


class BodyTooSlow(Refusal):
    """The body of the request did not arrive in time."""

    code = "body_too_slow"
    status = 408


class BodyIncomplete(Refusal):
    """The connection or its framing broke before the body, or our answer to it, was complete."""

    code = "body_incomplete"
    status = 400


class ByteBudget:
    """A limited number of bytes that the requests of this process share: requests of a lower priority may use only a part of
    it.
    """

    def __init__(self, bytes_max: int) -> None:
        self.bytes_max = bytes_max
        self.used = 0
        self._lines: dict[Priority, deque[tuple[int, asyncio.Future[None]]]] = {
            priority: deque() for priority in Priority
        }

    def has(self, size: int) -> bool:
        """True if `size` bytes are free for the current request, at its priority."""
        return self._has(size, PURPOSE.get().priority)

    def _has(self, size: int, priority: Priority) -> bool:
        most = self.bytes_max * SHARES[priority]
        # A single body may use the whole budget, whatever the share of its priority.
        return self.used + size <= most or (not self.used and size <= self.bytes_max)

    def take(self, size: int) -> bool:
        """Take `size` bytes and return True if they are free and no request of the same or a higher priority waits."""
        priority = PURPOSE.get().priority
        if any(self._lines[one] for one in Priority if one <= priority):
            return False
        if not self._has(size, priority):
            return False
        self.used += size
        return True

    def give_back(self, size: int) -> None:
        """Free `size` bytes, and serve waiting requests: by priority, then in order."""
        self.used -= size
        for priority, line in self._lines.items():
            while line:
                wanted, permit = line[0]
                if not permit.done():
                    if not self._has(wanted, priority):
                        return  # serving a smaller one first could keep it waiting permanently
                    self.used += wanted
                    permit.set_result(None)
                line.popleft()

    async def wait_for(self, size: int) -> None:
        """Take `size` bytes; wait for them by priority, then in order. Refuses `UploadsFull` after `TURN_SECONDS_MAX`."""
        if self.take(size):
            return
        permit: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._lines[PURPOSE.get().priority].append((size, permit))
        try:
            async with asyncio.timeout(TURN_SECONDS_MAX):
                await permit
        except BaseException as broken:
            if permit.done() and not permit.cancelled():
                self.give_back(size)  # the bytes were given to us at the moment we stopped waiting
            else:
                permit.cancel()
                self.give_back(0)  # a smaller request behind ours may fit now
            if isinstance(broken, TimeoutError):
                raise UploadsFull("too many uploads wait for memory") from None
            raise


class _SendingRate:
    """The sending rate of one body, watched by one timer, whatever the number of its pieces.

    The time-out `limit` expires when nothing arrives for too long, or when bytes arrive more slowly than a very slow phone
    sends them. The time of writing pieces to a file does not count.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.limit = asyncio.timeout(None)
        self.is_listening = False
        self._loop = loop
        self._received = 0
        self._begun = self._heard_at = loop.time()
        # Nearly every body is complete before this timer fires.
        self._timer = loop.call_at(self._begun + AT_ONCE_SECONDS, self._be_late, PURPOSE.get())

    def heard(self, received: int) -> None:
        """Record that a piece has arrived; `received` is the number of bytes so far."""
        self.is_listening = False
        self._received = received
        self._heard_at = self._loop.time()

    def end(self) -> None:
        """Stop watching: the body is complete, or nobody waits for it any more."""
        self._timer.cancel()

    def _be_late(self, purpose: WorkPurpose) -> None:
        purpose.release_permit()
        self._look()

    def _look(self) -> None:
        now = self._loop.time()
        slowest = self._begun + GRACE_SECONDS + self._received / BYTES_PER_SECOND_MIN
        ends = min(self._heard_at + SILENCE_SECONDS_MAX, slowest)
        if self.is_listening and now >= ends:
            self.limit.reschedule(now)
        else:
            self._timer = self._loop.call_at(max(ends, now + AT_ONCE_SECONDS), self._look)


class Bodies:
    """The space for bodies in one process: in memory, and in files of one folder."""

    def __init__(self, directory: Path, files_bytes_max: int) -> None:
        self.directory = directory
        self.arriving = ByteBudget(ARRIVING_BYTES_MAX)
        self.working = ByteBudget(WORKING_BYTES_MAX)
        self.files = ByteBudget(files_bytes_max)
        self._held = NetworkCounts()  # bytes in files, by network

    def check_room(self, size: int, network: str) -> None:
        """Check that a body of `size` bytes would fit in addition to the bodies held now. Refuses `UploadsFull`."""
        if not self._is_within_share(network, size, size) or not self.files.has(size):
            raise UploadsFull("there is no memory for another upload")

    def take_file(self, size: int, network: str, *, whole: int) -> None:
        """Take `size` more bytes of file space for a body that comes from this network.

        whole  bytes of file space that the body uses in total after that; one upload alone may exceed the share of its network

        Refuses `UploadsFull`.
        """
        if not self._is_within_share(network, size, whole) or not self.files.take(size):
            raise UploadsFull("there is no memory for more of an upload")
        self._held.add(network, size)

    def _is_within_share(self, network: str, size: int, whole: int) -> bool:
        # One upload at a time never exceeds the share of a network.
        return self._held.of(network, size) <= max(
            self.files.bytes_max * SHARE_OF_ONE_NETWORK, whole
        )

    def give_back_file(self, size: int, network: str) -> None:
        """Free `size` bytes that `take_file` took."""
        self.files.give_back(size)
        self._held.give_back(network, size)

    def new_file(self) -> IO[bytes]:
        """Open a file without a name, which disappears with the process that holds it."""
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        return tempfile.TemporaryFile(dir=self.directory, buffering=0)


class RequestBody:
    """The body of one request. Its creator calls `close` when the request is over."""

    def __init__(
        self,
        receive: Receive,
        bodies: Bodies,
        *,
        announced: int | None,
        bytes_max: int,
        network: Callable[[], str],
    ) -> None:
        self._receive = receive
        self._next_message = receive.next if isinstance(receive, Incoming) else receive
        self._bodies = bodies
        self._announced = announced
        self._bytes_max = bytes_max
        self._network = network
        self._pieces: list[bytes] = []  # in memory, or not yet written to the file
        self._pending = 0
        self._received = 0
        self._file: IO[bytes] | None = None
        self._from: str = ""  # the network whose share contains our file
        self._arriving = self._working = self._in_files = 0

    async def whole(self) -> bytes:
        """Return the whole body. Refuses `BodyTooSlow`, `BodyIncomplete`, `UploadsFull`; raises `RequestEntityTooLarge`."""
        await self._arrive()
        if self._file is None:
            return self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
        await self._take_memory()
        file = self._file
        content = await to_the_end(partial(_read, file, 0, self._received))
        self._drop_file()
        return content

    async def pieces(self) -> AsyncIterator[bytes]:
        """Yield the whole body for a caller that builds something from it in memory: in one piece if the body is in memory, in
        several if it is in a file.

        Refuses as `whole` does.
        """
        await self._arrive()
        if self._file is None:
            yield b"".join(self._pieces)
            return
        await self._take_memory()
        file = self._file
        for start in range(0, self._received, READ_BYTES):
            yield await to_the_end(partial(_read, file, start, READ_BYTES))
        self._drop_file()

    async def passing(self) -> AsyncIterator[bytes]:
        """Yield the whole body in pieces, for a caller that keeps no piece in memory. Refuses as `whole` does.

        If the body is in a file, the same number of bytes is reserved once more until the request is over, since the caller may
        store the pieces in files of its own.
        """
        await self._arrive()
        if self._file is None:
            for piece in self._pieces:
                yield piece
            return
        self._bodies.take_file(self._received, self._from, whole=2 * self._received)
        self._in_files += self._received
        for start in range(0, self._received, READ_BYTES):
            yield await to_the_end(partial(_read, self._file, start, READ_BYTES))

    def close(self) -> None:
        """Free all space of the body."""
        self._drop_file()
        self._pieces.clear()
        if self._arriving:
            self._bodies.arriving.give_back(self._arriving)
        if self._working:
            self._bodies.working.give_back(self._working)
        self._arriving = self._working = 0

    # -- arriving ----------------------------------------------------------------------------

    async def _arrive(self) -> None:
        if self._announced is not None:
            if self._announced > self._bytes_max:
                raise RequestEntityTooLarge
            if self._announced == 0:
                return
            self._check_room(self._announced)
        rate = _SendingRate(asyncio.get_running_loop())
        try:
            async with rate.limit:
                while not await self._next(rate):
                    pass
        except TimeoutError:
            raise BodyTooSlow(f"only {self._received} bytes of the body arrived in time") from None
        finally:
            rate.end()
        await PURPOSE.get().regain_permit()

    async def _next(self, rate: _SendingRate) -> bool:
        rate.is_listening = True
        message = await self._next_message()
        if message["type"] != "http.request":
            raise BodyIncomplete("the client closed the connection")
        piece = message.get("body", b"")
        self._received += len(piece)
        rate.heard(self._received)
        if self._received > self._bytes_max:
            raise RequestEntityTooLarge
        if piece:
            self._pieces.append(piece)
            self._pending += len(piece)
            self._make_room()
            if self._file is not None or self._in_files:
                await self._write(WRITE_BYTES)
        is_complete = not message.get("more_body", False) or self._received == self._announced
        if is_complete and self._in_files:
            await self._write(1)
        return is_complete

    def _check_room(self, size: int) -> None:
        """Check, before a body is read, that it would fit; its announced length is `size` bytes. Refuses `UploadsFull`."""
        if size <= UNCOUNTED_BYTES_MAX:
            return
        if size > HELD_BYTES_MAX or not self._bodies.arriving.has(size):
            self._bodies.check_room(size, self._network())

    def _make_room(self) -> None:
        """Take space for the received bytes: in memory, or in a file. For a file, space for twice as many bytes is taken, so
        that this is seldom repeated.
        """
        if self._received <= max(UNCOUNTED_BYTES_MAX, self._in_files):
            return
        if not self._in_files and self._received <= HELD_BYTES_MAX:
            more = self._received - self._arriving
            if self._bodies.arriving.take(more):
                self._arriving += more
                return
        most = self._bytes_max if self._announced is None else self._announced
        wanted = max(self._received, min(2 * self._received, most))
        self._from = self._from or self._network()
        self._bodies.take_file(wanted - self._in_files, self._from, whole=wanted)
        self._in_files = wanted

    async def _write(self, at_least: int) -> None:
        if self._pending < at_least:
            return
        content = b"".join(self._pieces)
        self._pieces.clear()
        self._pending = 0
        try:
            if self._file is None:
                self._file = await to_the_end(self._bodies.new_file)
            await to_the_end(partial(_write, self._file, content))
        except OSError as error:
            raise UploadsFull(f"a body could not be stored: {error.strerror}") from None
        if self._arriving:  # the bytes in memory have been written to the file
            self._bodies.arriving.give_back(self._arriving)
            self._arriving = 0

    # -- back from the file --------------------------------------------------------------------

    async def _take_memory(self) -> None:
        await unless_gone(self._receive, self._bodies.working.wait_for(self._received))
        self._working = self._received

    def _drop_file(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
        if self._in_files:
            self._bodies.give_back_file(self._in_files, self._from)
            self._in_files = 0


def _write(file: IO[bytes], content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[file.write(rest) :]


def _read(file: IO[bytes], start: int, size: int) -> bytes:
    file.seek(start)
    content = file.read(size)
    assert len(content) <= size
    return content


# -- waiting -----------------------------------------------------------------------------------


async def unless_gone(receive: Receive, act: Coroutine[Any, Any, Answer]) -> Answer:
    """Await `act` for a client, and cancel it when the client leaves. The body must have been read before.

    If the client leaves, this function refuses `BodyIncomplete`; nobody reads that answer.
    """
    work = asyncio.ensure_future(act)
    gone = asyncio.ensure_future(_gone(receive))
    try:
        await asyncio.wait((work, gone), return_when=asyncio.FIRST_COMPLETED)
        if not work.done():
            raise BodyIncomplete("the client closed the connection")
        return work.result()
    finally:
        work.cancel()
        gone.cancel()
        await asyncio.gather(work, gone, return_exceptions=True)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] == "http.request":
        pass
