"""Service of stamping: reserves, seals and delivers documents, shows stampings, resumes interrupted ones.

`StampingService` takes three steps, each committed by itself:

1. reserve: the request, the held stamps and the bound serials are one transaction;
2. seal: outside any transaction, from the record of step 1 and nothing else;
3. deliver: one transaction stores the delta, marks the held stamps as affixed and queues the jobs.

A crash after step 1 leaves a reserved stamping whose lease runs out; `resume` then seals it under the same serials. The same
happens after a crash between steps 2 and 3: the first seal is lost, and nobody saw it. A crash after step 3 loses only
the answer, and a repeated request finds the stamping.

Several documents of one request take step 1 together, in one transaction, and the other steps separately, so that the outcome
for one document does not affect the others.
"""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import partial
from time import monotonic
from uuid import UUID

import structlog

from meterai import accounts, orders, sealing, stamps
from meterai.documents import DocumentForgotten, DocumentService
from meterai.kit.clock import Clock
from meterai.kit.ids import show
from meterai.kit.labels import NO_LABELS, Labels
from meterai.kit.paging import ListPage
from meterai.kit.refusal import NotFound, Refusal
from meterai.kit.serial import Serial
from meterai.orders import (
    OrderKind,
    OrderService,
    OrderSettings,
    OrderTerms,
    OrderView,
    PlacedOrder,
    SoldBy,
)
from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import Database, DatabaseBusy, ReadTx, Tx
from meterai.plumbing.http.requests import IdempotencyKeyReused, InProgress
from meterai.plumbing.observe.exchange import note_replay
from meterai.plumbing.work.periodic import each
from meterai.sealing import Delta, HashedDocument, Issuers, Placement, PreparedDocument, Stamp
from meterai.stamping import store
from meterai.stamping.metrics import SEALS
from meterai.stamping.model import (
    NotDelivered,
    NotInTime,
    Reservation,
    ReservedDocument,
    StampedBefore,
    StampedDocument,
    Stamping,
    StampingEndedUnstamped,
    StampingFilter,
    StampingState,
    StampingToResume,
    StampingView,
    Upload,
    placements_json,
    request_of,
    shown,
)
from meterai.stamping.service.again import Agreed, check_not_again
from meterai.stamping.service.rows import CHECK_PATH
from meterai.stamping.service.uploads import StoredUpload, UploadIngestion
from meterai.stamping.settings import StampingSettings
from meterai.stamps import NotEnoughStamps, SerialService

# Share of a lease for waiting and sealing. The rest is for the delivery, which is bounded by time-outs of the database, so
# that no other process resumes the stamping meanwhile.
LEASE_SHARE_OF_SEALING = 2 / 3
RESUMED_SECONDS = 1.0  # of one run, since a worker that has to stop waits for its end
# Tries to place an order. A try is repeated if it found an earlier stamping of a document that ended a moment later.
PLACED_TRIES_MAX = 3
_log = structlog.get_logger()


def _reserved(
    account: UUID, made: ReservedDocument, taken: StoredUpload, serials: Sequence[Serial]
) -> Stamping:
    """Return the stamping that the database function `stamping_reserve` has just created."""
    return Stamping(
        account,
        made.id,
        order=None,
        state=StampingState.RESERVED,
        sha256_original=taken.sha256,
        sha256_stamped=None,
        placements=taken.placements,
        requested_at=made.requested_at,
        due_at=made.due_at,
        delivered_at=None,
        refused=None,
        document_name=made.name,
        kept_until=taken.about.kept_until,
        is_forgotten=False,
        serials=tuple(serial.text for serial in serials),
        is_repaired=taken.upload.is_repaired,
        reference=taken.upload.labels.reference,
        metadata=taken.upload.labels.metadata,
    )


def _is_labelled_so(stamping: Stamping, labels: Labels) -> bool:
    """True if the stamping has these labels, or its labels were deleted since."""
    if stamping.metadata is None:
        return not labels
    kept = Labels(stamping.reference, stamping.metadata)
    return not kept or kept == labels


