"""Batching of concurrent calls: calls that arrive while a statement runs share the next statement.

If no other call is under way, a call waits only for its own statement. The more calls arrive at the same time, the more of
them share a statement.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from meterai.plumbing.db.database import DatabaseAway, DatabaseBusy

Asked = TypeVar("Asked")
Found = TypeVar("Found")


class Batcher(Generic[Asked, Found]):
    """Calls `act` with the values of concurrent calls of `ask`, at most `most` values at a time.

    `act` returns one answer for each value, in the same order.

    If `act` fails for several values, it is called again with each of them alone, so that one bad value fails no other.
    """

    def __init__(
        self, act: Callable[[Sequence[Asked]], Awaitable[Sequence[Found]]], most: int
    ) -> None:
        self._act = act
        self._most = most
        self._gathered: list[tuple[Asked, asyncio.Future[Found]]] = []
        self._going: asyncio.Task[None] | None = None

    async def ask(self, asked: Asked) -> Found:
        """Return the answer of `act` for this value. Raises the exception that `act` raised for it."""
        answer: asyncio.Future[Found] = asyncio.get_running_loop().create_future()
        self._gathered.append((asked, answer))
        if self._going is None:
            self._going = asyncio.create_task(self._answer_all())
        return await answer

    async def _answer_all(self) -> None:
        try:
            while some := self._gathered[: self._most]:
                del self._gathered[: self._most]
                await self._answer(some)
        finally:
            self._going = None

    async def _answer(self, some: Sequence[tuple[Asked, asyncio.Future[Found]]]) -> None:
        try:
            found = await self._act([asked for asked, _ in some])
        except Exception as fault:  # any exception is passed on to the callers
            if len(some) > 1 and not isinstance(fault, DatabaseAway | DatabaseBusy):
                for one in some:
                    await self._answer([one])
                return
            for _, answer in some:
                if not answer.done():
                    answer.set_exception(fault)
            return
        for (_, answer), its in zip(some, found, strict=True):
            if not answer.done():
                answer.set_result(its)
