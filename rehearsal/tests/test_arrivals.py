"""Arrivals: as many as planned, at random, the same for the same seed."""

import math
from collections import Counter
from itertools import pairwise

import msgspec
import pytest

from meterai_rehearsal.rehearsal.arrivals import arrivals
from meterai_rehearsal.rehearsal.plan import Plan, of, shipped

TEXT = """
name = "steps"
seed = 7
[arrivals]
points = [[0, 10], [100, 10], [100, 40], [200, 40]]
[bounds]
seconds_max = 300
[[journeys]]
name = "look"
weight = 3
[[journeys]]
name = "check"
[[devices]]
name = "phone"
[[devices]]
name = "never"
weight = 0
"""


@pytest.fixture(scope="module")
def plan() -> Plan:
    return of(TEXT)


def test_arrivals_follow_the_plan_curve(plan: Plan) -> None:
    found = [one for share in range(3) for one in arrivals(plan, share, 3)]
    early = sum(one.at < 100 for one in found)
    # Poisson: four standard deviations, with a fixed seed.
    assert abs(early - 1000) < 4 * math.sqrt(1000)
    assert abs(len(found) - early - 4000) < 4 * math.sqrt(4000)
    journeys = Counter(one.journey.value for one in found)
    assert journeys["look"] / len(found) == pytest.approx(0.75, abs=0.03)
    assert {one.device.name for one in found} == {"phone"}


def test_arrivals_are_ordered_and_random(plan: Plan) -> None:
    times = [one.at for one in arrivals(plan, 0, 1) if one.at >= 100]
    assert times == sorted(times)
    gaps = [later - at for at, later in pairwise(times)]
    mean = sum(gaps) / len(gaps)
    deviation = math.sqrt(sum((gap - mean) ** 2 for gap in gaps) / len(gaps))
    # Both are equal for an exponential distribution; for a metronome the deviation is 0.
    assert deviation / mean == pytest.approx(1.0, abs=0.1)


def test_same_seed_makes_same_arrivals(plan: Plan) -> None:
    again = list(arrivals(plan, 1, 2))
    assert again == list(arrivals(plan, 1, 2))
    assert again != list(arrivals(plan, 0, 2))
    assert again != list(arrivals(msgspec.structs.replace(plan, seed=8), 1, 2))


def test_journey_comes_from_planned_number_of_networks() -> None:
    plan = of(TEXT.replace("weight = 3\n", "weight = 3\nnetworks = 30\n"))
    found = list(arrivals(plan, 0, 1))
    assert len({one.network for one in found if one.journey.value == "look"}) == 30
    assert {one.network for one in found if one.journey.value == "check"} == {""}


@pytest.mark.parametrize("name", shipped())
def test_shipped_plan_is_valid(name: str) -> None:
    plan = of(shipped()[name])
    assert plan.name == name
    assert plan.about
    first = next(arrivals(plan, 0, 2))
    assert 0 <= first.at <= plan.curve.seconds
