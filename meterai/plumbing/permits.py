"""Permits for what a process has a fixed number of, such as connections: the higher priority first, and
within one its clients in turn, where they are named.

What a permit is taken for says the context: its priority, until when anybody waits for the answer, and
whether the client is still there.  Where nothing was said (a job, a command) it is as `MONEY` and is
waited for without end.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from contextvars import ContextVar
from dataclasses import dataclass
from time import monotonic

from meterai.kit.priority import ALLOWANCES, Priority
from meterai.plumbing.fair import FairQueue
from meterai.plumbing.observe.stations import Station
from meterai.plumbing.queueing import Queueing


def _nobody_left() -> bool:
    return False


def _stay() -> None:
    return None


async def _go_on() -> None:
    return None


@dataclass(slots=True)
class WorkPurpose:
    """What work is done for.  `until` is in monotonic seconds.

    Whoever waits for the client itself calls `release_permit`, so that others have the permit of this
    request meanwhile, and awaits `regain_permit` before it goes on, which refuses where none comes free.

    What a request began and left behind (a task that goes on) keeps its context: once the request
    is over nobody else's patience counts any more, and the work is as if nothing had been said.
    """

    priority: Priority = Priority.MONEY
    until: float = float("inf")
    is_abandoned: Callable[[], bool] = _nobody_left
    release_permit: Callable[[], None] = _stay
    regain_permit: Callable[[], Awaitable[None]] = _go_on

    def begin_anew(self) -> None:
        """The next of several works of one request begins: it is waited for as one that is alone."""
        if self.until != float("inf"):
            self.until = monotonic() + ALLOWANCES[self.priority].total_seconds

    def end(self) -> None:
        """The request is over."""
        self.until, self.is_abandoned = float("inf"), _nobody_left
        self.release_permit, self.regain_permit = _stay, _go_on


_UNSAID = WorkPurpose()
PURPOSE: ContextVar[WorkPurpose] = ContextVar("purpose", default=_UNSAID)


class NoPermit(Exception):
    """None came free in time, or nobody waits for the answer any more.  Nothing was begun."""


_Line = FairQueue[str, asyncio.Future[None]]


class PermitQueue:
    """A number of permits.  Who waits for one is served by priority; within one the client that has fewest permits
    goes first, then the one that was served longest ago, and the works of each in order.

    So many may wait of a priority.  Where they do, the client with the most makes room for one that has fewer,
    with the work that came last.  Its station counts the waits of those who order, pay or have paid.
    """

    def __init__(
        self,
        number: int,
        wait_seconds_max: float,
        queueing: Queueing,
        waiting_max: float = float("inf"),
        station: Station | None = None,
    ) -> None:
        self._station = station or Station("")
        self._free = number
        self._waiting_max = waiting_max
        self._wait_seconds_max = wait_seconds_max
        self._queueing = queueing
        self._held: Counter[str] = (
            Counter()
        )  # of clients that are named: to count costs as much as a permit
        self._waiting: dict[Priority, _Line] = {
            priority: FairQueue(self._held.__getitem__) for priority in Priority
        }

    def has(self, client: str) -> bool:
        """Whether a client has a permit, or waits for one."""
        return client in self._held or any(client in line for line in self._waiting.values())

    async def take(self, client: str = "") -> None:
        """Have a permit, to be given back with `give_back`.  Raises `NoPermit`."""
        purpose = PURPOSE.get()
        begun = monotonic()
        seconds = min(self._wait_seconds_max, purpose.until - begun)
        if seconds <= 0 or purpose.is_abandoned():
            raise NoPermit("nobody waits for the answer any more")
        if self._free and not any(self._waiting.values()):
            self._free -= 1
            if client:
                self._held[client] += 1
            self._queueing.waited("permits", 0.0)
            if purpose.priority <= Priority.CHECKOUT:
                self._station.at_once()
            return
        is_inside = purpose.priority <= Priority.CHECKOUT
        with self._station.waiting() if is_inside else nullcontext():
            await self._wait(self._waiting[purpose.priority], client, seconds)
        self._queueing.waited("permits", monotonic() - begun)
        if purpose.is_abandoned():
            self.give_back(client)
            raise NoPermit("the client has gone")

    async def _wait(self, line: _Line, client: str, seconds: float) -> None:
        self._make_room(line, client)
        permit: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        line.add(client, permit)
        try:
            async with asyncio.timeout(seconds):
                await permit
        except (TimeoutError, asyncio.CancelledError) as error:
            if permit.done() and not permit.cancelled() and permit.exception() is None:
                self.give_back(client)  # it came in the same moment
            else:
                line.leave(client, permit)
            if isinstance(error, TimeoutError):
                self._queueing.waited("permits", seconds)
                raise NoPermit("none came free") from None
            raise

    def _make_room(self, line: _Line, client: str) -> None:
        if len(line) < self._waiting_max:
            return
        most = line.most(line.of, client)
        if line.of(client) + 1 >= line.of(most):
            raise NoPermit("too many wait")
        if (last := line.take_last(most)) is not None:
            last.set_exception(NoPermit("others had fewer that wait"))

    def give_back(self, client: str = "") -> None:
        """A permit of this client is over: the next one has it."""
        if client:
            self._held[client] -= 1
            if not self._held[client]:
                del self._held[client]
        for line in self._waiting.values():
            if (served := line.next()) is not None:
                following, permit = served
                if following:
                    self._held[following] += 1
                permit.set_result(None)
                return
        self._free += 1
