"""Pauses between tries: doubled each time, up to a longest."""

import pytest

from meterai.kit.backoff import pause


@pytest.mark.parametrize(
    ("tries", "seconds"), [(-1, 1), (0, 1), (1, 2), (2, 4), (5, 32), (6, 60), (10_000, 60)]
)
def test_pause_doubles_with_each_try(tries: int, seconds: float) -> None:
    assert pause(tries, longest=60) == seconds


def test_any_number_of_tries_has_a_pause() -> None:
    assert pause(10**6, longest=float("inf")) == 2.0**40
