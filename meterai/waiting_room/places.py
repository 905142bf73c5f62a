"""Numbers of lines, leased from the database in blocks, so that a place costs the database almost nothing.

A process leases as many numbers as it gives in a tenth of a second, so that a crowd costs few statements.  It returns
the rest after a second: visitors of other processes are not overtaken for longer, and nobody waits for unused numbers.
The leased numbers of a killed process are lost; waiting visitors are then called sooner.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from contextvars import Context
from time import monotonic
from typing import Any
from uuid import UUID

from meterai.kit.refusal import Refusal
from meterai.plumbing.db.database import DatabaseBusy
from meterai.waiting_room.model import LineClosed
from meterai.waiting_room.store import NumberBlock

BLOCK_SECONDS = 1.0  # the longest time by which a later visitor may get an earlier number
BLOCK_WORTH_SECONDS = 0.1  # size of a block, in seconds of demand
BLOCK_MAX = 4_096  # numbers
ASKING_MAX = 20_000  # requests waiting for one lease, some hundred bytes each
LEASE_SECONDS_MAX = 5.0

Lease = Callable[[UUID, int], Awaitable[NumberBlock | None]]
GiveBack = Callable[[UUID, int, int], Awaitable[None]]
Place = tuple[int, int]  # a number, and when it was taken, in ms since 1970
MS = 1000


class NumberSupply:
    """Numbers of one line that this process may give."""

    def __init__(self, line: UUID, lease: Lease, give_back: GiveBack) -> None:
        self._line = line
        self._lease = lease
        self._give_back = give_back
        self._first = 0
        self._next = 0
        self._end = 0
        self._until = 0.0
        self._begun = 0.0  # begin of the block, by the monotonic clock
        self._taken_at = 0  # begin of the block, by the clock of the database, in ms
        self._asking: deque[tuple[float, asyncio.Future[Place | None]]] = deque()
        self._leasing: asyncio.Task[None] | None = None

    def at_once(self) -> Place | None:
        """Return a number and its moment, where the block has one left."""
        now = monotonic()
        return self._taken(now) if now < self._until else None

    def _taken(self, now: float) -> Place | None:
        if self._next >= self._end:
            return None
        number = self._next
        self._next += 1
        return number, self._taken_at + int((now - self._begun) * MS)

    async def take(self) -> Place:
        """Return a number and its moment.  Refuses `LineClosed`, `DatabaseBusy`, `DatabaseAway`."""
        while (found := self.at_once()) is None:
            if len(self._asking) >= ASKING_MAX:
                raise DatabaseBusy("too many ask for a number")
            turn: asyncio.Future[Place | None] = asyncio.get_running_loop().create_future()
            self._asking.append((monotonic(), turn))
            if self._leasing is None:
                self._leasing = self._begun_for_all(self._renew())
            if (found := await turn) is not None:
                break
        return found

    @staticmethod
    def _begun_for_all(work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Start a task for many waiting requests, in its own context: without the time limit of the first request."""
        return asyncio.create_task(work, context=Context())

    async def _renew(self) -> None:
        """Lease a block for all waiting requests, and wake them."""
        fault: Exception | None = None
        try:
            begun = monotonic()
            wanted = self._wanted(begun)
            async with asyncio.timeout(LEASE_SECONDS_MAX):
                await self._return_rest()
                block = await self._lease(self._line, wanted)
            if block is None:
                fault = LineClosed("it takes no new places")
            else:
                self._begin(block, wanted, begun)
        except TimeoutError:
            fault = DatabaseBusy("no numbers in time")
        except Exception as error:  # passed to all waiting requests
            fault = error
        self._leasing = None
        asking, self._asking = self._asking, deque()
        for asked, turn in asking:
            if turn.done():
                continue
            if fault is not None:
                turn.set_exception(fault)
            else:
                # A request that waited before the end of the block gets a number of it, however late the answer came: else a
                # slow database would never give one.  Other requests wait for the next block.
                turn.set_result(self._taken(monotonic()) if asked < self._until else None)

    def _begin(self, block: NumberBlock, count: int, asked: float) -> None:
        self._first = self._next = block.first
        self._end = block.first + count
        # Never ahead of the database clock: the answer took time.
        self._begun, self._taken_at = monotonic(), int(block.now.timestamp() * MS)
        self._until = asked + BLOCK_SECONDS
        asyncio.get_running_loop().call_later(BLOCK_SECONDS, self._expire, self._end)

    def _wanted(self, now: float) -> int:
        """Return the size of the next block: the demand of a tenth of a second, or the number of waiting requests."""
        given, seconds = self._next - self._first, max(now - self._begun, 0.001)
        wanted = given * BLOCK_WORTH_SECONDS / min(seconds, BLOCK_SECONDS) if given else 1
        if seconds > 2 * BLOCK_SECONDS:
            wanted = 1  # an old rate says nothing about the present one
        return int(min(max(wanted, len(self._asking), 1), BLOCK_MAX))

    def _expire(self, end: int) -> None:
        """End a block whose time is over."""
        if self._end == end and self._next < end and self._leasing is None:
            self._leasing = self._begun_for_all(self._settle())

    async def _settle(self) -> None:
        try:
            await self._return_rest()
        finally:
            self._leasing = None
            if self._asking:
                self._leasing = self._begun_for_all(self._renew())

    async def close(self) -> None:
        """Wait for work under way and return unused numbers, at the end of the process."""
        if self._leasing is not None:
            await asyncio.gather(self._leasing, return_exceptions=True)
        await self._return_rest()

    async def _return_rest(self) -> None:
        """Return unused numbers; after a failure they are lost, without further harm."""
        first, end = self._next, self._end
        self._end = self._next
        if first < end:
            try:
                await self._give_back(self._line, first, end)
            except Refusal:
                return  # the database is away or busy
