"""Turns at what a process has a fixed number of, such as connections: the higher priority first.

What a turn is taken for says the context: its priority, until when anybody waits for the answer, and
whether the client is still there.  Where nothing was said (a job, a command) it is as `MONEY` and is
waited for without end.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass
from time import monotonic

from meterai.kit.priority import ALLOWANCES, Priority
from meterai.plumbing.queueing import Queueing


def _nobody_left() -> bool:
    return False


def _stay() -> None:
    return None


async def _go_on() -> None:
    return None


@dataclass(slots=True)
class Purpose:
    """What work is done for.  `until` is in monotonic seconds.

    Whoever waits for the client itself calls `step_aside`, so that others have the turn of this
    request meanwhile, and awaits `step_back` before it goes on, which refuses where none comes free.

    What a request began and left behind (a task that goes on) keeps its context: once the request
    is over nobody else's patience counts any more, and the work is as if nothing had been said.
    """

    priority: Priority = Priority.MONEY
    until: float = float("inf")
    is_abandoned: Callable[[], bool] = _nobody_left
    step_aside: Callable[[], None] = _stay
    step_back: Callable[[], Awaitable[None]] = _go_on

    def begin_anew(self) -> None:
        """The next of several works of one request begins: it is waited for as one that is alone."""
        if self.until != float("inf"):
            self.until = monotonic() + ALLOWANCES[self.priority].total_seconds

    def end(self) -> None:
        """The request is over."""
        self.until, self.is_abandoned = float("inf"), _nobody_left
        self.step_aside, self.step_back = _stay, _go_on


_UNSAID = Purpose()
PURPOSE: ContextVar[Purpose] = ContextVar("purpose", default=_UNSAID)


class NoTurn(Exception):
    """None came free in time, or nobody waits for the answer any more.  Nothing was begun."""


class Turns:
    """A number of turns.  Who waits for one is served by priority, then in order."""

    def __init__(self, number: int, wait_seconds_max: float, queueing: Queueing) -> None:
        self._free = number
        self._wait_seconds_max = wait_seconds_max
        self._queueing = queueing
        self._waiting: dict[Priority, deque[asyncio.Future[None]]] = {
            priority: deque() for priority in Priority
        }

    async def take(self) -> None:
        """Have a turn, to be given back with `give_back`.  Raises `NoTurn`."""
        purpose = PURPOSE.get()
        begun = monotonic()
        seconds = min(self._wait_seconds_max, purpose.until - begun)
        if seconds <= 0 or purpose.is_abandoned():
            raise NoTurn("nobody waits for the answer any more")
        if self._free and not any(self._waiting.values()):
            self._free -= 1
            self._queueing.waited("turns", 0.0)
            return
        await self._wait(purpose.priority, seconds)
        self._queueing.waited("turns", monotonic() - begun)
        if purpose.is_abandoned():
            self.give_back()
            raise NoTurn("the client has gone")

    async def _wait(self, priority: Priority, seconds: float) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        line = self._waiting[priority]
        line.append(turn)
        try:
            async with asyncio.timeout(seconds):
                await turn
        except (TimeoutError, asyncio.CancelledError) as error:
            if turn.done() and not turn.cancelled():
                self.give_back()  # it came in the same moment
            else:
                line.remove(turn)
            if isinstance(error, TimeoutError):
                self._queueing.waited("turns", seconds)
                raise NoTurn("none came free") from None
            raise

    def give_back(self) -> None:
        """The turn is over: the next one has it."""
        for line in self._waiting.values():
            while line:
                turn = line.popleft()
                if not turn.done():
                    turn.set_result(None)
                    return
        self._free += 1
