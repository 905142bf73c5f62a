"""Commands and queries of documents."""

from datetime import timedelta
from uuid import UUID

from meterai.documents import store
from meterai.documents.model import (
    Document,
    DocumentForgotten,
    Particulars,
    clean_name,
    object_name,
)
from meterai.kit.clock import Clock
from meterai.kit.refusal import NotFound
from meterai.plumbing.config import Settings
from meterai.plumbing.database import Database, Row, Tx
from meterai.plumbing.objects import ObjectStore
from meterai.plumbing.rounds import each

BATCH = 100


async def load(tx: Tx, account: UUID, sha256: bytes) -> Document:
    """One document of this account.  Refuses `NotFound`."""
    row = await store.document(tx, account, sha256)
    if row is None:
        raise NotFound("no such document of this account")
    return Document(
        row["account_id"],
        row["sha256"],
        row["name"],
        row["bytes"],
        row["kept_until"],
        row["forgotten_at"] is not None,
    )


class DocumentDesk:
    """Takes documents in, hands them out, forgets them."""

    def __init__(
        self, database: Database, objects: ObjectStore, settings: Settings, clock: Clock
    ) -> None:
        self._database = database
        self._objects = objects
        self._settings = settings
        self._clock = clock

    def put_from_thread(self, account: UUID, sha256: bytes, content: bytes) -> None:
        """Keep the bytes of a document.  It was inspected before.  Waits for the disk.

        The bytes first, then the row: a row without bytes would be a promise we cannot keep;
        bytes without a row are swept with the next upload of the same document or by nobody's
        loss.
        """
        self._objects.put_from_thread(object_name(account, sha256), content)

    def particulars(self, name: str | None, content: bytes, pages: int) -> Particulars:
        """What the row of a document will say, and until when it is kept from now on."""
        # Never shorter than an order of it may take to be paid and executed.
        needed = self._settings.order_lapses_seconds + self._settings.documents_due_seconds
        life = max(self._settings.document_kept_seconds, needed)
        until = self._clock.now() + timedelta(seconds=life)
        return Particulars(clean_name(name), len(content), pages, until)

    async def keep(self, account: UUID, sha256: bytes, about: Particulars) -> None:
        """Write the row of a document whose bytes are kept."""
        await self._database.call(store.KEEP, account, sha256, *about)

    async def content(self, account: UUID, sha256: bytes) -> bytes:
        """The bytes of a document.  Refuses `DocumentForgotten`."""
        found = await self._objects.get(object_name(account, sha256))
        if found is None:
            raise DocumentForgotten("the original is not kept any more")
        return found

    async def forget_old(self) -> int:
        """Round: delete the bytes whose time is over."""
        now = self._clock.now()
        rows = await self._database.read(store.TO_FORGET, now, BATCH)
        return await each(self._database, "forget_documents", rows, self._forget, subject="sha256")

    async def _forget(self, row: Row) -> None:
        now = self._clock.now()
        await self._objects.forget(object_name(row["account_id"], row["sha256"]))
        await self._database.call(store.FORGOTTEN, now, row["account_id"], row["sha256"], now)
