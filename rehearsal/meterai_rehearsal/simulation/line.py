"""The waiting room before the servers: admission times and no-shows.

The room admits a number of people a second, in the order of arrival. A waiting person who does not come at their turn (who
left, or whose phone died) is a no-show. The room estimates the share of no-shows, and calls more people accordingly.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from meterai_rehearsal.simulation.model import Line

CORRECTION_SECONDS = 10.0  # time after which the room counts again how many came
CORRECTION_PEOPLE_MIN = 16  # ... and not before so many were called
SMOOTHING = 0.2  # weight of the latest count


@dataclass(frozen=True, slots=True)
class Admitted:
    """Outcome of a line.

    called     call times (by order of arrival)
    waits      seconds from the arrival to the call, also of people who had left
    is_there   for each person, whether they came when called
    """

    called: NDArray[np.float64]
    waits: NDArray[np.float64]
    is_there: NDArray[np.bool_]

    @property
    def left(self) -> float:
        """Share of the called people who did not come."""
        return 1.0 - float(self.is_there.mean())

    def entered(self, line: Line, random: np.random.Generator) -> NDArray[np.float64]:
        """Return the times of entry of the people who came when called, ascending."""
        # People who hardly waited still look at the page; others have to notice their turn first.
        has_waited = self.waits[self.is_there] > line.reaction_seconds
        called = self.called[self.is_there]
        noticed = random.exponential(line.reaction_seconds, len(called))
        return np.sort(called + np.where(has_waited, noticed, 0.0))


def called_at(came: NDArray[np.float64], gap: float, free: float) -> NDArray[np.float64]:
    """Return the call times: in order, at least `gap` seconds apart, none before `free`.

    called[n] = max(came[n], called[n-1] + gap), all at once.
    """
    spread = np.arange(len(came)) * gap
    earliest: NDArray[np.float64] = np.maximum(np.maximum.accumulate(came - spread), free)
    return earliest + spread


def admit(
    came: NDArray[np.float64], rate: float, line: Line, random: np.random.Generator
) -> Admitted:
    """Call everybody, so that `rate` a second come while people wait."""
    patience = _patience(len(came), line, random)
    called = np.empty(len(came))
    is_there = np.empty(len(came), bool)
    block = max(CORRECTION_PEOPLE_MIN, round(rate * CORRECTION_SECONDS))
    missing, free = 0.0, 0.0
    for begin in range(0, len(came), block):
        now = slice(begin, begin + block)
        gap = max(1.0 - missing, 1.0 / line.correction_max) / rate
        called[now] = called_at(came[now], gap, free)
        waited = called[now] - came[now]
        is_there[now] = waited <= patience[now]
        missing += SMOOTHING * (1.0 - float(is_there[now].mean()) - missing)
        free = float(called[now][-1]) + gap
    return Admitted(called, called - came, is_there)


def _patience(count: int, line: Line, random: np.random.Generator) -> NDArray[np.float64]:
    """Return for each person the longest wait in seconds after which they still come; for a no-show it is
    almost zero.
    """
    if line.patience_seconds is None:
        bears = np.full(count, np.inf)
    elif line.is_patience_same:
        bears = np.full(count, line.patience_seconds)
    else:
        bears = random.exponential(line.patience_seconds, count)
    is_no_show = random.random(count) < line.no_shows
    return np.where(is_no_show, line.reaction_seconds, np.maximum(bears, line.reaction_seconds))
