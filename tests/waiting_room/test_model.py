"""A line compared with a sequential reference model, under random operations.

The reference knows only what is promised: numbers in order, who was called, whose turn it is.
"""

import json
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, settings
from hypothesis import strategies as some
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from meterai.kit.ids import new_id
from meterai.kit.refusal import Refusal
from meterai.plumbing.signed import read_signed
from meterai.waiting_room.invariants import INVARIANTS
from meterai.waiting_room.model import GuardedAct
from meterai.waiting_room.operating import LinePlan
from meterai.waiting_room.service import RECEIPT, WaitingRoom
from meterai.waiting_room.tokens import Ticket, Turn
from tests.support.audits import audit
from tests.support.lines import Lines, on_shop
from tests.support.shop import Shop

PROCESSES = 2
ACCOUNTS = 4
SOONEST_SECONDS = 0.5  # seconds from one step of a line to the next
NAME = "formasi"
_EMPTY = (
    "DELETE FROM waiting_room_turns; DELETE FROM waiting_room_places; DELETE FROM"
    " waiting_room_samples; DELETE FROM waiting_room_gaps; DELETE FROM waiting_room_lines"
    " WHERE name = 'formasi'; DELETE FROM jobs"
)


@dataclass
class Reference:
    """Reference model of one line."""

    is_open: bool = True
    is_paused: bool = False
    has_ended: bool = False
    serving: int = 0
    taken: list[Ticket] = field(default_factory=list)
    begun: dict[int, Turn] = field(default_factory=dict)
    used: dict[int, tuple[UUID, int]] = field(
        default_factory=dict
    )  # account, and number of places before
    kept: dict[UUID, Ticket] = field(default_factory=dict)

    def takes(self) -> str:
        """Return the outcome of taking a place."""
        if self.has_ended:
            return "line_unknown"
        return "ok" if self.is_open else "line_closed"

    def comes(self, ticket: Ticket) -> str:
        """Return the outcome of coming in."""
        if self.has_ended:
            return "line_unknown"
        if ticket.number in self.begun:
            return "ok"
        is_called = ticket.number <= self.serving and not self.is_paused
        return "ok" if is_called else "number_not_served"

    def uses(self, number: int, account: UUID) -> str:
        """Return the outcome of using a turn for an account."""
        if number in self.used:
            return "ok" if self.used[number][0] == account else "turn_not_yours"
        place = next(n for n, one in enumerate(self.taken) if one.number == number)
        # The two places waited at the same time, and one was used: the account acts with that turn, and this
        # one stays free.
        if not any(by == account and after > place for by, after in self.used.values()):
            self.used[number] = account, len(self.taken)
        return "ok"

    def keeps(self, account: UUID, ticket: Ticket | None) -> Ticket | None:
        """Return the place that an account keeps after showing this one, or none."""
        had = self.kept.get(account)
        by_another = ticket is not None and self.used.get(ticket.number, (account, 0))[0] != account
        if ticket is not None and not by_another:
            is_spent = had is not None and had.number in self.used
            if had is None or is_spent or ticket.number < had.number:
                self.kept[account] = ticket
        return self.kept.get(account)


