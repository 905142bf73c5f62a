"""Admission by one web process.  Pure.

A process admits, within its share of the line's rate, as many visitors as are served within `ENTRANCE_SECONDS`.

* While no line is engaged, a visitor beyond that engages the line in this process at once.  A worker looks once a second
  and its word reaches a process half a second later; by then a crowd of a hundred a second would have three hundred inside.
* While a line is engaged, a called visitor beyond that waits some seconds more and keeps the number.  Visitors come up
  to half a minute after they were called: after a pause, or a fall of the rate, all of them come at once.
"""

# All who come in at once are served within this time; a step of a visit is waited for as long.
ENTRANCE_SECONDS = 8.0


class Entrance:
    """Admission to one line in one of `processes` processes; times in seconds."""

    def __init__(self, processes: int) -> None:
        self._share = 1 / processes
        self._used = 0.0  # visitors admitted and not yet served, at the rate
        self._at = 0.0

    def has_room(self, rate: float, now: float) -> bool:
        """True if one more visitor may be admitted to a line that serves `rate` a second; `now` in seconds."""
        rate *= self._share
        self._used = max(self._used - rate * (now - self._at), 0.0)
        self._at = now
        return self._used < max(rate * ENTRANCE_SECONDS, 1.0)

    def let_in(self) -> None:
        """Count one admitted visitor."""
        self._used += 1
