"""Lines of a container, moved on by hand: no worker runs and no time has to pass.

The database keeps the times of lines. To let time pass, a test moves the last advance of a line into the past.
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

BUYING = "buying"  # the line that exists in every installation
BUYING_ID = UUID("00000000-0000-7000-8000-000000000b09")
TESTER = Actor(ActorKind.OPERATOR, "test")
Answer = TypeVar("Answer")


class Operating:
    """The operator's commands on lines, each in a transaction of its own."""

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
    """The clock of the machine, moved ahead by a test."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def now(self) -> datetime:
        """The present time of the test."""
        return datetime.now(UTC) + self.ahead


@dataclass
class Lines:
    """Acts on lines, one after another."""

    container: Container
    run: Callable[[Coroutine[Any, Any, Any]], Any]

    def room(self, clock: MovedClock | None = None) -> WaitingRoom:
        """The waiting room in the state of a web process that has just started."""
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
        """The commands of the operator."""
        return Operating(self.container.database, SystemClock())

    def operate(self, act: str, *words: Any, **named: Any) -> Any:
        """Run one command of the operator."""
        return self.run(getattr(self.operating, act)(*words, actor=TESTER, **named))

    def arrange(self, query: str, *parameters: object) -> None:
        """Make a change for which no command exists, as the owner of the tables."""
        with psycopg.connect(self.container.database.url) as owner:
            owner.execute(query.encode(), parameters or None)

    def rows(self, query: str, *parameters: object) -> list[dict[str, Any]]:
        """Rows of a query."""
        found: list[dict[str, Any]] = self.run(self.container.database.read(query, *parameters))
        return found

    def advance(self, seconds: float = 5.0, line: UUID = BUYING_ID) -> float:
        """Advance a line like a worker, as if `seconds` seconds had passed since its last advance.

        Return the seconds by which it advanced. They may be more on a busy machine, and are 0 if it was too
        early for the worker.
        """
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
        """The current state of a line, as a process reads it."""
        self.run(room._look())
        return room.line(name)

    def take(self, room: WaitingRoom, name: str = BUYING, holder: bytes | None = None) -> Ticket:
        """Take a place in the line in its current state."""
        holder = holder or secrets.token_bytes(HOLDER_BYTES)
        ticket: Ticket = self.run(room.take_place(self.see(room, name), holder))
        return ticket


def on_shop(shop: Any) -> Lines:
    """The lines of a shop."""
    return Lines(shop.container, partial(shop.do))
