"""Admission rate of a waiting line: as many visitors a second as the platform can serve.  No input or output.

The rule is additive increase and multiplicative decrease, as in TCP (RFC 5681).  The rate grows while visitors inside do not
wait and called visitors come: quickly up to the usual rate and slowly beyond (as in CUBIC, RFC 9438, section 4.1).  It falls
by a fifth if the load is too high.  The rate counts visitors who come in.  Numbers are called faster than that, within bounds,
since a share of the called visitors does not come.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from meterai.waiting_room.crowds import Crowd
from meterai.waiting_room.model import RATE_MIN, TURN_SECONDS

RATE_FIRST = 5.0  # admissions a second; a core of 2026 easily serves that, at 20 answers per visit
DECREASE = 0.8  # factor of a decrease
# Least rate after a decrease, as a share of the finishing rate: fewer come in than leave.
FINISHED_SHARE = 0.9
# Between two decreases, since visitors admitted before the first still arrive.
DECREASE_REST_SECONDS = 3.0
# Growth per second beyond the usual rate, as a share of the rate: it doubles in 70 s.  Overload shows twenty seconds after
# the visitors were admitted; at twice this growth the rate would by then exceed the capacity by half.
INCREASE = 0.01
INCREASE_MIN = 0.1  # least growth, in admissions a second per second: from the lowest rate it takes 50 s to five
# Growth per second up to the usual rate, which is reached again 15 s after a short fault.
RETURN = 0.05
RETURN_MIN = 0.4  # least growth up to the usual rate, in admissions a second per second
USUAL_SECONDS = 180.0  # window of the usual rate: longer than a fault that ends by itself, shorter than an evening
FADE = 0.005  # decrease per second while few visitors come: a load of two hours ago says little
# Longest time for which the rate grows in one step: after a pause the capacity is unknown.
INCREASE_SECONDS_MAX = 5.0
USED_MIN = 0.5  # share of the rate that must come in before it grows, since otherwise a higher rate is not tested
JOB_AGE_SECONDS_MAX = 10.0  # if paid work is overdue by more, the load is too high
PRESSURE_WITH_ROOM = 0.5  # share of a station's bound; the rate grows only below it
AWAY_MAX = 0.8  # highest share of called visitors assumed not to come: five numbers are called for one admission
AWAY_SMOOTHING = 0.3  # weight of a new measurement of that share
AWAY_CALLED_MIN = 50  # called places; with fewer the share is not measured
_NOTHING = 1e-9  # of a call: tolerance for rounding errors of sums


@dataclass(frozen=True, slots=True)
class Load:
    """Load of the last seconds, over all processes.

    refused      accounts and networks with paid work that were refused, per second; each counts once
    job_age      seconds by which the oldest paid work is overdue
    admitted     visitors who came in, per second
    usual        visitors who came in, per second, over the last `USUAL_SECONDS` or since the line was engaged
    inside       visitors with a turn who have not finished
    arrivals     visitors who came for the guarded act, per second
    finished     visitors who finished the guarded act, per second
    pressure     the longest mean wait at a station, as a share of the wait permitted there
    is_crowded   True if a web process engaged a line by itself, since more visitors came than it admits (`entrance`)
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
        """True if the load is too high: visitors with paid work are refused, or wait longer than promised."""
        return self.refused > 0 or self.job_age > JOB_AGE_SECONDS_MAX or self.pressure > 1

    @property
    def has_room(self) -> bool:
        """True if more visitors may come in: at every station the mean wait is below half of the promised time."""
        return not self.is_too_much and self.pressure < PRESSURE_WITH_ROOM


def first_rate(rate_max: float, finished: float) -> float:
    """Return the first rate of a waiting line that has just been engaged, from the rate at which visitors finish.

    The rate of an earlier engagement is not used, since the load was different then.
    """
    return min(max(RATE_FIRST, finished), rate_max)


def calm_rate(rate: float, rate_max: float, load: Load, *, seconds: float) -> float:
    """Return the rate of a waiting line that is not engaged, after `seconds` with this load.

    The rate grows with the arrivals while visitors inside do not wait, and falls back to the first rate if few come.  If more
    visitors come to a process than its share of the rate admits, the process engages the line by itself (`entrance`).
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
    """Return the rate of an engaged waiting line after `seconds` with this load.

    `since_decrease` is the time since the last decrease, in seconds.  The rate does not fall far below the rate at which
    visitors finish.
    """
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
    """Return the share of called visitors who did not come, as a moving average that continues `before`.

    `called` and `came` are numbers of places.
    """
    if called < AWAY_CALLED_MIN:
        return before
    now = 1 - min(came / called, 1.0)
    return min(before + AWAY_SMOOTHING * (now - before), AWAY_MAX)


class Gap(NamedTuple):
    """Range of numbers that nobody has, including `first` and `last`."""

    first: int
    last: int


def called_to(
    serving: int, calls: float, most: int, gaps: Sequence[Gap], crowds: Sequence[Crowd] = ()
) -> tuple[int, float]:
    """Return the highest number called after `calls` more calls, and the number of unused calls.

    `serving` is the highest number called before.  Each number up to `most` and each spaced place of `crowds` uses one
    call; numbers in gaps use none.
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
    """Return how many places are called in `seconds`, with fractions, which the caller carries over.

    `away` is the share of called visitors who do not come.  Once `inside_max` visitors are inside, only as many are called as
    are expected to leave because their turns end.  So idle visitors slow a waiting line down but cannot stop it.
    """
    wanted = rate * seconds / (1 - min(away, AWAY_MAX))
    leaving = inside_max * seconds / TURN_SECONDS
    room = max(float(inside_max - inside), 0.0) / (1 - AWAY_MAX)
    return min(wanted, max(room, leaving))
