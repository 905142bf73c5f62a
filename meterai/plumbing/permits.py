"""Permits for a fixed number of resources of a process, such as connections.

Work of the highest priority gets a permit first. Among work of one priority, the clients are served in turn, if the callers
name their clients.

The current work has a purpose (`WorkPurpose`), kept in a context variable: its priority, until when a client waits for the
answer, and whether the client is still there. Work without a purpose (a job, a command) has the priority `MONEY` and waits
without a limit.
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
    """The purpose of work. `until` is the time, in monotonic seconds, up to which its client waits.

    Code that waits for the client calls `release_permit`, so that other requests can use the permit of this request
    meanwhile, and then awaits `regain_permit`, which refuses if no permit becomes free in time.

    A task that a request started and left running has the purpose of the request. Once the request is over, `until` no
    longer counts, and the task continues as if it had no purpose.
    """

    priority: Priority = Priority.MONEY
    until: float = float("inf")
    is_abandoned: Callable[[], bool] = _nobody_left
    release_permit: Callable[[], None] = _stay
    regain_permit: Callable[[], Awaitable[None]] = _go_on

    def begin_anew(self) -> None:
        """Restart the client's waiting time, for a request that consists of several pieces of work: each piece gets the full
        time.
        """
        if self.until != float("inf"):
            self.until = monotonic() + ALLOWANCES[self.priority].total_seconds

    def end(self) -> None:
        """Record that the request is over: work that it left running has no time limit of the client any more."""
        self.until, self.is_abandoned = float("inf"), _nobody_left
        self.release_permit, self.regain_permit = _stay, _go_on


_UNSAID = WorkPurpose()
PURPOSE: ContextVar[WorkPurpose] = ContextVar("purpose", default=_UNSAID)


class NoPermit(Exception):
    """No permit became free in time, or nobody waits for the answer any more. Nothing was begun."""


_Line = FairQueue[str, asyncio.Future[None]]


class PermitQueue:
    """A number of permits, and the work that waits for them.

    Work is served by priority; within a priority the client with the fewest permits goes first, then the one that was served
    longest ago; pieces of work of one client are served in order. At most `waiting_max` pieces of work of a priority wait:
    beyond that the newest piece of the client with the most waiting pieces is refused to make room for a client with fewer. The
    station counts the waits of visitors who order, pay or have paid.
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
        self._held: Counter[str] = Counter()  # by named client; counting costs as much as a permit
        self._waiting: dict[Priority, _Line] = {
            priority: FairQueue(self._held.__getitem__) for priority in Priority
        }

    def has(self, client: str) -> bool:
        """True if a client has a permit or waits for one."""
        return client in self._held or any(client in line for line in self._waiting.values())

    async def take(self, client: str = "") -> None:
        """Take a permit, waiting for it if needed; the caller returns it by `give_back`. Raises `NoPermit`."""
        purpose = PURPOSE.get()
        begun = monotonic()
        seconds = min(self._wait_seconds_max, purpose.until - begun)
        if seconds <= 0 or purpose.is_abandoned():
            raise NoPermit("the client no longer waits for the answer")
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
            raise NoPermit("the client closed the connection")

    async def _wait(self, line: _Line, client: str, seconds: float) -> None:
        self._make_room(line, client)
        permit: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        line.add(client, permit)
        try:
            async with asyncio.timeout(seconds):
                await permit
        except (TimeoutError, asyncio.CancelledError) as error:
            if permit.done() and not permit.cancelled() and permit.exception() is None:
                self.give_back(client)  # it was given to us at the moment we stopped waiting
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
            last.set_exception(NoPermit("other callers had fewer waiting requests"))

    def give_back(self, client: str = "") -> None:
        """Return a permit of this client; the next waiting work gets it."""
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
