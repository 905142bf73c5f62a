"""Small answers at a pace that keeps the event loop free for others.

What is answered from memory takes some 40 microseconds and asks for no turn of the limiter.  A
crowd that asks for nothing else could still keep the process busy with it, and whoever pays would wait
behind thousands.  So only so many begin in each tick, and the rest wait with their connections, which
asks them to wait too.  How many adapts to how late the ticks come: that is what others wait.
"""

import asyncio
from collections import deque
from time import monotonic

TICK_SECONDS = 0.005
LATE_SECONDS_MAX = 0.004  # of a tick; what somebody who pays waits each time they come to the loop
IN_A_TICK_MIN = 5  # a thousand a second, however busy the process is
IN_A_TICK_MAX = 250
IN_A_TICK_FIRST = 60  # about half of the time of a process
DECREASE = 0.75
INCREASE = 2
WAITING_MAX = 8_192


class Pace:
    """Of one process."""

    def __init__(self) -> None:
        self._in_a_tick = float(IN_A_TICK_FIRST)
        self._left = IN_A_TICK_FIRST
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._next_at = 0.0  # 0: nobody asked in the last tick

    async def turn(self) -> bool:
        """Wait for a turn, mostly not at all.  False where too many wait already."""
        if not self._next_at:
            self._left = int(self._in_a_tick)
            self._schedule(monotonic())
        if self._left > 0 and not self._waiting:
            self._left -= 1
            return True
        if len(self._waiting) >= WAITING_MAX:
            return False
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        await turn  # one that is cancelled is passed over
        return True

    def _schedule(self, now: float) -> None:
        self._next_at = now + TICK_SECONDS
        asyncio.get_running_loop().call_later(TICK_SECONDS, self._tick)

    def _tick(self) -> None:
        now = monotonic()
        was_used = self._left < int(self._in_a_tick)
        self._adapt(now - self._next_at)
        self._left = int(self._in_a_tick)
        while self._left > 0 and self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
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
