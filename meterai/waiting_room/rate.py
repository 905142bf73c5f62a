"""Admission rate of a line: as many a second as the platform serves.  Pure.

Additive increase and multiplicative decrease, as in TCP (RFC 5681).  The rate grows while nobody inside waits and the
admitted visitors come: quickly up to the usual rate and slowly beyond (as in CUBIC, RFC 9438, section 4.1).  It falls by
a fifth where a visitor with a turn was refused.  The rate aims at visitors who come in; numbers are called faster by the
share of visitors who do not come, within bounds.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from meterai.waiting_room.crowds import Crowd
from meterai.waiting_room.model import RATE_MIN, TURN_SECONDS

RATE_FIRST = 5.0  # a second; one core of 2026 serves that with ease, at 20 answers a visit
DECREASE = 0.8
FINISHED_SHARE = (
    0.9  # of the finishing rate: fewer come in than leave, so that the wait inside shrinks
)
DECREASE_REST_SECONDS = 3.0  # visitors admitted before still arrive
# Growth a second beyond the usual rate, as a share of the rate: it doubles in 70 s.  Twenty seconds pass before admitted
# visitors wait; at twice this growth half more than are served would be inside by then.
INCREASE = 0.01
INCREASE_MIN = 0.1  # admissions a second, a second: from the lowest rate it takes 50 s to five
RETURN = 0.05  # growth a second up to the usual rate, reached again 15 s after a short fault
RETURN_MIN = 0.4
USUAL_SECONDS = 180.0  # longer than a fault that ends by itself, shorter than an evening
FADE = 0.005  # decay a second where few come: a load of two hours ago says little
INCREASE_SECONDS_MAX = 5.0  # longest step: after a pause the capacity is unknown
USED_MIN = 0.5  # of the rate; where fewer come, a higher rate would not be tested
JOB_AGE_SECONDS_MAX = 10.0  # older paid work means overload
PRESSURE_WITH_ROOM = 0.5  # of the bound of a station; below it the rate may grow
AWAY_MAX = 0.8  # highest share assumed not to come: five numbers for one admission
AWAY_SMOOTHING = 0.3
AWAY_CALLED_MIN = 50  # numbers; fewer are no sample
_NOTHING = 1e-9  # of a call: rounding error of sums


@dataclass(frozen=True, slots=True)
class Load:
    """Load of the last seconds, over all processes.

    refused      accounts and networks with paid work that were refused, a second; each counts once
    job_age      seconds by which the oldest paid work is overdue
    admitted     visitors who came in, a second
    usual        the same over the last `USUAL_SECONDS`, or since the line was engaged
    inside       visitors with a turn who have not finished
    arrivals     visitors who came for the guarded act, a second
    finished     visitors who finished the guarded act, a second
    pressure     the longest mean wait inside at one station, as a share of its bound
    is_crowded   a web process engaged a line by itself: more came than it admits (`entrance`)
    """

    refused: float = 0.0
    job_age: float = 0.0
    admitted: float = 0.0
    usual: float = 0.0
    inside: int = 0
    arrivals: float = 0.0
    finished: float = 0.0
    pressure: float = 0.0
    is_crowded: bool = False

    @property
    def is_too_much(self) -> bool:
        """True where visitors inside are refused, or wait longer than promised."""
        return self.refused > 0 or self.job_age > JOB_AGE_SECONDS_MAX or self.pressure > 1

    @property
    def has_room(self) -> bool:
        """True where more may come in: nobody inside waits for half of the promised time."""
        return not self.is_too_much and self.pressure < PRESSURE_WITH_ROOM


def first_rate(rate_max: float, finished: float) -> float:
    """Return the rate of a line that has just been engaged; an earlier rate belongs to another load."""
    return min(max(RATE_FIRST, finished), rate_max)


def calm_rate(rate: float, rate_max: float, load: Load, *, seconds: float) -> float:
    """Return the rate of a line that is not engaged: how many visitors it admits before it is (`entrance`).

    It grows with the arrivals while nobody inside waits, and falls back to the first rate where few come.
    """
    rate, seconds = max(rate, RATE_FIRST), min(seconds, INCREASE_SECONDS_MAX)
    if load.has_room and load.arrivals >= USED_MIN * rate:
        moved = rate * (1 + INCREASE * seconds)
    else:
        moved = max(rate * (1 - FADE * seconds), RATE_FIRST)
    return min(moved, rate_max)


def next_rate(
    rate: float, rate_max: float, load: Load, *, seconds: float, since_decrease: float
) -> float:
    """Return the rate after `seconds` with this load; never far below the finishing rate."""
    if load.is_too_much:
        least = min(rate, FINISHED_SHARE * load.finished)
        moved = max(rate * DECREASE, least) if since_decrease >= DECREASE_REST_SECONDS else rate
    elif load.has_room and load.admitted >= USED_MIN * rate:
        beyond = max(INCREASE * rate, INCREASE_MIN) * min(seconds, INCREASE_SECONDS_MAX)
        up_to = max(RETURN * rate, RETURN_MIN) * min(seconds, INCREASE_SECONDS_MAX)
        moved = max(rate + beyond, min(rate + up_to, load.usual))
    else:
        moved = rate
    return min(max(moved, RATE_MIN), rate_max)


def away_share(before: float, called: int, came: int) -> float:
    """Return the share of called visitors who did not come, smoothed with the share `before`."""
    if called < AWAY_CALLED_MIN:
        return before
    now = 1 - min(came / called, 1.0)
    return min(before + AWAY_SMOOTHING * (now - before), AWAY_MAX)


class Gap(NamedTuple):
    """Range of numbers that nobody has, `first` and `last` included."""

    first: int
    last: int


def called_to(
    serving: int, calls: float, most: int, gaps: Sequence[Gap], crowds: Sequence[Crowd] = ()
) -> tuple[int, float]:
    """Return the highest number called after `calls` more calls, and the calls left over.

    Each number up to `most` costs one call, and each spaced place of `crowds` too; numbers in gaps cost none.
    """
    changes: defaultdict[int, float] = defaultdict(float)  # change of the cost, from a number on

    def add(first: int, last: int, cost: float) -> None:
        if (first := max(first, serving + 1)) <= last:
            changes[first] += cost
            changes[last + 1] -= cost

    add(serving + 1, most, 1.0)
    for gap in gaps:
        add(gap.first, min(gap.last, most), -1.0)
    for crowd in crowds:
        add(crowd.first, crowd.last, crowd.places / (crowd.last - crowd.first + 1))
    cost = 0.0
    for number in sorted(changes):
        passed = (number - 1 - serving) * cost
        if passed > calls + _NOTHING:
            steps = int((calls + _NOTHING) / cost)
            return serving + steps, max(calls - steps * cost, 0.0)
        serving, calls = number - 1, max(calls - passed, 0.0)
        cost = cost + changes[number]
        cost = cost if cost > _NOTHING else 0.0
    return serving, calls


def numbers_called(rate: float, away: float, seconds: float, inside: int, inside_max: int) -> float:
    """Return how many numbers are called in `seconds`; the caller carries fractions over.

    With `inside_max` visitors inside, as many are called as leave at the end of their turns: idle visitors slow a line
    down and cannot stop it.
    """
    wanted = rate * seconds / (1 - min(away, AWAY_MAX))
    leaving = inside_max * seconds / TURN_SECONDS
    room = max(float(inside_max - inside), 0.0) / (1 - AWAY_MAX)
    return min(wanted, max(room, leaving))
