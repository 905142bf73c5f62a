"""The rule of states, in a simulated day and in full outages."""

import heapq
import random
from collections.abc import Callable
from itertools import count

import pytest

from meterai.kit.components import Component, ComponentState
from meterai.watch.rule import (
    FLIP_SECONDS_MAX,
    LIMITS,
    MEND_SECONDS_MAX,
    Judge,
    ProbeOutcome,
    ProbeTimes,
    judged,
)

DAY = 86_400.0
GOOD, SLOW, FAILED = ProbeOutcome.GOOD, ProbeOutcome.SLOW, ProbeOutcome.FAILED
UP, DEGRADED = ComponentState.OPERATIONAL, ComponentState.DEGRADED
PARTIAL, DOWN = ComponentState.PARTIAL_OUTAGE, ComponentState.MAJOR_OUTAGE
# Maps the begin of a try to its outcome and its duration in seconds.
Try = Callable[[float], tuple[ProbeOutcome, float]]


def simulated(limits: ProbeTimes, tried: Try, seconds: float) -> list[tuple[float, ComponentState]]:
    """Return the changes of state of one component whose tries begin by the rule and end by their duration."""
    judge, changes, number = Judge(), [], count()
    began: dict[float, float] = {}  # begin of each try, by its end
    events: list[tuple[float, int, str, ProbeOutcome]] = []
    begun, due, late_until, now = 0.0, 0.0, -1.0, 0.0
    heapq.heappush(events, (0.0, next(number), "begin", GOOD))
    while events and now < seconds:
        now, _, what, outcome = heapq.heappop(events)
        if what == "begin":
            if now < due - 1e-9:
                continue  # planned before the pause changed
            begun = now
            outcome, lasts = tried(now)
            heapq.heappush(events, (now + lasts, next(number), "end", outcome))
            began[now + lasts] = now
            if lasts > limits.doubted:
                heapq.heappush(events, (now + limits.doubted, next(number), "late", GOOD))
        elif what == "late":
            late_until = now + limits.failed
        elif what == "end" and judge.take(outcome, began[now], now):
            changes.append((now, judge.state))
        due = begun + judge.pause(limits.every, is_late=now < late_until)
        heapq.heappush(events, (max(due, now), next(number), "begin", GOOD))
        if what == "late":  # the late try has ended
            heapq.heappush(events, (late_until, next(number), "look", GOOD))
    return changes


def by_chance(share: float, seed: int, limits: ProbeTimes) -> Try:
    draws = random.Random(seed)

    def tried(_: float) -> tuple[ProbeOutcome, float]:
        is_failed = draws.random() < share
        return (FAILED, draws.choice([0.01, limits.failed])) if is_failed else (GOOD, 0.3)

    return tried


@pytest.mark.parametrize("component", Component)
def test_false_change_by_two_percent_failures_is_unlikely_in_a_day(component: Component) -> None:
    tries = DAY / LIMITS[component].every * 1.1
    in_a_row = tries * 0.02**4
    of_window = tries * 735_471 * 0.02**8
    assert in_a_row + of_window < 0.005


@pytest.mark.parametrize("component", Component)
@pytest.mark.parametrize("fails_at_once", [True, False])
def test_full_outage_shows_in_30_s_and_its_recovery_in_60_s(
    component: Component, fails_at_once: bool
) -> None:
    limits = LIMITS[component]
    lasts = 0.01 if fails_at_once else limits.failed
    for tenth in range(0, int(limits.every * 10), 7):
        breaks, mends = 100 + tenth / 10, 300 + tenth / 10

        def tried(
            now: float, at: float = breaks, until: float = mends
        ) -> tuple[ProbeOutcome, float]:
            return (FAILED, lasts) if at <= now < until else (GOOD, 0.3)

        (down_at, down), (up_at, up) = simulated(limits, tried, 500)
        assert (down, up) == (DOWN, UP)
        assert down_at - breaks <= min(FLIP_SECONDS_MAX - 1, limits.flip_seconds)
        assert up_at - mends <= MEND_SECONDS_MAX - 10


def test_slow_answers_are_degraded_and_no_outage() -> None:
    limits = LIMITS[Component.BUYING]

    def tried(now: float) -> tuple[ProbeOutcome, float]:
        return (SLOW, limits.slow + 1) if 100 <= now < 300 else (GOOD, 0.3)

    assert [state for _, state in simulated(limits, tried, 500)] == [DEGRADED, UP]


def test_half_of_tries_failing_is_seen_and_does_not_flap() -> None:
    limits = LIMITS[Component.SITE]
    changes = simulated(limits, by_chance(0.5, 5, limits), 3_600)
    assert changes[0][1] in (PARTIAL, DOWN)
    assert sum(state is UP for _, state in changes) <= 12  # an hour has 700 tries at this pace


@pytest.mark.parametrize(
    ("state", "recent", "becomes"),
    [
        (UP, [], UP),
        (UP, [FAILED] * 3, UP),
        (UP, [FAILED] * 4, DOWN),
        (UP, [FAILED, GOOD] * 7, UP),
        (UP, [FAILED, GOOD] * 8, PARTIAL),
        (UP, [SLOW, FAILED] * 2, DEGRADED),
        (UP, [SLOW, GOOD] * 8, DEGRADED),
        (DEGRADED, [FAILED] * 4, DOWN),
        (DOWN, [SLOW] * 4, DOWN),
        (DOWN, [GOOD] * 5, DOWN),
        (DOWN, [GOOD] * 6, UP),
        (DOWN, [FAILED, *[GOOD] * 5], DOWN),
        (DOWN, [SLOW, SLOW, *[GOOD] * 4], UP),
        (DOWN, [*[SLOW] * 3, *[GOOD] * 3], DEGRADED),
        (DEGRADED, [*[GOOD] * 5, SLOW], DEGRADED),
    ],
)
def test_state_follows_from_tries(
    state: ComponentState, recent: list[ProbeOutcome], becomes: ComponentState
) -> None:
    assert judged(state, recent) is becomes
