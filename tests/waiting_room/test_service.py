"""Places and turns of a process in unusual circumstances."""

import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from meterai.kit.ids import new_id
from meterai.plumbing.db.database import Database, DatabaseAway
from meterai.plumbing.observe.stations import Stations
from meterai.waiting_room.invariants import INVARIANTS
from meterai.waiting_room.model import (
    TURN_SECONDS_MAX,
    GuardedAct,
    LineClosed,
    TurnNotYours,
)
from meterai.waiting_room.places import MS
from meterai.waiting_room.service import WaitingRoom
from meterai.waiting_room.tokens import Ticket, Turn
from tests.support.audits import audit
from tests.support.lines import BUYING, BUYING_ID, Lines, MovedClock, on_shop
from tests.support.shop import Shop
from tests.waiting_room.test_model import read

LEFT = timedelta(minutes=1)  # remaining time of a turn to renew


@pytest.fixture
def lines(shop: Shop) -> Iterator[Lines]:
    """The line before buying, engaged, which calls a number a second."""
    found = on_shop(shop)
    found.operate("set_rate", BUYING, rate=1.0, rate_max=None)
    found.operate("stand", BUYING, "always")
    yield found
    broken = [one for one in shop.do(audit(shop.container.database, INVARIANTS)).findings
              if not one.holds]  # fmt: skip
    assert broken == []


class Somebody:
    """A visitor at a process with its own clock."""

    def __init__(self, lines: Lines, clock: MovedClock | None = None) -> None:
        self.lines, self.clock = lines, clock or MovedClock()
        self.room: WaitingRoom = lines.room(self.clock)

    def do(self, act: str, *words: Any, **named: Any) -> Any:
        line = self.lines.see(self.room)
        return self.lines.run(getattr(self.room, act)(line, *words, **named))

    def takes(self) -> Ticket:
        found: Ticket = self.do("take_place")
        return found

    def comes_in(self, ticket: Ticket) -> Turn:
        found: Turn = self.do("come_in", ticket)
        return found


def called(lines: Lines) -> None:
    """Call every waiting place."""
    for _ in range(4):
        lines.advance(5.0)


def test_place_with_a_begun_turn_stays_with_the_account(lines: Lines) -> None:
    """A visitor is inside with one browser and waits further back with another. Both browsers get the first place."""
    one, account = Somebody(lines), new_id()
    first, second = one.takes(), one.takes()
    one.do("keep", account, first)
    called(lines)
    one.comes_in(first)
    assert one.do("keep", account, second).number == first.number


@pytest.mark.parametrize("minutes", [-5, 5])
def test_skewed_clock_loses_no_turn(lines: Lines, minutes: int) -> None:
    one, two, account = Somebody(lines), Somebody(lines), new_id()
    two.clock.ahead = timedelta(minutes=minutes)
    ticket = one.takes()
    called(lines)
    turn = two.comes_in(ticket)
    assert one.comes_in(ticket).admitted_at == turn.admitted_at
    text = two.room.tokens.turn(turn)
    assert one.room.valid_turn(one.room.line(BUYING), text) is not None
    one.do("use", turn, account)


def test_turn_is_renewed_by_use_up_to_its_end(lines: Lines) -> None:
    one = Somebody(lines)
    ticket = one.takes()
    called(lines)
    turn = one.comes_in(ticket)
    begun, line = turn.admitted_at, one.room.line(BUYING)
    assert one.room.renewed(turn) is None  # more than half of the turn is left
    for _ in range(100):
        one.clock.ahead = (
            timedelta(milliseconds=turn.until)
            - LEFT
            - timedelta(milliseconds=Somebody(lines).room.now_ms())
        )
        longer = one.room.renewed(turn)
        if longer is None:
            break
        assert longer.until > turn.until
        turn = longer
    assert turn.until == begun + TURN_SECONDS_MAX * MS
    one.clock.ahead += LEFT + timedelta(seconds=1)
    assert one.room.valid_turn(line, one.room.tokens.turn(turn)) is None
    one.clock.ahead = timedelta()


def test_process_without_a_view_of_lines_refuses_buyers(lines: Lines) -> None:
    """A process that starts while the database is away cannot know whether a line is engaged."""
    dead = Database("postgresql://nobody@/nothing?host=/nowhere", connections=1)
    first = lines.room()
    room = WaitingRoom(
        dead, first.tokens, first.signer, lines.container.settings, MovedClock(), Stations()
    )

    async def ask() -> None:
        await dead.open()
        try:
            with pytest.raises(DatabaseAway):
                await room.check_turn(None, new_id(), GuardedAct.BUY)  # type: ignore[arg-type]
            with pytest.raises(DatabaseAway):
                room.line(BUYING)
        finally:
            await dead.close()

    lines.run(ask())


def test_number_leased_before_the_closing_is_not_given_after_it(lines: Lines) -> None:
    one = Somebody(lines)
    ticket = one.takes()
    lines.arrange("UPDATE waiting_room_lines SET closes_at = clock_timestamp()")
    line = lines.see(one.room)
    numbers = one.room._numbers[BUYING_ID]
    numbers._next, numbers._end, numbers._until = (
        100,
        200,
        float("inf"),
    )  # a block that does not expire
    # A process knows the database's time up to half the duration of its last answer.
    time.sleep(1.0)
    with pytest.raises(LineClosed):
        lines.run(one.room.take_place(line))
    assert '"was_in_time":true' in _facts(one, ticket)
    numbers._end = numbers._next


def _facts(one: Somebody, ticket: Ticket) -> str:
    return read(one.room, one.room.receipt(one.room.line(BUYING), ticket)).replace(": ", ":")


def test_account_with_a_thousand_browsers_uses_one_turn(lines: Lines) -> None:
    """The other browsers act with it too while that turn lasts, and their turns stay free."""
    one, account = Somebody(lines), UUID(int=5)
    tickets = [one.takes() for _ in range(12)]
    lines.operate("set_rate", BUYING, rate=1_000.0, rate_max=1_000.0)
    called(lines)
    for ticket in tickets:
        one.do("use", one.comes_in(ticket), account)
    used = lines.rows("SELECT number FROM waiting_room_turns WHERE used_by IS NOT NULL")
    assert [row["number"] for row in used] == [tickets[0].number]
    # Their unused turns are free for another account that gets a browser.
    one.do("use", one.comes_in(tickets[5]), new_id())
    with pytest.raises(TurnNotYours):
        one.do("use", one.comes_in(tickets[5]), account)


def test_turn_bound_to_an_account_is_refused_to_others(lines: Lines) -> None:
    one, first, second = Somebody(lines), new_id(), new_id()
    ticket = one.takes()
    called(lines)
    turn = one.do("come_in_as", first, ticket)
    shown = one.room.tokens.read_turn(one.room.tokens.turn(turn))
    with pytest.raises(TurnNotYours):
        one.do("use", shown, second)
    one.do("use", shown, first)
    again = one.do("come_in_as", first, ticket)
    assert again._replace(until=turn.until) == turn, "asked again it is the same"
    one.do("use", shown, first)


def test_number_of_another_holder_is_refused_and_stays(lines: Lines) -> None:
    one = Somebody(lines)
    ticket = one.takes()
    called(lines)
    one.comes_in(ticket)
    with pytest.raises(Exception, match="another holder"):
        one.comes_in(ticket._replace(holder=b"x" * 16))
    assert one.comes_in(ticket).holder == ticket.holder
