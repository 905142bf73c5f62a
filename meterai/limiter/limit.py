"""Limit of requests under way: the number that can run without waiting for each other.

The signal is queueing delay, not latency: the time for which runnable work did not run (the event loop was busy, or
every database connection was taken). A request that waits for a bank or checks a large document is slow but delays no
other, so its duration is no sign of load. The rule is that of DAGOR (WeChat, SoCC 2018): decrease the limit while work
queues, increase it slowly while it is fully used and nothing queues. At low traffic it is never reached and never changes.
"""

from math import sqrt

# Allowed mean queueing delay: one turn of the event loop, or one wait for a connection. Producing an answer takes
# twenty turns, and each of them queues.
DELAY_SECONDS_MAX = 0.002
DECREASE = 0.90  # factor of the limit after a window with too much delay
STEEP_DECREASE = 0.70  # factor after a window with five times the allowed delay
STEEP = 5.0
LIMIT_MIN = 4  # keeps the process working if the signal is wrong
LIMIT_MAX = 512  # a request takes some 100 KB of memory
LIMIT_FIRST = 24  # about the concurrency of one process with 16 connections


class Limit:
    """Limit of requests under way, adapted after each window to the queueing delay measured in it."""

    def __init__(self) -> None:
        self._exact = float(LIMIT_FIRST)

    @property
    def value(self) -> int:
        """Number of requests that may be under way."""
        return int(self._exact)

    def adapt(self, delay_seconds: float, *, peak: int, was_reached: bool) -> None:
        """Adapt the limit after a window.

        delay_seconds  mean queueing delay of the window
        peak           highest number of requests under way in the window
        was_reached    True if a request had to wait for a permit
        """
        if delay_seconds > DELAY_SECONDS_MAX:
            # With few requests under way the delay has another cause, and a lower limit would not reduce it.
            if 2 * peak >= self.value:
                is_steep = delay_seconds > STEEP * DELAY_SECONDS_MAX
                self._exact *= STEEP_DECREASE if is_steep else DECREASE
        elif was_reached:
            # The step grows with the square root: a large limit still doubles within seconds, a small one grows by
            # about one.
            self._exact += sqrt(self._exact) / 2
        self._exact = min(max(self._exact, LIMIT_MIN), LIMIT_MAX)
