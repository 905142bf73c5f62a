"""Contents: the bytes of documents, each stored once under its SHA-256 for all rooms and accounts.

A content belongs to no single room or account.  It is kept while a row of any room refers to it ("wants" it), and deleted
afterwards.  The bytes are written first, and the row at most `UNCLAIMED_AFTER` later.  A new row may also refer to a content
that is already stored for a row of another room; the bytes are then not written again.  The transaction of the new row must end
while the other row still refers to the content.

A content is never read by a digest that a client sends, but only by the digest in a row that the client may read.
"""

import asyncio
import re
from collections.abc import Mapping, Sequence
from datetime import timedelta

import structlog

from meterai.documents import store
from meterai.documents.model import DocumentUnavailable, content_name, named_by
from meterai.documents.removal import UNCLAIMED_AFTER, Keeper, Removal
from meterai.documents.settings import DocumentSettings
from meterai.documents.timeline import Timeline
from meterai.plumbing.db.database import Database, Tx
from meterai.plumbing.objects import ObjectStore, ObjectUnreadable

_CONTENT = re.compile(r"[0-9a-f]{64}")
_log = structlog.get_logger()


class DocumentContents:
    """Stores and reads contents (the bytes of documents), and condemns contents that are no longer needed."""

    def __init__(
        self,
        database: Database,
        objects: ObjectStore,
        timeline: Timeline,
        removal: Removal,
        settings: DocumentSettings,
    ) -> None:
        self._database = database
        self._objects = objects
        self._timeline = timeline
        self._removal = removal
        self._owners = {"documents": store.WANTED}
        # Bytes may be written again while the old row is being deleted, and the new row comes up to this much later.
        self.grace = max(timedelta(seconds=settings.document_grace_seconds), UNCLAIMED_AFTER)
        removal.add(Keeper(self.grace, lambda name: bool(_CONTENT.fullmatch(name)), self._wanted))
        # Objects with names of the previous release.
        removal.add(Keeper(self.grace, lambda name: named_by(name) is not None, self._wanted_old))

    @property
    def owners(self) -> Mapping[str, str]:
        """Names of the rooms whose rows refer to contents, each with the query of `add_owner`."""
        return dict(self._owners)

    def add_owner(self, room: str, query: str) -> None:
        """Register a room whose rows refer to contents.

        The query takes an array of digests, and selects (as `sha256`) the digests to which rows of the room refer.
        """
        self._owners[room] = query

    async def check_writable(self) -> None:
        """Check that bytes may be written: the store belongs to this database.  Refuses `StoreNotOurs`."""
        await self._timeline.check_writable()

    async def put(self, sha256: bytes, content: bytes) -> None:
        """Store a content; the caller then writes the row that refers to it.  Refuses `StoreNotOurs`."""
        await self.check_writable()
        await self._objects.put(content_name(sha256), content)

    def put_from_thread(self, sha256: bytes, content: bytes) -> None:
        """Store a content, called in a thread after `check_writable`, since it waits for the disk.

        An existing object is written again: its new time protects it from deletion until the row is written.
        """
        self._objects.put_from_thread(content_name(sha256), content)

    async def get(self, sha256: bytes, old_name: str | None = None) -> bytes:
        """Return the bytes of a content.  `old_name` is the name of its object if the previous release stored it.

        Refuses `DocumentUnavailable`.
        """
        return await asyncio.to_thread(self.read_from_thread, sha256, old_name)

    def read_from_thread(self, sha256: bytes, old_name: str | None = None) -> bytes:
        """Return the bytes of a content like `get`, called in a thread.  Refuses `DocumentUnavailable`."""
        name, found = content_name(sha256), None
        try:
            found = self._objects.get_from_thread(name)
            if found is None and old_name is not None:
                found = self._objects.get_from_thread(old_name)
        except (ObjectUnreadable, OSError) as fault:
            _log.error("object_unreadable", object=name, fault=repr(fault))
        if found is None:
            raise DocumentUnavailable("the object is not in this store")
        return found

    async def check_stored(self, sha256: Sequence[bytes]) -> None:
        """Check that these contents are in this store, without reading them.  Refuses `DocumentUnavailable`."""
        await asyncio.to_thread(self.check_stored_from_thread, sha256)

    def check_stored_from_thread(self, sha256: Sequence[bytes]) -> None:
        """Check like `check_stored`, called in a thread.  Refuses `DocumentUnavailable`."""
        if not all(self._objects.has_from_thread(content_name(one)) for one in sha256):
            raise DocumentUnavailable("the object is not in this store")

    async def let_go(
        self,
        tx: Tx,
        sha256: Sequence[bytes],
        grace: timedelta = UNCLAIMED_AFTER,
        old_names: Sequence[str] = (),
    ) -> None:
        """Condemn contents to deletion after a row no longer refers to them, in the transaction that changes the row.

        A content is not deleted if another row refers to it, now or at the end of the grace period.  The grace period is at
        least `UNCLAIMED_AFTER`, since a row may be about to be written.
        """
        assert grace >= UNCLAIMED_AFTER, grace
        names = [content_name(one) for one in sha256]
        await self._removal.condemn(tx, [*names, *old_names], grace)

    async def _wanted(self, names: Sequence[str]) -> set[str]:
        digests = [bytes.fromhex(name) for name in names]
        found = await self._database.once(
            store.wanted_contents, list(self._owners.values()), digests
        )
        return {content_name(one) for one in found}

    async def _wanted_old(self, names: Sequence[str]) -> set[str]:
        named = [document for name in names if (document := named_by(name))]
        return {one.object for one in await self._database.once(store.wanted, named)}
