"""How many are let in each second: as many as the platform serves.  Pure.

Additive increase and multiplicative decrease, as TCP has it (RFC 5681): more while all is well and those
let in are wanted, quickly up to what was usual and slowly beyond (as CUBIC, RFC 9438, section 4.1), and a fifth less
where somebody with a turn found no room.  What
is aimed at are people who come in; numbers are called faster, by the share of those who have gone
away, within bounds.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from meterai.waiting_room.crowds import Crowd
from meterai.waiting_room.model import RATE_MIN, TURN_SECONDS

RATE_FIRST = 5.0  # a second: what one core of 2026 serves with ease, a journey of 20 answers each
DECREASE = 0.8
FINISHED_SHARE = (
    0.9  # of those who finish: fewer come in than leave, and the wait inside gets shorter
)
DECREASE_REST_SECONDS = 3.0  # what was let in before still comes
# The share of the rate by which it grows a second beyond the usual one: it doubles in 70 s. Twenty seconds pass before
# those let in wait, and at twice this pace half more were inside by then than are served.
INCREASE = 0.01
INCREASE_MIN = 0.1  # admissions a second, a second: after the worst it is at five again in 50 s
RETURN = 0.05  # as much up to what was usual: after a fault of seconds it is there again in 15 s
RETURN_MIN = 0.4
USUAL_SECONDS = 180.0  # longer than a fault that nobody repairs by hand, shorter than an evening
FADE = 0.005  # of the rate, a second, where few come: a crowd of two hours ago says little
INCREASE_SECONDS_MAX = 5.0  # of one step: after a pause nobody knows what the platform serves
USED_MIN = 0.5  # of what was let in; where fewer come, more would tell nothing
JOB_AGE_SECONDS_MAX = 10.0  # what is paid is executed within seconds, or it is too much
PRESSURE_WITH_ROOM = 0.5  # of the bound of a station: below it a little more may come in
AWAY_MAX = 0.8  # of those called at most so many are thought to have gone: five numbers for one
AWAY_SMOOTHING = 0.3
AWAY_CALLED_MIN = 50  # numbers; fewer say little
_NOTHING = 1e-9  # of a call: what adding and taking away leaves


@dataclass(frozen=True, slots=True)
class Load:
    """What the platform said of the last seconds, all its processes together.

    refused      accounts and networks that pay or have paid, told to come again, a second; each counts once
    job_age      seconds that the oldest work for what is paid is overdue
    admitted     people who came in, a second
    usual        the same of the last `USUAL_SECONDS`, or since the line stands in the way
    inside       people with a turn who have not finished
    arrivals     people who came to do what the line is for, a second
    finished     people who finished what the line is for, a second
    pressure     the longest mean wait of those inside at one station, as a share of its bound
    is_crowded   a web process lets a line stand by itself: more came than it lets in (`entrance`)
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
        """True where people who are inside find no room, or wait for longer than promised."""
        return self.refused > 0 or self.job_age > JOB_AGE_SECONDS_MAX or self.pressure > 1

    @property
    def has_room(self) -> bool:
        """True where more may come in: nobody inside waits for half of what is promised."""
        return not self.is_too_much and self.pressure < PRESSURE_WITH_ROOM


def first_rate(rate_max: float, finished: float) -> float:
    """The rate of a line that begins to stand in the way: an earlier one says nothing of this load."""
    return min(max(RATE_FIRST, finished), rate_max)


def calm_rate(rate: float, rate_max: float, load: Load, *, seconds: float) -> float:
    """The rate of a line that stands in nobody's way: how many come in before it does (`entrance`).

    It grows while so many come and nobody inside waits, and falls back to the first one where few come.
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
    """The rate after so many seconds with this load: never far below the rate at which people finish."""
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
    """Of those whose turn came, the share that did not; smoothed, from the last few minutes."""
    if called < AWAY_CALLED_MIN:
        return before
    now = 1 - min(came / called, 1.0)
    return min(before + AWAY_SMOOTHING * (now - before), AWAY_MAX)


class Gap(NamedTuple):
    """Numbers that nobody has, from the first to the last of them."""

    first: int
    last: int


def called_to(
    serving: int, calls: float, most: int, gaps: Sequence[Gap], crowds: Sequence[Crowd] = ()
) -> tuple[int, float]:
    """The highest number called by so many more calls, and the calls that are left.

    Each number up to `most` costs one call, and each spaced place of `crowds` too; numbers that nobody has cost none.
    """
    changes: defaultdict[int, float] = defaultdict(float)  # of the cost, from a number on

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
    """How many numbers are called in so many seconds; a fraction is carried on by the caller.

    Where as many are inside as may be, as many are called as leave by the end of their time: people
    who come in and do nothing slow a line down, and cannot stop it.
    """
    wanted = rate * seconds / (1 - min(away, AWAY_MAX))
    leaving = inside_max * seconds / TURN_SECONDS
    room = max(float(inside_max - inside), 0.0) / (1 - AWAY_MAX)
    return min(wanted, max(room, leaving))
