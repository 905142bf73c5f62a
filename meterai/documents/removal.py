"""Removal of objects from the store, in two steps.

An object to which no row refers is condemned first: it stays in the store, and the database records the time.  After its grace
period the object is deleted, unless a row refers to it again, it was written again, or the database may not delete from the
store (`Timeline.advance`).  `sweep` condemns objects without a row, such as those left by a crash.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from meterai.accounts import NOBODY
from meterai.documents import store
from meterai.documents.metrics import CONDEMNED
from meterai.documents.model import DeletionHeld
from meterai.documents.timeline import Timeline
from meterai.kit.clock import Clock
from meterai.plumbing.db.database import Database, Tx
from meterai.plumbing.objects import ObjectStore
from meterai.plumbing.work.periodic import each

LOOKED_AT_ONCE = 500  # objects read in one run
DELETED_AT_ONCE = 500  # objects deleted between two claims of the store
# The row of an upload is written seconds after its bytes, or minutes for many large documents that need repair.  So an
# object that is younger than this may still get its row.
UNCLAIMED_AFTER = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Keeper:
    """Object owner: a room whose rows refer to objects; the names of its objects have a certain form.

    `is_named` recognizes these names; `wanted` returns, of a list of such names, the names to which rows of the room refer.
    """

    grace: timedelta  # time between condemning and deleting
    is_named: Callable[[str], bool]
    wanted: Callable[[Sequence[str]], Awaitable[set[str]]]


class _DueRemoval(NamedTuple):
    name: str
    condemned_at: datetime
    account: UUID = NOBODY  # the object may belong to a draft without an account


class Removal:
    """Condemns objects and deletes them.  An object whose name no object owner recognizes is never deleted."""

    def __init__(
        self, database: Database, objects: ObjectStore, timeline: Timeline, clock: Clock
    ) -> None:
        self._database = database
        self._objects = objects
        self._timeline = timeline
        self._clock = clock
        self._keepers: list[Keeper] = []
        self._looked_to = ""  # the last name that `sweep` read; empty before the first batch

    def add(self, keeper: Keeper) -> None:
        """Register an object owner."""
        self._keepers.append(keeper)

    async def condemn(self, tx: Tx, names: Sequence[str], grace: timedelta) -> None:
        """Condemn objects to which rows no longer refer; their grace period begins now."""
        now = self._clock.now()
        await store.condemn(tx, names, now, now + grace)

    async def sweep(self) -> int:
        """Periodic task: condemn objects in the store to which no row refers.

        Each run reads a batch of the store in the order of names, and returns the number of objects
        read, or 0 at the end of the store.  Refuses `DeletionHeld`, `StoreDiffers`.
        """
        held = await self._timeline.look()
        if held is not None:
            raise DeletionHeld(held)
        seen = await self._objects.list(self._looked_to, LOOKED_AT_ONCE)
        now = self._clock.now()
        old = {one.name: one.written_at for one in seen if one.written_at < now - UNCLAIMED_AFTER}
        for keeper in self._keepers:
            unwanted = await self._unwanted(keeper, list(old))
            written = [(name, old[name]) for name in unwanted]
            if written:
                await self._database.once(store.condemn_unclaimed, written, now, now + keeper.grace)
        is_end = len(seen) < LOOKED_AT_ONCE
        self._looked_to = "" if is_end else seen[-1].name
        if is_end:
            await self._objects.clear_unfinished(now - UNCLAIMED_AFTER)
        return 0 if is_end else len(seen)

    async def delete_condemned(self) -> int:
        """Periodic task: delete condemned objects whose grace period is over, unless a row refers to them again.

        Returns the number of processed objects if more may be due, else 0.  Refuses `DeletionHeld`, `StoreDiffers`.
        """
        await self._timeline.advance()
        now = self._clock.now()
        due = await self._database.once(store.condemned, now, DELETED_AT_ONCE)
        names, unwanted = [one.name for one in due], set[str]()
        for keeper in self._keepers:
            unwanted.update(await self._unwanted(keeper, names))
        struck = [name for name in names if name not in unwanted]

        async def remove(one: _DueRemoval) -> None:
            # The object stays if it was written since it was condemned: an upload will soon write its row.
            await self._objects.remove(one.name, one.condemned_at)
            struck.append(one.name)

        # Read again after the rows: a row that released an object meanwhile has begun the object's grace period again,
        # since it may have passed the object to another row.
        still = (
            await self._database.once(store.still_due, sorted(unwanted), now) if unwanted else []
        )
        rows = [_DueRemoval(*one) for one in still]
        await each(self._database, "delete_condemned", rows, remove, subject="name")
        if struck:
            await self._database.once(store.remove_condemned, struck, now)
        CONDEMNED.set(await self._database.once(store.count_condemned))
        return len(struck) if len(due) == DELETED_AT_ONCE else 0

    async def _unwanted(self, keeper: Keeper, names: Sequence[str]) -> list[str]:
        theirs = [name for name in names if keeper.is_named(name)]
        wanted = await keeper.wanted(theirs) if theirs else set()
        return [name for name in theirs if name not in wanted]
