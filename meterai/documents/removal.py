"""The one door by which objects leave the store, in two steps.

An object that no row wants any more is condemned: it stays as it was, and the database knows since when.
After its grace period it is deleted, if it is still unwanted, nobody wrote it since, and the database may
delete from the store (`Timeline.advance`).  `sweep` condemns what no row ever named, or a crash left.
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

LOOKED_AT_ONCE = 500  # objects looked at in one run
DELETED_AT_ONCE = 500  # objects deleted between two claims of the store
# Between the bytes of an upload and its row lie seconds, or minutes for many large documents that
# must be mended.  What is younger than this may still get its row.
UNCLAIMED_AFTER = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Keeper:
    """Knows some objects by their names, and which of them its rows want."""

    grace: timedelta  # between condemned and deleted
    is_named: Callable[[str], bool]
    wanted: Callable[[Sequence[str]], Awaitable[set[str]]]


class _DueRemoval(NamedTuple):
    name: str
    condemned_at: datetime
    account: UUID = NOBODY  # it may be of a draft


class Removal:
    """Condemns objects and deletes them.  What no keeper knows by its name is left alone."""

    def __init__(
        self, database: Database, objects: ObjectStore, timeline: Timeline, clock: Clock
    ) -> None:
        self._database = database
        self._objects = objects
        self._timeline = timeline
        self._clock = clock
        self._keepers: list[Keeper] = []
        self._looked_to = ""  # the last name that `sweep` saw; empty: it begins

    def add(self, keeper: Keeper) -> None:
        """Let this one say which objects are wanted."""
        self._keepers.append(keeper)

    async def condemn(self, tx: Tx, names: Sequence[str], grace: timedelta) -> None:
        """Condemn objects that rows let go; their grace period begins."""
        now = self._clock.now()
        await store.condemn(tx, names, now, now + grace)

    async def sweep(self) -> int:
        """Periodic task: condemn what lies in the store and no row wants.

        Goes through the store in the order of names, one piece at a time; says how many objects it
        saw, and none at the end.  Refuses `DeletionHeld`, `StoreDiffers`.
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
            # An upload that has just written it has its row on the way.
            await self._objects.remove(one.name, one.condemned_at)
            struck.append(one.name)

        # Asked once more after the rows: one that let an object go meanwhile may have handed it to another.
        still = (
            await self._database.once(store.still_due, sorted(unwanted), now) if unwanted else []
        )
        rows = [_DueRemoval(*one) for one in still]
        await each(self._database, "delete_condemned", rows, remove, subject="name")
        if struck:
            await self._database.once(store.strike, struck, now)
        CONDEMNED.set(await self._database.once(store.count_condemned))
        return len(struck) if len(due) == DELETED_AT_ONCE else 0

    async def _unwanted(self, keeper: Keeper, names: Sequence[str]) -> list[str]:
        theirs = [name for name in names if keeper.is_named(name)]
        wanted = await keeper.wanted(theirs) if theirs else set()
        return [name for name in theirs if name not in wanted]
