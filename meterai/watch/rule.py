"""States of components from the tries of one watcher, and agreement of several watchers; pure.  Explained in docs/status.md.

Promises of this module
  * A state gets worse by failures in a row, or by their share among the last tries.  It gets better only by good tries in
    a row.
  * One random failure in fifty tries changes no state in a day.  A full outage changes the state within
    `FLIP_SECONDS_MAX`, and the end of the outage within `MEND_SECONDS_MAX` (tests/watch/test_rule.py).
  * A component whose last try is older than `FRESH_SECONDS` is not measured: it keeps its state, and is not shown as good.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

from meterai.kit.components import Component, ComponentState
from meterai.plumbing.readings import majority_of

FLIP_SECONDS_MAX = 30.0
MEND_SECONDS_MAX = 60.0
FRESH_SECONDS = 60.0  # three times the longest period
IN_ROW = 4  # failures in a row; if 2 % of the tries fail, this happens once in six million tries
WINDOW, OF_WINDOW = (
    24,
    8,
)  # failures in a third of the last tries; if 2 % of the tries fail, once in seventy million tries
GOOD_IN_ROW = 6
SLOW_AT_MEND = 2  # slow tries that are ignored among those six, after an outage
DOUBT_SECONDS = 1.0  # between tries after a late or bad try
# A row of bad tries must last at least this long from the begin of the first: a restart of a process is not an outage, and
# nobody should get a mail about it.
LASTS_SECONDS = 5.0
OUT_SECONDS = 5.0  # between tries of a component that does not work; six of them show its recovery


class ProbeOutcome(IntEnum):
    """Outcome of a try of a component; a greater value is worse."""

    GOOD = 0
    SLOW = 1  # it succeeded, later than the limit of the component
    FAILED = 2


@dataclass(frozen=True, slots=True)
class ProbeTimes:
    """Times of a component in seconds.

    every    time between two tries
    doubted  time from the begin of a try until it is doubted: more tries then start, one each `DOUBT_SECONDS`
    slow     time from the begin of a try until it counts as slow
    failed   time from the begin of a try until it has failed

    So the first failed try ends at most `every + failed` after a fault begins.  The next three are under way by then, and end
    at most `3 * DOUBT_SECONDS + failed` after the first try was doubted.
    """

    every: float
    slow: float
    failed: float
    doubted: float = 1.5

    @property
    def flip_seconds(self) -> float:
        """The longest time in seconds from the begin of a fault to the worse state of the component."""
        late = self.doubted + (IN_ROW - 1) * DOUBT_SECONDS + self.failed
        return self.every + max(late, LASTS_SECONDS + DOUBT_SECONDS)

    @property
    def mend_seconds(self) -> float:
        """The longest time in seconds from the end of a fault to the better state of the component."""
        return (GOOD_IN_ROW + 1) * OUT_SECONDS + self.slow


# All periods are equal: a platform worker that found work polls for two seconds, which costs more than the probes.
LIMITS: Mapping[Component, ProbeTimes] = dict.fromkeys(
    Component, ProbeTimes(every=18, slow=3, failed=6)
) | {Component.SIGN_IN: ProbeTimes(every=18, slow=4, failed=6)}  # a mail takes longer


def judged(
    state: ComponentState, recent: Sequence[ProbeOutcome], lasts: float = LASTS_SECONDS
) -> ComponentState:
    """Return the next state of a component.

    `state` is its present state, and `recent` are the outcomes of its tries since that state began, the newest last; only the
    last `WINDOW` tries count.  `lasts` is the time in seconds since the begin of the first bad try after the last good one.
    """
    worse = _worse(recent, is_row=lasts >= LASTS_SECONDS)
    if worse > state:
        return worse
    last = recent[-GOOD_IN_ROW:]
    if len(last) < GOOD_IN_ROW or ProbeOutcome.FAILED in last:
        return state
    # Tries that were under way at a recovery are slow, and do not show the state after it.
    slow = last.count(ProbeOutcome.SLOW) - (SLOW_AT_MEND if state > ComponentState.DEGRADED else 0)
    return min(state, ComponentState.DEGRADED if slow > 0 else ComponentState.OPERATIONAL)


def _worse(recent: Sequence[ProbeOutcome], *, is_row: bool) -> ComponentState:
    row, window = recent[-IN_ROW:], recent[-WINDOW:]
    is_row = is_row and len(row) == IN_ROW
    if is_row and min(row) is ProbeOutcome.FAILED:
        return ComponentState.MAJOR_OUTAGE
    if window.count(ProbeOutcome.FAILED) >= OF_WINDOW:
        return ComponentState.PARTIAL_OUTAGE
    if is_row and ProbeOutcome.GOOD not in row:
        return ComponentState.DEGRADED
    if len(window) - window.count(ProbeOutcome.GOOD) >= OF_WINDOW:
        return ComponentState.DEGRADED
    return ComponentState.OPERATIONAL


class Judge:
    """State of one component, and the tries since this state began."""

    def __init__(self, state: ComponentState = ComponentState.OPERATIONAL) -> None:
        self.state = state
        self._recent: list[ProbeOutcome] = []
        self._bad_since: float | None = None

    def take(self, outcome: ProbeOutcome, began: float, ended: float) -> bool:
        """Add the outcome of a try; `began` and `ended` are its times in seconds.  True if the state changed."""
        if outcome is ProbeOutcome.GOOD:
            self._bad_since = None
        elif self._bad_since is None or began < self._bad_since:
            self._bad_since = began
        lasts = 0.0 if self._bad_since is None else ended - self._bad_since
        self._recent = [*self._recent[-WINDOW + 1 :], outcome]
        before, self.state = self.state, judged(self.state, self._recent, lasts)
        if self.state is not before:
            self._recent = []
        return self.state is not before

    def pause(self, every: float, *, is_late: bool) -> float:
        """Return the seconds until the next try; `every` is the usual pause.

        `is_late` is True if a try under way was doubted a short time ago.
        """
        if self.state is not ComponentState.OPERATIONAL:
            return min(OUT_SECONDS, every)
        is_doubted = is_late or (bool(self._recent) and self._recent[-1] is not ProbeOutcome.GOOD)
        return min(DOUBT_SECONDS, every) if is_doubted else every


def agreed(
    last: ComponentState, votes: Sequence[ComponentState | None], watchers: int
) -> ComponentState | None:
    """Return the state agreed by a majority of all `watchers`; None if fewer than a majority measured the component.

    `votes` are the states by the watchers that answered, None from a watcher that does not measure the component.  If a
    majority votes for states worse than `last`, the result is the worst state S such that a majority votes for S or a worse
    one.  If a majority votes for better states, it is the best state S such that a majority votes for S or a better one.  Else
    it is `last`.  So a minority that lies or is cut off changes nothing.
    """
    heard, needed = [one for one in votes if one is not None], majority_of(watchers)
    if len(heard) < needed:
        return None
    no_better = max(one for one in ComponentState if sum(vote >= one for vote in heard) >= needed)
    no_worse = min(one for one in ComponentState if sum(vote <= one for vote in heard) >= needed)
    return min(max(last, no_better), no_worse)
