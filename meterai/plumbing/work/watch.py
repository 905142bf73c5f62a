"""One look for all worker pools and periodic tasks of a worker: one statement says whose rows are due.

Promises of this module, for those that say in SQL which row is due; the others look at their interval:

* a worker pool is handed the rows with its name, and looks itself only where there may be more of them;
* a worker pool or task looks when the statement names it, and no sooner after a look in vain than its interval: a row
  that is due and cannot be done does not wake it at each look;
* the statement is run every `LOOK_SECONDS`, and for `BUSY_SECONDS` after something was found every
  `BUSY_LOOK_SECONDS`; at once where something was done from which more may follow (`soon`), so that a chain of
  events does not wait between its steps; and never oftener than `LOOKS_AT_ONCE` in a row allow;
* each looks by itself every `REST_SECONDS`, and once more after `MISSED_SECONDS` without a look for all, from
  the beginning: so the statement may leave out what became due long ago, and nothing is lost where it cannot
  be run.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from time import monotonic
from typing import NamedTuple
from uuid import UUID

import structlog

from meterai.kit.refusal import Refusal
from meterai.plumbing.db.database import Database, ReadTx
from meterai.plumbing.db.rows import RowMapper
from meterai.plumbing.observe import telemetry

BUSY_SECONDS = 2.0  # after something was found: longer than any step that follows from it
LOOK_SECONDS = 0.2  # what work that comes to a worker at rest waits at the most
BUSY_LOOK_SECONDS = 0.05  # the same of a worker that has work
LOOKS_AT_ONCE = 4  # in a row, where work follows from work: a payment is executed in three steps
REST_SECONDS = 10.0  # between two looks of one that nothing wakes
PIECES_MAX = 10  # handed to a worker pool by one look: more than begin between two looks of a worker that keeps up
MISSED_SECONDS = 5.0  # half of what the statements look back

_log = structlog.get_logger()


class Piece(NamedTuple):
    """Something that is due: whose it is, its id, since when, and whatever the worker pool knows of it."""

    account: UUID
    id: UUID
    due_at: datetime
    what: object = None


class Rest:
    """The rest of one worker pool or periodic task between two of its looks."""

    def __init__(self, watch: "DueWatch", due: str) -> None:
        self.due = due
        self._pieces: Sequence[Piece] = ()
        self._watch = watch
        self._woken: asyncio.Future[None] | None = None
        self._least_until = 0.0
        self._is_named = False  # while it did not rest

    async def wait(self, least: float, most: float = 0.0) -> None:
        """Wait until a look names it or it is woken; for a look at least so many seconds, and for none longer
        than `most`, by default `REST_SECONDS`.  Without a statement of what is due it waits `least`."""
        was_named, self._is_named = self._is_named, False
        if self._watch.stopping.is_set() or (was_named and not least):
            return
        loop = asyncio.get_running_loop()
        self._woken = loop.create_future()
        self._least_until = monotonic() + least
        timer = loop.call_later((most or REST_SECONDS) if self.due else least, self.wake)
        try:
            await self._woken
        finally:
            timer.cancel()
            self._woken = None

    def named(self, pieces: Sequence[Piece]) -> None:
        """Rows of it are due.  Half a look early counts, or two equal intervals would miss each other."""
        if self._woken is None:
            self._is_named = True
        elif self._least_until - monotonic() <= BUSY_LOOK_SECONDS / 2:
            self._pieces = pieces
            self.wake()

    def pieces(self) -> Sequence[Piece]:
        """All that was due as the look ended its rest; none where there may be more."""
        pieces, self._pieces = self._pieces, ()
        return pieces if len(pieces) < PIECES_MAX else ()

    def wake(self) -> None:
        """End its rest now."""
        if self._woken is not None and not self._woken.done():
            self._woken.set_result(None)


# The rows of one query, and that it finds one.
_PIECES = (
    f"(SELECT {{}} AS number, account, id, due_at, what FROM ({{}} LIMIT {PIECES_MAX}) AS due)"  # noqa: S608
)
_DUE = """
(SELECT {} AS number, NULL::uuid AS account, NULL::uuid AS id, NULL::timestamptz AS due_at, NULL::jsonb AS what
 FROM ({} LIMIT 1) AS due)"""


class DueRow(NamedTuple):
    """A row that is due, of which query."""

    number: int
    account: UUID
    id: UUID
    due_at: datetime
    what: object


_FOUND = RowMapper(DueRow)


class DueWatch:
    """Looks for all worker pools and periodic tasks of a worker."""

    def __init__(
        self,
        database: Database,
        stopping: asyncio.Event,
        due: Iterable[str] = (),
        pieces: Iterable[str] = (),
    ) -> None:
        """`due` are queries of a row that is due, in the order of an index; '' is none.  `pieces` are those of
        worker pools, with the columns of a `Piece`."""
        self.stopping = stopping
        self._database = database
        of_pools = set(pieces) - {""}
        self._due = sorted({*due, *of_pools} - {""})
        self._query = " UNION ALL ".join(
            _PIECES.format(number, query) if query in of_pools else _DUE.format(number, query)
            for number, query in enumerate(self._due)
        )
        self._rests: list[Rest] = []
        self._found_at = self._looked_at = monotonic()
        self._next_look_at = 0.0  # as many looks were run as if the next one were allowed then
        self._is_wanted = False
        self._pausing: asyncio.Future[None] | None = None

    def rest_of(self, due: str) -> Rest:
        """The rest of one more worker pool or periodic task."""
        self._rests.append(Rest(self, due))
        return self._rests[-1]

    async def run(self) -> None:
        """Look until the worker stops; its end is seen a look later."""
        while not self.stopping.is_set():
            await self._pause()
            if self._due:
                await self._look()
        self._wake_all()

    def found(self) -> None:
        """Something was found: all is looked for often for a while."""
        self._found_at = monotonic()

    def soon(self) -> None:
        """Something was done from which more may follow: look at once."""
        self._is_wanted = True
        self._end_pause()

    async def _pause(self) -> None:
        """Wait for the next look: the interval, or until it is wanted and allowed."""
        loop = asyncio.get_running_loop()
        if not self._is_wanted:
            is_busy = monotonic() - self._found_at < BUSY_SECONDS
            self._pausing = loop.create_future()
            timer = loop.call_later(BUSY_LOOK_SECONDS if is_busy else LOOK_SECONDS, self._end_pause)
            await self._pausing
            timer.cancel()
        ahead = self._next_look_at - monotonic() - LOOKS_AT_ONCE * BUSY_LOOK_SECONDS
        if ahead > 0:
            await asyncio.sleep(ahead)
        self._next_look_at = max(self._next_look_at, monotonic()) + BUSY_LOOK_SECONDS
        self._is_wanted = False

    def _end_pause(self) -> None:
        if self._pausing is not None and not self._pausing.done():
            self._pausing.set_result(None)

    def _wake_all(self) -> None:
        for rest in self._rests:
            rest.wake()

    async def _look(self) -> None:
        begun = monotonic()
        try:
            found = await self._database.once(self._rows)
        except Refusal:  # the database is away or busy, which whoever rests finds out too
            return
        except Exception as fault:  # the edge: whoever rests looks by itself
            telemetry.FAULTS.labels(where="watch").inc()
            _log.error("watch_failed", fault=repr(fault), exc_info=True)
            return
        is_missed = begun - self._looked_at > MISSED_SECONDS
        self._looked_at = begun
        if is_missed:
            self._wake_all()
        elif found:
            due: dict[str, list[Piece]] = defaultdict(list)
            for row in found:
                due[self._due[row.number]].append(Piece(*row[1:]))
            for rest in self._rests:
                if rest.due in due:
                    rest.named(due[rest.due])

    async def _rows(self, tx: ReadTx) -> list[DueRow]:
        return await tx.all_as(_FOUND, self._query)
