"""Estimate of the waiting time as a range, and the times at which a page asks again.  No input or output.

The places ahead divided by the recent rate is as good as any other simple estimate (facts/anchors.md §1), and all are
wrong by minutes.  So a range is shown.  Its bounds follow from the rates of the last minute and of the last ten
minutes, and are widened by a factor (the spread), learned so that nineteen of twenty waits end within the range.
"""

from math import ceil, exp, log
from typing import NamedTuple

AIM = 0.95  # wanted share of the waits that end within the shown range
SPREAD_FIRST = 1.6
SPREAD_MIN, SPREAD_MAX = 1.1, 6.0
# Change of the logarithm of the spread for each wait that ended outside the range; nineteen inside undo it.
_STEP = 0.02
_WHOLE = log(SPREAD_MAX / SPREAD_MIN)
FLOW_MIN = 0.001  # numbers a second; for a lower rate no range is shown
SECONDS_MAX = 7 * 86_400  # a longer range is not shown

LOOK_SECONDS_MIN, LOOK_SECONDS_MAX = 5, 180
# Before a line opens its page changes only once, when the order is being drawn.
BEFORE_SECONDS_MIN, BEFORE_SECONDS_MAX = 20, 600
_LOOKS_BEFORE = 12
_LOOKS = 3  # requests of a page in the time until its turn; with 5 a line of 100,000 would cause half as many requests more


class Range(NamedTuple):
    """Range of a waiting time, in seconds."""

    low: int
    high: int


def waiting_range(ahead: int, flow_fast: float, flow_slow: float, spread: float) -> Range | None:
    """Return the range of time after which `ahead` more numbers have been called; None if no range can be shown.

    `flow_fast` and `flow_slow` are rates in numbers a second, in any order.
    """
    slowest, fastest = sorted((flow_fast, flow_slow))
    if slowest < FLOW_MIN or ahead < 0:
        return None
    low, high = ahead / (fastest * spread), ahead * spread / slowest
    if high + LOOK_SECONDS_MIN > SECONDS_MAX:
        return None
    # Numbers are called once a second, and a page sees it at its next request.
    return Range(int(low), ceil(high + LOOK_SECONDS_MIN))


def look_again(ahead: int, flow: float, jitter: float) -> int:
    """Return the seconds until a page asks again: the fewer places are ahead, the sooner.

    `flow` is in places a second.  `jitter`, from 0 to 1, spreads the requests of pages that were opened together.
    """
    wait = ahead / flow if flow > FLOW_MIN else LOOK_SECONDS_MAX * _LOOKS
    between = min(max(wait / _LOOKS, LOOK_SECONDS_MIN), LOOK_SECONDS_MAX)
    return round(between * (0.85 + 0.3 * jitter))


def look_at_opening(seconds: float, jitter: float) -> int:
    """Return the seconds until a page asks again, if its waiting line begins to give numbers `seconds` from now.

    The last request comes within seconds of that moment, so that visitors who come later do not get earlier numbers.
    """
    if seconds <= LOOK_SECONDS_MAX:
        return ceil(max(seconds, 0)) + round(LOOK_SECONDS_MIN * (0.2 + 0.8 * jitter))
    # A request shortly before the opening would make the next one late.
    return round(min(LOOK_SECONDS_MAX, seconds / 2) * (0.85 + 0.3 * jitter))


def look_before_opening(seconds: float, jitter: float) -> int:
    """Return the seconds until a page asks again, if its waiting line opens with drawn numbers `seconds` from now.

    `jitter`, from 0 to 1, spreads the requests of all pages.
    """
    between = min(max(seconds / _LOOKS_BEFORE, BEFORE_SECONDS_MIN), BEFORE_SECONDS_MAX)
    return round(between * (0.85 + 0.3 * jitter))


def learned(spread: float, inside: int, outside: int) -> float:
    """Return the new spread: the factor by which the shown range of waiting time is widened.

    `inside` and `outside` are the numbers of waits that ended inside and outside the shown range.
    """
    moved = _STEP * (outside * AIM - inside * (1 - AIM))
    # Bounded by the whole range of the spread: exp() overflows after a hundred thousand waits.
    moved = min(max(moved, -_WHOLE), _WHOLE)
    return min(max(spread * exp(moved), SPREAD_MIN), SPREAD_MAX)
