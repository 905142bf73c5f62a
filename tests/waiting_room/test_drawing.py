"""Draws on a real database: a thousand entries, crashes between steps, late entries."""

import asyncio
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from meterai.draw import store
from meterai.draw.advancing import TOO_LATE
from meterai.draw.computing import pieces_of
from meterai.draw.entering import entry_of
from meterai.draw.operating import DrawSound
from meterai.draw.protocol.chain import hash_of
from meterai.draw.protocol.entries import read_lines
from meterai.draw.protocol.record import RecordPartKind, read
from meterai.draw.protocol.record import hash_of as hash_of_part
from meterai.draw.protocol.verification import (
    DrawFindingKind,
    DrawQuestion,
    Judgement,
    examine,
    judge,
)
from meterai.waiting_room import store as lines_store
from meterai.waiting_room.gathering import Gathering
from meterai.waiting_room.model import LineClosed, LineState
from tests.support.audits import INVARIANTS, audit
from tests.support.draw_room import SIGNER, DrawRoom, numbers, with_draw
from tests.support.draws import chain_of

ENTERS_SECONDS = 5.0  # the longest time of the statement that adds an entry
SCRIPT = Path(__file__).parents[2] / "docs" / "draw" / "verify_draw.py"


def strangers(*words: str) -> str:
    """Return the output of the script in docs/draw."""
    command = [sys.executable, "-I", str(SCRIPT), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout


async def assert_holds(room: DrawRoom) -> None:
    """Check every invariant, and verify the draw from its public files."""
    found = await audit(room.database, INVARIANTS)
    assert [one for one in found.findings if not one.holds] == []
    record = read((room.public / "draw.json").read_bytes())
    question = DrawQuestion(
        entries=read_lines(pieces_of(room.public / "entries.txt")),
        public_key=SIGNER.public_key.hex(),
        chain_hash=hash_of(chain_of(room.relay.chain)),
    )
    findings = list(examine(record, question))
    assert judge(findings) is Judgement.HOLDS, findings


def test_draw_of_a_thousand_entries_is_verified_by_the_public_script(
    database_url, tmp_path
) -> None:
    async def act(room: DrawRoom) -> None:
        worker = room.worker()
        await worker.advance_due()
        assert (room.public / "draw.json").is_file()
        tickets = await room.enter(1_000)
        assert numbers(tickets) == [0] * 1_000
        again = await Gathering(room.database).enter(await room.line(), tickets[0].holder)
        assert again.holder == tickets[0].holder, "a reload is the same entry"

        await room.until_closed()
        await worker.advance_due()
        assert (await room.line()).state == LineState.DRAWING
        assert len(read_lines(pieces_of(room.public / "entries.txt"))) == 1_000
        with pytest.raises(LineClosed):
            await room.enter(1)

        await room.to_round()
        await worker.advance_due()
        line = await room.line()
        assert (line.state, line.next_number) == (LineState.OPEN, 1_001)
        gathering = Gathering(room.database)
        drawn: list[Any] = await asyncio.gather(*(gathering.number_of(one) for one in tickets))
        assert numbers(drawn) == list(range(1, 1_001))
        assert await gathering.number_of(tickets[0]._replace(holder=b"x" * 16)) is None
        block = await room.database.once(lines_store.lease, line.id, 1)
        assert block is not None
        assert block.first == 1_001, "who comes now is behind"
        await assert_holds(room)

        words = [str(room.public / name) for name in ("draw.json", "entries.txt")]
        for ticket in drawn[:3]:
            entry = entry_of(line.id, ticket.holder).hex()
            said = await asyncio.to_thread(strangers, *words, entry)
            assert said.endswith(f"number {ticket.number}\n")

    with_draw(database_url, tmp_path, act)


# -- crashes --------------------------------------------------------------------------------------


class Crash(BaseException):
    """Stands for a kill of the worker."""


class Crashing:
    """A database whose worker is killed at every transaction: first before it, then after it."""

    def __init__(self, database: Any) -> None:
        self._database = database
        self._done: set[str] = set()
        self.crashes = 0

    def _name(self, act: Any, arguments: tuple[Any, ...]) -> str:
        inner = getattr(act, "func", act)
        place = arguments[1] if inner is store.put_numbers else ""
        return f"{inner.__qualname__} {place}"

    async def _killed_around(self, name: str, act: Any) -> Any:
        if name not in self._done:
            self._done.add(name)
            self.crashes += 1
            raise Crash(f"before {name}")
        answer = await act()
        if f"after {name}" not in self._done and answer is not False:
            self._done.add(f"after {name}")
            self.crashes += 1
            raise Crash(f"after {name}")
        return answer

    async def run(self, command: Any) -> Any:
        async def act() -> Any:
            return await self._database.run(command)

        return await self._killed_around(self._name(command, ()), act)

    async def once(self, command: Any, *arguments: Any) -> Any:
        async def act() -> Any:
            return await self._database.once(command, *arguments)

        return await self._killed_around(self._name(command, arguments), act)

    def reading(self) -> Any:
        return self._database.reading()


def test_worker_killed_around_every_transaction_loses_nothing(
    database_url, tmp_path, monkeypatch
) -> None:
    monkeypatch.setattr("meterai.draw.advancing.NUMBERS_AT_ONCE", 7)

    async def act(room: DrawRoom) -> None:
        crashing = Crashing(room.database)

        async def advance() -> None:
            for _ in range(60):
                try:
                    # A new worker each time, without state in memory.
                    await room.worker(crashing).advance_due()
                except Crash:
                    continue
                return
            raise AssertionError("no end")

        await advance()
        tickets = await room.enter(20)
        await room.until_closed()
        await advance()
        closed = (room.public / "draw.json").read_bytes()
        assert read(closed).parts[-1].kind is RecordPartKind.CLOSING
        await room.to_round()
        await advance()
        # looked, announced, entries closed, closed, drawn, numbers of 20 by 7, opened: before and after each
        assert crashing.crashes == 2 * (1 + 1 + 1 + 2 + 3 + 1) - 2
        assert (await room.line()).state == LineState.OPEN
        gathering = Gathering(room.database)
        drawn: list[Any] = [await gathering.number_of(one) for one in tickets]
        assert numbers(drawn) == list(range(1, 21))
        assert read((room.public / "draw.json").read_bytes()).parts[:2] == read(closed).parts
        await assert_holds(room)

    with_draw(database_url, tmp_path, act)


def test_two_workers_make_one_draw(database_url, tmp_path) -> None:
    async def act(room: DrawRoom) -> None:
        async def both() -> None:
            await asyncio.gather(*(room.worker().advance_due() for _ in range(2)))

        await both()
        await room.enter(50)
        await room.until_closed()
        await both()
        await room.to_round()
        await both()
        await room.worker().advance_due()
        assert (await room.line()).next_number == 51
        await assert_holds(room)

    with_draw(database_url, tmp_path, act)


def test_lost_or_changed_files_are_written_again(database_url, tmp_path) -> None:
    async def act(room: DrawRoom) -> None:
        await room.worker().advance_due()
        await room.enter(20)
        await room.until_closed()
        await room.worker().advance_due()
        whole = (room.public / "entries.txt").read_bytes()
        (room.public / "entries.txt").write_bytes(whole[33:])
        (room.public / "draw.json").unlink()
        await room.to_round()
        await room.worker().advance_due()
        assert (room.public / "entries.txt").read_bytes() == whole
        await assert_holds(room)

    with_draw(database_url, tmp_path, act)


# -- closing against entering ---------------------------------------------------------------------


def test_entry_under_way_at_closing_is_listed_or_refused(database_url, tmp_path) -> None:
    async def act(room: DrawRoom) -> None:
        await room.worker().advance_due()
        early, late = b"e" * 16, b"l" * 16
        # An entry under way holds the lock of the line, so that it cannot open meanwhile.
        await room.closes_in(ENTERS_SECONDS)
        async with room.database.transaction() as entering:
            assert (await lines_store.enter(entering, room.line_id, [early])).is_open
            await asyncio.sleep(ENTERS_SECONDS)
            closing = asyncio.create_task(
                room.database.run(lambda tx: lines_store.close_entries(tx, room.line_id))
            )
            await asyncio.sleep(0.3)
            assert not closing.done(), "whoever closes waits for an entry that is being written"
        assert await closing
        assert not (
            await room.database.run(lambda tx: lines_store.enter(tx, room.line_id, [late]))
        ).is_open
        await room.worker().advance_due()
        assert read_lines(pieces_of(room.public / "entries.txt")) == [early]

    with_draw(database_url, tmp_path, act)


def test_entry_before_the_public_announcement_is_refused(database_url, tmp_path) -> None:
    async def act(room: DrawRoom) -> None:
        with pytest.raises(LineClosed):
            await room.enter(1)
        await room.worker().advance_due()
        assert len(await room.enter(1)) == 1

    with_draw(database_url, tmp_path, act)


# -- rounds by hand, and a draw that came too late ---------------------------------------


def test_late_draw_is_announced_anew_in_public(database_url, tmp_path) -> None:
    async def act(room: DrawRoom) -> None:
        await room.worker().advance_due()
        await room.enter(10)
        await room.until_closed()
        with pytest.raises(DrawSound):
            await room.announce_anew("no reason")
        first = read((room.public / "draw.json").read_bytes())
        room.clock.ahead += timedelta(seconds=62)  # the worker was away until the root was due
        await room.worker().advance_due()
        record = read((room.public / "draw.json").read_bytes())
        assert read((room.public / "draw-1.json").read_bytes()) == first
        assert record.announcement.replaces == hash_of_part(first.parts[0]).hex()
        assert record.announcement.reason == TOO_LATE
        assert (await room.line()).state == LineState.DRAWING
        room.clock.ahead += timedelta(seconds=61)
        await room.worker().advance_due()
        with pytest.raises(DrawSound):
            await room.announce_anew("another order")
        await room.to_round()
        await room.worker().advance_due()
        assert (await room.line()).next_number == 11
        found = {one.found for one in examine(record, DrawQuestion())}
        assert DrawFindingKind.REPLACES in found
        await assert_holds(room)

    with_draw(database_url, tmp_path, act)
