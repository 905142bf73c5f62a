"""Drafts whose time is over are forgotten, and objects that no file has are deleted."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import structlog

from meterai.drafts import store
from meterai.drafts.due import Due
from meterai.drafts.model import DraftFile, named_by, object_name
from meterai.drafts.objects import FileObjects
from meterai.kit.clock import Clock
from meterai.plumbing.database import Database, Tx
from meterai.plumbing.objects import ObjectStore
from meterai.plumbing.periodic import each

BATCH = 50  # drafts of one run, and files
LOOKED_AT_ONCE = 500  # objects of one run
# Between an object and what the row says of it lie moments, or the disk of a machine that stands still.
UNCLAIMED_AFTER = timedelta(hours=1)
_log = structlog.get_logger()


class Forgetting:
    """Deletes what nobody has a right to any more."""

    def __init__(self, database: Database, objects: ObjectStore, clock: Clock) -> None:
        self._database = database
        self._objects = objects
        self._files = FileObjects(objects, clock)
        self._clock = clock
        self._looked_to = ""  # the last name that `delete_orphans` saw; empty: it begins

    async def forget_old(self) -> int:
        """Periodic task: forget drafts whose time is over, and files of which nothing more comes.

        Rows first: a crash behind them leaves objects, which `delete_orphans` deletes.
        """
        now = self._clock.now()
        left = await self._database.once(store.forget_unfinished, now, BATCH)
        files = [Due(str(one.id), one) for one in left]
        done = await each(self._database, "forget_drafts", files, self._remove_all, subject="name")
        found = await self._database.once(store.expired, now, BATCH)
        due = [Due(str(one.id), one.id) for one in found]
        return done + await each(self._database, "forget_drafts", due, self._forget, subject="name")

    async def _remove_all(self, due: Due[DraftFile]) -> None:
        await self._files.remove_all(due.thing)

    async def _forget(self, due: Due[UUID]) -> None:
        async def act(tx: Tx) -> Sequence[DraftFile]:
            return await store.forget(tx, due.thing, self._clock.now())

        for file in await self._database.run(act):
            await self._files.remove_all(file)

    async def delete_orphans(self) -> int:
        """Periodic task: delete objects of drafts that no file has, one piece of the store at a time.

        Says how many objects it saw, and none at the end.
        """
        seen = await self._objects.list(self._looked_to, LOOKED_AT_ONCE)
        named = [one for stored in seen if (one := named_by(stored.name))]
        wanted = set(await self._database.once(store.wanted, named))
        names = [object_name(one.file, one.object) for one in named if one not in wanted]
        unclaimed = [Due(name, name) for name in names]
        await each(self._database, "delete_draft_orphans", unclaimed, self._remove, subject="name")
        is_end = len(seen) < LOOKED_AT_ONCE
        self._looked_to = "" if is_end else seen[-1].name
        return 0 if is_end else len(seen)

    async def _remove(self, due: Due[str]) -> None:
        if await self._objects.remove(due.thing, self._clock.now() - UNCLAIMED_AFTER):
            _log.info("unclaimed_object_deleted", object=due.thing)
