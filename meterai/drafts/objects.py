"""The objects of the files of drafts in the store: parts that came, and whole documents."""

from datetime import timedelta
from uuid import UUID

import structlog

from meterai.documents import DocumentUnavailable
from meterai.drafts.model import DraftFile, object_name
from meterai.kit.clock import Clock
from meterai.kit.ids import new_id
from meterai.plumbing.objects import ObjectStore, ObjectUnreadable

_log = structlog.get_logger()


class FileObjects:
    """Bytes of files, each under an id of its own."""

    def __init__(self, objects: ObjectStore, clock: Clock) -> None:
        self._objects = objects
        self._clock = clock

    async def put(self, file: UUID, content: bytes) -> UUID:
        """Keep bytes, and say under which id; the row that names it comes after."""
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
        """Delete what no row names any more.  What a crash leaves, `delete_orphans` finds."""
        soon = self._clock.now() + timedelta(minutes=1)
        for one in ids:
            await self._objects.remove(object_name(file, one), soon)

    async def remove_all(self, file: DraftFile) -> None:
        """Delete the bytes of a file whose row is gone, or has none any more."""
        await self.remove(file.id, *file.objects)
