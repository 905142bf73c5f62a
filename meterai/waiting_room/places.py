"""Numbers of waiting lines, leased from the database in blocks, so that a place causes almost no load on the database.

A process leases as many numbers as it gives in a tenth of a second, so that even a crowd needs few statements.  It returns
unused numbers after a second.  So a visitor is overtaken by visitors of other processes for a second at most, and nobody waits
for unused numbers.  If a process is killed, its leased numbers are lost, and waiting visitors are called sooner.
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
ASKING_MAX = 20_000  # requests that wait for a lease, about a hundred bytes each
LEASE_SECONDS_MAX = 5.0

Lease = Callable[[UUID, int], Awaitable[NumberBlock | None]]
GiveBack = Callable[[UUID, int, int], Awaitable[None]]
Place = tuple[int, int]  # a number, and the time when it was taken, in milliseconds since 1970
MS = 1000


class NumberSupply:
    """Gives numbers of a waiting line from blocks that this process leases."""

    def __init__(self, line: UUID, lease: Lease, give_back: GiveBack) -> None:
        self._line = line
        self._lease = lease
        self._give_back = give_back
        self._first = 0
        self._next = 0
        self._end = 0
        self._until = 0.0
        self._begun = 0.0  # time of the lease, by the monotonic clock, in seconds
        # Time of the lease, by the clock of the database, in milliseconds since 1970.
        self._taken_at = 0
        self._asking: deque[tuple[float, asyncio.Future[Place | None]]] = deque()
        self._leasing: asyncio.Task[None] | None = None

    def at_once(self) -> Place | None:
        """Return a number and the time at which it is taken; None if no leased number is left."""
        now = monotonic()
        return self._taken(now) if now < self._until else None

    def _taken(self, now: float) -> Place | None:
        if self._next >= self._end:
            return None
        number = self._next
        self._next += 1
        return number, self._taken_at + int((now - self._begun) * MS)

    async def take(self) -> Place:
        """Return a number and the time at which it is taken; lease a block first if no number is left.

        Refuses `LineClosed`, `DatabaseBusy`, `DatabaseAway`.
        """
        while (found := self.at_once()) is None:
            if len(self._asking) >= ASKING_MAX:
                raise DatabaseBusy("too many requests wait for a number")
            turn: asyncio.Future[Place | None] = asyncio.get_running_loop().create_future()
            self._asking.append((monotonic(), turn))
            if self._leasing is None:
                self._leasing = self._begun_for_all(self._renew())
            if (found := await turn) is not None:
                break
        return found

    @staticmethod
    def _begun_for_all(work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Start a task for many requests, in a new context, so that the time limit of a single request does not end it."""
        return asyncio.create_task(work, context=Context())

    async def _renew(self) -> None:
        """Lease a block of numbers from the database, and give them to the requests that wait for a number."""
        fault: Exception | None = None
        try:
            begun = monotonic()
            wanted = self._wanted(begun)
            async with asyncio.timeout(LEASE_SECONDS_MAX):
                await self._return_rest()
                block = await self._lease(self._line, wanted)
            if block is None:
                fault = LineClosed("the line takes no new places")
            else:
                self._begin(block, wanted, begun)
        except TimeoutError:
            fault = DatabaseBusy("no numbers were leased in time")
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
                # A request that came before the block expired gets a number of it, however late the database answered;
                # otherwise a slow database would never give a number.  Later requests wait for the next block.
                turn.set_result(self._taken(monotonic()) if asked < self._until else None)

    def _begin(self, block: NumberBlock, count: int, asked: float) -> None:
        self._first = self._next = block.first
        self._end = block.first + count
        # `_begun` is read after the answer, so that computed times are never ahead of the database's clock.
        self._begun, self._taken_at = monotonic(), int(block.now.timestamp() * MS)
        self._until = asked + BLOCK_SECONDS
        asyncio.get_running_loop().call_later(BLOCK_SECONDS, self._expire, self._end)

    def _wanted(self, now: float) -> int:
        """Return the size of the next block of numbers to lease.

        It covers `BLOCK_WORTH_SECONDS` at the recent demand, but at least the requests that wait for a number.
        """
        given, seconds = self._next - self._first, max(now - self._begun, 0.001)
        wanted = given * BLOCK_WORTH_SECONDS / min(seconds, BLOCK_SECONDS) if given else 1
        if seconds > 2 * BLOCK_SECONDS:
            wanted = 1  # the demand of an old block says nothing about the present demand
        return int(min(max(wanted, len(self._asking), 1), BLOCK_MAX))

    def _expire(self, end: int) -> None:
        """Return the unused numbers of a block that has expired; `end` identifies the block."""
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
        """Wait for a lease under way, and return unused numbers; called when the process ends."""
        if self._leasing is not None:
            await asyncio.gather(self._leasing, return_exceptions=True)
        await self._return_rest()

    async def _return_rest(self) -> None:
        """Return unused numbers to the database; if that fails, they are called later although nobody has them."""
        first, end = self._next, self._end
        self._end = self._next
        if first < end:
            try:
                await self._give_back(self._line, first, end)
            except Refusal:
                return  # the database is unavailable or busy
