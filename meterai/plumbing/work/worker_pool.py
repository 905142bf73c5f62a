"""A worker pool keeps a number of pieces of work under way: as soon as one ends, the next begins.

So no piece waits for the end of a batch. Only a few pieces of one account are under way at once, so that an account
whose rows are locked, or that has very many, leaves slots to the others.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import monotonic
from uuid import UUID

import structlog

from meterai.kit.priority import Priority
from meterai.kit.refusal import Refusal
from meterai.plumbing.db.database import DatabaseAway, DatabaseBusy, ReadTx
from meterai.plumbing.observe import telemetry
from meterai.plumbing.permits import PURPOSE, WorkPurpose
from meterai.plumbing.work.watch import DueWatch, Piece, Rest

POLL_SECONDS = 0.05
FAULT_PAUSE_SECONDS = 1.0  # after a poll that failed for an unexpected reason
ACCOUNT_SHARE = 4  # one account has at most the slots divided by this, rounded up
NOBODY = UUID(int=0)
NOBODY_SHARE = 2  # the same for pieces of no account yet, which belong to many people

# A row becomes visible at its commit, but its time is the begin of its transaction. If more time than this lies
# between, the next poll from the beginning finds it.
LATE_SECONDS_MAX = 1.0
EVERYTHING_SECONDS = 5.0  # between two polls that start at the beginning

_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
_log = structlog.get_logger()


async def clock(tx: ReadTx) -> datetime:
    """Return the time of the database, which decides when work is due."""
    now = await tx.value("SELECT now() AS now")
    assert isinstance(now, datetime)
    return now


class LowWaterMark:
    """The due time from which the next poll reads the index of due work.

    Handled rows stay at the beginning of the index as dead rows, until no snapshot sees them any more; each poll from
    the beginning reads them all.  So a poll starts where the last one ended, and only every `EVERYTHING_SECONDS` at the
    beginning.
    """

    def __init__(self) -> None:
        self._mark = _BEGINNING
        self._now = _BEGINNING  # time of the database at `_read_at`
        self._read_at = 0.0
        self._whole_at = float("-inf")

    def is_whole_due(self) -> bool:
        """True if the next poll should start at the beginning of the index; then call `begin_whole` first."""
        return monotonic() - self._whole_at >= EVERYTHING_SECONDS

    def begin_whole(self, now: datetime) -> None:
        """Let the next poll start at the beginning of the index. `now` is the time of the database."""
        self._mark = _BEGINNING
        self._now, self._read_at = now, monotonic()
        self._whole_at = monotonic()

    @property
    def since(self) -> datetime:
        """The next poll reads only work that became due after this time."""
        return self._mark

    def now(self) -> datetime:
        """Return the time of the database, estimated without a query."""
        return self._now + timedelta(seconds=monotonic() - self._read_at)

    def advance(self, seen_to: datetime) -> None:
        """Record that all pieces of work due up to this time were seen."""
        self._mark = max(self._mark, seen_to - timedelta(seconds=LATE_SECONDS_MAX))


# Takes the largest number of pieces, the time after which they became due, and accounts to leave out; returns due
# pieces, oldest first.
Look = Callable[[int, datetime, Sequence[UUID]], Awaitable[Sequence[Piece]]]
Act = Callable[[Piece], Awaitable[None]]
ReadClock = Callable[[], Awaitable[datetime]]
Room = Callable[[], int]  # number of further pieces that may begin now, whatever the slots


@dataclass(frozen=True, slots=True)
class PoolTerms:
    """Parameters of a worker pool.

    priority      priority with which it gets database connections
    poll_seconds  shortest pause after a poll that found nothing
    room          function that returns how many more pieces a limit outside the pool allows; None if there is no such limit
    due           SQL of due pieces, run by the common poll of the worker (`plumbing/work/watch.py`)
    of_one        largest number of pieces that one account may have under way; None: a share of the slots
    """

    priority: Priority = Priority.MONEY
    poll_seconds: float = POLL_SECONDS
    room: Room | None = None
    due: str = ""
    of_one: int | None = None


TERMS = PoolTerms()


class WorkerPool:
    """Polls for due pieces of work and keeps a number of them under way.

    Each worker pool of a process has its own slots, and pools with a higher `priority` get database connections first. So a
    pool with much work does not delay pools of a higher priority.
    """

    def __init__(
        self,
        name: str,
        look: Look,
        act: Act,
        read_clock: ReadClock,
        *,
        slots: int,
        batch: int,
        terms: PoolTerms = TERMS,
    ) -> None:
        self.name = name
        self._look = look
        self._act = act
        self._read_clock = read_clock
        self._slots = slots
        self._terms = terms
        self._batch = batch
        self.mark = LowWaterMark()
        self._waiting: dict[tuple[UUID, UUID], Piece] = {}
        self._under_way: dict[tuple[UUID, UUID], asyncio.Task[None]] = {}
        self._of_account: Counter[UUID] = Counter()
        self._ended = asyncio.Event()
        self._has_more = False  # the last poll did not see all due pieces
        self._rest: Rest | None = None  # None unless `run` is running

    @property
    def due(self) -> str:
        """SQL by which the common poll of the worker finds due pieces of work; empty if the pool has no such SQL."""
        return self._terms.due

    async def run(self, watch: DueWatch) -> None:
        """Process pieces of work until the worker stops, then finish those under way."""
        PURPOSE.set(WorkPurpose(self._terms.priority))  # for this task and those that it creates
        self._rest = watch.rest_of(self.due)
        try:
            while not watch.stopping.is_set():
                await self._rest.wait(*await self._fill(watch, self._rest.pieces()))
        finally:
            await asyncio.gather(*self._under_way.values())

    async def once(self) -> int:
        """Poll the index of due work once from its beginning, process the pieces of work found, and return their number."""
        self.mark.begin_whole(await self._read_clock())
        found = await self._look(self._batch, self.mark.since, [])
        self._waiting |= {piece[:2]: piece for piece in found}
        while self._waiting or self._under_way:
            self._begin()
            self._ended.clear()
            await self._ended.wait()
        return len(found)

    async def _fill(self, watch: DueWatch, seen: Sequence[Piece] = ()) -> tuple[float, float]:
        """Begin pieces of work while slots are free: those in `seen` or, if it is empty, those found by a poll.

        Return the shortest pause before the next run in seconds, and the longest pause if the poll failed (else 0).
        """
        known = self._known()
        pause = 0.0
        try:
            if seen and not self._has_more and not self.mark.is_whole_due():
                self._add(seen, known)
            else:
                while self._begin() and await self._see_more():
                    pass
            self._begin()
        except Refusal as refusal:
            _log.warning("look_refused", lane=self.name, code=refusal.code)
            pause = float(refusal.retry_after_seconds or self._terms.poll_seconds)
        except Exception as fault:  # the edge: the next poll may succeed
            telemetry.FAULTS.labels(where=self.name).inc()
            _log.error("look_failed", lane=self.name, fault=repr(fault), exc_info=True)
            pause = FAULT_PAUSE_SECONDS
        if self._known() - known:
            watch.found()
            return pause, pause
        return pause or self._terms.poll_seconds, pause

    async def _see_more(self) -> bool:
        """Poll for due work once; return True if more is due than was read, so that the next poll follows immediately."""
        if self.mark.is_whole_due():
            self.mark.begin_whole(await self._read_clock())
        begun = self.mark.now()
        known = self._known()
        full = [account for account in self._of_account if not self._has_room(account)]
        most = self._batch + len(known)
        found = await self._look(most, self.mark.since, full)
        if not full:
            self.mark.advance(found[-1].due_at if len(found) == most else begun)
        self._add(found, known)
        self._has_more = len(found) == most
        return self._has_more

    def _add(self, found: Sequence[Piece], known: set[tuple[UUID, UUID]]) -> None:
        self._waiting |= {piece[:2]: piece for piece in found if piece[:2] not in known}

    def _known(self) -> set[tuple[UUID, UUID]]:
        return self._waiting.keys() | self._under_way.keys()

    def _has_room(self, account: UUID) -> bool:
        share = NOBODY_SHARE if account == NOBODY else ACCOUNT_SHARE
        return self._of_account[account] < (self._terms.of_one or -(-self._slots // share))

    def _begin(self) -> int:
        """Begin the pieces of work that wait for a slot and may begin now; return how many more could begin."""
        left = self._slots - len(self._under_way)
        if self._terms.room is not None:
            left = min(left, self._terms.room())
        for key, piece in list(self._waiting.items()):
            if left <= 0:
                break
            if self._has_room(piece.account):
                del self._waiting[key]
                self._of_account[piece.account] += 1
                self._under_way[key] = asyncio.create_task(self._do(key, piece))
                left -= 1
        return max(left, 0)

    async def _do(self, key: tuple[UUID, UUID], piece: Piece) -> None:
        try:
            await self._act(piece)
        except (DatabaseAway, DatabaseBusy) as refusal:
            # Work under way has been rolled back or completed. The row, if it still exists, shows which, and is due
            # again.
            _log.warning("piece_put_off", lane=self.name, id=str(piece.id), code=refusal.code)
        except Exception as fault:  # the edge: a piece that fails stops no other
            telemetry.FAULTS.labels(where=self.name).inc()
            _log.error("piece_failed", lane=self.name, fault=repr(fault), exc_info=True)
        finally:
            del self._under_way[key]
            self._of_account[piece.account] -= 1
            if not self._of_account[piece.account]:
                del self._of_account[piece.account]
            self._ended.set()
            # If no piece waits for a slot, the end of a piece is no reason to poll.
            if (self._waiting or self._has_more) and self._rest is not None:
                self._rest.wake()
