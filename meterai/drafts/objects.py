"""The objects of the files of drafts in the store: parts that came, and whole documents."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import structlog

from meterai.documents import DocumentUnavailable, Keeper, Removal, Timeline
from meterai.drafts import store
from meterai.drafts.model import DraftFile, named_by, object_name
from meterai.kit.ids import new_id
from meterai.plumbing.db.database import Database
from meterai.plumbing.objects import ObjectStore, ObjectUnreadable

# Between condemned and deleted: several looks of everybody who may contest the store.  No longer, since what is let
# go counts for nobody's bound: whoever chooses files and takes them out again fills the disk for so long.
GRACE = timedelta(minutes=5)
_log = structlog.get_logger()


class FileObjects:
    """Bytes of files, each under an id of its own."""

    def __init__(
        self, database: Database, objects: ObjectStore, timeline: Timeline, removal: Removal
    ) -> None:
        self._database = database
        self._objects = objects
        self._timeline = timeline
        self._removal = removal
        removal.add(Keeper(GRACE, lambda name: named_by(name) is not None, self._wanted))

    async def _wanted(self, names: Sequence[str]) -> set[str]:
        named = [one for name in names if (one := named_by(name))]
        found = await self._database.once(store.wanted, named)
        return {object_name(one.file, one.object) for one in found}

    async def put(self, file: UUID, content: bytes) -> UUID:
        """Keep bytes, and say under which id; the row that names it comes after.

        Refuses `StoreNotOurs`.
        """
        await self._timeline.check_writable()
        made = new_id()
        await self._objects.put(object_name(file, made), content)
        return made

    async def get(self, file: UUID, one: UUID) -> bytes:
        """The bytes under an id.  Refuses `DocumentUnavailable`."""
        try:
            found = await self._objects.get(object_name(file, one))
        except (ObjectUnreadable, OSError) as fault:
            _log.error("object_unreadable", file=str(file), fault=repr(fault))
            found = None
        if found is None:
            raise DocumentUnavailable("it is not in this store")
        return found

    async def remove(self, file: UUID, *ids: UUID) -> None:
        """Let go what no row names any more.  What a crash leaves, the sweep finds."""
        await self._let_go([object_name(file, one) for one in ids])

    async def remove_all(self, files: Sequence[DraftFile]) -> None:
        """Let go the bytes of files whose rows are gone, or have none any more."""
        await self._let_go([object_name(file.id, one) for file in files for one in file.objects])

    async def _let_go(self, names: Sequence[str]) -> None:
        if names:
            await self._database.once(self._removal.condemn, names, GRACE)
