"""An automatic line engages when paying visitors are refused, and disengages when load is calm."""

import pytest

from meterai.waiting_room.advancing import CALM_SECONDS
from meterai.waiting_room.model import WaitingLine
from tests.support.lines import BUYING, Lines, on_shop
from tests.support.shop import Shop


@pytest.fixture
def lines(shop: Shop) -> Lines:
    """The line before buying, as installed."""
    return on_shop(shop)


def told(lines: Lines, refused: float = 0.0, arrivals: float = 0.0, *pressures: float) -> None:
    """Report the load of web processes a moment ago."""
    lines.arrange("DELETE FROM waiting_room_loads")
    for number, pressure in enumerate(pressures or [0.0]):
        lines.arrange(
            "INSERT INTO waiting_room_loads (process, told_at, refused, arrivals, pressure)"
            " VALUES (%s, clock_timestamp() + interval '1 hour', %s, %s, %s)",
            f"web {number}",
            refused,
            arrivals,
            pressure,
        )


def now(lines: Lines) -> WaitingLine:
    return lines.see(lines.room())


def calm_for(lines: Lines, seconds: float) -> None:
    lines.arrange(
        "UPDATE waiting_room_lines SET busy_at = clock_timestamp() - make_interval(secs => %s)",
        seconds,
    )


def test_line_engages_at_first_refusal_and_disengages_when_nobody_waits(lines: Lines) -> None:
    told(lines)
    lines.advance(1.0)
    assert not now(lines).stands_in_the_way
    told(lines, refused=0.2)
    lines.advance(1.0)
    assert now(lines).stands_in_the_way

    room = lines.room()
    tickets = [lines.take(room) for _ in range(3)]
    told(lines)
    lines.arrange("UPDATE waiting_room_lines SET rate = 0.05, rate_max = 0.05")
    calm_for(lines, CALM_SECONDS + 5)
    lines.advance(1.0)
    assert now(lines).stands_in_the_way, "somebody waits"
    lines.arrange("UPDATE waiting_room_lines SET rate = 100, rate_max = 100")
    calm_for(lines, CALM_SECONDS / 2)
    lines.advance(1.0)
    assert now(lines).serving >= tickets[-1].number
    lines.advance(1.0)
    assert now(lines).stands_in_the_way, "it was calm for a short time only"
    calm_for(lines, CALM_SECONDS + 5)
    lines.advance(1.0)
    assert not now(lines).stands_in_the_way


def test_line_engages_where_visitors_inside_wait_longer_than_promised(
    lines: Lines,
) -> None:
    told(lines, 0.0, 1.0, 0.4, 0.9)
    lines.advance(1.0)
    assert not now(lines).stands_in_the_way
    told(lines, 0.0, 1.0, 0.4, 1.1)
    lines.advance(1.0)
    assert now(lines).stands_in_the_way


def test_given_number_is_called_within_a_second(lines: Lines) -> None:
    told(lines)
    ticket = lines.take(lines.room())
    assert now(lines).serving < ticket.number
    lines.advance(1.0)
    assert now(lines).serving >= ticket.number


def test_old_report_of_a_hung_process_does_not_count(lines: Lines) -> None:
    """Its report of minutes ago does not describe the present."""
    lines.arrange(
        "INSERT INTO waiting_room_loads (process, told_at, refused, arrivals)"
        " VALUES ('hung', clock_timestamp() - interval '1 minute', 1000, 1000)"
    )
    lines.advance(1.0)
    assert not now(lines).stands_in_the_way


def test_resumed_worker_calls_no_crowd(lines: Lines) -> None:
    lines.operate("stand", BUYING, "always")
    lines.operate("set_rate", BUYING, rate=2.0, rate_max=None)
    room = lines.room()
    tickets = [lines.take(room) for _ in range(60)]
    lines.advance(3_600.0)
    called = [one for one in tickets if one.number <= now(lines).serving]
    assert 0 < len(called) <= 11  # five seconds' worth
    # A step that follows too soon calls no number; a busy machine may delay the step.
    before = now(lines).serving
    assert lines.advance(-60.0) == 0
    assert now(lines).serving == before
