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
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec
import structlog

from meterai import orders, sealing, stamps
from meterai.documents import DocumentDesk, DocumentForgotten
from meterai.kit.clock import Clock
from meterai.kit.ids import new_id, show
from meterai.kit.refusal import Malformed, NotFound, Refusal
from meterai.kit.serial import Serial
from meterai.orders import OrderDesk, OrderKind, OrderView
from meterai.plumbing import telemetry
from meterai.plumbing.config import Settings
from meterai.plumbing.database import Database, Row, Tx, jsonb
from meterai.plumbing.http import IdempotencyKeyReused, InProgress
from meterai.sealing import Inspection, Issuer, Placement, Stamp, Verdict
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
from meterai.stamps import SerialDesk

LISTED_MAX = 200
BATCH = 8  # stampings one round resumes
CHECK_PATH = "/c/"  # printed in every QR, so it stays for ever
_log = structlog.get_logger()


class StampingView(msgspec.Struct, frozen=True, kw_only=True):
    """A stamping as the API shows it.  Hashes are lower-case hex SHA-256."""

    id: str
    state: str
    serials: list[str]
    document: str
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
class _Inspected:
    upload: Upload
    sha256: bytes

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
        issuer: Issuer,
        settings: Settings,
        clock: Clock,
    ) -> None:
        self._database = database
        self._documents, self._orders, self._serials = desks
        self._issuer = issuer
        self._settings = settings
        self._clock = clock
        self._sealing = asyncio.Semaphore(settings.seals_at_once)

    # -- from the balance ------------------------------------------------------------------

    async def stamp(self, account: UUID, key: str, upload: Upload) -> StampingView:
        """Stamp one document from the balance, and answer when it is delivered.

        The same key, or the same document with the same placements while unfinished, finds the
        same stamping.  Refuses what `sealing` refuses, `NotEnoughStamps`,
        `IdempotencyKeyReused`, `InProgress`, `StampingFailed`.
        """
        inspected = await self._take_in(account, upload)
        serials = await self._serials.serials(len(upload.placements))
        row = await self._database.call(
            store.RESERVE,
            account,
            new_id(),
            key,
            inspected.request,
            inspected.sha256,
            jsonb(placements_json(upload.placements)),
            [serial.text for serial in serials],
            self._settings.stamps_due_seconds,
            self._settings.seal_lease_seconds,
        )
        assert row is not None
        if not row["created"]:
            return await self._repeated(account, row, inspected.request)
        await self._seal_and_deliver(account, row["id"], upload.content, upload.placements, serials)
        return await self.view(account, row["id"])

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
        inspected = [await self._take_in(account, upload) for upload in uploads]
        quantity = sum(len(upload.placements) for upload in uploads)
        request = orders.request_hash(
            OrderKind.DOCUMENTS, *(one.request.hex() for one in inspected)
        )
        terms = self._orders.terms(account, key, request, OrderKind.DOCUMENTS, quantity)
        async with self._database.transaction() as tx:
            row = await orders.place_documents(tx, terms)
            if row["created"]:
                for position, one in enumerate(inspected, start=1):
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
        async with self._database.transaction() as tx:
            return shown(await load(tx, account, stamping_id))

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

    async def _take_in(self, account: UUID, upload: Upload) -> _Inspected:
        limit = self._settings.document_bytes_max
        if len(upload.content) > limit:
            raise sealing.DocumentTooLarge(size_bytes=len(upload.content), limit_bytes=limit)
        async with self._sealing:
            inspection = await asyncio.to_thread(self._inspect, upload)
        sha256 = await self._documents.keep(account, upload.name, upload.content, inspection.pages)
        return _Inspected(upload, sha256)

    def _inspect(self, upload: Upload) -> Inspection:
        """What a document is, before anybody pays for it."""
        inspection = sealing.inspect(upload.content, upload.placements)
        if inspection.signatures:
            roots = [self._issuer.root]
            report = sealing.verify(upload.content, roots, at=self._clock.now())
            if report.verdict in (Verdict.CHANGED_AFTER_SEALING, Verdict.FORGED):
                raise SealSpoilt(f"an earlier seal is {report.verdict}")
        return inspection

    async def _seal_and_deliver(
        self,
        account: UUID,
        stamping_id: UUID,
        original: bytes,
        placements: Sequence[Placement],
        serials: Sequence[Serial],
    ) -> None:
        wanted = [
            Stamp(serial, placement) for serial, placement in zip(serials, placements, strict=True)
        ]
        try:
            async with self._sealing:
                with telemetry.SEALS.time():
                    delta = await asyncio.to_thread(
                        sealing.seal,
                        original,
                        wanted,
                        self._issuer,
                        at=self._clock.now(),
                        check_url=f"{self._settings.url}{CHECK_PATH}",
                        specimen=self._settings.is_specimen,
                    )
        except sealing.IssuerUnusable:
            raise  # ours to mend: the stamping stays reserved until its due time
        except Refusal as refusal:
            await self._database.call(store.FAIL, account, stamping_id, refusal.code)
            raise
        await self._database.call(
            store.DELIVER,
            account,
            stamping_id,
            delta.data,
            hashlib.sha256(delta.data).digest(),
            delta.sha256_stamped,
        )

    async def resume(self) -> int:
        """Round: seal what is reserved and nobody is sealing; give back what is past its time."""
        rows = await self._database.read(store.TO_RESUME, self._settings.seal_lease_seconds, BATCH)
        await asyncio.gather(*(self._resume_row(row) for row in rows))
        return len(rows)

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
        await self._seal_and_deliver(
            stamping.account, stamping.id, original, stamping.placements, serials
        )
