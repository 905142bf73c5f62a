"""Lines of a container, moved on by hand: no worker runs and no second has to pass.

Times of lines are kept by the database, so what a test lets pass is taken off the moment a line was
last moved on.
"""

import secrets
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

import psycopg

from meterai.kit.actor import Actor, ActorKind
from meterai.kit.clock import Clock, SystemClock
from meterai.plumbing.db.database import Database
from meterai.plumbing.observe.stations import Stations
from meterai.room import Container
from meterai.waiting_room import operating
from meterai.waiting_room.advancing import Advancing
from meterai.waiting_room.model import WaitingLine
from meterai.waiting_room.service import WaitingRoom
from meterai.waiting_room.tokens import HOLDER_BYTES, Ticket

BUYING = "buying"  # the line that is there from the first day on
BUYING_ID = UUID("00000000-0000-7000-8000-000000000b09")
TESTER = Actor(ActorKind.OPERATOR, "test")
Answer = TypeVar("Answer")


class Operating:
    """Commands of an operator over lines, each in a transaction of its own."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def __getattr__(self, act: str) -> Callable[..., Coroutine[Any, Any, Any]]:
        def run(*words: Any, **named: Any) -> Coroutine[Any, Any, Any]:
            more = {"at": self._clock.now()} if act == "create" else {}
            command = getattr(operating, act)
            return self._database.run(lambda tx: command(tx, *words, **more, **named))

        return run


class MovedClock:
    """The machine's clock, and what a test adds to it."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def now(self) -> datetime:
        """The present moment of the test."""
        return datetime.now(UTC) + self.ahead


@dataclass
class Lines:
    """What happens to lines, one act after another."""

    container: Container
    run: Callable[[Coroutine[Any, Any, Any]], Any]

    def room(self, clock: MovedClock | None = None) -> WaitingRoom:
        """The room as a web process has it that has just begun."""
        first, settings = self.container.of(WaitingRoom), self.container.settings
        return WaitingRoom(
            self.container.database,
            first.tokens,
            first.signer,
            settings,
            clock or SystemClock(),
            Stations(),
        )

    @property
    def operating(self) -> Operating:
        """The operator."""
        return Operating(self.container.database, SystemClock())

    def operate(self, act: str, *words: Any, **named: Any) -> Any:
        """One command of an operator."""
        return self.run(getattr(self.operating, act)(*words, actor=TESTER, **named))

    def arrange(self, query: str, *parameters: object) -> None:
        """Change what no command changes, as the owner of the tables."""
        with psycopg.connect(self.container.database.url) as owner:
            owner.execute(query.encode(), parameters or None)

    def rows(self, query: str, *parameters: object) -> list[dict[str, Any]]:
        """What the database says."""
        found: list[dict[str, Any]] = self.run(self.container.database.read(query, *parameters))
        return found

    def advance(self, seconds: float = 5.0, line: UUID = BUYING_ID) -> float:
        """A worker moves a line on, so many seconds after the last time and what a busy machine adds; how many
        they were, 0 where it was too soon for the worker."""
        self.arrange(
            "UPDATE waiting_room_lines SET advanced_at = clock_timestamp()"
            " - make_interval(secs => %s) WHERE line_id = %s",
            seconds,
            line,
        )
        before = self._advanced_at(line)
        self.run(self.container.of(Advancing).advance_due())
        return (self._advanced_at(line) - before).total_seconds()

    def _advanced_at(self, line: UUID) -> datetime:
        query = "SELECT advanced_at FROM waiting_room_lines WHERE line_id = %s"
        [row] = self.rows(query, line)
        found: datetime = row["advanced_at"]
        return found

    def see(self, room: WaitingRoom, name: str = BUYING) -> WaitingLine:
        """A line as a process sees it now."""
        self.run(room._look())
        return room.line(name)

    def take(self, room: WaitingRoom, name: str = BUYING, holder: bytes | None = None) -> Ticket:
        """A place, as the line is now."""
        holder = holder or secrets.token_bytes(HOLDER_BYTES)
        ticket: Ticket = self.run(room.take_place(self.see(room, name), holder))
        return ticket


def on_shop(shop: Any) -> Lines:
    """The lines of a shop."""
    return Lines(shop.container, partial(shop.do))
