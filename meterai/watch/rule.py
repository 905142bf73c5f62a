"""The rule that makes a state of tries; pure.  docs/status.md says it in words.

Promises of this module
  * A state gets worse by failures in a row, or by their share among the last tries, and better by good tries in a row.
    Nothing else makes it better.
  * One try in fifty that fails by chance changes no state in a day; a fault of everything does within
    `FLIP_SECONDS_MAX`, and its mend within `MEND_SECONDS_MAX` (tests/watch/test_rule.py).
  * A component whose last try is older than `FRESH_SECONDS` is not measured: it keeps its state, and is not shown as good.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

from meterai.kit.components import Component, ComponentState

FLIP_SECONDS_MAX = 30.0
MEND_SECONDS_MAX = 60.0
FRESH_SECONDS = 60.0  # three times the longest period: a component that is tried has a newer try
IN_ROW = 4  # failures: by chance (2 %) once in six million tries
WINDOW, OF_WINDOW = 24, 8  # a third of the last tries: by chance once in seventy million
GOOD_IN_ROW = 6
SLOW_AT_MEND = 2  # of those six, after an outage
DOUBT_SECONDS = 0.5  # between tries after one that was late or not good
OUT_SECONDS = (
    5.0  # between tries of a component that does not work: its mend is seen in six of them
)


class Outcome(IntEnum):
    """How a try ended; a greater one is worse."""

    GOOD = 0
    SLOW = 1  # it did what it should, later than the limit of the component
    FAILED = 2


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds of a component: between two tries, until one is doubted, until it is slow, until it has failed.

    The first failure is seen after `every + failed`; because a try that is late is doubted, three more are under way by
    then, and end `3 * DOUBT_SECONDS + failed` after the doubt.
    """

    every: float
    slow: float
    failed: float
    doubted: float = 1.5

    @property
    def flip_seconds(self) -> float:
        """The longest time from a fault to the state that follows from it."""
        return self.every + self.doubted + (IN_ROW - 1) * DOUBT_SECONDS + self.failed

    @property
    def mend_seconds(self) -> float:
        """The longest time from a mend to the state that follows from it."""
        return (GOOD_IN_ROW + 1) * OUT_SECONDS + self.slow


# All at the same time: a worker that found work looks for more of it for two seconds, and that costs the platform more
# than the walks themselves.
LIMITS: Mapping[Component, Limits] = dict.fromkeys(
    Component, Limits(every=19, slow=3, failed=6)
) | {Component.SIGN_IN: Limits(every=19, slow=4, failed=6)}  # a mail goes a way of its own


def judged(state: ComponentState, recent: Sequence[Outcome]) -> ComponentState:
    """The state that follows from the tries since it began (the newest last; more than `WINDOW` are not looked at)."""
    worse = _worse(recent)
    if worse > state:
        return worse
    last = recent[-GOOD_IN_ROW:]
    if len(last) < GOOD_IN_ROW or Outcome.FAILED in last:
        return state
    # Tries that were under way at the mend are slow, and say nothing of what is now.
    slow = last.count(Outcome.SLOW) - (SLOW_AT_MEND if state > ComponentState.DEGRADED else 0)
    return min(state, ComponentState.DEGRADED if slow > 0 else ComponentState.OPERATIONAL)


def _worse(recent: Sequence[Outcome]) -> ComponentState:
    row, window = recent[-IN_ROW:], recent[-WINDOW:]
    if len(row) == IN_ROW and min(row) is Outcome.FAILED:
        return ComponentState.MAJOR_OUTAGE
    if window.count(Outcome.FAILED) >= OF_WINDOW:
        return ComponentState.PARTIAL_OUTAGE
    if len(row) == IN_ROW and Outcome.GOOD not in row:
        return ComponentState.DEGRADED
    if len(window) - window.count(Outcome.GOOD) >= OF_WINDOW:
        return ComponentState.DEGRADED
    return ComponentState.OPERATIONAL


class Judge:
    """One component: its state, and the tries since that began."""

    def __init__(self, state: ComponentState = ComponentState.OPERATIONAL) -> None:
        self.state = state
        self._recent: list[Outcome] = []

    def take(self, outcome: Outcome) -> bool:
        """Look at one more try; true where the state changed."""
        self._recent = [*self._recent[-WINDOW + 1 :], outcome]
        before, self.state = self.state, judged(self.state, self._recent)
        if self.state is not before:
            self._recent = []
        return self.state is not before

    def pause(self, every: float, *, is_late: bool) -> float:
        """Seconds until the next try; `is_late` where one under way was doubted a short time ago."""
        if self.state is not ComponentState.OPERATIONAL:
            return min(OUT_SECONDS, every)
        is_doubted = is_late or (bool(self._recent) and self._recent[-1] is not Outcome.GOOD)
        return min(DOUBT_SECONDS, every) if is_doubted else every
