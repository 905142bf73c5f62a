"""How a worker rests: often looked while there is work, and one look for all where there is none.

Lanes and periodic tasks look several times a second for what is due.  Promises of this module, for
those that say in SQL which row is due; the others look at their pace:

* after `BUSY_SECONDS` in which none of them found anything they rest, and one statement looks for all
  every `LOOK_SECONDS`; they are woken where a row is;
* as soon as one of them finds something all look as often as they do in work, so that what follows
  from it is found as quickly as ever;
* whoever rests looks by itself after a time, from the beginning: so the statement may leave out what
  became due long ago, and nothing is lost where it cannot be run.
"""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from time import monotonic

import structlog

from meterai.kit.refusal import Refusal
from meterai.plumbing import telemetry
from meterai.plumbing.database import Database, ReadTx

BUSY_SECONDS = 2.0  # after something was found: longer than any step that follows from it
LOOK_SECONDS = 0.2  # what work that comes to a worker at rest waits at the most
REST_SECONDS = 10.0  # between two looks of one that rests by itself

_log = structlog.get_logger()


class Watch:
    """Looks for all lanes and periodic tasks of a worker that rest."""

    def __init__(
        self, database: Database, stopping: asyncio.Event, due: Iterable[str] = ()
    ) -> None:
        """`due` are queries of a row that is due, in the order of an index; '' is none."""
        self.stopping = stopping
        self._database = database
        self._due = sorted(set(due) - {""})
        # A row for each query that finds one.
        self._query = " UNION ALL ".join(
            f"(SELECT {number} AS number FROM ({query} LIMIT 1) AS due)"  # noqa: S608 - of constants
            for number, query in enumerate(self._due)
        )
        self._found_at = monotonic()
        self._resting: dict[asyncio.Future[None], str] = {}

    async def run(self) -> None:
        """Look until the worker stops."""
        while not self.stopping.is_set():
            # A fifth of what `pause` costs; the end of the worker is seen a look later.
            await asyncio.sleep(LOOK_SECONDS)
            if self._resting:
                await self._look()
        self._wake(set(self._resting.values()))

    def found(self) -> None:
        """Something was found: everybody looks often again."""
        self._found_at = monotonic()
        self._wake(set(self._resting.values()))

    async def pause(self, seconds: float) -> None:
        """Wait so long, or until the worker stops."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self.stopping.wait(), seconds)

    async def rest(self, seconds: float, due: str) -> None:
        """Wait for the next look of one that looks every so many seconds in work, and never sooner.

        So a row that is due and cannot be done does not wake it at each look.
        """
        await self.pause(seconds)
        is_busy = monotonic() - self._found_at < BUSY_SECONDS
        if not due or is_busy or self.stopping.is_set():
            return
        woken = asyncio.get_running_loop().create_future()
        self._resting[woken] = due
        try:
            await asyncio.wait({woken}, timeout=REST_SECONDS)
        finally:
            del self._resting[woken]

    def _wake(self, due: set[str]) -> None:
        for woken, its in self._resting.items():
            if its in due and not woken.done():
                woken.set_result(None)

    async def _look(self) -> None:
        try:
            numbers = await self._database.once(self._numbers)
        except Refusal:  # the database is away or busy, which whoever rests finds out too
            return
        except Exception as fault:  # the edge: whoever rests looks by itself
            telemetry.FAULTS.labels(where="watch").inc()
            _log.error("watch_failed", fault=repr(fault), exc_info=True)
            return
        self._wake({self._due[number] for number in numbers})

    async def _numbers(self, tx: ReadTx) -> list[int]:
        return [row["number"] for row in await tx.all(self._query)]
