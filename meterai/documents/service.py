"""Documents: keep one, read its bytes, forget it when its time is over.

The bytes are written first and then the row: a row without bytes would name a document that cannot
be read.  What lies in the store without a row (an upload that was refused for want of stamps, or
cut off by a crash) is condemned by `Removal.sweep`.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from meterai.documents import store
from meterai.documents.contents import DocumentContents
from meterai.documents.model import (
    DocumentForgotten,
    DocumentMetadata,
    DocumentUnavailable,
    clean_name,
    object_name,
)
from meterai.documents.removal import Removal
from meterai.documents.settings import DocumentSettings
from meterai.documents.timeline import Timeline
from meterai.kit.clock import Clock
from meterai.plumbing.db.database import Database, Tx
from meterai.plumbing.objects import ObjectStore, ObjectUnreadable

BATCH = 100  # documents forgotten in one run

_log = structlog.get_logger()


async def keep_longer(tx: Tx, account: UUID, sha256: Sequence[bytes], until: datetime) -> bool:
    """Keep documents at least until then; false where one of them was forgotten."""
    return await store.keep_longer(tx, account, sha256, until)


class DocumentService:
    """Takes documents in, reads them, and forgets them when their time is over."""

    def __init__(
        self,
        database: Database,
        objects: ObjectStore,
        settings: DocumentSettings,
        clock: Clock,
        timeline: Timeline,
        removal: Removal,
        contents: DocumentContents,
    ) -> None:
        self._database = database
        self._objects = objects
        self._kept_seconds = settings.document_kept_seconds
        self._clock = clock
        self._timeline = timeline
        self._removal = removal
        self._contents = contents

    async def check_writable(self) -> None:
        """Refuses `StoreNotOurs` where the bytes of a document would lie in another store."""
        await self._timeline.check_writable()

    def put_from_thread(self, account: UUID, sha256: bytes, content: bytes) -> None:
        """Keep the bytes of a document, before its row.  It was inspected.  Waits for the disk."""
        self._objects.put_from_thread(object_name(account, sha256), content)

    def metadata(
        self, name: str | None, content: bytes, pages: int, *, wanted_seconds: float
    ) -> DocumentMetadata:
        """What the row of a document will say, and until when it is kept from now on.

        `wanted_seconds` is how long it may be before its stamping ends; it is kept that long.
        """
        until = self._clock.now() + timedelta(seconds=max(self._kept_seconds, wanted_seconds))
        return DocumentMetadata(clean_name(name), len(content), pages, until)

    def content_from_thread(self, account: UUID, sha256: bytes) -> bytes | None:
        """The bytes of a document, for whoever is in a thread of its own already; None where `content` would have to
        say why not.
        """
        try:
            return self._objects.get_from_thread(object_name(account, sha256))
        except (ObjectUnreadable, OSError):
            return None

    async def content(self, account: UUID, sha256: bytes) -> bytes:
        """The bytes of a document.  Refuses `DocumentForgotten`, `DocumentUnavailable`."""
        name = object_name(account, sha256)
        try:
            found = await self._objects.get(name)
        except (ObjectUnreadable, OSError) as fault:
            _log.error("object_unreadable", object=name, fault=repr(fault))
            found = None
        if found is not None:
            return found
        # Only the row says that it was forgotten: a missing object may lie on another machine.
        if not await self._database.once(store.is_kept, account, sha256):
            raise DocumentForgotten("the original is not kept any more")
        raise DocumentUnavailable("the original is not in this store")

    # -- periodic tasks ----------------------------------------------------------------------------

    async def forget_old(self) -> int:
        """Periodic task: forget what was kept long enough, and condemn its bytes."""

        async def act(tx: Tx) -> int:
            found = await store.forget(tx, self._clock.now(), BATCH)
            if found:
                await self._removal.condemn(tx, [one.object for one in found], self._contents.grace)
            return len(found)

        return await self._database.run(act)