def sealing_seconds(lease_seconds: float) -> float:
    """Return the seconds available for waiting and sealing under a lease of `lease_seconds`."""
    return lease_seconds * LEASE_SHARE_OF_SEALING


async def load(tx: ReadTx, account: UUID, stamping_id: UUID) -> Stamping:
    """Return a stamping of this account. Refuses `NotFound`."""
    found = await store.stamping(tx, account, stamping_id)
    if found is None:
        raise NotFound("no such stamping of this account")
    return found


async def stampings_of_orders(tx: ReadTx, account: UUID, *ids: UUID) -> list[Stamping]:
    """Return the stampings of these orders, sorted by the position of the document in its order."""
    return await store.stampings_of_orders(tx, account, ids)


async def originals_of(
    tx: ReadTx, stampings: Collection[tuple[UUID, UUID]]
) -> dict[tuple[UUID, UUID], bytes]:
    """Return the SHA-256 of the originals of stampings, given by account and id. The result is not personal data."""
    return dict(await store.originals(tx, list(stampings))) if stampings else {}


class StampingService:
    """Stamps documents, from the balance or with an order, and resumes interrupted stampings."""

    def __init__(
        self,
        database: Database,
        services: tuple[DocumentService, OrderService, SerialService],
        issuers: Issuers,
        settings: Settings,
        clock: Clock,
    ) -> None:
        self._database = database
        self._documents, self._orders, self._serials = services
        self._issuers = issuers
        self._settings = settings.of(StampingSettings)
        self._due_seconds = settings.of(OrderSettings).stamps_due_seconds
        self._process = settings.process
        self._clock = clock
        self._sealing = asyncio.Semaphore(self._settings.seals_at_once)
        payable = self._orders.payable_seconds_max
        self._uploads = UploadIngestion(self._documents, issuers, settings, clock, payable)

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
        return await self._uploads.ingest(account, document, placements, may)

    async def check_rights(self, account: UUID, key: str, stamps_needed: int) -> None:
        """Refuse `NotEnoughStamps` if the balance is too small for a new stamping. A repeated request is not refused."""
        async with self._database.reading() as tx:
            held = await stamps.balance(tx, account)
            is_enough = held.available >= stamps_needed or held.held > 0
            if not is_enough and not await store.knows_key(tx, account, key):
                raise NotEnoughStamps(needed=stamps_needed, available=held.available)

    # -- from the balance ------------------------------------------------------------------

    async def stamp(
        self, account: UUID, key: str, upload: Upload, member: UUID | None = None
    ) -> StampingView:
        """Stamp one document from the balance; return its stamping after delivery. `member` acts for the account.

        A repeated request with the same key gets the same stamping. While the stamping is unfinished, a request with another
        key but the same document and placements gets it too.

        Refuses what `sealing` refuses, `NotEnoughStamps`, `IdempotencyKeyReused`, `InProgress`, `StampingEndedUnstamped`, and
        what `accounts.use_stamps` refuses.
        """
        may = partial(self.check_rights, account, key, len(upload.wishes))
        taken = await self._uploads.store(account, upload, may)
        serials = await self._serials.serials(len(upload.wishes))
        reserve = partial(
            store.reserve,
            account=account,
            stamping=taken.stamping,
            key=key,
            request=taken.request,
            sha256=taken.sha256,
            placements=taken.placements,
            serials=serials,
            due_seconds=self._due_seconds,
            lease_seconds=self._settings.seal_lease_seconds,
            about=taken.about,
            is_repaired=taken.upload.is_repaired,
            labels=upload.labels,
            facts=upload.facts,
        )

        async def reserve_for_member(tx: Tx) -> ReservedDocument:
            made = await reserve(tx)
            uses = {made.id: len(upload.wishes)} if made.created else {}
            await accounts.use_stamps(tx, account, member, uses)
            return made

        if member is None:
            made = await self._database.once(reserve)
        else:
            made = await self._database.run(reserve_for_member)
        if not made.created:
            return await self._repeated(account, key, made, taken)
        stamping = _reserved(account, made, taken, serials)
        delivered = await self._seal_taken(stamping, taken, serials)
        return shown(delivered) if delivered else await self.view(account, stamping.id)

    async def stamp_all(
        self,
        account: UUID,
        key: str,
        uploads: Sequence[Upload],
        agreed: Agreed = (),
        member: UUID | None = None,
    ) -> Sequence[StampingView]:
        """Stamp the documents of one request from the balance; `member` acts for the account.

        One transaction holds the stamps for all documents, or for none. Then each document is sealed separately, and its view
        gives the outcome. If a document cannot be sealed, its stamping has failed and its stamps are returned; if it must wait,
        it is sealed later. A repeated request with the same key and documents, in any order, gets the same stampings.

        `agreed` are documents to stamp although they were stamped before. Refuses what `sealing` refuses, `Malformed`,
        `DocumentTwice`, `NotEnoughStamps`, `StampedBefore`, `IdempotencyKeyReused`, and what `accounts.use_stamps` refuses.
        """
        needed = sum(len(upload.wishes) for upload in uploads)
        may = partial(self.check_rights, account, key, needed)
        taken = await self._uploads.store_all(account, uploads, may)
        serials = [await self._serials.serials(len(one.placements)) for one in taken]
        request = request_of([one.request for one in taken])

        async def reserve(tx: Tx) -> list[Reservation]:
            reserved = await store.reserve_all(
                tx,
                account,
                key,
                request,
                [_document_parameters(*pair) for pair in zip(taken, serials, strict=True)],
                due_seconds=self._due_seconds,
                lease_seconds=self._settings.seal_lease_seconds,
                facts={one.stamping: one.upload.facts for one in taken},
            )
            made = {one.id for one in reserved if one.created}
            new = {one.stamping: one.sha256 for one in taken if one.stamping in made}
            await check_not_again(tx, account, new, agreed)
            uses = {one.stamping: len(one.placements) for one in taken if one.stamping in made}
            await accounts.use_stamps(tx, account, member, uses)
            return reserved

        reserved = await self._database.run(reserve)
        if reserved[0].request != request:
            raise IdempotencyKeyReused("another request used this key")
        made = {one.id for one in reserved if one.created}
        mine = [pair for pair in zip(taken, serials, strict=True) if pair[0].stamping in made]
        await self._seal_each(account, mine)
        ids = [one.id for one in reserved]
        views = {one.id: shown(one) for one in await self._load(account, ids)}
        return [views[one] for one in ids]

    async def _load(self, account: UUID, ids: Sequence[UUID]) -> list[Stamping]:
        return await self._database.once(store.stampings, account, ids)

    async def _seal_each(
        self, account: UUID, wanted: Sequence[tuple[StoredUpload, Sequence[Serial]]]
    ) -> None:
        """Seal and deliver stampings that were reserved together, one after the other."""
        ids = [taken.stamping for taken, _ in wanted]
        stampings = {one.id: one for one in await self._load(account, ids)}
        lease = self._settings.seal_lease_seconds
        for place, (taken, serials) in enumerate(wanted):
            # Renews the leases of all stampings that still wait; one that another process leased is left to that process.
            kept = await self._database.once(store.keep_leases, account, ids[place:], lease)
            if taken.stamping not in kept:
                continue
            stamping = stampings[taken.stamping]
            try:
                await self._seal_taken(stamping, taken, serials)
            except Refusal as refusal:
                _not_delivered(stamping.id, refusal)

    async def _repeated(
        self, account: UUID, key: str, made: ReservedDocument, taken: StoredUpload
    ) -> StampingView:
        if made.request != taken.request:
            raise IdempotencyKeyReused("another request used this key")
        stamping = await self._database.once(load, account, made.id)
        # A request that joined the stamping of another key may have other labels.
        if not _is_labelled_so(stamping, taken.upload.labels) and await self._database.once(
            store.is_made_by, account, made.id, key
        ):
            raise IdempotencyKeyReused("the request with this key had other labels")
        if taken.upload.facts and (
            await self._database.once(store.facts_of, account, made.id) != taken.upload.facts
        ):
            raise IdempotencyKeyReused("the document with this key had other facts")
        if stamping.state == StampingState.RESERVED and not await self._resume_now(stamping):
            raise InProgress("the document is being sealed")
        note_replay()
        if stamping.state == StampingState.FAILED:
            raise StampingEndedUnstamped(str(stamping.refused))
        return await self.view(account, made.id)

    async def _resume_now(self, stamping: Stamping) -> bool:
        """Seal a stamping if its lease ran out. False if another process has leased it."""
        lease = self._settings.seal_lease_seconds
        if not await self._database.once(store.lease, stamping.account, stamping.id, lease):
            return False
        await self._resume(stamping)
        return True

    # -- with an order ---------------------------------------------------------------------

    async def order(  # noqa: PLR0913 - what an order may say, each by its name
        self,
        account: UUID,
        key: str,
        uploads: Sequence[Upload],
        agreed: Agreed = (),
        member: UUID | None = None,
        *,
        method: str | None = None,
        written: Labels = NO_LABELS,
        sold: SoldBy | None = None,
    ) -> OrderView:
        """Order the stamping of documents, with one payment for all.

        `member` acts for the account; `method` is the payment method, or None for the default one; `written` are the client's
        labels of the order; `sold` is the seller, or None if the operator sells. A document that was not examined before is
        examined now, so that nobody pays for one that cannot be stamped. `agreed` are documents to stamp although they were
        stamped before. Refuses what `sealing` refuses, `Malformed`, `DocumentTwice`, `OrderTooLarge`, `StampedBefore`,
        `IdempotencyKeyReused`, and what `accounts.use_stamps` refuses.
        """
        taken = await self._uploads.store_all(account, uploads)
        quantity = sum(len(upload.wishes) for upload in uploads)
        kind = OrderKind.DOCUMENTS
        more: list[object] = [one for one in (written, sold and f"seller:{sold.slug}") if one]
        if any(one.facts for one in uploads):
            more.append([repr(one.facts) for one in uploads])
        request = orders.request_hash(kind, *(one.request.hex() for one in taken), *more)
        terms = await self._orders.terms(
            account, key, request, kind, quantity, method=method, sold=sold
        )
        terms = replace(terms, labels=written)
        placed = await self._place_order(terms, taken, agreed, member)
        if placed.created:
            return await self._orders.opened(terms, placed, wait_for_qr=True)
        if placed.request != request:
            raise IdempotencyKeyReused("another request used this key")
        note_replay()
        return await self._orders.view(account, placed.id)

    async def _place_order(
        self, terms: OrderTerms, taken: Sequence[StoredUpload], agreed: Agreed, member: UUID | None
    ) -> PlacedOrder:
        asked = [one.sha256 for one in taken if one.sha256 not in agreed]
        documents = [_document_parameters(one) for one in taken]
        facts = {one.stamping: one.upload.facts for one in taken}
        place = partial(store.order, terms=terms, documents=documents, agreed=agreed, facts=facts)

        async def place_with_more(tx: Tx) -> PlacedOrder | None:
            placed = await place(tx)
            if placed is not None and placed.created:
                await accounts.use_stamps(tx, terms.account, member, {placed.id: terms.quantity})
                if terms.labels:
                    await orders.write_labels(tx, terms.account, placed.id, terms.labels)
                if terms.sold:
                    await orders.note_seller(tx, terms.account, placed.id, terms.sold)
            return placed

        for _ in range(PLACED_TRIES_MAX):
            if member is None and not terms.labels and terms.sold is None:
                placed = await self._database.once(place)
            else:
                placed = await self._database.run(place_with_more)
            if placed is not None:
                return placed
            if found := await self._database.once(store.alive, terms.account, asked, ()):
                raise StampedBefore(found)
            # The earlier stamping has ended since, so that another try is made.
        raise DatabaseBusy(
            "an earlier stamping of a document began and ended meanwhile, again and again"
        )

    async def reserve_order(self, tx: Tx, account: UUID, order_id: UUID) -> None:
        """Reserve the stamps of a paid order for its documents."""
        order = await orders.load(tx, account, order_id)
        for stamping, quantity in await store.waiting_of_order(tx, account, order_id):
            serials = await self._serials.serials(quantity)
            await store.reserve_ordered(tx, account, stamping, serials, order.refund_due_at)

    # -- queries ---------------------------------------------------------------------------

    async def of_order(self, account: UUID, order_id: UUID) -> list[StampingView]:
        """Return the stampings of an order, sorted by the position of the document in the order."""
        found = await self._database.once(store.stampings_of_orders, account, [order_id])
        return [shown(one) for one in found]

    async def view(self, account: UUID, stamping_id: UUID) -> StampingView:
        """Return one stamping. Refuses `NotFound`."""
        return shown(await self._database.once(load, account, stamping_id))

    async def page(
        self, account: UUID, page: ListPage, wanted: StampingFilter
    ) -> tuple[list[StampingView], bool]:
        """Return a page of the account's stampings that match `wanted`, newest first, and True if older ones exist."""
        found = self._database.once(store.listed, account, page.before, page.wanted, wanted)
        stampings, is_more = page.cut(await found)
        return [shown(one) for one in stampings], is_more

    async def from_balance(self, account: UUID, page: ListPage) -> tuple[list[Stamping], bool]:
        """Return a page of the account's stampings from its balance, newest first, and True if older ones exist."""
        wanted = self._database.once(store.from_balance, account, page.before, page.wanted)
        return page.cut(await wanted)

    async def delta(self, account: UUID, stamping_id: UUID) -> tuple[StampedDocument, bytes]:
        """Return the data for a download of a stamping, and its delta. Refuses `NotFound`, `NotDelivered`."""
        found = await self._database.once(store.stamped, account, stamping_id)
        if found is None:
            raise NotFound("no such stamping of this account")
        if found.delta is None:
            raise NotDelivered(found.state)
        return found, found.delta

    async def document(self, account: UUID, stamping_id: UUID) -> tuple[StampedDocument, bytes]:
        """Return the data for a download of a stamping, and the stamped document: the original followed by the delta.

        Refuses what `delta` refuses, `DocumentForgotten`, `DocumentUnavailable`.
        """
        found, delta = await self.delta(account, stamping_id)
        return found, await self._original(account, found) + delta

    async def _original(self, account: UUID, of: Stamping | StampedDocument) -> bytes:
        """Return the original, as uploaded or repaired. Refuses `DocumentForgotten`, `DocumentUnavailable`."""
        if of.is_forgotten:
            raise DocumentForgotten("the original is no longer kept")
        return await self._documents.content(account, of.sha256_original)

    # -- the steps -------------------------------------------------------------------------

    async def _seal_taken(
        self, stamping: Stamping, taken: StoredUpload, serials: Sequence[Serial]
    ) -> Stamping | None:
        original = taken.prepared or await self._original(stamping.account, stamping)
        return await self._seal_and_deliver(stamping, original, serials, taken.hashed)

    async def _seal_and_deliver(
        self,
        stamping: Stamping,
        original: bytes | PreparedDocument,
        serials: Sequence[Serial],
        hashed: HashedDocument | None = None,
    ) -> Stamping | None:
        """Seal and deliver a stamping. Return its new state, or None if another process delivered it first."""
        delta = await self._sealed(stamping, original, serials, hashed)
        made = await self._database.once(store.deliver, stamping.account, stamping.id, delta)
        if not made.is_ours:
            return None
        return replace(
            stamping,
            state=made.state,
            sha256_stamped=delta.sha256_stamped,
            delivered_at=made.delivered_at,
        )

    async def _sealed(
        self,
        stamping: Stamping,
        original: bytes | PreparedDocument,
        serials: Sequence[Serial],
        hashed: HashedDocument | None,
    ) -> Delta:
        wanted = [
            Stamp(serial, placement)
            for serial, placement in zip(serials, stamping.placements, strict=True)
        ]
        seal = partial(
            sealing.seal,
            original,
            wanted,
            self._issuers.current,
            at=self._clock.now(),
            check_url=f"{self._process.url}{CHECK_PATH}",
            specimen=not self._process.is_production,
            hashed=hashed,
        )
        try:
            async with asyncio.timeout(sealing_seconds(self._settings.seal_lease_seconds)):
                async with self._sealing:
                    with SEALS.time():
                        # In a thread, since milliseconds of work in the event loop would be measured as overload.
                        return await asyncio.to_thread(seal)
        except TimeoutError:
            raise InProgress("the stamping was not begun in time; it is sealed later") from None
        except sealing.SealingUnavailable:
            raise  # a fault of ours, so that the stamping stays reserved until its due time
        except Refusal as refusal:
            raise await self._store_failure(stamping, refusal) from refusal

    async def _store_failure(self, stamping: Stamping, cause: Refusal) -> StampingEndedUnstamped:
        """Give back the stamps and store the reason; return the refusal with which requests for this stamping are answered."""
        await self._database.once(store.fail, stamping.account, stamping.id, cause.code)
        return StampingEndedUnstamped(cause.code)

    async def resume(self) -> int:
        """Periodic task: seal reserved stampings that no process is sealing, and fail those past their due time.

        It leases only as many stampings as it seals at once, since a lease would expire in a longer queue. While more are due
        it leases again, for up to `RESUMED_SECONDS`: after an outage there are many, and the pause until the next run is longer
        than a seal takes. Returns the number of stampings processed.
        """
        lease, most = self._settings.seal_lease_seconds, self._settings.seals_at_once
        done, until = 0, monotonic() + RESUMED_SECONDS
        while True:
            leased = await self._database.once(store.lease_to_resume, lease, most)
            done += await each(
                self._database, "resume_stampings", leased, self._resume_row, subject="stamping"
            )
            if len(leased) < most or monotonic() > until:
                return done

    async def _resume_row(self, due: StampingToResume) -> None:
        """Seal and deliver a stamping, or fail it if it is late.

        After an error the stamping is tried again when its lease runs out.
        """
        account, stamping_id, is_late = due
        if is_late:
            await self._database.once(store.fail, account, stamping_id, NotInTime.code)
            return
        stamping = await self._database.once(load, account, stamping_id)
        try:
            await self._resume(stamping)
        except (
            StampingEndedUnstamped
        ) as refusal:  # the stamping has failed, and its stamps were returned
            _not_delivered(stamping_id, refusal)

    async def _resume(self, stamping: Stamping) -> None:
        try:
            original = await self._original(stamping.account, stamping)
        except DocumentForgotten as refusal:
            raise await self._store_failure(stamping, refusal) from refusal
        serials = await self._database.once(stamps.serials_of, stamping.account, stamping.id)
        await self._seal_and_deliver(stamping, original, serials)


def _document_parameters(taken: StoredUpload, serials: Sequence[Serial] = ()) -> dict[str, object]:
    """Convert a document of a request to JSON for the database functions `stampings_reserve` and `stampings_order`."""
    name, size, pages, kept_until = taken.about
    return {
        "stamping": str(taken.stamping),
        "request": taken.request.hex(),
        "sha256": taken.sha256.hex(),
        "placements": placements_json(taken.placements),
        "serials": [serial.text for serial in serials],
        "name": name,
        "bytes": size,
        "pages": pages,
        "kept_until": kept_until.isoformat(),
        "is_repaired": taken.upload.is_repaired,
    }


def _not_delivered(stamping: UUID, refusal: Refusal) -> None:
    _log.warning("stamping_not_delivered", stamping=show("stg", stamping), code=refusal.code)
