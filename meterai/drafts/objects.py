"""Parts of the files of drafts in the object store; each part is an object with a separate id."""

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

# Grace period of released parts: long enough for several checks of every process that may contest the store.  It is not
# longer, since a released part counts against no limit.  A content has a longer grace period: another file may have
# the same content, and its row may not be written yet.
GRACE = timedelta(minutes=5)
_log = structlog.get_logger()


class FileObjects:
    """Stores and reads parts, and condemns the objects of deleted files to deletion."""

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
        """Store bytes as an object, and return its id.  The caller then writes the row that names the id.

        Refuses `StoreNotOurs`.
        """
        await self._timeline.check_writable()
        made = new_id()
        await self._objects.put(object_name(file, made), content)
        return made

    async def get(self, file: UUID, one: UUID) -> bytes:
        """Return the bytes of an object of a file; `one` is the id of the object.  Refuses `DocumentUnavailable`."""
        try:
            found = await self._objects.get(object_name(file, one))
        except (ObjectUnreadable, OSError) as fault:
            _log.error("object_unreadable", file=str(file), fault=repr(fault))
            found = None
        if found is None:
            raise DocumentUnavailable("the object is not in this store")
        return found

    async def remove(self, file: UUID, *ids: UUID) -> None:
        """Condemn objects that no row names any more to deletion; after a crash the sweep of the store does that later."""
        if ids:
            names = [object_name(file, one) for one in ids]
            await self._database.once(self._removal.condemn, names, GRACE)

    async def let_go(self, tx: Tx, files: Sequence[DraftFile]) -> None:
        """Condemn the bytes of files to deletion, in the transaction that deletes the rows of the files.

        A content that another row still refers to is kept.
        """
        names = [object_name(file.id, one) for file in files for one in file.objects]
        if names:
            await self._removal.condemn(tx, names, GRACE)
        digests = [file.sha256 for file in files if file.is_usable and file.sha256]
        if digests:
            await self._contents.let_go(tx, digests)
