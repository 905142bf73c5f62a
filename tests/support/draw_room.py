"""Draws in a real database, with a clock that a test moves and a relay of its own."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from meterai.draw import store
from meterai.draw.adapters.drand import Relays
from meterai.draw.advancing import DrawService, DrawTerms
from meterai.draw.files import DrawFiles
from meterai.draw.operating import carry_in_round, replace_void
from meterai.draw.parts import DrawSigner
from meterai.draw.protocol.record import read
from meterai.draw.protocol.rules import round_time
from meterai.kit.actor import Actor, ActorKind
from meterai.plumbing.db.database import Database
from meterai.plumbing.signed import DocumentSigner
from meterai.waiting_room import store as lines_store
from meterai.waiting_room.draws import SUBJECTS, subject_of
from meterai.waiting_room.gathering import Gathering
from meterai.waiting_room.model import PATH, GuardedAct, WaitingLine
from meterai.waiting_room.operating import LinePlan
from standins.drand import Chain, Relay
from tests.support.draws import chain_of
from tests.support.lines import MovedClock, Operating
from tests.support.relay import running_relay

# Time from the creation of a line to its opening, which a test brings about itself (`until_closed`). It is long
# enough for the busiest machine, and so short that no draw ends further ahead of the database than the audit
# allows.
GATHERS_SECONDS = 120.0
BY = Actor(ActorKind.OPERATOR, "tester")
NAME = "rush"
SIGNER = DrawSigner(DocumentSigner(b"k" * 32))


@dataclass
class DrawRoom:
    """One line with a draw. `drawing` is its worker; `worker()` makes another one."""

    database: Database
    folder: Path
    relay: Relay
    url: str
    clock: MovedClock
    line_id: UUID
    opens_at: datetime

    def worker(self, database: Any = None) -> DrawService:
        terms = DrawTerms(chain_of(self.relay.chain), 60)
        relays = Relays([self.url])
        files = DrawFiles(self.folder, PATH)
        place = database or self.database
        return DrawService(place, SIGNER, relays, files, terms, self.clock, SUBJECTS)

    async def carry_in_round(self, signature: str) -> int:
        draw = await self.draw()
        return await self.database.run(lambda tx: carry_in_round(tx, draw, signature, actor=BY))

    async def announce_anew(self, reason: str) -> int:
        draw, at = await self.draw(), self.clock.now()
        return await self.database.run(
            lambda tx: replace_void(tx, draw, reason, at, signer=SIGNER, actor=BY)
        )

    async def line(self) -> WaitingLine:
        async with self.database.reading() as tx:
            found = await lines_store.line_named(tx, NAME)
        assert found is not None
        return found

    async def draw(self) -> store.DueDraw:
        async with self.database.reading() as tx:
            return await store.draw_of(tx, await subject_of(tx, NAME))

    async def until_closed(self) -> None:
        """Let time pass until no entry is taken any more."""
        await self.closes_in(0.0)

    async def closes_in(self, seconds: float) -> None:
        """Let time pass until entries are taken for `seconds` seconds more.

        The clock of the database cannot be moved, so the line opens earlier there. The clock of the worker
        moves ahead to the announced time.
        """
        opens_at = datetime.now(UTC) + timedelta(seconds=seconds)
        await self.database.call(
            "UPDATE waiting_room_lines SET opens_at = %s WHERE line_id = %s", opens_at, self.line_id
        )
        self.clock.ahead += self.opens_at - opens_at

    async def to_round(self) -> None:
        """Move the clock to a time when the round has been published."""
        record = read(((await self.draw()).record or "").encode())
        left = round_time(record.announcement) - self.clock.now().timestamp()
        self.clock.ahead += timedelta(seconds=max(0.0, left + 1))

    @property
    def public(self) -> Path:
        return DrawFiles(self.folder, PATH).folder(NAME, self.line_id)

    async def enter(self, count: int) -> list[Any]:
        gathering, line = Gathering(self.database), await self.line()
        return await asyncio.gather(*(gathering.enter(line) for _ in range(count)))


@asynccontextmanager
async def open_draw(url: str, folder: Path) -> AsyncIterator[DrawRoom]:
    """A line that gathers entries and opens when the test decides."""
    now = time.time()
    chain = Chain(int(now) - 600, period=3)
    database = Database(url, connections=4)
    await database.open()
    try:
        async with running_relay(folder / "relay", chain) as (relay, address):
            # The test's clock is ahead of the relay's clock.
            relay.faults.apply({"early": True})
            clock = MovedClock()
            opens_at = datetime.fromtimestamp(int(now + GATHERS_SECONDS), UTC)
            plan = LinePlan(NAME, GuardedAct.CHECK, datetime.fromtimestamp(now - 60, UTC), opens_at)
            line = await Operating(database, clock).create(plan, actor=BY)
            await database.call(
                "UPDATE waiting_room_lines SET state = 'gathering' WHERE line_id = %s", line
            )
            yield DrawRoom(database, folder, relay, address, clock, line, opens_at)
    finally:
        await database.close()


def with_draw(url: str, folder: Path, act: Callable[[DrawRoom], Awaitable[None]]) -> None:
    """Run `act` with a line that gathers entries."""

    async def run() -> None:
        async with asyncio.timeout(120), open_draw(url, folder) as room:
            await act(room)

    asyncio.run(run())


def numbers(tickets: Sequence[Any]) -> list[int]:
    """Numbers of tickets, sorted."""
    return sorted(ticket.number for ticket in tickets)
