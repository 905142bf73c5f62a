"""Take uploads in: inspect a document, repair it where it is broken, and keep its bytes."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from meterai import sealing
from meterai.documents import DocumentMetadata, DocumentService, DocumentSettings
from meterai.kit.clock import Clock
from meterai.kit.ids import new_id
from meterai.kit.refusal import Malformed
from meterai.orders import OrderSettings
from meterai.plumbing.config import Settings
from meterai.sealing import HashedDocument, Issuers, Placement, PreparedDocument
from meterai.stamping.model import DocumentTwice, Upload, request_hash
from meterai.stamping.settings import StampingSettings

INGESTED_AT_ONCE = 4  # per process; each waits for the disk as long as it works
# Of a document whose placements are to be found: whether its last page takes a stamp at all.
_PROBE = Placement(sealing.LAST_PAGE, 0.0, 0.0, sealing.WIDTH_MIN)
EXAMINED_AT_ONCE = 1  # beside this process, of each pool: what is broken, or was signed later


@dataclass(frozen=True, slots=True)
class StoredUpload:
    """An upload that can be stamped, repaired where it was broken, and the hash of its bytes."""

    upload: Upload
    placements: tuple[Placement, ...]
    prepared: PreparedDocument
    hashed: HashedDocument
    about: DocumentMetadata
    stamping: UUID = field(default_factory=new_id)  # the one it gets, if it gets one of its own

    @property
    def sha256(self) -> bytes:
        return self.hashed.sha256

    @property
    def request(self) -> bytes:
        return request_hash(self.sha256, self.placements)


class UploadIngestion:
    """Inspects uploads and keeps their bytes, a few at once."""

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
        # An order of a document may take so long to be paid, and then to be executed.
        self._wanted_seconds = payable_seconds + sale.documents_due_seconds
        self._clock = clock
        self._ingesting = sealing.Slots(INGESTED_AT_ONCE)
        # Uploads of an account that holds stamps do not wait behind those of orders, which may never be paid.
        self._for_payers = sealing.Pool(EXAMINED_AT_ONCE, nice=sealing.NICE_OF_BUYERS)
        self._for_orders = sealing.Pool(EXAMINED_AT_ONCE, nice=sealing.NICE_OF_BUYERS)

    async def ingest(
        self,
        account: UUID,
        document: bytes,
        placements: Sequence[Placement],
        may: sealing.Permission | None = None,
    ) -> PreparedDocument:
        """What a document is, before anybody pays for it; a broken one is mended.

        `may` is asked before that costs anything.  Refuses what `sealing` does.
        """
        self._check_size(document)
        work = self._inspecting(document, placements)
        return await self._pool(may).finish(work, str(account), self._ingesting, may)

    async def store_all(
        self, account: UUID, uploads: Sequence[Upload], may: sealing.Permission | None = None
    ) -> list[StoredUpload]:
        """The documents of one request.  Refuses `Malformed`, `DocumentTwice`."""
        most = self._per_order_max
        if not 1 <= len(uploads) <= most:
            raise Malformed("document", "documents", documents_max=most)
        taken: dict[bytes, StoredUpload] = {}
        for upload in uploads:
            one = await self.store(account, upload, may)
            first = taken.setdefault(one.sha256, one)
            if first is not one:
                raise DocumentTwice(name=one.about.name, same_as=first.about.name)
        return list(taken.values())

    async def store(
        self, account: UUID, upload: Upload, may: sealing.Permission | None = None
    ) -> StoredUpload:
        """Take a document in and keep its bytes; its row is for the caller to write.

        Refuses `StoreNotOurs`.
        """
        self._check_size(upload.content)
        await self._documents.contents.check_writable()
        work = self._storing(account, upload)
        return await self._pool(may).finish(work, str(account), self._ingesting, may)

    def _pool(self, may: sealing.Permission | None) -> sealing.Pool:
        return self._for_orders if may is None else self._for_payers

    def _storing(self, account: UUID, upload: Upload) -> sealing.Work[StoredUpload]:
        # All in one go: every change to another thread costs as much as a step of the sealing.
        prepared, placements = yield from self._placing(upload)
        document = prepared.document
        hashed = HashedDocument.of(document)
        self._documents.contents.put_from_thread(hashed.sha256, document)
        about = self._documents.metadata(
            upload.name,
            len(document),
            prepared.inspection.pages,
            wanted_seconds=self._wanted_seconds,
        )
        is_repaired = upload.is_repaired or prepared.is_repaired
        kept = replace(upload, content=document, is_repaired=is_repaired)
        return StoredUpload(kept, placements, prepared, hashed, about)

    def _placing(
        self, upload: Upload
    ) -> sealing.Work[tuple[PreparedDocument, tuple[Placement, ...]]]:
        """The document with its stamps where they were wished."""
        wishes = upload.wishes
        exact = tuple(one for one in wishes if isinstance(one, Placement))
        if len(exact) == len(wishes):
            return (yield from self._inspecting(upload.content, exact)), exact
        # A broken document is mended before it is searched.
        mended = yield from sealing.ingesting(upload.content, exact or (_PROBE,))
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

    def _check_size(self, document: bytes) -> None:
        limit = self._bytes_max
        if len(document) > limit:
            raise sealing.DocumentTooLarge(size_bytes=len(document), limit_bytes=limit)
