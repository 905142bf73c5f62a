"""Commands and queries of stamping.

`StampingDesk` goes the three steps, each committed by itself:

1. reserve: the wish, the held stamps and the bound serials are one transaction;
2. seal: outside any transaction, from what step 1 recorded and nothing else;
3. deliver: delta, posted hold and outbox are one transaction.

A crash after 1 leaves a reserved stamping whose lease runs out: `resume` seals it again under
the same serials.  A crash after 2 is the same, since nobody has seen that seal.  A crash after 3
has lost only our answer, and the same request finds it.
"""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from uuid import UUID

import msgspec
import structlog

from meterai import orders, sealing, stamps
from meterai.documents import DocumentDesk, DocumentForgotten, Particulars
from meterai.kit.clock import Clock
from meterai.kit.ids import new_id, show
from meterai.kit.refusal import Malformed, NotFound, Refusal
from meterai.kit.serial import Serial
from meterai.orders import OrderDesk, OrderKind, OrderView
from meterai.plumbing import telemetry
from meterai.plumbing.config import Settings
from meterai.plumbing.database import Database, Row, Tx, jsonb
from meterai.plumbing.http import IdempotencyKeyReused, InProgress
from meterai.plumbing.rounds import each
from meterai.sealing import Delta, HashState, Intake, Keyring, Placement, Stamp, Verdict
from meterai.stamping import store
from meterai.stamping.model import (
    NotDelivered,
    NotInTime,
    SealSpoilt,
    Stamping,
    StampingFailed,
    StampingState,
    Upload,
    placements_json,
    request_hash,
)
from meterai.stamps import NotEnoughStamps, SerialDesk

LISTED_MAX = 200
SEALED_IN_PLACE_BYTES_MAX = 1024 * 1024  # by the web's own thread: half a millisecond of its time
BATCH = 8  # stampings one round resumes
TAKEN_IN_AT_ONCE = 4  # per process; each waits for the disk as long as it works
EXAMINED_AT_ONCE = 1  # beside this process, of each pool: what is broken, or was signed later
CHECK_PATH = "/c/"  # printed in every QR, so it stays for ever
# After these another stamp would leave the document as little genuine as it is.
_SPOILT = (Verdict.CHANGED_AFTER_SEALING, Verdict.COVERED_AFTER_SEALING, Verdict.FORGED)
_log = structlog.get_logger()


class StampingView(msgspec.Struct, frozen=True, kw_only=True):
    """A stamping as the API shows it.  Hashes are lower-case hex SHA-256.

    `repaired` is true where the document that came in was broken: it was repaired first, and the
    hashes, the delta and the stamped document are those of the repaired one.
    """

    id: str
    state: str
    serials: list[str]
    document: str
    repaired: bool
    sha256_original: str
    sha256_stamped: str | None
    document_url: str | None
    delta_url: str | None
    order_id: str | None
    requested_at: datetime
    due_at: datetime | None
    delivered_at: datetime | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class _TakenIn:
    """An upload that can be stamped, mended where it was broken, and the hash of its bytes."""

    upload: Upload
    intake: Intake
    hashed: HashState
    about: Particulars

    @property
    def sha256(self) -> bytes:
        return self.hashed.digest()

    @property
    def request(self) -> bytes:
        return request_hash(self.sha256, self.upload.placements)


def _stamping(row: Row) -> Stamping:
    return Stamping(
        row["account_id"],
        row["stamping_id"],
        row["order_id"],
        StampingState(row["state"]),
        row["sha256_original"],
        row["sha256_stamped"],
        tuple(Placement(**one) for one in row["placements"]),
        row["requested_at"],
        row["due_at"],
        row["delivered_at"],
        row["refused"],
        row["name"],
        row["is_forgotten"],
        tuple(row["serials"]),
        row["is_repaired"],
    )


def _reserved(account: UUID, row: Row, taken: _TakenIn, serials: Sequence[Serial]) -> Stamping:
    """The stamping that `stamping_reserve` has just made."""
    return Stamping(
        account,
        row["id"],
        order=None,
        state=StampingState.RESERVED,
        sha256_original=taken.sha256,
        sha256_stamped=None,
        placements=taken.upload.placements,
        requested_at=row["requested_at"],
        due_at=row["due_at"],
        delivered_at=None,
        refused=None,
        document_name=row["name"],
        is_forgotten=False,
        serials=tuple(serial.text for serial in serials),
        is_repaired=taken.upload.is_repaired,
    )


