"""How long somebody waits, as a range; and when a page should look again.  Pure.

Of the simple estimates none is better than places ahead divided by how fast they went lately
(facts/anchors.md §1), and all of them are wrong by minutes.  So a range is told, between how fast
it went in the last minute and in the last ten, widened by a factor that is learned from waits that
have ended: so much that nineteen of twenty lie inside.
"""

from math import ceil, exp, log
from typing import NamedTuple

AIM = 0.95  # of the waits lie within what was shown
SPREAD_FIRST = 1.6
SPREAD_MIN, SPREAD_MAX = 1.1, 6.0
# Of the logarithm of the spread, for each wait that ended outside; nineteen inside take it back.
_STEP = 0.02
_WHOLE = log(SPREAD_MAX / SPREAD_MIN)
FLOW_MIN = 0.001  # numbers a second; slower than this nothing can be told
SECONDS_MAX = 7 * 86_400  # more is not told

LOOK_SECONDS_MIN, LOOK_SECONDS_MAX = 5, 180
# Before a line opens nothing changes on its page; while its order is drawn, once.
BEFORE_SECONDS_MIN, BEFORE_SECONDS_MAX = 20, 600
_LOOKS_BEFORE = 12
_LOOKS = (
    3  # in the time that somebody has to wait; with 5 a line of 100,000 asks half as often again
)


class Range(NamedTuple):
    """Seconds."""

    low: int
    high: int


def waiting_range(ahead: int, flow_fast: float, flow_slow: float, spread: float) -> Range | None:
    """How long until `ahead` numbers were served; None where nothing can be told."""
    slowest, fastest = sorted((flow_fast, flow_slow))
    if slowest < FLOW_MIN or ahead < 0:
        return None
    low, high = ahead / (fastest * spread), ahead * spread / slowest
    if high + LOOK_SECONDS_MIN > SECONDS_MAX:
        return None
    # Numbers are served once a second, and a page looks when it looks.
    return Range(int(low), ceil(high + LOOK_SECONDS_MIN))


def look_again(ahead: int, flow: float, jitter: float) -> int:
    """After how many seconds a page looks again: the nearer, the sooner.

    `jitter` from 0 to 1 spreads those who came together over a third of the time.
    """
    wait = ahead / flow if flow > FLOW_MIN else LOOK_SECONDS_MAX * _LOOKS
    between = min(max(wait / _LOOKS, LOOK_SECONDS_MIN), LOOK_SECONDS_MAX)
    return round(between * (0.85 + 0.3 * jitter))


def look_at_opening(seconds: float, jitter: float) -> int:
    """After how many seconds a page looks again whose line gives numbers in so many, as people come.

    Its last look is within seconds of that moment: who waited for it stands behind nobody who came later.
    """
    if seconds <= LOOK_SECONDS_MAX:
        return ceil(max(seconds, 0)) + round(LOOK_SECONDS_MIN * (0.2 + 0.8 * jitter))
    # One look that came shortly before would be followed by one long after.
    return round(min(LOOK_SECONDS_MAX, seconds / 2) * (0.85 + 0.3 * jitter))


def look_before_opening(seconds: float, jitter: float) -> int:
    """After how many seconds a page looks again that opens in so many; none are near it together."""
    between = min(max(seconds / _LOOKS_BEFORE, BEFORE_SECONDS_MIN), BEFORE_SECONDS_MAX)
    return round(between * (0.85 + 0.3 * jitter))


def learned(spread: float, inside: int, outside: int) -> float:
    """The spread after so many more waits ended within what was shown, and so many did not."""
    moved = _STEP * (outside * AIM - inside * (1 - AIM))
    # No further than from one end to the other: of a hundred thousand waits e^x is no number.
    moved = min(max(moved, -_WHOLE), _WHOLE)
    return min(max(spread * exp(moved), SPREAD_MIN), SPREAD_MAX)
