"""Statements of several at once: while one is under way, what others ask for meanwhile goes with the next.

Who asks alone waits for nothing more than its own statement; the more ask, the fewer statements each of them costs.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from meterai.plumbing.db.database import DatabaseAway, DatabaseBusy

Asked = TypeVar("Asked")
Found = TypeVar("Found")


class Batcher(Generic[Asked, Found]):
    """Asks `act` for what was gathered, at most `most` at a time; it answers for each, in their order.

    Where `act` fails for several, each of them is asked for alone, so that one stops no other.
    """

    def __init__(
        self, act: Callable[[Sequence[Asked]], Awaitable[Sequence[Found]]], most: int
    ) -> None:
        self._act = act
        self._most = most
        self._gathered: list[tuple[Asked, asyncio.Future[Found]]] = []
        self._going: asyncio.Task[None] | None = None

    async def ask(self, asked: Asked) -> Found:
        """The answer for this one.  Raises what `act` raises."""
        answer: asyncio.Future[Found] = asyncio.get_running_loop().create_future()
        self._gathered.append((asked, answer))
        if self._going is None:
            self._going = asyncio.create_task(self._go())
        return await answer

    async def _go(self) -> None:
        try:
            while some := self._gathered[: self._most]:
                del self._gathered[: self._most]
                await self._answer(some)
        finally:
            self._going = None

    async def _answer(self, some: Sequence[tuple[Asked, asyncio.Future[Found]]]) -> None:
        try:
            found = await self._act([asked for asked, _ in some])
        except Exception as fault:  # the edge: whoever asked is told
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
