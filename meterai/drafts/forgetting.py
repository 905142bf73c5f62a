"""Deletion of expired drafts with their files, and of unfinished files."""

from uuid import UUID

from meterai.drafts import store
from meterai.drafts.due import DueDraft
from meterai.drafts.objects import FileObjects
from meterai.kit.clock import Clock
from meterai.plumbing.db.database import Database, Tx
from meterai.plumbing.work.periodic import each

BATCH = 50  # drafts deleted in one run, and unfinished files


class Forgetting:
    """Deletes expired drafts and unfinished files."""

    def __init__(self, database: Database, files: FileObjects, clock: Clock) -> None:
        self._database = database
        self._files = files
        self._clock = clock

    async def forget_old(self) -> int:
        """Periodic task: delete expired drafts, and unfinished files that got no further part in time.

        Returns the number of deleted files and drafts.
        """
        now = self._clock.now()

        async def forget_unfinished(tx: Tx) -> int:
            left = await store.forget_unfinished(tx, now, BATCH)
            await self._files.let_go(tx, left)
            return len(left)

        left = await self._database.run(forget_unfinished)
        found = await self._database.once(store.expired, now, BATCH)
        due = [DueDraft(str(one.id), one.id) for one in found]
        done = await each(self._database, "forget_drafts", due, self._forget, subject="name")
        return left + done

    async def _forget(self, due: DueDraft[UUID]) -> None:
        async def act(tx: Tx) -> None:
            await self._files.let_go(tx, await store.forget(tx, due.thing, self._clock.now()))

        await self._database.run(act)
