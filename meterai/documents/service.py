"""Documents: store one, read its bytes, forget it when its time is over.

The bytes are written first and then the row: a row without bytes would name an unreadable
document.  `Removal.sweep` condemns bytes without a row (an upload that was refused for lack of stamps, or
cut off by a crash).
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
    """Keep documents at least until then; false if one of them was forgotten."""
    return await store.keep_longer(tx, account, sha256, until)


class DocumentService:
    """Stores documents, reads them, and forgets them when their time is over."""

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
        """Return the values of the row of a document of `size` bytes, with the time until which it is kept from now on.

        `wanted_seconds` is the longest time until its stamping ends; the document is kept that long.
        """
        until = self._clock.now() + timedelta(seconds=max(self._kept_seconds, wanted_seconds))
        return DocumentMetadata(clean_name(name), size, pages, until)

    def content_from_thread(self, account: UUID, sha256: bytes) -> bytes:
        """Return the bytes of a document, from a thread.  Refuses `DocumentUnavailable`, also for a forgotten one."""
        return self.contents.read_from_thread(sha256, object_name(account, sha256))

    async def content(self, account: UUID, sha256: bytes) -> bytes:
        """Return the bytes of a document.  Refuses `DocumentForgotten`, `DocumentUnavailable`."""
        try:
            return await self.contents.get(sha256, object_name(account, sha256))
        except DocumentUnavailable:
            # Only the row tells that it was forgotten: a missing object may be on another machine.
            if not await self._database.once(store.is_kept, account, sha256):
                raise DocumentForgotten("the original is not kept any more") from None
            raise

    # -- periodic tasks ----------------------------------------------------------------------------

    async def forget_old(self) -> int:
        """Periodic task: forget documents whose time is over, and condemn their bytes."""

        async def act(tx: Tx) -> int:
            found = await store.forget(tx, self._clock.now(), BATCH)
            if found:
                digests, old = zip(*((one.sha256, one.object) for one in found), strict=True)
                await self.contents.let_go(tx, digests, self.contents.grace, old)
            return len(found)

        return await self._database.run(act)
