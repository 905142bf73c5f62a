"""Throttle of small answers: keeps the event loop free for other work.

An answer from memory takes some 40 microseconds and needs no permit of the limiter.  A crowd that requests nothing else
could still keep the process busy, and a payer would wait behind thousands.  So only a limited number of such requests
begin in each tick of 5 ms. The rest wait with their connections open, which slows their clients down. A late tick shows
how long other work waits for the event loop: the limit falls when ticks are late.
"""

import asyncio
from collections import deque
from time import monotonic

TICK_SECONDS = 0.005
# Delay of a tick; a payer waits so long each time that it reaches the event loop.
LATE_SECONDS_MAX = 0.004
# Least number of requests that begin in a second, however busy the process is. A minimum for each tick is not enough:
# with ticks 50 ms apart, five in each would be a hundred a second, and the front page took 9 s.
IN_A_SECOND_MIN = 1_000
IN_A_TICK_MIN = IN_A_SECOND_MIN * TICK_SECONDS
IN_A_TICK_MAX = 250
IN_A_TICK_FIRST = 60  # uses about half of the time of a process
DECREASE = 0.75
INCREASE = 2
WAITING_MAX = 8_192


class Throttle:
    """The throttle of one process."""

    def __init__(self) -> None:
        self._in_a_tick = float(IN_A_TICK_FIRST)
        self._left = self._may_begin = IN_A_TICK_FIRST  # for this tick
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._next_at = 0.0  # monotonic seconds; 0: no request in the last tick

    async def permit(self) -> bool:
        """Wait for a permit, usually not at all. Return False if too many requests wait already."""
        if not self._next_at:
            self._left = self._may_begin = int(self._in_a_tick)
            self._schedule(monotonic())
        if self._left > 0 and not self._waiting:
            self._left -= 1
            return True
        if len(self._waiting) >= WAITING_MAX:
            return False
        permit: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(permit)
        await permit  # a cancelled one is skipped
        return True

    def _schedule(self, now: float) -> None:
        self._next_at = now + TICK_SECONDS
        asyncio.get_running_loop().call_later(TICK_SECONDS, self._tick)

    def _tick(self) -> None:
        now = monotonic()
        was_used = self._left < self._may_begin
        late = now - self._next_at
        self._adapt(late)
        owed = (TICK_SECONDS + late) * IN_A_SECOND_MIN
        self._left = self._may_begin = int(max(self._in_a_tick, min(owed, IN_A_TICK_MAX)))
        while self._left > 0 and self._waiting:
            permit = self._waiting.popleft()
            if not permit.done():
                permit.set_result(None)
                self._left -= 1
        if was_used or self._waiting:
            self._schedule(now)
        else:
            self._next_at = 0.0

    def _adapt(self, late_seconds: float) -> None:
        if late_seconds > LATE_SECONDS_MAX:
            self._in_a_tick = max(self._in_a_tick * DECREASE, IN_A_TICK_MIN)
        elif self._waiting:
            self._in_a_tick = min(self._in_a_tick + INCREASE, IN_A_TICK_MAX)
