"""The limit depends on queueing only."""

from hypothesis import given
from hypothesis import strategies as some

from meterai.limiter.limit import DELAY_SECONDS_MAX, LIMIT_FIRST, LIMIT_MAX, LIMIT_MIN, Limit

QUEUED = 2 * DELAY_SECONDS_MAX


def test_limit_stays_where_nothing_waits() -> None:
    limit = Limit()
    for _ in range(1000):
        limit.adapt(0.001, peak=3, was_reached=False)
    assert limit.value == LIMIT_FIRST


def test_limit_falls_with_queueing_and_rises_when_used_up() -> None:
    limit = Limit()
    limit.adapt(QUEUED, peak=LIMIT_MAX, was_reached=True)
    fallen = limit.value
    assert fallen < LIMIT_FIRST
    for _ in range(4):
        limit.adapt(0.001, peak=LIMIT_MAX, was_reached=True)
    assert limit.value > fallen


def test_limit_grows_with_slow_requests_that_do_not_queue() -> None:
    """Requests that wait for another machine fill the limit without queueing: it doubles within seconds."""
    limit = Limit()
    for _ in range(25):  # 5 s
        limit.adapt(0.001, peak=LIMIT_MAX, was_reached=True)
    assert limit.value > 2 * LIMIT_FIRST


@given(some.lists(some.tuples(some.floats(0, 1000), some.booleans()), max_size=200))
def test_limit_stays_within_its_bounds(windows: list[tuple[float, bool]]) -> None:
    limit = Limit()
    for delay, was_reached in windows:
        limit.adapt(delay, peak=LIMIT_MAX, was_reached=was_reached)
        assert LIMIT_MIN <= limit.value <= LIMIT_MAX
