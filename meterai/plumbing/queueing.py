"""How long work that could go on had to wait within this process: the signal of overload."""

from collections import defaultdict


class Queueing:
    """Mean waiting time by place (the event loop, connections to the database) since last asked."""

    def __init__(self) -> None:
        self._seconds: defaultdict[str, float] = defaultdict(float)
        self._times: defaultdict[str, int] = defaultdict(int)

    def waited(self, place: str, seconds: float) -> None:
        """Something waited so long at a place; nothing at all counts too."""
        self._seconds[place] += seconds
        self._times[place] += 1

    def worst(self) -> float:
        """The mean of the place where it is longest, in seconds; then everything begins anew."""
        means = [self._seconds[place] / times for place, times in self._times.items()]
        self._seconds.clear()
        self._times.clear()
        return max(means, default=0.0)