def shown(stamping: Stamping) -> StampingView:
    """A stamping as the API shows it."""
    identifier = show("stg", stamping.id)
    is_delivered = stamping.state == StampingState.DELIVERED
    path = f"/v1/stampings/{identifier}"
    return StampingView(
        id=identifier,
        state=stamping.state,
        serials=list(stamping.serials),
        document=stamping.document_name,
        repaired=stamping.is_repaired,
        sha256_original=stamping.sha256_original.hex(),
        sha256_stamped=stamping.sha256_stamped.hex() if stamping.sha256_stamped else None,
        document_url=f"{path}/document" if is_delivered and not stamping.is_forgotten else None,
        delta_url=f"{path}/delta" if is_delivered else None,
        order_id=show("ord", stamping.order) if stamping.order else None,
        requested_at=stamping.requested_at,
        due_at=stamping.due_at,
        delivered_at=stamping.delivered_at,
        reason=stamping.refused,
    )


async def load(tx: Tx, account: UUID, stamping_id: UUID) -> Stamping:
    """One stamping of this account.  Refuses `NotFound`."""
    row = await tx.one(store.STAMPING, account, stamping_id)
    if row is None:
        raise NotFound("no such stamping of this account")
    return _stamping(row)


async def stampings_of_order(tx: Tx, account: UUID, order: UUID) -> list[Stamping]:
    """The documents of an order, in the order they came."""
    return [_stamping(row) for row in await tx.all(store.OF_ORDER, account, order)]


async def original_of(tx: Tx, account: UUID, stamping_id: UUID) -> bytes | None:
    """SHA-256 of the document a stamping is about, for checking; nothing personal."""
    row = await tx.one(store.STAMPING, account, stamping_id)
    return row["sha256_original"] if row else None


