"""The range of waiting time, its learning from ended waits, and the interval of a page."""

import math
import random

import pytest
from hypothesis import example, given
from hypothesis import strategies as some

from meterai.waiting_room.estimate import (
    AIM,
    FLOW_MIN,
    LOOK_SECONDS_MAX,
    LOOK_SECONDS_MIN,
    SECONDS_MAX,
    SPREAD_FIRST,
    SPREAD_MAX,
    SPREAD_MIN,
    learned,
    look_again,
    look_at_opening,
    waiting_range,
)

flows = some.floats(FLOW_MIN, 20_000)
spreads = some.floats(SPREAD_MIN, SPREAD_MAX)
places = some.integers(0, 10**9)


@given(places, places, flows, flows, spreads)
def test_range_grows_with_places_ahead(
    one: int, two: int, fast: float, slow: float, spread: float
) -> None:
    near, far = sorted((one, two))
    before, after = (waiting_range(ahead, fast, slow, spread) for ahead in (near, far))
    if after is None:
        return  # no range is shown above a week
    assert before is not None
    assert before.low <= after.low
    assert before.high <= after.high


@given(places, flows, flows, spreads)
def test_range_is_ordered_and_bounded(ahead: int, fast: float, slow: float, spread: float) -> None:
    told = waiting_range(ahead, fast, slow, spread)
    assert told == waiting_range(ahead, slow, fast, spread)
    if told is None:
        assert ahead * spread / min(fast, slow) + LOOK_SECONDS_MIN > SECONDS_MAX
        return
    assert 0 <= told.low <= told.high <= SECONDS_MAX
    assert told.low <= ahead / max(fast, slow) <= told.high


@given(places, some.floats(0, 20_000), some.floats(0, 1))
def test_page_interval_stays_within_bounds(ahead: int, flow: float, jitter: float) -> None:
    seconds = look_again(ahead, flow, jitter)
    assert math.floor(0.85 * LOOK_SECONDS_MIN) <= seconds <= math.ceil(1.15 * LOOK_SECONDS_MAX)
    assert look_again(ahead, flow, 0.0) <= seconds <= look_again(ahead, flow, 1.0)


@given(some.floats(-60, 7 * 86_400), some.floats(0, 1))
@example(LOOK_SECONDS_MAX + 1.0, 1.0)  # the longest pause would end 17 seconds after the opening
def test_page_asks_within_seconds_of_an_opening(left: float, jitter: float) -> None:
    while (seconds := look_at_opening(left, jitter)) < left:
        assert 0 < seconds <= math.ceil(1.15 * LOOK_SECONDS_MAX)
        left -= seconds
    assert 0 < seconds - max(left, 0) <= LOOK_SECONDS_MIN + 1


# -- learning ------------------------------------------------------------------------------------


class NoisyLine:
    """Waits whose logarithm has a normal error around the middle of the range."""

    def __init__(self, seed: int) -> None:
        self._dice = random.Random(seed)
        self.spread = SPREAD_FIRST

    def share_inside(self, waits: int, sigma: float, middle: float = 1.0) -> float:
        """Let waits end; return the share that ended within the range shown at their begin."""
        inside = 0
        for _ in range(waits):
            ahead, flow = self._dice.randrange(2_000, 50_000), 10.0
            told = waiting_range(ahead, flow, flow, self.spread)
            assert told is not None
            waited = int(ahead / flow * middle * math.exp(self._dice.gauss(0.0, sigma)))
            is_inside = told.low <= waited <= told.high
            inside += is_inside
            self.spread = learned(self.spread, int(is_inside), int(not is_inside))
        return inside / waits


@pytest.mark.parametrize("sigma", [0.15, 0.3, 0.6])
@pytest.mark.parametrize("seed", range(3))
def test_spread_converges_to_nineteen_of_twenty_inside(sigma: float, seed: int) -> None:
    line = NoisyLine(seed)
    line.share_inside(3_000, sigma)
    assert line.share_inside(10_000, sigma) == pytest.approx(AIM, abs=0.01)
