"""Removal of objects from the store, in two steps.

An object that no row wants is condemned: it stays in the store, and the database records the time.
After its grace period it is deleted, if it is still unwanted, was not written again since, and the database may
delete from the store (`Timeline.advance`).  `sweep` condemns objects without a row, such as those of a crash.
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
# An upload has its row seconds after its bytes, or minutes for many large documents that need repair.
# A younger object may still get its row.
UNCLAIMED_AFTER = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Keeper:
    """Owner of a set of object names, which says which of them its rows want."""

    grace: timedelta  # between condemned and deleted
    is_named: Callable[[str], bool]
    wanted: Callable[[Sequence[str]], Awaitable[set[str]]]


class _DueRemoval(NamedTuple):
    name: str
    condemned_at: datetime
    account: UUID = NOBODY  # it may belong to a draft


class Removal:
    """Condemns objects and deletes them.  An object whose name no keeper knows is left alone."""

    def __init__(
        self, database: Database, objects: ObjectStore, timeline: Timeline, clock: Clock
    ) -> None:
        self._database = database
        self._objects = objects
        self._timeline = timeline
        self._clock = clock
        self._keepers: list[Keeper] = []
        self._looked_to = ""  # the last name that `sweep` read; empty: it begins

    def add(self, keeper: Keeper) -> None:
        """Register a keeper."""
        self._keepers.append(keeper)

    async def condemn(self, tx: Tx, names: Sequence[str], grace: timedelta) -> None:
        """Condemn objects that rows no longer want; their grace period begins."""
        now = self._clock.now()
        await store.condemn(tx, names, now, now + grace)

    async def sweep(self) -> int:
        """Periodic task: condemn objects in the store that no row wants.

        Each run reads one batch of the store in the order of names, and returns the number of objects
        read, none at the end.  Refuses `DeletionHeld`, `StoreDiffers`.
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
        """Periodic task: delete condemned objects whose grace period is over.

        Refuses `DeletionHeld`, `StoreDiffers`.
        """
        await self._timeline.advance()
        now = self._clock.now()
        due = await self._database.once(store.condemned, now, DELETED_AT_ONCE)
        names, unwanted = [one.name for one in due], set[str]()
        for keeper in self._keepers:
            unwanted.update(await self._unwanted(keeper, names))
        struck = [name for name in names if name not in unwanted]

        async def remove(one: _DueRemoval) -> None:
            # An upload that has just written it will soon have its row.
            await self._objects.remove(one.name, one.condemned_at)
            struck.append(one.name)

        # Checked again after the rows: a row that let an object go meanwhile may have passed it to another.
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
