"""Entries of those who come before a line opens, and the numbers they drew.

Many who come together are one statement: an entry is in the database before its holder is told,
and the database is asked a few times a second however many come.
"""

import asyncio
import hashlib
import secrets
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar
from uuid import UUID

from meterai.draw import store
from meterai.draw.protocol.entries import ENTRY_BYTES
from meterai.plumbing.db.database import Database, DatabaseBusy
from meterai.waiting_room.model import Line, LineClosed
from meterai.waiting_room.tokens import HOLDER_BYTES, Ticket

ASKING_MAX = 20_000  # who wait for the same statement; each some hundred bytes
TOGETHER_MAX = 2_000  # entries in one statement
ANSWER_SECONDS_MAX = 5.0
NO_NUMBER = 0  # of a ticket that stands for an entry
_MS = 1000

Answer = TypeVar("Answer")


def entry_of(line: UUID, holder: bytes) -> bytes:
    """The public entry of a holder: nobody finds the holder from it, and each has one."""
    return hashlib.sha256(b"meterai draw entry\n" + line.bytes + holder).digest()[:ENTRY_BYTES]


class Together(Generic[Answer]):
    """Asks for many at once: one statement is under way, and who comes meanwhile is in the next."""

    def __init__(self, act: Callable[[UUID, list[bytes]], Awaitable[dict[bytes, Answer]]]) -> None:
        self._act = act
        self._asking: dict[UUID, dict[bytes, asyncio.Future[Answer | None]]] = {}
        self._acting: asyncio.Task[None] | None = None

    async def ask(self, line: UUID, entry: bytes) -> Answer | None:
        """The answer for one entry.  Refuses what the act refuses, and `DatabaseBusy`."""
        of_line = self._asking.setdefault(line, {})
        if len(of_line) >= ASKING_MAX:
            raise DatabaseBusy("too many ask for an entry")
        turn = of_line.setdefault(entry, asyncio.get_running_loop().create_future())
        if self._acting is None:
            self._acting = asyncio.create_task(self._all())
        return await asyncio.shield(turn)

    async def _all(self) -> None:
        try:
            while self._asking:
                line, of_line = next(iter(self._asking.items()))
                now = {entry: of_line.pop(entry) for entry in list(of_line)[:TOGETHER_MAX]}
                if not of_line:
                    del self._asking[line]
                await self._some(line, now)
        finally:
            self._acting = None

    async def _some(self, line: UUID, turns: dict[bytes, asyncio.Future[Answer | None]]) -> None:
        fault: Exception | None = None
        answers: dict[bytes, Answer] = {}
        try:
            async with asyncio.timeout(ANSWER_SECONDS_MAX):
                answers = await self._act(line, list(turns))
        except TimeoutError:
            fault = DatabaseBusy("no answer in time")
        except Exception as error:  # told to all who ask
            fault = error
        for entry, turn in turns.items():
            if fault is None:
                turn.set_result(answers.get(entry))
            else:
                turn.set_exception(fault)
                turn.exception()  # who asked may have gone


class Entering:
    """Entries in draws, and what they drew."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._entered = Together(self._enter)
        self._numbers = Together(self._look)

    async def enter(self, line: Line, holder: bytes | None = None) -> Ticket:
        """A ticket without a number: its holder is in the draw.  The same holder is in it once.

        Refuses `LineClosed`, and what a database refuses that is busy or away.
        """
        mine = holder or secrets.token_bytes(HOLDER_BYTES)
        at = await self._entered.ask(line.id, entry_of(line.id, mine))
        if at is None:
            raise LineClosed(f"{line.name} takes no entries")
        return Ticket(line.id, NO_NUMBER, mine, at, 0, 0)

    async def number_of(self, ticket: Ticket) -> Ticket | None:
        """The ticket with the number that was drawn; None where none was.

        It bears no range of waiting time: none was shown when the entry was made.
        """
        number = await self._numbers.ask(ticket.line, entry_of(ticket.line, ticket.holder))
        return None if number is None else ticket._replace(number=number)

    async def _enter(self, line: UUID, entries: list[bytes]) -> dict[bytes, int]:
        """When each was entered, in milliseconds since 1970; empty where none was."""
        entered = await self._database.once(store.enter, line, entries)
        at = int(entered.at.timestamp() * _MS)
        return dict.fromkeys(entries, at) if entered.is_open else {}

    async def _look(self, line: UUID, entries: list[bytes]) -> dict[bytes, int]:
        async with self._database.reading() as tx:
            drawn = await store.numbers_of(tx, line, entries)
        return {bytes(one.entry): one.number for one in drawn}
