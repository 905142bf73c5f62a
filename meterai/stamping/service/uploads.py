"""Intake of uploads: examines documents, repairs broken ones, and stores their bytes."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from meterai import sealing
from meterai.documents import (
    DocumentMetadata,
    DocumentService,
    DocumentSettings,
)
from meterai.kit.clock import Clock
from meterai.kit.ids import new_id
from meterai.kit.refusal import Malformed
from meterai.orders import OrderSettings
from meterai.plumbing.config import Settings
from meterai.sealing import HashedDocument, Issuers, Placement, PlacementWish, PreparedDocument
from meterai.stamping.model import DocumentTwice, KnownContent, Upload, request_hash
from meterai.stamping.settings import StampingSettings

INGESTED_AT_ONCE = 4  # per process; each waits for the disk as long as it computes
# Trial placement for a document whose placements must be searched: a stamp must fit on its last page.
_PROBE = Placement(sealing.LAST_PAGE, 0.0, 0.0, sealing.WIDTH_MIN)
EXAMINED_AT_ONCE = 1  # processes of each pool, for examinations that exceed a first look


@dataclass(frozen=True, slots=True)
class StoredUpload:
    """A stored upload that can be stamped, repaired if it was broken, with the SHA-256 of its bytes.

    For known content `prepared` and `hashed` are None, and the bytes are read when the document is sealed.
    """

    upload: Upload
    placements: tuple[Placement, ...]
    sha256: bytes
    about: DocumentMetadata
    prepared: PreparedDocument | None = None
    hashed: HashedDocument | None = None
    stamping: UUID = field(default_factory=new_id)  # unless an existing stamping is found

    @property
    def request(self) -> bytes:
        return request_hash(self.sha256, self.placements)


class UploadIngestion:
    """Examines uploads and stores their bytes; only a few uploads are examined at the same time."""

    def __init__(
        self,
        documents: DocumentService,
        issuers: Issuers,
        settings: Settings,
        clock: Clock,
        payable_seconds: float,
    ) -> None:
        self._documents = documents
        self._issuers = issuers
        self._per_order_max = settings.of(StampingSettings).stampings_per_order_max
        self._bytes_max = settings.of(DocumentSettings).document_bytes_max
        sale = settings.of(OrderSettings)
        # Longest time until an order of a document is paid and executed.
        self._wanted_seconds = payable_seconds + sale.documents_due_seconds
        self._clock = clock
        self._ingesting = sealing.Slots(INGESTED_AT_ONCE)
        # Separate pools: uploads from accounts with stamps must not wait behind those for orders, which may never be paid.
        self._for_payers = sealing.Pool(EXAMINED_AT_ONCE, nice=sealing.NICE_OF_BUYERS)
        self._for_orders = sealing.Pool(EXAMINED_AT_ONCE, nice=sealing.NICE_OF_BUYERS)

    async def ingest(
        self,
        account: UUID,
        document: bytes,
        placements: Sequence[Placement],
        may: sealing.Permission | None = None,
    ) -> PreparedDocument:
        """Examine a document before a payment, repair it if it is broken, and return the document to be stamped.

        `may` is called before any costly work, and may refuse. Refuses what `sealing` refuses.
        """
        self._check_size(len(document))
        work = self._inspecting(document, placements)
        return await self._pool(may).finish(work, str(account), self._ingesting, may)

    async def store_all(
        self, account: UUID, uploads: Sequence[Upload], may: sealing.Permission | None = None
    ) -> list[StoredUpload]:
        """Examine and store each document of one request, as `store` does.

        Refuses `Malformed`, `DocumentTwice`, and `DocumentUnavailable` if known content is not in the store.
        """
        most = self._per_order_max
        if not 1 <= len(uploads) <= most:
            raise Malformed("document", "documents", documents_max=most)
        taken: dict[bytes, StoredUpload] = {}
        for upload in uploads:
            one = await self.store(account, upload, may)
            first = taken.setdefault(one.sha256, one)
            if first is not one:
                raise DocumentTwice(name=one.about.name, same_as=first.about.name)
        if known := [one.sha256 for one in taken.values() if one.prepared is None]:
            await self._documents.contents.check_stored(known)
        return list(taken.values())

    async def store(
        self, account: UUID, upload: Upload, may: sealing.Permission | None = None
    ) -> StoredUpload:
        """Examine a document and store its bytes. The caller writes the database row of the document.

        `may` is called before any costly work, and may refuse. Known content is read and examined again only if the rules of
        examination have changed since the last time. Refuses `StoreNotOurs`, and what `sealing` refuses.
        """
        self._check_size(upload.size)
        await self._documents.contents.check_writable()
        content = upload.content
        if isinstance(content, KnownContent) and content.rules == sealing.RULES:
            return self._known(upload, content)
        work = self._storing(upload)
        return await self._pool(may).finish(work, str(account), self._ingesting, may)

    def _pool(self, may: sealing.Permission | None) -> sealing.Pool:
        return self._for_orders if may is None else self._for_payers

    def _known(self, upload: Upload, content: KnownContent) -> StoredUpload:
        placements = tuple(one for one in upload.wishes if isinstance(one, Placement))
        assert len(placements) == len(upload.wishes), upload.wishes
        about = self._documents.metadata(
            upload.name, content.size, content.pages, wanted_seconds=self._wanted_seconds
        )
        return StoredUpload(upload, placements, content.sha256, about)

    def _storing(self, upload: Upload) -> sealing.Work[StoredUpload]:
        # All in one thread, since switching to a thread costs as much as a step of sealing.
        contents, content = self._documents.contents, upload.content
        if isinstance(content, KnownContent):
            content = contents.read_from_thread(content.sha256, content.old_name)
        prepared, placements = yield from self._placing(content, upload.wishes)
        document = prepared.document
        hashed = HashedDocument.of(document)
        contents.put_from_thread(hashed.sha256, document)
        pages = prepared.inspection.pages
        about = self._documents.metadata(
            upload.name, len(document), pages, wanted_seconds=self._wanted_seconds
        )
        is_repaired = upload.is_repaired or prepared.is_repaired
        kept = replace(upload, content=document, is_repaired=is_repaired)
        return StoredUpload(kept, placements, hashed.sha256, about, prepared, hashed)

    def _placing(
        self, content: bytes, wishes: Sequence[PlacementWish]
    ) -> sealing.Work[tuple[PreparedDocument, tuple[Placement, ...]]]:
        """Return a `Work` that prepares a document for its requested stamps; its result includes the exact placements."""
        exact = tuple(one for one in wishes if isinstance(one, Placement))
        if len(exact) == len(wishes):
            return (yield from self._inspecting(content, exact)), exact
        # A broken document must be repaired before its texts are searched.
        mended = yield from sealing.ingesting(content, exact or (_PROBE,))
        placements = yield from sealing.placing(mended.document, wishes)
        prepared = yield from self._inspecting(mended.document, placements)
        is_repaired = mended.is_repaired or prepared.is_repaired
        return replace(prepared, is_repaired=is_repaired), placements

    def _inspecting(
        self, document: bytes, placements: Sequence[Placement]
    ) -> sealing.Work[PreparedDocument]:
        at = self._clock.now()
        prepared, _ = yield from sealing.examining(document, placements, self._issuers, at)
        return prepared

    def _check_size(self, size: int) -> None:
        limit = self._bytes_max
        if size > limit:
            raise sealing.DocumentTooLarge(size_bytes=size, limit_bytes=limit)
