"""Documents: store a document, read its bytes, forget it at the end of its retention.

The bytes are written before the row, since a row without bytes would name an unreadable document.  If an upload is refused for
lack of stamps, or cut off by a crash, its bytes have no row; `Removal.sweep` condemns them.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from meterai.documents import store
from meterai.documents.contents import DocumentContents
from meterai.documents.model import (
    DocumentForgotten,
    DocumentMetadata,
    DocumentUnavailable,
    clean_name,
    object_name,
)
from meterai.documents.settings import DocumentSettings
from meterai.kit.clock import Clock
from meterai.plumbing.db.database import Database, Tx

BATCH = 100  # documents forgotten in one run


async def keep_longer(tx: Tx, account: UUID, sha256: Sequence[bytes], until: datetime) -> bool:
    """Keep documents of an account at least until a time; False if one of them is unknown or marked as forgotten."""
    return await store.keep_longer(tx, account, sha256, until)


class DocumentService:
    """Stores documents, reads them, and forgets them at the end of their retention."""

    def __init__(
        self,
        database: Database,
        contents: DocumentContents,
        settings: DocumentSettings,
        clock: Clock,
    ) -> None:
        self._database = database
        self.contents = contents
        self._kept_seconds = settings.document_kept_seconds
        self._clock = clock

    def metadata(
        self, name: str | None, size: int, pages: int, *, wanted_seconds: float
    ) -> DocumentMetadata:
        """Return the metadata of a new document of `size` bytes; its retention begins now.

        `wanted_seconds` is the longest time until its stamping ends; the document is kept at least that long.
        """
        until = self._clock.now() + timedelta(seconds=max(self._kept_seconds, wanted_seconds))
        return DocumentMetadata(clean_name(name), size, pages, until)

    async def kept(self, account: UUID, sha256: Sequence[bytes]) -> set[bytes]:
        """Return those of these documents that this account has and that are not forgotten.

        Bytes are shared by all accounts with the same document. So only this answer tells whether an account may use them.
        """
        return await self._database.once(store.kept, account, sha256)

    def content_from_thread(self, account: UUID, sha256: bytes) -> bytes:
        """Return the bytes of a document that is `kept`, called in a thread.  Refuses `DocumentUnavailable`."""
        return self.contents.read_from_thread(sha256, object_name(account, sha256))

    async def content(self, account: UUID, sha256: bytes) -> bytes:
        """Return the bytes of a document.  Refuses `DocumentForgotten`, `DocumentUnavailable`."""
        try:
            return await self.contents.get(sha256, object_name(account, sha256))
        except DocumentUnavailable:
            # Only the row tells whether the document was forgotten: a missing object may be on another machine.
            if not await self.kept(account, [sha256]):
                raise DocumentForgotten("the original is no longer kept") from None
            raise

    # -- periodic tasks ----------------------------------------------------------------------------

    async def forget_old(self) -> int:
        """Periodic task: forget documents at the end of their retention, and condemn their bytes; returns their number."""

        async def act(tx: Tx) -> int:
            found = await store.forget(tx, self._clock.now(), BATCH)
            if found:
                digests, old = zip(*((one.sha256, one.object) for one in found), strict=True)
                await self.contents.let_go(tx, digests, self.contents.grace, old)
            return len(found)

        return await self._database.run(act)
