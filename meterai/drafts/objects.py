"""Parts of the files of drafts in the object store, each an object under an id of its own."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import structlog

from meterai.documents import DocumentContents, DocumentUnavailable, Keeper, Removal, Timeline
from meterai.drafts import store
from meterai.drafts.model import DraftFile, named_by, object_name
from meterai.kit.ids import new_id
from meterai.plumbing.db.database import Database, Tx
from meterai.plumbing.objects import ObjectStore, ObjectUnreadable

# Time between condemned and deleted, for parts: several looks of everybody who may contest the store.  No longer, since
# what is let go counts for nobody's bound.  A content waits for longer: another may have it, whose row is on the way.
GRACE = timedelta(minutes=5)
_log = structlog.get_logger()


class FileObjects:
    """Stores parts and reads them, and lets the bytes of files go."""

    def __init__(
        self,
        database: Database,
        objects: ObjectStore,
        timeline: Timeline,
        removal: Removal,
        contents: DocumentContents,
    ) -> None:
        self._database = database
        self._objects = objects
        self._timeline = timeline
        self._removal = removal
        self._contents = contents
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
        if ids:
            names = [object_name(file, one) for one in ids]
            await self._database.once(self._removal.condemn, names, GRACE)

    async def let_go(self, tx: Tx, files: Sequence[DraftFile]) -> None:
        """Condemn the bytes of files in the transaction that deletes their rows; another row may want a content."""
        names = [object_name(file.id, one) for file in files for one in file.objects]
        if names:
            await self._removal.condemn(tx, names, GRACE)
        digests = [file.sha256 for file in files if file.is_usable and file.sha256]
        if digests:
            await self._contents.let_go(tx, digests)
