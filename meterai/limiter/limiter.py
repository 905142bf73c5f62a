"""Permits to begin, waiting requests, and refusals, in one web process.

Nothing is shared between processes or stored. The measurements are those of this process and at most some seconds old.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from math import ceil
from time import monotonic, process_time

from meterai.kit.priority import ALLOWANCES, Priority
from meterai.limiter.limit import Limit
from meterai.limiter.metrics import show
from meterai.limiter.refusals import Refusals
from meterai.limiter.usage import WorkUsage
from meterai.limiter.waiting import WaitingRequest, WaitingRequests
from meterai.plumbing.observe.stations import Station
from meterai.plumbing.queueing import Queueing

# Between two measurements of the event loop, each followed by a check of waiting requests.
LOOK_SECONDS = 0.02
# Clients that arrived together should not all be refused together, since they would also retry together.
REFUSALS_PER_LOOK_MAX = 32
WINDOW_LOOKS = 10  # measurements between two changes of the limit
# Number of requests that may release their permit while they receive their body; 100 KB each. Further ones keep it.
RELEASED_MAX = 512
# Share of the limit that is kept free for each other priority, so that slow requests of one priority delay no other.
RESERVE = 0.05
# Bound of the mean wait for a permit of ordering visitors, whose journey needs about fifteen permits.
PERMIT_SECONDS_MAX = 0.5


class Limiter:
    """Gives permits to requests, by priority and by the recent use of their users."""

    def __init__(self, queueing: Queueing) -> None:
        self.station = Station("turn", PERMIT_SECONDS_MAX)  # of ordering requests
        self._queueing = queueing
        self._limit = Limit()
        self._usage = WorkUsage()
        self._total = 0  # of all priorities
        self._released = 0
        self._somebody_waits = False
        self._open_to_all = self._least_open()
        self._running = dict.fromkeys(Priority, 0)
        self._waiting = {priority: WaitingRequests() for priority in Priority}
        self._was_reached = False
        self._peak = 0  # highest concurrency in this window
        self.refusals = Refusals()
        self._is_used = asyncio.Event()  # requests ran or waited since the last window

    # -- state ---------------------------------------------------------------------

    @property
    def limit(self) -> int:
        """Number of requests that may be under way at once."""
        return self._limit.value

    def running(self, priority: Priority) -> int:
        """Return the number of requests of this priority that are under way."""
        return self._running[priority]

    def waiting(self, priority: Priority) -> int:
        """Return the number of requests of this priority that wait for a permit."""
        return len(self._waiting[priority])

    def is_full(self, priority: Priority) -> bool:
        """True if a request of this priority would be refused even if its user had no recent use. This check is cheap."""
        return self._waiting[priority].is_full

    def free(self, priority: Priority) -> int:
        """Return how many more requests of this priority would begin without waiting."""
        return max(0, ceil(self._room(priority)))

    # -- permits ---------------------------------------------------------------------------

    def ask(self, priority: Priority, user: bytes) -> bool | WaitingRequest:
        """Ask for a permit. Return True if the request may begin, False if it is refused, else the waiting request.

        A request that begins counts as running until `ended`. If the client of a waiting request leaves, call
        `withdraw`.
        """
        if not self._somebody_waits and self._total < self._open_to_all:
            self._begin(priority)  # the usual case, kept cheap
            return True
        if self._has_room(priority) and not self._has_earlier_waiting(priority):
            self._begin(priority)
            return True
        self._was_reached = True
        now = monotonic()
        permit: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        until = now + ALLOWANCES[priority].wait_seconds
        request = WaitingRequest(permit, priority, until, self._usage.level(user, now))
        self._somebody_waits = True
        return request if self._waiting[priority].enter(request) else False

    def withdraw(self, request: WaitingRequest) -> None:
        """Withdraw a waiting request; a permit that it got meanwhile is given back."""
        if request.is_waiting:
            request.permit.set_result(False)
            self._waiting[request.priority].leave(request.level, request)
        elif request.permit.cancelled():
            self._waiting[request.priority].leave(request.level, request)
        elif request.permit.result():
            self._leave(request.priority)

    def ended(self, priority: Priority, user: bytes, seconds: float) -> None:
        """End a request that has held its permit for `seconds`."""
        self._usage.add(user, seconds, monotonic())
        self._leave(priority)

    def release(self, priority: Priority) -> bool:
        """Give back the permit of a request while its body is uploaded.

        Returns False, and the request keeps its permit, if `RELEASED_MAX` other requests have released theirs.
        """
        if self._released >= RELEASED_MAX:
            return False
        self._released += 1
        self._leave(priority)
        return True

    def regained(self) -> None:
        """Subtract one from the number of requests whose permit is released: the request asks for a permit again after its
        upload, or has ended.
        """
        self._released -= 1

    def used(self, user: bytes, seconds: float) -> None:
        """Add `seconds` of use to a user whose request ended without holding a permit."""
        self._usage.add(user, seconds, monotonic())
        self._is_used.set()

    def _begin(self, priority: Priority) -> None:
        if not self._total:
            self._is_used.set()
        self._running[priority] += 1
        self._total += 1
        self._peak = max(self._peak, self._total)

    def _leave(self, priority: Priority) -> None:
        self._running[priority] -= 1
        self._total -= 1
        if self._somebody_waits:
            self._fill()

    def _fill(self) -> None:
        """Give permits to waiting requests while more may begin.

        Priorities of which fewer requests run than their share are served first, then the more urgent priorities.
        """
        while (priority := self._next()) is not None:
            served = self._waiting[priority].next()
            if served is None:
                continue
            self._begin(priority)
            served[1].permit.set_result(True)
        self._somebody_waits = any(len(line) for line in self._waiting.values())

    def _next(self) -> Priority | None:
        wanting = None
        for one, line in self._waiting.items():
            if line and self._has_room(one):
                if self._running[one] < self._share(one):
                    return one
                wanting = one if wanting is None else wanting
        return wanting

    def _share(self, priority: Priority) -> float:
        return ALLOWANCES[priority].share * self._limit.value

    def _has_room(self, priority: Priority) -> bool:
        return self._room(priority) > 0

    def _room(self, priority: Priority) -> float:
        limit = self._limit.value
        room, reserve = float(limit - self._total), RESERVE * limit
        for one, running in self._running.items():
            if running < reserve and one is not priority:
                room -= reserve - running
        return room

    def _least_open(self) -> float:
        """Return the number below which the total of requests under way must be, so that a request of any priority may begin
        without a closer check.
        """
        return self._limit.value * (1 - RESERVE * (len(Priority) - 1))

    def _has_earlier_waiting(self, priority: Priority) -> bool:
        waiting = (one for one in Priority if one <= priority and len(self._waiting[one]))
        return any(one == priority or self._has_room(one) for one in waiting)

    # -- the limit -------------------------------------------------------------------------

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Measure the delay of the event loop, and adapt the limit to it, while the block runs."""
        task = asyncio.create_task(self._watch())
        try:
            yield
        finally:
            task.cancel()

    async def _watch(self) -> None:
        while True:
            # An idle process has no queue to measure, and sleeps.
            await self._is_used.wait()
            for _ in range(WINDOW_LOOKS):
                await asyncio.sleep(LOOK_SECONDS)
                begun = process_time()
                await asyncio.sleep(0)  # one turn of the event loop: all runnable work ran
                # Processor time is used instead of the clock: on a machine with other load each turn takes longer, and
                # fewer requests in this process would not change that.
                self._queueing.waited("loop", process_time() - begun)
                now = monotonic()
                self._fill()
                self._refuse_late(now)
            self.adapt()
            if not self._total and not self._somebody_waits:
                self._is_used.clear()

    def _refuse_late(self, now: float) -> None:
        left = REFUSALS_PER_LOOK_MAX
        for line in self._waiting.values():
            left -= line.refuse_late(now, left)

    def adapt(self) -> None:
        """End a window: adapt the limit to the queueing delay measured in it, and export the metrics."""
        self._limit.adapt(self._queueing.worst(), peak=self._peak, was_reached=self._was_reached)
        self._peak = self._total
        self._open_to_all = self._least_open()
        self._was_reached = any(len(line) for line in self._waiting.values())
        self._fill()
        show(self.limit, self._running, {one: len(line) for one, line in self._waiting.items()})
