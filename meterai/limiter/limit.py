"""How many requests may be under way at once: as many as do not wait for each other.

The signal is queueing delay, not latency: the time for which what could run did not (the event
loop was busy, every connection to the database was taken).  A request that waits for a bank, or
checks a large document, is slow and queues nobody, so it says nothing about load.  The rule is
DAGOR's (WeChat, SoCC 2018): less at once where things queue, a little more where all of it was
used and nothing queues.  At low traffic the limit is never reached and so never changes.
"""

from math import sqrt

# What may queue on average: one turn of the event loop, or the wait for a connection.  An answer
# takes some twenty turns, and each of them queues.
DELAY_SECONDS_MAX = 0.002
DECREASE = 0.90  # of the limit, after a window that queued
STEEP_DECREASE = 0.70  # after one that queued five times as long as it may
STEEP = 5.0
LIMIT_MIN = 4  # so that a wrong signal cannot stop the process
LIMIT_MAX = 512  # a request takes some 100 KB
LIMIT_FIRST = 24  # about what one process and 16 connections keep under way


class Limit:
    """A limit of requests under way, moved once a window by what queued in it."""

    def __init__(self) -> None:
        self._exact = float(LIMIT_FIRST)

    @property
    def value(self) -> int:
        """Requests that may be under way."""
        return int(self._exact)

    def adapt(self, delay_seconds: float, *, peak: int, was_reached: bool) -> None:
        """Move by one window: its queueing delay, the most that was under way in it, and whether
        anybody had to wait."""
        if delay_seconds > DELAY_SECONDS_MAX:
            # Where few are under way something else keeps the process waiting, and fewer help nobody.
            if 2 * peak >= self.value:
                is_steep = delay_seconds > STEEP * DELAY_SECONDS_MAX
                self._exact *= STEEP_DECREASE if is_steep else DECREASE
        elif was_reached:
            # By the root: a large limit still doubles within seconds, a small one moves by ones.
            self._exact += sqrt(self._exact) / 2
        self._exact = min(max(self._exact, LIMIT_MIN), LIMIT_MAX)
