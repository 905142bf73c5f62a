"""Entries of visitors, and batching of the statements that store them.

An entry is in the database before its visitor gets an answer.  Even a crowd of visitors causes only a few statements a
second.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar
from uuid import UUID

from meterai.draw.protocol.entries import ENTRY_BYTES
from meterai.plumbing.db.database import DatabaseBusy

ASKING_MAX = 20_000  # requests that wait for a statement, about a hundred bytes each
TOGETHER_MAX = 2_000  # entries in one statement
ANSWER_SECONDS_MAX = 5.0

Answer = TypeVar("Answer")


def entry_of(draw: UUID, holder: bytes) -> bytes:
    """Return the entry that stands for the holder of a ticket in the public list of a draw.

    The entry is the same each time, and the holder cannot be derived from it.
    """
    return hashlib.sha256(b"meterai draw entry\n" + draw.bytes + holder).digest()[:ENTRY_BYTES]


class EntryBatcher(Generic[Answer]):
    """Batches entries: while one statement is under way, all entries that come share the next statement.

    `act` runs the statement for the entries of a draw, and returns an answer for each entry.
    """

    def __init__(self, act: Callable[[UUID, list[bytes]], Awaitable[dict[bytes, Answer]]]) -> None:
        self._act = act
        self._asking: dict[UUID, dict[bytes, asyncio.Future[Answer | None]]] = {}
        self._acting: asyncio.Task[None] | None = None

    async def ask(self, draw: UUID, entry: bytes) -> Answer | None:
        """Wait until the statement has run for this entry, and return its answer for the entry; None if it has none.

        Refuses like the statement, and `DatabaseBusy` if too many requests wait or the answer takes too long.
        """
        of_draw = self._asking.setdefault(draw, {})
        if len(of_draw) >= ASKING_MAX:
            raise DatabaseBusy("too many requests wait for an entry")
        turn = of_draw.setdefault(entry, asyncio.get_running_loop().create_future())
        if self._acting is None:
            self._acting = asyncio.create_task(self._run_batches())
        return await asyncio.shield(turn)

    async def _run_batches(self) -> None:
        try:
            while self._asking:
                draw, of_draw = next(iter(self._asking.items()))
                now = {entry: of_draw.pop(entry) for entry in list(of_draw)[:TOGETHER_MAX]}
                if not of_draw:
                    del self._asking[draw]
                await self._run_batch(draw, now)
        finally:
            self._acting = None

    async def _run_batch(
        self, draw: UUID, turns: dict[bytes, asyncio.Future[Answer | None]]
    ) -> None:
        fault: Exception | None = None
        answers: dict[bytes, Answer] = {}
        try:
            async with asyncio.timeout(ANSWER_SECONDS_MAX):
                answers = await self._act(draw, list(turns))
        except TimeoutError:
            fault = DatabaseBusy("no entry was written in time")
        except Exception as error:  # passed to all waiting requests
            fault = error
        for entry, turn in turns.items():
            if fault is None:
                turn.set_result(answers.get(entry))
            else:
                turn.set_exception(fault)
                turn.exception()  # the request may have been cancelled
