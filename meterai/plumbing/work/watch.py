"""One common poll for all worker pools and periodic tasks of a worker: one statement finds which of them have due rows.

A worker pool or task without SQL for its due rows polls by itself, at its interval. For all others:

* a worker pool gets the rows that the common poll found for it, and polls by itself only if there may be more;
* a worker pool or task runs when the common poll names it. After a run that processed nothing, it runs again only when
  its interval has passed: so a due row that cannot be processed does not wake it at each poll;
* the common poll runs every `LOOK_SECONDS`, or every `BUSY_LOOK_SECONDS` for `BUSY_SECONDS` after something was found.
  After work that may cause more work it runs at once (`soon`), so that a chain of events does not wait between its
  steps, but at most `LOOKS_AT_ONCE` times in a row;
* each worker pool and task also polls by itself every `REST_SECONDS`, and when no common poll succeeded for `MISSED_SECONDS`.
  Such a poll finds due rows of any age: so the common poll may leave out rows that became due long ago, and no row is missed
  while the common poll cannot run.
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
LOOK_SECONDS = 0.2  # longest wait of new work while the worker rests
BUSY_LOOK_SECONDS = 0.05  # the same while the worker has work
LOOKS_AT_ONCE = 4  # in a row, if work causes more work: a payment is executed in three steps
REST_SECONDS = 10.0  # between two polls of a pool or task that nothing wakes
# Handed to a worker pool by one poll; more than begin between two polls if the worker keeps up.
PIECES_MAX = 10
MISSED_SECONDS = 5.0  # half of the time that the statements look back

_log = structlog.get_logger()


class Piece(NamedTuple):
    """A due row: its account, its id, since when it is due, and further facts for its worker pool."""

    account: UUID
    id: UUID
    due_at: datetime
    what: object = None


class Rest:
    """The pause of one worker pool or periodic task between two of its runs."""

    def __init__(self, watch: "DueWatch", due: str) -> None:
        self.due = due
        self._pieces: Sequence[Piece] = ()
        self._watch = watch
        self._woken: asyncio.Future[None] | None = None
        self._least_until = 0.0
        self._is_named = False  # named by a poll while it was not resting

    async def wait(self, least: float, most: float = 0.0) -> None:
        """Wait until a poll names this pool or task, or it is woken.

        In the first `least` seconds polls do not end the wait, and after `most` seconds it ends in any case (0:
        `REST_SECONDS`). A pool or task without SQL for its due rows waits exactly `least` seconds, unless it is woken.
        """
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
        """Record that a poll found due rows, and end the pause if its shortest time is over. A pause also ends if less than
        half a poll interval of that time is left; otherwise a pause as long as the interval would often miss a poll narrowly.
        """
        if self._woken is None:
            self._is_named = True
        elif self._least_until - monotonic() <= BUSY_LOOK_SECONDS / 2:
            self._pieces = pieces
            self.wake()

    def pieces(self) -> Sequence[Piece]:
        """Return the rows found by the poll that ended the pause; empty if there may be more rows, so that the pool polls by
        itself.
        """
        pieces, self._pieces = self._pieces, ()
        return pieces if len(pieces) < PIECES_MAX else ()

    def wake(self) -> None:
        """End the pause now."""
        if self._woken is not None and not self._woken.done():
            self._woken.set_result(None)


# Format of the rows of a worker pool's query, then of a query that only shows whether there is a row.
_PIECES = (
    f"(SELECT {{}} AS number, account, id, due_at, what FROM ({{}} LIMIT {PIECES_MAX}) AS due)"  # noqa: S608
)
_DUE = """
(SELECT {} AS number, NULL::uuid AS account, NULL::uuid AS id, NULL::timestamptz AS due_at, NULL::jsonb AS what
 FROM ({} LIMIT 1) AS due)"""


class DueRow(NamedTuple):
    """A due row that the common poll found, and the number of the query that found it."""

    number: int
    account: UUID
    id: UUID
    due_at: datetime
    what: object


_FOUND = RowMapper(DueRow)


class DueWatch:
    """The common poll for all worker pools and periodic tasks of a worker."""

    def __init__(
        self,
        database: Database,
        stopping: asyncio.Event,
        due: Iterable[str] = (),
        pieces: Iterable[str] = (),
    ) -> None:
        """`due` are the queries of periodic tasks that find a due row, each in the order of an index of its table. `pieces` are
        the queries of worker pools, with the columns of a `Piece`. An empty text means no query.
        """
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
        # The time at which the next poll would be allowed if polls came at regular intervals.
        self._next_look_at = 0.0
        self._is_wanted = False
        self._pausing: asyncio.Future[None] | None = None

    def rest_of(self, due: str) -> Rest:
        """Register one more worker pool or periodic task; return the `Rest` in which it pauses between runs."""
        self._rests.append(Rest(self, due))
        return self._rests[-1]

    async def run(self) -> None:
        """Poll until the worker stops, then wake every worker pool and task that pauses."""
        while not self.stopping.is_set():
            await self._pause()
            if self._due:
                await self._look()
        self._wake_all()

    def found(self) -> None:
        """Record that something was found, so that polls are frequent for a while."""
        self._found_at = monotonic()

    def soon(self) -> None:
        """Request a poll at once, after work that may cause more work."""
        self._is_wanted = True
        self._end_pause()

    async def _pause(self) -> None:
        """Wait for the next poll: for the interval, or until one is requested and allowed."""
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
        except Refusal:  # the database is away or busy, which the pools and tasks notice too
            return
        except Exception as fault:  # the edge: each pool and task also polls by itself
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
