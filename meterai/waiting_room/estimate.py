"""Waiting time as a range, and when a page asks again.  Pure.

Among simple estimates none is better than the places ahead divided by the recent rate (facts/anchors.md §1), and all
are wrong by minutes.  So a range is shown: between the rates of the last minute and of the last ten, widened by a
factor that is learned from ended waits, so that nineteen of twenty lie inside.
"""

from math import ceil, exp, log
from typing import NamedTuple

AIM = 0.95  # share of the waits that end within the range shown
SPREAD_FIRST = 1.6
SPREAD_MIN, SPREAD_MAX = 1.1, 6.0
# Change of the logarithm of the spread for each wait that ended outside the range; nineteen inside undo it.
_STEP = 0.02
_WHOLE = log(SPREAD_MAX / SPREAD_MIN)
FLOW_MIN = 0.001  # numbers a second; below it no range is shown
SECONDS_MAX = 7 * 86_400  # above it no range is shown

LOOK_SECONDS_MIN, LOOK_SECONDS_MAX = 5, 180
# Before a line opens its page does not change, except once while its order is drawn.
BEFORE_SECONDS_MIN, BEFORE_SECONDS_MAX = 20, 600
_LOOKS_BEFORE = 12
_LOOKS = (
    3  # requests of a page during a wait; 5 would cost a line of 100,000 half as many requests more
)


class Range(NamedTuple):
    """Range of a waiting time, in seconds."""

    low: int
    high: int


def waiting_range(ahead: int, flow_fast: float, flow_slow: float, spread: float) -> Range | None:
    """Return how long `ahead` more numbers take; None where no range can be shown."""
    slowest, fastest = sorted((flow_fast, flow_slow))
    if slowest < FLOW_MIN or ahead < 0:
        return None
    low, high = ahead / (fastest * spread), ahead * spread / slowest
    if high + LOOK_SECONDS_MIN > SECONDS_MAX:
        return None
    # Numbers are called once a second, and a page sees it at its next request.
    return Range(int(low), ceil(high + LOOK_SECONDS_MIN))


def look_again(ahead: int, flow: float, jitter: float) -> int:
    """Return after how many seconds a page asks again: the nearer its turn, the sooner.

    `jitter` from 0 to 1 spreads pages that came together over a third of the time.
    """
    wait = ahead / flow if flow > FLOW_MIN else LOOK_SECONDS_MAX * _LOOKS
    between = min(max(wait / _LOOKS, LOOK_SECONDS_MIN), LOOK_SECONDS_MAX)
    return round(between * (0.85 + 0.3 * jitter))


def look_at_opening(seconds: float, jitter: float) -> int:
    """Return after how many seconds a page asks again, `seconds` before its line begins to give numbers.

    The last request falls within seconds of that moment, so that a page open before it gets no number behind later visitors.
    """
    if seconds <= LOOK_SECONDS_MAX:
        return ceil(max(seconds, 0)) + round(LOOK_SECONDS_MIN * (0.2 + 0.8 * jitter))
    # A request shortly before the opening would make the next one late.
    return round(min(LOOK_SECONDS_MAX, seconds / 2) * (0.85 + 0.3 * jitter))


def look_before_opening(seconds: float, jitter: float) -> int:
    """Return after how many seconds a page asks again, `seconds` before a drawn line opens.  Spread over time."""
    between = min(max(seconds / _LOOKS_BEFORE, BEFORE_SECONDS_MIN), BEFORE_SECONDS_MAX)
    return round(between * (0.85 + 0.3 * jitter))


def learned(spread: float, inside: int, outside: int) -> float:
    """Return the spread after more ended waits, `inside` and `outside` the range shown."""
    moved = _STEP * (outside * AIM - inside * (1 - AIM))
    # Bounded by the whole range of the spread: exp() overflows after a hundred thousand waits.
    moved = min(max(moved, -_WHOLE), _WHOLE)
    return min(max(spread * exp(moved), SPREAD_MIN), SPREAD_MAX)
