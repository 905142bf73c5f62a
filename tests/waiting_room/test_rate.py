"""Admission rate: up while all is well, down on refusals, and within bounds."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as some

from meterai.waiting_room.model import RATE_MAX, RATE_MIN, TURN_SECONDS
from meterai.waiting_room.rate import (
    DECREASE,
    DECREASE_REST_SECONDS,
    INCREASE,
    INCREASE_MIN,
    INCREASE_SECONDS_MAX,
    JOB_AGE_SECONDS_MAX,
    RATE_FIRST,
    RETURN,
    RETURN_MIN,
    USUAL_SECONDS,
    Gap,
    Load,
    away_share,
    called_to,
    next_rate,
    numbers_called,
)

rates = some.floats(RATE_MIN, RATE_MAX)
much = some.floats(0, 1e9)
little_or_much = some.just(0.0) | much  # otherwise almost every load would be too much
loads = some.builds(
    Load,
    refused=little_or_much,
    job_age=little_or_much,
    admitted=much,
    usual=little_or_much,
    inside=some.integers(0, 10**9),
    finished=little_or_much,
    pressure=little_or_much,
)
TROUBLE = Load(refused=1.0)


@given(rates, rates, loads, some.floats(0, 1e9), some.floats(0, 1e9))
def test_rate_stays_within_bounds_and_moves_by_steps(
    rate: float, most: float, load: Load, seconds: float, since: float
) -> None:
    rate = min(rate, most)
    after = next_rate(rate, most, load, seconds=seconds, since_decrease=since)
    assert RATE_MIN <= after <= most
    assert after >= min(rate * DECREASE, most)
    if rate < load.usual:
        assert after <= rate + max(RETURN * rate, RETURN_MIN) * INCREASE_SECONDS_MAX + 1e-9
    else:
        assert after <= rate + max(INCREASE * rate, INCREASE_MIN) * INCREASE_SECONDS_MAX + 1e-9
    if load.is_too_much:
        assert after <= max(rate, RATE_MIN)


def test_rate_falls_once_for_earlier_admissions() -> None:
    assert next_rate(10, 100, TROUBLE, seconds=1, since_decrease=1e9) == 10 * DECREASE
    rest = DECREASE_REST_SECONDS - 0.1
    assert next_rate(10, 100, TROUBLE, seconds=1, since_decrease=rest) == 10


@pytest.mark.parametrize(
    "load", [TROUBLE, Load(job_age=JOB_AGE_SECONDS_MAX + 1), Load(pressure=1.01)]
)
def test_load_is_too_much_when_visitors_inside_are_refused(load: Load) -> None:
    assert load.is_too_much
    assert not Load(job_age=JOB_AGE_SECONDS_MAX, admitted=1e9, inside=10**9).is_too_much


def rates_of(rate: float, load_at: "list[Load]", most: float = 200.0) -> list[float]:
    """Return the rate second by second, with these loads."""
    found, decreased = [rate], -1e9
    for second, load in enumerate(load_at):
        since = second - decreased
        after = next_rate(found[-1], most, load, seconds=1.0, since_decrease=since)
        if after < found[-1]:
            decreased = second
        found.append(after)
    return found


def test_rate_recovers_from_one_refusal_within_a_minute() -> None:
    # A refusal stays in the load as long as the report of a process: five seconds.
    told = [Load(refused=0.2, admitted=RATE_FIRST)] * 5
    well = [Load(admitted=rate) for rate in [RATE_FIRST] * 60]
    found = rates_of(RATE_FIRST, told + well)
    assert min(found) == pytest.approx(RATE_FIRST * DECREASE**2)
    assert found[-1] >= RATE_FIRST


def test_rate_converges_to_the_capacity() -> None:
    """A platform that serves 40 a second: the rate stays near it, never far above."""
    room, rate, decreased, found = 40.0, RATE_FIRST, -1e9, []
    for second in range(3_600):
        load = Load(refused=max(0.0, rate - room), admitted=min(rate, room))
        after = next_rate(rate, 200.0, load, seconds=1, since_decrease=second - decreased)
        decreased = second if after < rate else decreased
        rate = after
        found.append(rate)
    late = found[1_800:]
    assert max(late) <= room * 1.05
    assert min(late) >= room * DECREASE**2
    assert sum(late) / len(late) >= 0.8 * room


def test_rate_overshoots_little_with_late_feedback() -> None:
    """A platform that serves ten a second, where called visitors come ten seconds later; a fault of 20 seconds."""
    room, late, bound = 10.0, 10, 2.0
    rate, decreased, queue = RATE_FIRST, -1e9, 0.0
    rates, served = [rate] * late, []
    for second in range(600):
        came = rates[-late]
        room_now = 0.0 if 300 <= second < 320 else room
        done = min(queue + came, room_now)
        queue += came - done
        served.append(done)
        of_late = served[-15:]
        usual = rates[-late - int(USUAL_SECONDS) :][:-late]
        load = Load(
            admitted=came,
            usual=sum(usual) / len(usual) if usual else 0.0,
            finished=sum(of_late) / len(of_late),
            pressure=queue / room / bound,
        )
        rate = next_rate(rate, 200.0, load, seconds=1, since_decrease=second - decreased)
        decreased = second if rate < rates[-1] else decreased
        rates.append(rate)
    assert max(rates) <= 1.3 * room
    assert sum(served[120:300]) / 180 >= 0.95 * room
    assert sum(served[360:]) / 240 >= 0.9 * room


# -- visitors who do not come -----------------------------------------------------------------------


def test_away_share_follows_arrivals() -> None:
    shares = [0.0]
    for _ in range(30):
        shares.append(away_share(shares[-1], 100, 40))
    assert shares[-1] == pytest.approx(0.6, abs=0.01)
    assert all(later >= earlier for earlier, later in pairwise(shares))
    for _ in range(30):
        shares.append(away_share(shares[-1], 100, 100))
    assert shares[-1] == pytest.approx(0.0, abs=0.01)


@given(
    rates,
    some.floats(0, 2),
    some.floats(0, 5),
    some.integers(0, 10**6),
    some.integers(1, 10**6),
)
def test_numbers_are_called_within_bounds(
    rate: float, away: float, seconds: float, inside: int, most: int
) -> None:
    called = numbers_called(rate, away, seconds, inside, most)
    assert 0 <= called <= 5 * rate * seconds * (1 + 1e-9)
    # As many as leave at the end of their turns are called however many are inside: idle visitors cannot stop a line.
    leaving = most * seconds / TURN_SECONDS
    assert called <= max(5 * (most - inside), leaving) * (1 + 1e-9)
    assert called >= min(rate * seconds, leaving) * (1 - 1e-9)


@given(
    some.integers(0, 30),
    some.integers(0, 30),
    some.integers(0, 60),
    some.lists(some.tuples(some.integers(1, 8), some.integers(0, 4)), max_size=5),
)
def test_each_call_reaches_one_taken_number(
    serving: int, calls: int, most: int, steps: list[tuple[int, int]]
) -> None:
    gaps, end = [], 0
    for distance, longer in steps:
        gaps.append(Gap(end + distance, end + distance + longer))
        end = gaps[-1].last
    gaps = [gap for gap in gaps if gap.last > serving]
    nobodys = {number for gap in gaps for number in range(gap.first, gap.last + 1)}
    reached, left = serving, calls
    while left or reached + 1 in nobodys:
        reached += 1
        left -= reached not in nobodys
    assert called_to(serving, calls, most, gaps)[0] == max(min(reached, most), serving)
