"""Refusals of one user do not count; those of many independent users do."""

import pytest

from meterai.limiter import refusals
from meterai.limiter.refusals import APART_MIN, Refusals


class Hands:
    """Clock set by a test."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1_000.0
        monkeypatch.setattr(refusals, "monotonic", lambda: self.now)


@pytest.fixture
def hands(monkeypatch: pytest.MonkeyPatch) -> Hands:
    return Hands(monkeypatch)


def refuse(known: Refusals, *users: int) -> None:
    for user in users:
        known.add(user.to_bytes(16))


@pytest.mark.usefixtures("hands")
def test_few_users_refused_repeatedly_count_as_none() -> None:
    known = Refusals()
    for _ in range(1_000):
        refuse(known, *range(APART_MIN - 1))
    assert known.since_asked() == 0


def test_each_of_many_users_counts_once_between_calls(hands: Hands) -> None:
    known = Refusals()
    for _ in range(3):
        refuse(known, *range(APART_MIN))
    assert known.since_asked() == APART_MIN
    hands.now += 0.5
    assert known.since_asked() == 0
    hands.now += 0.5
    refuse(known, 1)
    assert known.since_asked() == 1, "the others were refused lately"
