"""Limit on the visitors that a single web process admits: a computation without I/O.

A process has a share of the rate of the waiting line, in visitors a second.  In one burst it admits as many visitors as that
share serves within `ENTRANCE_SECONDS`.  A line is engaged while visitors must queue.

* While no line is engaged, a visitor beyond that limit engages the line in this process immediately.  A worker decides only
  once a second, and its decision reaches the processes half a second later; until then, at a hundred visitors a second,
  far too many would come in.
* While a line is engaged, a called visitor beyond the limit waits some seconds more and keeps the number of the place in line.  Called
  visitors may come half a minute late, so that after a pause, or a fall of the rate, many come together.
"""

# All visitors who come in at once are served within this time; a visitor may have to wait as long for a step.
ENTRANCE_SECONDS = 8.0


class Entrance:
    """Counts admissions to a waiting line in one of `processes` web processes."""

    def __init__(self, processes: int) -> None:
        self._share = 1 / processes
        self._used = 0.0  # visitors admitted and not yet served, at the rate
        self._at = 0.0

    def has_room(self, rate: float, now: float) -> bool:
        """True if one more visitor may be admitted to a waiting line that serves `rate` visitors a second.

        `now` is in seconds of a monotonic clock.
        """
        rate *= self._share
        self._used = max(self._used - rate * (now - self._at), 0.0)
        self._at = now
        return self._used < max(rate * ENTRANCE_SECONDS, 1.0)

    def let_in(self) -> None:
        """Count an admitted visitor."""
        self._used += 1