class StampingDesk:
    """Stamps documents."""

    def __init__(
        self,
        database: Database,
        desks: tuple[DocumentDesk, OrderDesk, SerialDesk],
        issuers: Keyring,
        settings: Settings,
        clock: Clock,
    ) -> None:
        self._database = database
        self._documents, self._orders, self._serials = desks
        self._issuers = issuers
        self._settings = settings
        self._clock = clock
        self._sealing = asyncio.Semaphore(settings.seals_at_once)
        self._taking_in = asyncio.Semaphore(TAKEN_IN_AT_ONCE)
        # Whoever has stamps does not wait for those who may never pay for what they order.
        self._for_payers = sealing.Pool(EXAMINED_AT_ONCE)
        self._for_orders = sealing.Pool(EXAMINED_AT_ONCE)

    async def take_in(
        self,
        account: UUID,
        document: bytes,
        placements: Sequence[Placement],
        may: sealing.Permission | None = None,
    ) -> Intake:
        """What a document is, before anybody pays for it; a broken one is mended.

        `may` is asked before that costs anything.  Refuses what `sealing` does, and `SealSpoilt`.
        """
        self._check_size(document)
        work = self._inspecting(document, placements)
        return await self._pool(may).finish(work, str(account), self._taking_in, may)

    def _pool(self, may: sealing.Permission | None) -> sealing.Pool:
        return self._for_orders if may is None else self._for_payers

    async def check_rights(self, account: UUID, key: str, stamps_needed: int) -> None:
        """Refuses `NotEnoughStamps` for a new stamping; one asked for before may go on."""
        async with self._database.transaction() as tx:
            held = await stamps.balance(tx, account)
            is_enough = held.available >= stamps_needed or held.held > 0
            if not is_enough and not await store.knows_key(tx, account, key):
                raise NotEnoughStamps(needed=stamps_needed, available=held.available)

    def _check_size(self, document: bytes) -> None:
        limit = self._settings.document_bytes_max
        if len(document) > limit:
            raise sealing.DocumentTooLarge(size_bytes=len(document), limit_bytes=limit)

    # -- from the balance ------------------------------------------------------------------

    async def stamp(self, account: UUID, key: str, upload: Upload) -> StampingView:
        """Stamp one document from the balance, and answer when it is delivered.

        The same key, or the same document with the same placements while unfinished, finds the
        same stamping.  Refuses what `sealing` refuses, `NotEnoughStamps`,
        `IdempotencyKeyReused`, `InProgress`, `StampingFailed`.
        """
        may = partial(self.check_rights, account, key, len(upload.placements))
        taken = await self._keep(account, upload, may)
        serials = await self._serials.serials(len(upload.placements))
        row = await self._database.call(
            store.RESERVE,
            account,
            new_id(),
            key,
            taken.request,
            taken.sha256,
            jsonb(placements_json(upload.placements)),
            [serial.text for serial in serials],
            self._settings.stamps_due_seconds,
            self._settings.seal_lease_seconds,
            *taken.about,
            taken.upload.is_repaired,
        )
        assert row is not None
        if not row["created"]:
            return await self._repeated(account, row, taken.request)
        stamping = _reserved(account, row, taken, serials)
        delivered = await self._seal_and_deliver(stamping, taken.intake, serials, taken.hashed)
        return shown(delivered) if delivered else await self.view(account, stamping.id)

    async def _repeated(self, account: UUID, row: Row, request: bytes) -> StampingView:
        if row["request"] != request:
            raise IdempotencyKeyReused("another request had this key")
        async with self._database.transaction() as tx:
            stamping = await load(tx, account, row["id"])
        if stamping.state == StampingState.FAILED:
            raise StampingFailed(str(stamping.refused))
        if stamping.state == StampingState.RESERVED and not await self._resume_now(stamping):
            raise InProgress("it is being sealed")
        return await self.view(account, row["id"])

    async def _resume_now(self, stamping: Stamping) -> bool:
        """Take up a stamping whose sealer went silent; false where somebody is at it."""
        lease = self._settings.seal_lease_seconds
        row = await self._database.call(store.LEASE, lease, stamping.account, stamping.id)
        if row is None:
            return False
        await self._resume(stamping)
        return True

    # -- with an order ---------------------------------------------------------------------

    async def order(self, account: UUID, key: str, uploads: Sequence[Upload]) -> OrderView:
        """Order the stamps of named documents, to be paid once.

        Each document is inspected now, so that nobody pays for one that cannot be stamped.
        Refuses what `sealing` refuses, `Malformed`, `OrderTooLarge`, `IdempotencyKeyReused`.
        """
        if not 1 <= len(uploads) <= self._settings.stampings_per_order_max:
            most = self._settings.stampings_per_order_max
            raise Malformed("document", f"1 to {most} documents in one order")
        taken = [await self._keep(account, upload) for upload in uploads]
        for one in taken:
            await self._documents.keep(account, one.sha256, one.about)
        quantity = sum(len(upload.placements) for upload in uploads)
        request = orders.request_hash(OrderKind.DOCUMENTS, *(one.request.hex() for one in taken))
        terms = self._orders.terms(account, key, request, OrderKind.DOCUMENTS, quantity)
        async with self._database.transaction() as tx:
            row = await orders.place_documents(tx, terms)
            if row["created"]:
                for position, one in enumerate(taken, start=1):
                    await store.insert_waiting(
                        tx,
                        account,
                        new_id(),
                        row["id"],
                        position,
                        request=one.request,
                        sha256=one.sha256,
                        placements=jsonb(placements_json(one.upload.placements)),
                        quantity=len(one.upload.placements),
                        is_repaired=one.upload.is_repaired,
                    )
        if row["created"]:
            return await self._orders.opened(account, terms, row, wait_for_qr=True)
        if row["request"] != request:
            raise IdempotencyKeyReused("another request had this key")
        return await self._orders.view(account, row["id"])

    async def reserve_order(self, tx: Tx, account: UUID, order_id: UUID) -> None:
        """An order of documents was paid: hold its stamps for each of its documents."""
        order = await orders.load(tx, account, order_id)
        for row in await store.waiting_of_order(tx, account, order_id):
            serials = await self._serials.serials(row["quantity"])
            await store.reserve_ordered(
                tx,
                account,
                row["stamping_id"],
                [serial.text for serial in serials],
                order.refund_due_at,
            )

    # -- queries ---------------------------------------------------------------------------

    async def view(self, account: UUID, stamping_id: UUID) -> StampingView:
        """One stamping.  Refuses `NotFound`."""
        row = await self._database.call(store.STAMPING, account, stamping_id)
        if row is None:
            raise NotFound("no such stamping of this account")
        return shown(_stamping(row))

    async def list(self, account: UUID) -> list[Stamping]:
        """The newest stampings of an account."""
        rows = await self._database.read(store.OF_ACCOUNT, account, LISTED_MAX)
        return [_stamping(row) for row in rows]

    async def delta(self, account: UUID, stamping_id: UUID) -> tuple[Stamping, bytes]:
        """The delta of a delivered stamping.  Refuses `NotFound`, `NotDelivered`."""
        async with self._database.transaction() as tx:
            stamping = await load(tx, account, stamping_id)
            found = await store.delta(tx, account, stamping_id)
        if found is None:
            raise NotDelivered(stamping.state)
        return stamping, found

    async def document(self, account: UUID, stamping_id: UUID) -> tuple[Stamping, bytes]:
        """The stamped document: original and delta.  Refuses `DocumentForgotten` too."""
        stamping, delta = await self.delta(account, stamping_id)
        return stamping, await self._documents.content(account, stamping.sha256_original) + delta

    # -- the steps -------------------------------------------------------------------------

    async def _keep(
        self, account: UUID, upload: Upload, may: sealing.Permission | None = None
    ) -> _TakenIn:
        """Take a document in and keep its bytes; its row is for the caller to write."""
        self._check_size(upload.content)
        work = self._keeping(account, upload)
        return await self._pool(may).finish(work, str(account), self._taking_in, may)

    def _keeping(self, account: UUID, upload: Upload) -> sealing.Work[_TakenIn]:
        # All in one go: every change to another thread costs as much as a step of the sealing.
        intake = yield from self._inspecting(upload.content, upload.placements)
        document = intake.document
        hashed = hashlib.sha256(document)
        self._documents.put_from_thread(account, hashed.digest(), document)
        about = self._documents.particulars(upload.name, document, intake.inspection.pages)
        is_repaired = upload.is_repaired or intake.is_repaired
        kept = replace(upload, content=document, is_repaired=is_repaired)
        return _TakenIn(kept, intake, hashed, about)

    def _inspecting(self, document: bytes, placements: Sequence[Placement]) -> sealing.Work[Intake]:
        at = self._clock.now()
        intake, verdict = yield from sealing.examining(document, placements, self._issuers, at)
        if verdict in _SPOILT:
            raise SealSpoilt(f"an earlier seal is {verdict}")
        return intake

    async def _seal_and_deliver(
        self,
        stamping: Stamping,
        original: bytes | Intake,
        serials: Sequence[Serial],
        hashed: HashState | None = None,
    ) -> Stamping | None:
        """The stamping as it is now; None where somebody else delivered it first."""
        delta = await self._sealed(stamping, original, serials, hashed)
        row = await self._database.call(
            store.DELIVER,
            stamping.account,
            stamping.id,
            delta.data,
            hashlib.sha256(delta.data).digest(),
            delta.sha256_stamped,
        )
        assert row is not None
        if not row["is_ours"]:
            return None
        return replace(
            stamping,
            state=StampingState.DELIVERED,
            sha256_stamped=delta.sha256_stamped,
            delivered_at=row["delivered_at"],
        )

    async def _sealed(
        self,
        stamping: Stamping,
        original: bytes | Intake,
        serials: Sequence[Serial],
        hashed: HashState | None,
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
            check_url=f"{self._settings.url}{CHECK_PATH}",
            specimen=self._settings.is_specimen,
            hashed=hashed,
        )
        try:
            async with self._sealing:
                with telemetry.SEALS.time():
                    return seal() if self._is_quick(original) else await asyncio.to_thread(seal)
        except sealing.SealingUnavailable:
            raise  # ours to mend: the stamping stays reserved until its due time
        except Refusal as refusal:
            await self._database.call(store.FAIL, stamping.account, stamping.id, refusal.code)
            raise

    def _is_quick(self, original: bytes | Intake) -> bool:
        """True if sealing takes less time than the way to another thread and back."""
        return (
            self._issuers.current.is_local
            and isinstance(original, Intake)
            and original.opened is not None
            and not original.inspection.signatures
            and len(original.document) <= SEALED_IN_PLACE_BYTES_MAX
        )

    async def resume(self) -> int:
        """Round: seal what is reserved and nobody is sealing; give back what is past its time."""
        rows = await self._database.read(store.TO_RESUME, self._settings.seal_lease_seconds, BATCH)
        return await each(
            self._database, "resume_stampings", rows, self._resume_row, subject="stamping_id"
        )

    async def _resume_row(self, row: Row) -> None:
        account, stamping_id = row["account_id"], row["stamping_id"]
        if row["is_late"]:
            await self._database.call(store.FAIL, account, stamping_id, NotInTime.code)
            return
        async with self._database.transaction() as tx:
            stamping = await load(tx, account, stamping_id)
        try:
            await self._resume(stamping)
        except Refusal as refusal:
            _log.warning(
                "stamping_not_delivered", stamping=show("stg", stamping_id), code=refusal.code
            )

    async def _resume(self, stamping: Stamping) -> None:
        try:
            original = await self._documents.content(stamping.account, stamping.sha256_original)
        except DocumentForgotten as refusal:
            await self._database.call(store.FAIL, stamping.account, stamping.id, refusal.code)
            raise
        async with self._database.transaction() as tx:
            serials = await stamps.serials_of(tx, stamping.account, stamping.id)
        await self._seal_and_deliver(stamping, original, serials)
