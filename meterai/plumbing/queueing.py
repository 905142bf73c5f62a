"""Queueing delay: how long work that could run had to wait in this process for the processor or a connection. A long
delay is the sign of overload.
"""

from collections import defaultdict


class Queueing:
    """Mean waiting time at each place (the event loop, the database connections) since `worst` was last called."""

    def __init__(self) -> None:
        self._seconds: defaultdict[str, float] = defaultdict(float)
        self._times: defaultdict[str, int] = defaultdict(int)

    def waited(self, place: str, seconds: float) -> None:
        """Record one wait at a place; a wait of 0 seconds counts too."""
        self._seconds[place] += seconds
        self._times[place] += 1

    def worst(self) -> float:
        """Return the highest mean wait of all places, in seconds, and reset all of them."""
        means = [self._seconds[place] / times for place, times in self._times.items()]
        self._seconds.clear()
        self._times.clear()
        return max(means, default=0.0)
