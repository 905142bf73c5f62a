"""Limit of requests under way: as many as do not wait for each other.

The signal is queueing delay, not latency: the time for which runnable work did not run (the event loop was busy, every
database connection was taken).  A request that waits for a bank or checks a large document is slow and delays nobody, so
it is no sign of load.  The rule is DAGOR's (WeChat, SoCC 2018): decrease while work queues, increase slowly while the
limit is used up and nothing queues.  At low traffic the limit is never reached and never changes.
"""

from math import sqrt

# Allowed mean queueing delay: one turn of the event loop, or the wait for a connection.  An answer takes twenty turns, and
# each of them queues.
DELAY_SECONDS_MAX = 0.002
DECREASE = 0.90  # factor of the limit after a window with too much delay
STEEP_DECREASE = 0.70  # factor after a window with five times the allowed delay
STEEP = 5.0
LIMIT_MIN = 4  # a wrong signal must not stop the process
LIMIT_MAX = 512  # a request takes some 100 KB
LIMIT_FIRST = 24  # about the concurrency of one process with 16 connections


class Limit:
    """Limit of requests under way, adapted once a window to its queueing delay."""

    def __init__(self) -> None:
        self._exact = float(LIMIT_FIRST)

    @property
    def value(self) -> int:
        """Requests that may be under way."""
        return int(self._exact)

    def adapt(self, delay_seconds: float, *, peak: int, was_reached: bool) -> None:
        """Adapt to one window: its queueing delay, its highest concurrency, and True if a request had to wait."""
        if delay_seconds > DELAY_SECONDS_MAX:
            # With few requests under way the delay has another cause, and a lower limit would not help.
            if 2 * peak >= self.value:
                is_steep = delay_seconds > STEEP * DELAY_SECONDS_MAX
                self._exact *= STEEP_DECREASE if is_steep else DECREASE
        elif was_reached:
            # By the square root: a large limit still doubles within seconds, a small one grows by ones.
            self._exact += sqrt(self._exact) / 2
        self._exact = min(max(self._exact, LIMIT_MIN), LIMIT_MAX)
