"""A worker pool: a number of pieces of work under way, where the next one begins as soon as one ends.

Pieces do not wait for the end of a batch.  Of one account only a few are under way at once, so that
an account whose rows are locked, or that has very many, leaves slots to the others.
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
FAULT_PAUSE_SECONDS = 1.0  # after a look that failed for a reason nobody expected
ACCOUNT_SHARE = 4  # one account has at most this part of the slots, rounded up
NOBODY = UUID(int=0)
NOBODY_SHARE = 2  # what belongs to no account yet is of many: half of the slots

# A row is not seen before it is committed, and its time is when its transaction began.  One
# that commits later than this is found by the next look at everything.
LATE_SECONDS_MAX = 1.0
EVERYTHING_SECONDS = 5.0  # between two looks that begin at the beginning

_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
_log = structlog.get_logger()


async def clock(tx: ReadTx) -> datetime:
    """The clock of the database, by which work is due."""
    now = await tx.value("SELECT now() AS now")
    assert isinstance(now, datetime)
    return now


class LowWaterMark:
    """From where to look in an index by time.

    Rows that were handled stay at the beginning of the index as dead rows, until no snapshot sees
    them any more; each look from the beginning reads them all.  So a look begins where the last one
    ended, and only every `EVERYTHING_SECONDS` at the beginning.
    """

    def __init__(self) -> None:
        self._mark = _BEGINNING
        self._now = _BEGINNING  # by the database's clock, when ours was `_read_at`
        self._read_at = 0.0
        self._whole_at = float("-inf")

    def is_whole_due(self) -> bool:
        """True where the next look is to begin at the beginning; then call `begin_whole` first."""
        return monotonic() - self._whole_at >= EVERYTHING_SECONDS

    def begin_whole(self, now: datetime) -> None:
        """The next look begins at the beginning.  `now` is the database's clock."""
        self._mark = _BEGINNING
        self._now, self._read_at = now, monotonic()
        self._whole_at = monotonic()

    @property
    def since(self) -> datetime:
        """The moment after which the next look begins."""
        return self._mark

    def now(self) -> datetime:
        """The database's clock, as far as we can tell without asking."""
        return self._now + timedelta(seconds=monotonic() - self._read_at)

    def advance(self, seen_to: datetime) -> None:
        """Everything due up to this moment was seen."""
        self._mark = max(self._mark, seen_to - timedelta(seconds=LATE_SECONDS_MAX))


# (how many at most, since when, accounts to leave out) -> what is due, oldest first
Look = Callable[[int, datetime, Sequence[UUID]], Awaitable[Sequence[Piece]]]
Act = Callable[[Piece], Awaitable[None]]
ReadClock = Callable[[], Awaitable[datetime]]
Room = Callable[[], int]  # how many more pieces may begin now, beside the slots


@dataclass(frozen=True, slots=True)
class PoolTerms:
    """How a worker pool goes.

    priority      whose connections it takes
    poll_seconds  how soon it looks again at the earliest where it found nothing
    room          for how many more pieces there is room outside; None where nothing else bounds it
    due           SQL of pieces that are due, which the one look for all hands to it (`plumbing/work/watch.py`)
    of_one        how many of one account may be under way, where that is no share of the slots
    """

    priority: Priority = Priority.MONEY
    poll_seconds: float = POLL_SECONDS
    room: Room | None = None
    due: str = ""
    of_one: int | None = None


TERMS = PoolTerms()


class WorkerPool:
    """Looks for pieces that are due and keeps a number of them under way.

    Of several worker pools of a process each has slots of its own, and connections to the database go to
    the higher `priority` first: however much waits in one, it keeps no other waiting.
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
        self._has_more = False  # the last look did not see all that is due
        self._rest: Rest | None = None  # while it runs

    @property
    def due(self) -> str:
        """SQL of pieces that are due."""
        return self._terms.due

    async def run(self, watch: DueWatch) -> None:
        """Work until the worker stops, then finish what is begun."""
        PURPOSE.set(WorkPurpose(self._terms.priority))  # of this task, and of those that it begins
        self._rest = watch.rest_of(self.due)
        try:
            while not watch.stopping.is_set():
                await self._rest.wait(*await self._fill(watch, self._rest.pieces()))
        finally:
            await asyncio.gather(*self._under_way.values())

    async def once(self) -> int:
        """Look once from the beginning, do what was found, and say how much it was."""
        self.mark.begin_whole(await self._read_clock())
        found = await self._look(self._batch, self.mark.since, [])
        self._waiting |= {piece[:2]: piece for piece in found}
        while self._waiting or self._under_way:
            self._begin()
            self._ended.clear()
            await self._ended.wait()
        return len(found)

    async def _fill(self, watch: DueWatch, seen: Sequence[Piece] = ()) -> tuple[float, float]:
        """Begin work while there is room, of what was seen or else by a look; how long to rest at least and, where a look failed, at most."""
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
        except Exception as fault:  # the edge: the next look may do better
            telemetry.FAULTS.labels(where=self.name).inc()
            _log.error("look_failed", lane=self.name, fault=repr(fault), exc_info=True)
            pause = FAULT_PAUSE_SECONDS
        if self._known() - known:
            watch.found()
            return pause, pause
        return pause or self._terms.poll_seconds, pause

    async def _see_more(self) -> bool:
        """Look once; true where there is more to read at once."""
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
        """Begin the pieces that may begin now; for how many more there is room."""
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
            # Not now.  Whatever was under way is rolled back or done; the row, if it is there, says
            # which, and is due again.
            _log.warning("piece_put_off", lane=self.name, id=str(piece.id), code=refusal.code)
        except Exception as fault:  # the edge: one piece stops no other
            telemetry.FAULTS.labels(where=self.name).inc()
            _log.error("piece_failed", lane=self.name, fault=repr(fault), exc_info=True)
        finally:
            del self._under_way[key]
            self._of_account[piece.account] -= 1
            if not self._of_account[piece.account]:
                del self._of_account[piece.account]
            self._ended.set()
            # With nothing that waits for a slot, an end is no reason to look.
            if (self._waiting or self._has_more) and self._rest is not None:
                self._rest.wake()
