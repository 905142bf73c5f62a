"""Drafts whose time is over are forgotten, with their files and the bytes of these."""

from collections.abc import Sequence
from uuid import UUID

from meterai.drafts import store
from meterai.drafts.due import Due
from meterai.drafts.model import DraftFile
from meterai.drafts.objects import FileObjects
from meterai.kit.clock import Clock
from meterai.plumbing.db.database import Database, Tx
from meterai.plumbing.work.periodic import each

BATCH = 50  # drafts of one run, and files


class Forgetting:
    """Forgets what nobody has a right to any more."""

    def __init__(self, database: Database, files: FileObjects, clock: Clock) -> None:
        self._database = database
        self._files = files
        self._clock = clock

    async def forget_old(self) -> int:
        """Periodic task: forget drafts whose time is over, and files of which nothing more comes.

        Rows first: a crash behind them leaves objects, which the sweep of the store finds.
        """
        now = self._clock.now()
        left = await self._database.once(store.forget_unfinished, now, BATCH)
        await self._files.remove_all(left)
        found = await self._database.once(store.expired, now, BATCH)
        due = [Due(str(one.id), one.id) for one in found]
        done = await each(self._database, "forget_drafts", due, self._forget, subject="name")
        return len(left) + done

    async def _forget(self, due: Due[UUID]) -> None:
        async def act(tx: Tx) -> Sequence[DraftFile]:
            return await store.forget(tx, due.thing, self._clock.now())

        await self._files.remove_all(await self._database.run(act))
