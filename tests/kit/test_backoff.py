"""Pauses between tries: doubled each time, up to a longest."""

import pytest

from meterai.kit.backoff import pause


@pytest.mark.parametrize(
    ("tries", "seconds"), [(-1, 1), (0, 1), (1, 2), (2, 4), (5, 32), (6, 60), (10_000, 60)]
)
def test_each_try_waits_twice_as_long(tries: int, seconds: float) -> None:
    assert pause(tries, longest=60) == seconds


def test_the_first_pause_is_given() -> None:
    assert [pause(tries, longest=300, first=5) for tries in range(4)] == [5, 10, 20, 40]


def test_no_number_of_tries_is_too_large() -> None:
    assert pause(10**6, longest=float("inf")) == 2.0**40
