"""Contents: the bytes of documents, each stored once under its SHA-256 for all rooms and accounts.

A content has no owner of its own: rows of rooms want it, and it leaves the store when none does.  Its bytes are
written first and then the row that wants it, at most `UNCLAIMED_AFTER` later.  A row of one room may take a content over
from a row of another without its bytes, in a transaction that ends while the other row still wants it.

No caller reads a content by a digest that a client sends: each read begins at a row of the reader.
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
    """Stores contents, reads them, and releases them."""

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
        # Bytes may be written again while their row is forgotten; the new row follows so much later.
        self.grace = max(timedelta(seconds=settings.document_grace_seconds), UNCLAIMED_AFTER)
        removal.add(Keeper(self.grace, lambda name: bool(_CONTENT.fullmatch(name)), self._wanted))
        # Written by the previous release.
        removal.add(Keeper(self.grace, lambda name: named_by(name) is not None, self._wanted_old))

    @property
    def owners(self) -> Mapping[str, str]:
        """Rooms whose rows want contents, each with its query."""
        return dict(self._owners)

    def add_owner(self, room: str, query: str) -> None:
        """Register the query of a room for its wanted contents: it takes an array of digests and selects the wanted ones
        as `sha256`.
        """
        self._owners[room] = query

    async def check_writable(self) -> None:
        """Refuse `StoreNotOurs` if bytes would be written into another store."""
        await self._timeline.check_writable()

    async def put(self, sha256: bytes, content: bytes) -> None:
        """Store a content; the row that wants it follows.  Refuses `StoreNotOurs`."""
        await self.check_writable()
        await self._objects.put(content_name(sha256), content)

    def put_from_thread(self, sha256: bytes, content: bytes) -> None:
        """Store a content from a thread, after `check_writable`.  Waits for the disk.

        An existing one is written again: its time shows that a row may follow.
        """
        self._objects.put_from_thread(content_name(sha256), content)

    async def get(self, sha256: bytes, old_name: str | None = None) -> bytes:
        """Return a content; one of the previous release is read by its old name.

        Refuses `DocumentUnavailable`.
        """
        return await asyncio.to_thread(self.read_from_thread, sha256, old_name)

    def read_from_thread(self, sha256: bytes, old_name: str | None = None) -> bytes:
        """Return a content from a thread."""
        name, found = content_name(sha256), None
        try:
            found = self._objects.get_from_thread(name)
            if found is None and old_name is not None:
                found = self._objects.get_from_thread(old_name)
        except (ObjectUnreadable, OSError) as fault:
            _log.error("object_unreadable", object=name, fault=repr(fault))
        if found is None:
            raise DocumentUnavailable("it is not in this store")
        return found

    async def check_stored(self, sha256: Sequence[bytes]) -> None:
        """Refuse `DocumentUnavailable` if one of these contents is not in this store.  No byte is read."""
        await asyncio.to_thread(self.check_stored_from_thread, sha256)

    def check_stored_from_thread(self, sha256: Sequence[bytes]) -> None:
        """Check from a thread that these contents are in this store."""
        if not all(self._objects.has_from_thread(content_name(one)) for one in sha256):
            raise DocumentUnavailable("it is not in this store")

    async def let_go(
        self,
        tx: Tx,
        sha256: Sequence[bytes],
        grace: timedelta = UNCLAIMED_AFTER,
        old_names: Sequence[str] = (),
    ) -> None:
        """Condemn contents that a row no longer wants, in the transaction that changes the row.

        Another row may still want them, or begin to want them during the grace period.  A grace shorter than
        `UNCLAIMED_AFTER` would delete bytes whose row is about to be written.
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
