"""The plan: its claims hold when simulated, and the same question has the same answer."""

import msgspec
import numpy as np
import pytest

from meterai.kit.priority import Priority
from meterai_rehearsal.curves import Curve, shapes
from meterai_rehearsal.simulation import steady
from meterai_rehearsal.simulation.intervals import interval_of
from meterai_rehearsal.simulation.model import (
    Interval,
    Line,
    Plan,
    Retries,
    Scenario,
    ServiceTime,
    Step,
)
from meterai_rehearsal.simulation.planning import Question, admission_setting, machines_needed, plan

STEPS = (
    Step("order", Priority.CHECKOUT, ServiceTime((0.02,))),
    Step("stamp", Priority.MONEY, ServiceTime((0.1, 0.4), counts=(9, 1)), 20.0),
)
SCENARIO = Scenario(
    applicants=6_000,
    hours=0.5,
    grace_hours=0.1,
    curve="cpns_2024",
    machines=1,
    servers=2,
    steps=STEPS,
    line=Line(),
    retries=Retries(),
    bounds={"checkout": 1.0, "money": 1.0},
)


def curve_of(scenario: Scenario) -> Curve:
    return shapes()[scenario.curve].curve.over(scenario.hours * 3_600)


def answer(scenario: Scenario, rates: tuple[float, ...] = (), replications: int = 4) -> Plan:
    return plan(
        Question(
            scenario=scenario,
            curve=curve_of(scenario),
            sources=(),
            measured_sha256=None,
            loads=(),
            rates=rates,
            wait_bound_seconds=600.0,
            seed=1,
            replications=replications,
            is_whole=True,
        )
    )


@pytest.fixture(scope="module")
def answered() -> Plan:
    return answer(SCENARIO)


def test_bound_holds_at_safe_rate_and_not_a_fifth_beyond(answered: Plan) -> None:
    assert answered.safe_rate is not None
    safe = answered.safe_rate
    assert safe.low <= safe.mean <= safe.high < answered.capacity_per_second
    by_rate = {round(one.rate / safe.low, 2): one for one in answered.waits}
    assert by_rate[0.8].is_safe
    assert by_rate[1.0].is_safe
    assert not by_rate[1.2].is_safe
    assert by_rate[0.8].utilization < by_rate[1.2].utilization


def test_needed_rate_is_the_smallest_that_empties_line_in_time(
    answered: Plan,
) -> None:
    needed = answered.needed_rate
    found = answer(SCENARIO, (needed.mean * 0.97, needed.high * 1.01))
    assert [one.is_emptied for one in found.waits] == [False, True]


def test_people_wait_less_at_a_higher_rate(answered: Plan) -> None:
    waits = [one.median.mean for one in answered.waits]
    assert waits == sorted(waits, reverse=True)
    assert [one.rate for one in answered.waits] == sorted(one.rate for one in answered.waits)


def test_whole_night_includes_everybody(answered: Plan) -> None:
    night = answered.night
    assert night is not None
    assert night.finished + night.left + night.gave_up == SCENARIO.applicants
    assert night.requests == 2 * night.finished
    assert night.rate == answered.rate_per_second
    # The line admits no faster than its rate, so the night is no worse than the constant rate.
    assert max(night.inside_p99.values()) < 2 * SCENARIO.bounds["money"]


def test_same_question_has_same_answer(answered: Plan) -> None:
    def told(found: Plan) -> Plan:
        assert found.night is not None
        night = msgspec.structs.replace(found.night, wall_seconds=0.0)
        return msgspec.structs.replace(found, night=night)

    assert told(answer(SCENARIO)) == told(answered)
    assert told(answer(SCENARIO, replications=5)).safe_rate != answered.safe_rate


def test_more_machines_are_needed_for_more_people(answered: Plan) -> None:
    assert answered.machines_needed == 1
    seeds = np.random.SeedSequence(1).spawn(3)
    capacity = steady.capacity_per_second(SCENARIO)
    needed = machines_needed(SCENARIO, 3.5 * capacity, seeds)
    assert needed in (4, 5)
    with_them = msgspec.structs.replace(SCENARIO, machines=needed)
    safe = [steady.safe_rate(with_them, one) or 0.0 for one in seeds]
    assert float(np.median(safe)) > 3.4 * capacity


def test_bound_below_service_times_is_never_kept() -> None:
    never = msgspec.structs.replace(SCENARIO, bounds={"checkout": 1.0, "money": 0.2})
    found = answer(never)
    assert found.safe_rate is None
    assert found.machines_needed is None
    assert found.rate_per_second is None
    assert found.night is None
    assert not any(one.is_safe for one in found.waits)


def test_default_bound_is_twice_idle_time_or_unnoticed_time() -> None:
    found = steady.with_bounds(SCENARIO, None, 1).bounds
    assert found["money"] == pytest.approx(2 * 0.4, rel=0.05)  # its p99 is the longer of two times
    assert found["checkout"] == 0.5  # p99 of an exponential of 20 ms is 92 ms
    assert steady.with_bounds(SCENARIO, 3.0, 1).bounds == {"checkout": 3.0, "money": 3.0}


def test_time_elsewhere_occupies_no_server() -> None:
    slow = tuple(msgspec.structs.replace(step, elsewhere=9.0) for step in STEPS)
    away = msgspec.structs.replace(SCENARIO, steps=slow)
    assert steady.capacity_per_second(away) == steady.capacity_per_second(SCENARIO)
    rate = 0.02 * steady.capacity_per_second(SCENARIO)
    seed = np.random.SeedSequence(1)
    here = steady.p99_of(SCENARIO, rate, np.random.SeedSequence(1))[Priority.MONEY]
    assert steady.p99_of(away, rate, seed)[Priority.MONEY] == pytest.approx(10 * here, rel=0.05)


def test_no_rate_beyond_capacity_is_safe() -> None:
    found = answer(SCENARIO, (100.0,))
    assert [(one.is_safe, one.inside_p99) for one in found.waits] == [(False, None)]


@pytest.mark.parametrize(
    ("low", "setting"), [(108.17, 108.0), (7.289, 7.28), (0.012345, 0.0123), (1999.9, 1990.0)]
)
def test_setting_is_lower_end_rounded_down(low: float, setting: float) -> None:
    found = admission_setting(Interval(low * 1.1, low, low * 1.2))
    assert found == pytest.approx(setting)
    assert found <= low


def test_interval_contains_truth_at_its_level() -> None:
    random = np.random.default_rng(3)
    held = 0
    for seed in range(300):
        one = interval_of(random.normal(5.0, 1.0, 12).tolist(), seed)
        held += one.low <= 5.0 <= one.high
    assert 0.87 <= held / 300 <= 0.98  # the bootstrap of twelve is a little too narrow
