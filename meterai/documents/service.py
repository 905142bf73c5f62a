"""Documents: keep one, read its bytes, forget it when its time is over.

The bytes are written first and then the row: a row without bytes would name a document that cannot
be read.  What lies in the store without a row (an upload that was refused for want of stamps, or
cut off by a crash) is deleted by `delete_orphans`.
"""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from meterai import audit
from meterai.accounts import NOBODY
from meterai.documents import store
from meterai.documents.model import (
    DocumentForgotten,
    DocumentKey,
    DocumentMetadata,
    DocumentUnavailable,
    clean_name,
    named_by,
    object_name,
)
from meterai.documents.settings import DocumentSettings
from meterai.kit.actor import Actor
from meterai.kit.clock import Clock
from meterai.kit.ids import new_id
from meterai.plumbing.database import Database, Tx
from meterai.plumbing.objects import ObjectStore, ObjectUnreadable, StoreDiffers
from meterai.plumbing.periodic import each

BATCH = 100  # documents forgotten in one run
LOOKED_AT_ONCE = 500  # objects looked at in one run
# Between the bytes of an upload and its row lie seconds, or minutes for many large documents that
# must be mended.  What is younger than this may still get its row.
UNCLAIMED_AFTER = timedelta(hours=1)
MARKER = "store-marker"  # the object that holds the id of the store

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
    ) -> None:
        self._database = database
        self._objects = objects
        self._kept_seconds = settings.document_kept_seconds
        self._clock = clock
        self._looked_to = ""  # the last name that `delete_orphans` saw; empty: it begins

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
        """Periodic task: forget what was kept long enough, and delete its bytes.

        The row first: a crash between the two leaves bytes that `delete_orphans` deletes.
        """
        found = await self._database.once(store.forget, self._clock.now(), BATCH)
        return await each(
            self._database, "forget_documents", found, self._remove_forgotten, subject="sha256"
        )

    async def _remove_forgotten(self, document: DocumentKey) -> None:
        await self._remove(document.object)

    async def delete_orphans(self) -> int:
        """Periodic task: delete what lies in the store and no document wants.

        Goes through the store in the order of names, one piece at a time; says how many objects
        it saw, and none at the end.
        """
        seen = await self._objects.list(self._looked_to, LOOKED_AT_ONCE)
        named = [document for one in seen if (document := named_by(one.name))]
        wanted = set(await self._database.once(store.wanted, named))
        unclaimed = [document for document in named if document not in wanted]
        await each(
            self._database, "sweep_objects", unclaimed, self._remove_unclaimed, subject="object"
        )
        is_end = len(seen) < LOOKED_AT_ONCE
        self._looked_to = "" if is_end else seen[-1].name
        if is_end:
            await self._objects.clear_unfinished(self._long_ago())
        return 0 if is_end else len(seen)

    async def _remove_unclaimed(self, document: DocumentKey) -> None:
        if await self._remove(document.object):
            _log.info("unclaimed_object_deleted", object=document.object)

    async def _remove(self, name: str) -> bool:
        """Delete one object, unless an upload has just written it."""
        return await self._objects.remove(name, self._long_ago())

    def _long_ago(self) -> datetime:
        return self._clock.now() - UNCLAIMED_AFTER

    # -- which store -----------------------------------------------------------------------

    async def check_store(self) -> None:
        """Check that this object store is the one of the database; the first process marks both.
        Refuses `StoreDiffers`.
        """
        known = await self._database.once(store.store_id)
        if known is None:
            # The store first: a crash between the two leaves a mark that the next start takes.
            with suppress(OSError):
                await self._objects.put_new(MARKER, new_id().hex.encode())
            if marker := await self._marker():
                await self._database.once(store.mark_store, marker)
            known = await self._database.once(store.store_id)
        # Read after the row: where there is one, its store carried the mark before.
        marker = await self._marker()
        if known is None or known != marker:
            raise StoreDiffers(self._objects.place)

    async def adopt_store(self, *, actor: Actor) -> None:
        """Make this object store the one of the database, in place of one that is lost for good, as
        an operator.
        """
        marker = new_id()
        # A crash after this leaves a store that is not the database's: it is adopted again.
        await self._objects.put(MARKER, marker.hex.encode())

        async def adopt(tx: Tx) -> None:
            await store.adopt_store(tx, marker)
            await audit.record(
                tx,
                NOBODY,
                actor=actor,
                action="object_store_adopted",
                subject="object_store",
                place=self._objects.place,
            )

        await self._database.run(adopt)

    async def _marker(self) -> UUID | None:
        """The id that our store carries; None where it has none, or not one of our key."""
        try:
            found = await self._objects.get(MARKER)
            return UUID(found.decode()) if found else None
        except (ObjectUnreadable, OSError, ValueError):
            return None
