"""Stamping of many documents from a balance, each with a separate outcome: the steps of the work on a batch.

The caller takes the steps of `StampingService` with several documents at once:

1. `take_in`: documents are examined and their bytes are stored, before the placements of their stamps are known;
2. `prepare`: the stored bytes are read, and the stamps are placed; nothing is reserved yet;
3. `reserve` (in a transaction of the caller): holds the stamps and binds the serials of prepared documents;
4. `seal`: outside any transaction;
5. `deliver` (in a transaction of the caller).

If a process dies between steps 3 and 5, the stampings stay reserved, and `StampingService.resume` completes them. Each step
handles all its documents in one thread, since switching to a thread costs as much as sealing.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple, TypeVar
from uuid import UUID

from meterai import sealing
from meterai.documents import (
    DocumentForgotten,
    DocumentMetadata,
    DocumentService,
    DocumentUnavailable,
)
from meterai.kit.clock import Clock
from meterai.kit.ids import new_id
from meterai.kit.refusal import Refusal
from meterai.kit.serial import Serial
from meterai.orders import OrderSettings
from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import Database, Tx
from meterai.plumbing.threads import to_the_end
from meterai.sealing import (
    Delta,
    HashedDocument,
    Issuers,
    Placement,
    PlacementWish,
    PreparedDocument,
    Stamp,
)
from meterai.stamping import store
from meterai.stamping.facts import NO_FACTS, DocumentFacts
from meterai.stamping.metrics import SEALS
from meterai.stamping.model import KnownContent, placements_json, request_hash
from meterai.stamping.settings import StampingSettings
from meterai.stamps import SerialService

Result = TypeVar("Result")
EXAMINED_AT_ONCE = 1  # separate processes, for broken documents and text searches
STEPS_AT_ONCE = 2  # threads of this process that examine, place or seal
CHECK_PATH = "/c/"  # path in every printed QR code, so it must never change
# Trial placements for a document whose placements are not known yet; a stamp must fit at one of them.
_PROBES = (
    Placement(sealing.LAST_PAGE, 0.0, 0.0, sealing.WIDTH_MIN),
    Placement(1, 0.0, 0.0, sealing.WIDTH_MIN),
)


@dataclass(frozen=True, slots=True)
class TakenIn:
    """A document that can be stamped and whose bytes are stored. The caller writes the database row of the document."""

    sha256: bytes
    about: DocumentMetadata
    is_repaired: bool


@dataclass(frozen=True, slots=True)
class RowWish:
    """A stored document, by its SHA-256, with the requested placements of its stamps and its facts."""

    sha256: bytes
    wishes: tuple[PlacementWish, ...]
    is_repaired: bool = False
    facts: DocumentFacts = NO_FACTS


@dataclass(frozen=True, slots=True)
class ReadyRow:
    """A document that can be stamped at the requested placements, with serials and the id of its new stamping."""

    sha256: bytes
    placements: tuple[Placement, ...]
    prepared: PreparedDocument
    hashed: HashedDocument
    serials: tuple[Serial, ...]
    is_repaired: bool
    facts: DocumentFacts = NO_FACTS
    stamping: UUID = field(default_factory=new_id)

    @property
    def wanted(self) -> dict[str, object]:
        """JSON object for the database function `stampings_reserve_each`."""
        return {
            "stamping": str(self.stamping),
            "request": request_hash(self.sha256, self.placements).hex(),
            "sha256": self.sha256.hex(),
            "placements": placements_json(self.placements),
            "serials": [serial.text for serial in self.serials],
            "is_repaired": self.is_repaired,
        }


class RowStamping:
    """Stamps many documents from a balance, in five steps: `take_in`, `prepare`, `reserve`, `seal`, `deliver`."""

    def __init__(
        self,
        database: Database,
        documents: DocumentService,
        serials: SerialService,
        issuers: Issuers,
        settings: Settings,
        clock: Clock,
    ) -> None:
        self._database = database
        self._documents = documents
        self._serials = serials
        self._issuers = issuers
        self._settings = settings.of(StampingSettings)
        self._due_seconds = settings.of(OrderSettings).stamps_due_seconds
        self._process = settings.process
        self._clock = clock
        self._steps = sealing.Slots(STEPS_AT_ONCE)
        self._apart = sealing.Pool(EXAMINED_AT_ONCE, nice=sealing.NICE_OF_BUYERS)

    @property
    def lease_seconds(self) -> float:
        """Seconds without a renewed lease after which another process continues a reserved stamping."""
        return self._settings.seal_lease_seconds

    # -- documents -------------------------------------------------------------------------

    async def take_in(
        self,
        account: UUID,
        files: Sequence[tuple[str, bytes | KnownContent]],
        *,
        wanted_seconds: float,
    ) -> list[TakenIn | Refusal]:
        """Examine documents (name and bytes) separately, and store their bytes.

        `wanted_seconds` is the longest time until the documents are stamped; they are kept at least that long. Known content is
        read and examined again only if the rules of examination have changed since the last time. Refuses `StoreNotOurs`.
        """
        await self._documents.contents.check_writable()
        works = [
            partial(self._take_in_work, name, content, wanted_seconds) for name, content in files
        ]
        return await self._finish_all(account, works)

    def _take_in_work(
        self, name: str, content: bytes | KnownContent, wanted_seconds: float
    ) -> sealing.Work[TakenIn]:
        contents = self._documents.contents
        if isinstance(content, KnownContent) and content.rules == sealing.RULES:
            contents.check_stored_from_thread([content.sha256])
            about = self._documents.metadata(
                name, content.size, content.pages, wanted_seconds=wanted_seconds
            )
            return TakenIn(content.sha256, about, is_repaired=False)
        if isinstance(content, KnownContent):
            content = contents.read_from_thread(content.sha256, content.old_name)
        if len(content) > sealing.DOCUMENT_BYTES_MAX:
            raise sealing.DocumentTooLarge(
                size_bytes=len(content), limit_bytes=sealing.DOCUMENT_BYTES_MAX
            )
        prepared = yield from self._probe_placements(content)
        hashed = HashedDocument.of(prepared.document)
        contents.put_from_thread(hashed.sha256, prepared.document)
        pages = prepared.inspection.pages
        about = self._documents.metadata(
            name, len(prepared.document), pages, wanted_seconds=wanted_seconds
        )
        return TakenIn(hashed.sha256, about, prepared.is_repaired)

    def _probe_placements(self, content: bytes) -> sealing.Work[PreparedDocument]:
        at, first = self._clock.now(), None
        for probe in _PROBES:
            try:
                prepared, _ = yield from sealing.examining(content, (probe,), self._issuers, at)
            except (sealing.PlacementOutsidePage, sealing.PlacementOnStamp) as refusal:
                first = first or refusal
            else:
                return prepared
        assert first is not None
        raise first

    async def prepare(self, account: UUID, rows: Sequence[RowWish]) -> list[ReadyRow | Refusal]:
        """Read stored documents and find exact placements for their stamps; return a result or a refusal for each document.

        New serials are made for the stamps, but not yet bound to them.
        """
        serials = [await self._serials.serials(len(row.wishes)) for row in rows]
        kept = await self._documents.kept(account, [row.sha256 for row in rows])
        works = [
            partial(self._prepare_work, account, *pair, is_kept=pair[0].sha256 in kept)
            for pair in zip(rows, serials, strict=True)
        ]
        found = await self._finish_all(account, works)
        for at, (row, one) in enumerate(zip(rows, found, strict=True)):
            if isinstance(one, DocumentUnavailable):
                try:  # read once more, to find the exact reason
                    await self._documents.content(account, row.sha256)
                except Refusal as refusal:
                    found[at] = refusal
        return found

    def _prepare_work(
        self, account: UUID, row: RowWish, serials: Sequence[Serial], *, is_kept: bool
    ) -> sealing.Work[ReadyRow]:
        if not is_kept:
            raise DocumentForgotten("the original is no longer kept")
        content = self._documents.content_from_thread(account, row.sha256)
        placements = yield from sealing.placing(content, row.wishes)
        prepared = yield from sealing.accepting(content, placements)
        return ReadyRow(
            row.sha256,
            placements,
            prepared,
            HashedDocument.of(content),
            tuple(serials),
            row.is_repaired,
            row.facts,
        )

    async def _finish_all(
        self, account: UUID, works: Sequence[Callable[[], sealing.Work[Result]]]
    ) -> list[Result | Refusal]:
        """Run each of these works; return for each its result or refusal.

        First all works that need no separate process run in one thread. Then the others run, one by one.
        """
        async with self._steps.one(str(account)):
            found = await to_the_end(partial(_run_all_inline, works))
        return [
            await self._finish(account, work) if isinstance(one, _NeedsProcess) else one
            for work, one in zip(works, found, strict=True)
        ]

    async def _finish(
        self, account: UUID, work: Callable[[], sealing.Work[Result]]
    ) -> Result | Refusal:
        try:
            return await self._apart.finish(work(), str(account), self._steps)
        except Refusal as refusal:
            return refusal

    # -- the steps of the caller's transactions ----------------------------------------------

    async def reserve(
        self, tx: Tx, account: UUID, rows: Sequence[ReadyRow]
    ) -> Mapping[UUID, tuple[UUID, bool]]:
        """Hold the stamps of documents and bind their serials.

        The result maps the id of each requested stamping to the id of the reserved stamping, together with True if that
        stamping is new. It is not new if the same document with the same placements already had an unfinished stamping. A
        stamping that is missing in the result has to be requested again. Refuses `NotEnoughStamps`, and then reserves nothing.
        """
        if not rows:
            return {}
        return await store.reserve_each(
            tx,
            account,
            [row.wanted for row in rows],
            due_seconds=self._due_seconds,
            lease_seconds=self.lease_seconds,
            facts={row.stamping: row.facts for row in rows},
        )

    async def seal(
        self, account: UUID, rows: Sequence[ReadyRow]
    ) -> tuple[Mapping[UUID, Delta], Mapping[UUID, Refusal]]:
        """Seal reserved documents.

        Returns the deltas, and the refusals of documents that cannot be sealed, both by the id of the stamping. A document is
        in neither mapping if sealing is unavailable now (`SealingUnavailable`); its stamping is resumed later.
        """
        sealed: dict[UUID, Delta] = {}
        refused: dict[UUID, Refusal] = {}
        async with self._steps.one(str(account)):
            for row, found in await to_the_end(lambda: list(self._sealed(rows))):
                if isinstance(found, Delta):
                    sealed[row.stamping] = found
                elif not isinstance(found, sealing.SealingUnavailable):
                    refused[row.stamping] = found
        return sealed, refused

    def _sealed(self, rows: Sequence[ReadyRow]) -> Iterator[tuple[ReadyRow, Delta | Refusal]]:
        issuer = self._issuers.current
        for row in rows:
            pairs = zip(row.serials, row.placements, strict=True)
            try:
                with SEALS.time():
                    delta = sealing.seal(
                        row.prepared,
                        [Stamp(*pair) for pair in pairs],
                        issuer,
                        at=self._clock.now(),
                        check_url=f"{self._process.url}{CHECK_PATH}",
                        specimen=not self._process.is_production,
                        hashed=row.hashed,
                    )
            except Refusal as refusal:
                yield row, refusal
            else:
                yield row, delta

    async def deliver(self, tx: Tx, account: UUID, deltas: Mapping[UUID, Delta]) -> set[UUID]:
        """Deliver stampings: store their deltas and mark the held stamps as affixed.

        Returns the ids of the stampings that this call delivered.
        """
        return await store.deliver_each(tx, account, deltas)

    async def fail(self, account: UUID, stamping: UUID, refusal: Refusal) -> None:
        """Fail a reserved stamping: give back its stamps, and store the code of the refusal."""
        await self._database.once(store.fail, account, stamping, refusal.code)


class _NeedsProcess(NamedTuple):
    """Marks a `Work` that needs a separate process."""


def _run_all_inline(
    works: Sequence[Callable[[], sealing.Work[Result]]],
) -> list[Result | Refusal | _NeedsProcess]:
    return [_run_inline(work) for work in works]


def _run_inline(work: Callable[[], sealing.Work[Result]]) -> Result | Refusal | _NeedsProcess:
    begun = work()
    try:
        next(begun)
    except StopIteration as done:
        result: Result = done.value
        return result
    except Refusal as refusal:
        return refusal
    begun.close()
    return _NeedsProcess()
