"""Admission while no line is engaged: up to the entrance's limit, then the line engages at once."""

import pytest
from litestar.types import Scope

from meterai.waiting_room.entrance import ENTRANCE_SECONDS, Entrance
from meterai.waiting_room.model import GuardedAct
from meterai.waiting_room.rate import RATE_FIRST
from meterai.waiting_room.service import WaitingRoom
from tests.support.lines import BUYING, Lines, on_shop
from tests.support.shop import Shop

WITHOUT_TURN: Scope = {"type": "http", "headers": []}  # type: ignore[assignment]


@pytest.fixture
def lines(shop: Shop) -> Lines:
    """The line before buying, as installed."""
    return on_shop(shop)


def let_in(entrance: Entrance, rate: float, now: float) -> int:
    """Count how many of a crowd are admitted at one moment."""
    count = 0
    while entrance.has_room(rate, now):
        entrance.let_in()
        count += 1
    return count


def test_entrance_admits_as_many_as_are_served_within_seconds() -> None:
    entrance = Entrance(1)
    assert let_in(entrance, 5.0, 100.0) == 5.0 * ENTRANCE_SECONDS
    assert let_in(entrance, 5.0, 102.0) == 10
    assert let_in(entrance, 5.0, 1000.0) == 5.0 * ENTRANCE_SECONDS, "nothing more is saved up"


def come(room: WaitingRoom, lines: Lines, most: int) -> int:
    """Let up to `most` visitors come one after another; return how many were admitted."""
    lines.see(room)
    for count in range(most):
        if room.line_to_wait_in(WITHOUT_TURN, GuardedAct.BUY) is not None:
            return count
        room.let_in(room.line(BUYING))
    return most


def test_line_engages_before_a_worker_has_seen_the_crowd(lines: Lines) -> None:
    lines.advance(1.0)
    room, other = lines.room(), lines.room()
    inside = come(room, lines, 10_000)
    assert inside < RATE_FIRST * (ENTRANCE_SECONDS + 5)
    assert room.line(BUYING).stands_in_the_way
    assert not lines.see(other).stands_in_the_way, "no worker has looked"

    tickets = [lines.take(room) for _ in range(20)]
    assert room.line(BUYING).stands_in_the_way, "it still stands where the crowd is"
    lines.advance(1.0)
    found = lines.see(other)
    assert found.stands_in_the_way
    assert found.serving < tickets[-1].number, "who waited before the worker looked still waits"
    assert found.rate >= RATE_FIRST
