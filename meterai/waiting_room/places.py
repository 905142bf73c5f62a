"""Numbers of lines, leased in blocks: a place costs the database next to nothing.

A process leases as many numbers as it gave away in the last moment, so that a crowd costs few
statements; and what it has not given away after a second it lets go, so that who comes later to
another process is not served before.  Numbers that were let go are holders who never come: those
who wait are called so much sooner.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from time import monotonic
from uuid import UUID

from meterai.plumbing.database import DatabaseBusy
from meterai.waiting_room.model import LineClosed
from meterai.waiting_room.store import Block

BLOCK_SECONDS = 1.0  # the most by which somebody may be served before who came earlier
BLOCK_MAX = 4_096  # numbers; a quarter of a second at full speed
ASKING_MAX = 20_000  # requests that wait for the same lease; each some hundred bytes
LEASE_SECONDS_MAX = 5.0

Lease = Callable[[UUID, int], Awaitable[Block | None]]
MS = 1000


class Numbers:
    """The numbers of one line that this process may give away."""

    def __init__(self, line: UUID, lease: Lease) -> None:
        self._line = line
        self._lease = lease
        self._next = 0
        self._end = 0
        self._until = 0.0
        self._begun = 0.0  # of the block, by the monotonic clock
        self._taken_at = 0  # of the block, by the clock of the database, in ms
        self._count = 1
        self._asking: deque[asyncio.Future[None]] = deque()
        self._leasing: asyncio.Task[None] | None = None

    def at_once(self) -> tuple[int, int] | None:
        """A number and the moment (ms since 1970), where the block has one left."""
        now = monotonic()
        if self._next >= self._end or now >= self._until:
            return None
        number = self._next
        self._next += 1
        return number, self._taken_at + int((now - self._begun) * MS)

    async def take(self) -> tuple[int, int]:
        """A number and the moment.  Refuses `LineClosed`, `DatabaseBusy`, `DatabaseAway`."""
        while (found := self.at_once()) is None:
            if len(self._asking) >= ASKING_MAX:
                raise DatabaseBusy("too many ask for a number")
            turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._asking.append(turn)
            if self._leasing is None:
                self._leasing = asyncio.create_task(self._renew())
            await turn
        return found

    async def _renew(self) -> None:
        """Lease a block for all who ask, and wake them."""
        fault: Exception | None = None
        try:
            begun = monotonic()
            async with asyncio.timeout(LEASE_SECONDS_MAX):
                block = await self._lease(self._line, self._wanted(begun))
            if block is None:
                fault = LineClosed("it takes no new places")
            else:
                self._next, self._end = block.first, block.first + self._count
                # Never ahead of the database: the answer took some of the time.
                self._begun, self._taken_at = monotonic(), int(block.now.timestamp() * MS)
                self._until = begun + BLOCK_SECONDS
        except TimeoutError:
            fault = DatabaseBusy("no numbers in time")
        except Exception as error:  # told to all who ask
            fault = error
        self._leasing = None
        asking, self._asking = self._asking, deque()
        for turn in asking:
            if turn.done():
                continue
            if fault is None:
                turn.set_result(None)
            else:
                turn.set_exception(fault)

    def _wanted(self, now: float) -> int:
        """Twice as many where the last block was gone at once, fewer where most of it was left."""
        asking, given = len(self._asking), self._count - (self._end - self._next)
        if self._begun and now < self._until and self._next >= self._end:
            wanted = 2 * self._count
        else:
            wanted = given
        self._count = min(max(wanted, asking, 1), BLOCK_MAX)
        return self._count