class Waiting(RuleBasedStateMachine):
    """Two web processes, a worker, an operator, and people with browsers and accounts."""

    shop: Shop  # of the test
    lines: Lines

    @initialize()
    def begin(self) -> None:
        self.lines.arrange(_EMPTY)
        plan = LinePlan(NAME, GuardedAct.CHECK, rate=2.0)
        self.line: UUID = self.lines.operate("create", plan)
        self.reference = Reference()
        self.accounts = [new_id() for _ in range(ACCOUNTS)]
        self.rooms = [self.lines.room() for _ in range(PROCESSES)]
        self.most_seen = 0
        self.lines.advance(1.0, self.line)
        self.look()

    # -- operations ------------------------------------------------------------------------

    def outcome(self, work: Any) -> tuple[str, Any]:
        try:
            return "ok", self.shop.do(work)
        except Refusal as refusal:
            return refusal.code, None

    def look(self) -> None:
        for room in self.rooms:
            self.shop.do(room._look())

    async def _as_seen(self, room: WaitingRoom, act: Any) -> Any:
        """As a request does: refresh the view, then act on the line in it."""
        await room._look()
        return await act(room.line(NAME))

    def ask(self, process: int, act: Any) -> tuple[str, Any]:
        return self.outcome(self._as_seen(self.rooms[process], act))

    def some_ticket(self, choice: int) -> Ticket:
        return self.reference.taken[choice % len(self.reference.taken)]

    @rule(process=some.integers(0, PROCESSES - 1), count=some.integers(1, 5))
    def take_places(self, process: int, count: int) -> None:
        for _ in range(count):
            expected = self.reference.takes()
            told, ticket = self.ask(process, self.rooms[process].take_place)
            assert told == expected
            if ticket is None:
                continue
            # One process gives numbers in order; another's block may be below (places.py).
            assert ticket.number not in {one.number for one in self.reference.taken}
            assert ticket.number > self.reference.serving or self.most_seen >= ticket.number
            self.reference.taken.append(ticket)

    @rule(seconds=some.sampled_from([0.1, 1.0, 2.5, 60.0]), workers=some.integers(1, 2))
    def advance(self, seconds: float, workers: int) -> None:
        before = self.reference.serving
        passed = [self.lines.advance(seconds, self.line) for _ in range(workers)]
        assert all(one == 0 or one >= SOONEST_SECONDS for one in passed)
        [row] = self.lines.rows(
            "SELECT serving, next_number FROM waiting_room_lines WHERE line_id = %s", self.line
        )
        serving = row["serving"]
        assert serving >= before
        if self.reference.is_paused or self.reference.has_ended or not any(passed):
            assert serving == before
        waiting = [one for one in self.reference.taken if one.number > before]
        called = [one for one in waiting if one.number <= serving]
        # Rate 2, five seconds at most, fractions carried, and leased numbers without a visitor.
        assert len(called) <= sum(2 * min(one, 5.0) + 1 for one in passed)
        self.reference.serving = serving

    @precondition(lambda self: self.reference.taken)
    @rule(process=some.integers(0, PROCESSES - 1), choice=some.integers(0, 99))
    def come_in(self, process: int, choice: int) -> None:
        ticket = self.some_ticket(choice)
        expected = self.reference.comes(ticket)
        room = self.rooms[process]
        told, turn = self.ask(process, lambda line: room.come_in(line, ticket))
        assert told == expected
        if turn is not None:
            before = self.reference.begun.setdefault(ticket.number, turn)
            assert (turn.number, turn.holder) == (ticket.number, ticket.holder)
            assert turn.admitted_at == before.admitted_at

    @precondition(lambda self: self.reference.taken)
    @rule(process=some.integers(0, PROCESSES - 1), choice=some.integers(0, 99))
    def come_in_with_a_stolen_number(self, process: int, choice: int) -> None:
        ticket = self.some_ticket(choice)._replace(holder=secrets.token_bytes(16))
        if ticket.number not in self.reference.begun:
            return  # only the key could forge it
        room = self.rooms[process]
        told, _ = self.ask(process, lambda line: room.come_in(line, ticket))
        assert told in ("ticket_invalid", "line_unknown")

    @precondition(lambda self: self.reference.begun and not self.reference.has_ended)
    @rule(
        process=some.integers(0, PROCESSES - 1),
        choice=some.integers(0, 99),
        who=some.integers(0, ACCOUNTS - 1),
    )
    def use(self, process: int, choice: int, who: int) -> None:
        number = sorted(self.reference.begun)[choice % len(self.reference.begun)]
        turn, account, room = (
            self.reference.begun[number],
            self.accounts[who],
            self.rooms[process],
        )
        expected = self.reference.uses(number, account)
        told, _ = self.ask(process, lambda line: room.use(line, turn, account))
        assert told == expected

    @precondition(lambda self: self.reference.taken and not self.reference.has_ended)
    @rule(
        process=some.integers(0, PROCESSES - 1),
        choice=some.none() | some.integers(0, 99),
        who=some.integers(0, ACCOUNTS - 1),
    )
    def sign_in(self, process: int, choice: int | None, who: int) -> None:
        """Sign in with a ticket, or elsewhere without one."""
        ticket = None if choice is None else self.some_ticket(choice)
        account, room = self.accounts[who], self.rooms[process]
        told, kept = self.ask(process, lambda line: room.keep(line, account, ticket))
        assert told == "ok"
        expected = self.reference.keeps(account, ticket)
        assert (kept and kept[:4]) == (expected and expected[:4])

    @precondition(lambda self: not self.reference.has_ended)
    @rule(paused=some.booleans())
    def pause(self, paused: bool) -> None:
        if paused:
            self.lines.operate("pause", NAME, reason_id="bank", reason_en="bank")
        else:
            self.lines.operate("resume", NAME)
        self.reference.is_paused = paused

    @precondition(lambda self: self.reference.is_open and len(self.reference.taken) > 3)
    @rule()
    def close(self) -> None:
        if self.reference.has_ended:
            return
        until = self.lines.operate("close_at", NAME, datetime.now(UTC) - timedelta(hours=1))
        assert until > datetime.now(UTC)
        self.lines.arrange(
            "UPDATE waiting_room_lines SET closes_at = clock_timestamp() WHERE line_id = %s",
            self.line,
        )
        self.lines.advance(1.0, self.line)
        [row] = self.lines.rows(
            "SELECT serving, state FROM waiting_room_lines WHERE line_id = %s", self.line
        )
        assert row["state"] == "closing"
        self.reference.serving, self.reference.is_open = row["serving"], False
        room = self.rooms[0]
        self.shop.do(room._look())
        for ticket in self.reference.taken:
            assert '"was_in_time": true' in read(room, room.receipt(room.line(NAME), ticket))

    @rule(process=some.integers(0, PROCESSES - 1))
    def restart(self, process: int) -> None:
        """Kill a process; its leased numbers are lost, and no place is."""
        self.rooms[process] = self.lines.room()

    @precondition(lambda self: len(self.reference.taken) > 8 and not self.reference.has_ended)
    @rule(is_meant=some.sampled_from([True, False, False]))
    def end(self, is_meant: bool) -> None:
        if is_meant:
            self.lines.operate("end", NAME, reason="over")
            self.reference.has_ended = True

    # -- invariants ----------------------------------------------------------------------

    @invariant()
    def both_agree(self) -> None:
        [row] = self.lines.rows("SELECT * FROM waiting_room_lines WHERE line_id = %s", self.line)
        assert row["serving"] == self.reference.serving >= self.most_seen
        assert all(one.number < row["next_number"] for one in self.reference.taken)
        self.most_seen = row["serving"]
        turns = self.lines.rows("SELECT * FROM waiting_room_turns WHERE line_id = %s", self.line)
        assert {turn["number"] for turn in turns} == set(self.reference.begun)
        used = {turn["number"]: turn["used_by"] for turn in turns if turn["used_by"]}
        assert used == {number: by for number, (by, _) in self.reference.used.items()}

    def teardown(self) -> None:
        """Every place is served in order if the line is resumed; and the audit holds."""
        if not self.reference.has_ended:
            self.pause(paused=False)
            last = max((one.number for one in self.reference.taken), default=0)
            for _ in range(60):
                if self.reference.serving >= last:
                    break
                self.advance(5.0, 1)
            for n, ticket in enumerate(self.reference.taken):
                if ticket.number not in self.reference.begun:
                    self.come_in(n % PROCESSES, n)
            assert {one.number for one in self.reference.taken} <= set(self.reference.begun)
        found = self.shop.do(audit(self.shop.container.database, INVARIANTS))
        assert [one for one in found.findings if not one.holds] == []


def read(room: WaitingRoom, receipt: str) -> str:
    """Return the facts of a receipt, as JSON."""
    return json.dumps(read_signed(receipt, RECEIPT, room.signer.public_key()))


def test_line_agrees_with_its_reference_model(shop: Shop) -> None:
    class Ours(Waiting):
        pass

    Ours.shop, Ours.lines = shop, on_shop(shop)
    run_state_machine_as_test(
        Ours,
        settings=settings(
            max_examples=25,
            stateful_step_count=30,
            suppress_health_check=list(HealthCheck),
        ),
    )
