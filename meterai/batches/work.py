"""Work on batches: rows are processed in chunks until every row has ended.

A worker leases a chunk of rows and prepares their documents. Then follow the three steps of every stamping
(`stamping.RowStamping`): a transaction holds the stamps and binds the serials of the chunk; the seals are made outside any
transaction; a second transaction delivers the chunk.

If a worker dies, the leases of its rows expire. Then waiting rows are leased again, and a worker checks whether the stampings
of reserved rows were delivered or failed.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from time import monotonic
from typing import NamedTuple
from uuid import UUID

import msgspec
import structlog

from meterai import accounts, stamping
from meterai.batches import store
from meterai.batches.metrics import ROWS
from meterai.batches.model import (
    BATCH,
    Batch,
    BatchEvent,
    BatchState,
    RowBegun,
    RowFacts,
    RowState,
    RowToWork,
    read_wishes,
    subject_of,
)
from meterai.batches.settings import BatchSettings
from meterai.batches.survey import survey_of
from meterai.batches.words import kept_refusal
from meterai.kit.ids import show
from meterai.kit.priority import Priority
from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import Database, DatabaseBusy, Tx
from meterai.plumbing.work.watch import Piece
from meterai.plumbing.work.worker_pool import PoolTerms, WorkerPool, clock
from meterai.stamping import (
    DocumentFacts,
    DocumentFactsMissing,
    DocumentParty,
    ReadyRow,
    RowStamping,
    RowWish,
    StampingState,
    read_facts,
)
from meterai.stamps import NotEnoughStamps

SLOTS = 4  # batches under way in one worker; at most one of each account
SEEN_AT_ONCE = 20  # batches that one query returns
CHUNKS_AT_ONCE = 2  # of one batch: the database writes one chunk, the processor seals the other
LATER_SECONDS = 10.0  # before another try of a row whose document could not be read
JOINED_SECONDS = 2.0  # before another check of a row whose stamping is made by another request
SETTLED_AT_ONCE = 200
_log = structlog.get_logger()


def _document_facts(kept: Mapping[str, object]) -> DocumentFacts:
    """Convert the stored facts of a row to the facts of its stamping."""
    row_facts = msgspec.convert(dict(kept), RowFacts)
    facts = DocumentFacts(
        type=row_facts.type,
        number=row_facts.number,
        value=row_facts.value,
        party=DocumentParty(name=row_facts.party_name, number=row_facts.party_number),
    )
    # The date was checked when the row was read; a stored date is not checked again.
    return msgspec.structs.replace(read_facts(facts), date=row_facts.date)


class _RowUnderWay(NamedTuple):
    """Leased row, its identity across batches (`subject`), and its prepared document."""

    source: RowToWork
    subject: bytes
    ready: ReadyRow


class BatchWork:
    """Processes the rows of batches in a worker."""

    def __init__(self, database: Database, rows: RowStamping, settings: Settings) -> None:
        self._database = database
        self._rows = rows
        self._settings = settings.of(BatchSettings)

    def worker_pool(self) -> WorkerPool:
        """Return the worker pool of batches. In it a large batch delays no other batch, and batches do not delay payments."""
        return WorkerPool(
            "batches",
            self._find_work,
            self._work,
            partial(self._database.once, clock),
            slots=SLOTS,
            batch=SEEN_AT_ONCE,
            terms=PoolTerms(Priority.PAID, due=store.DUE),
        )

    async def _find_work(
        self, most: int, _since: datetime, without: Sequence[UUID]
    ) -> Sequence[Piece]:
        # Searches from the first batch each time: a batch is due again until it has ended.
        return await self._database.once(store.at_work, without, most)

    async def _work(self, piece: Piece) -> None:
        account, batch = piece.account, piece.id
        await self._database.once(store.take_turn, account, batch)
        found = await self._database.once(store.batch, account, batch)
        if found is None:
            return
        await self._settle(account, batch)
        if found.state is BatchState.WORKING:
            until = monotonic() + self._settings.batch_turn_seconds
            await asyncio.gather(*(self._work_until(found, until) for _ in range(CHUNKS_AT_ONCE)))
        await self._database.once(store.finish, account, batch)

    async def _work_until(self, batch: Batch, until: float) -> None:
        while monotonic() < until and await self._chunk(batch):
            pass

    async def _chunk(self, batch: Batch) -> bool:
        """Stamp the next rows of a batch. Return False if no row can be leased, or the account has too few stamps."""
        account, most = batch.account, self._settings.batch_chunk_rows
        leased = await self._database.once(
            store.lease_rows, account, batch.id, most, self._settings.batch_lease_seconds
        )
        if not leased:
            return False
        wishes = [
            RowWish(
                one.sha256, read_wishes(one.wishes), one.is_repaired, _document_facts(one.facts)
            )
            for one in leased
        ]
        rows: list[_RowUnderWay] = []
        refused: list[dict[str, object]] = []
        later: list[int] = []
        found = await self._rows.prepare(account, wishes)
        # Queried only if a row lacks facts. An incomplete row of a collector stops no other row.
        if any(one.facts.missing for one in wishes) and await self._database.once(
            stamping.are_facts_demanded, account
        ):
            found = [
                one
                if wish.facts.missing is None
                else DocumentFactsMissing(field=wish.facts.missing)
                for wish, one in zip(wishes, found, strict=True)
            ]
        for one, ready in zip(leased, found, strict=True):
            if isinstance(ready, ReadyRow):
                subject = subject_of(one.sha256, one.wishes, one.facts, one.key)
                rows.append(_RowUnderWay(one, subject, ready))
            elif ready.retry_after_seconds is not None:
                later.append(one.number)
            else:
                refused.append({"number": one.number} | kept_refusal(ready))
        if later:
            await self._database.once(store.put_off_rows, account, batch.id, later, LATER_SECONDS)
        try:
            await self._stamp_rows(batch, rows, refused)
        except NotEnoughStamps:
            await self._database.run(
                partial(self._wait_for_stamps, batch, [one.number for one in leased])
            )
            return False
        return True

    async def _stamp_rows(
        self, batch: Batch, rows: Sequence[_RowUnderWay], refused: Sequence[dict[str, object]]
    ) -> None:
        """Stamp rows, and store the refused rows.

        If the rows together exceed the stamps that the member who started the batch may use, each row is tried by itself.

        Refuses `NotEnoughStamps`.
        """
        try:
            mine = await self._database.run(partial(self._reserve, batch, rows, refused))
        except (accounts.MemberLimitReached, accounts.MembershipEnded) as refusal:
            if isinstance(refusal, accounts.MemberLimitReached) and len(rows) > 1:
                for at, row in enumerate(rows):
                    await self._stamp_rows(batch, [row], () if at else refused)
                return
            kept = kept_refusal(refusal)
            mine, refused = [], [*refused, *({"number": row.source.number} | kept for row in rows)]
            await self._database.once(store.refuse, batch.account, batch.id, refused)
        ROWS.labels(outcome="refused").inc(len(refused))
        await self._seal(batch, mine)

    async def _reserve(
        self,
        batch: Batch,
        rows: Sequence[_RowUnderWay],
        refused: Sequence[dict[str, object]],
        tx: Tx,
    ) -> list[ReadyRow]:
        """Reserve stampings for rows that still wait, and store the refused rows. Return the rows that this call must seal."""
        account = batch.account
        if refused:
            await store.refuse(tx, account, batch.id, refused)
        left = await store.lock_rows(tx, account, batch.id, [row.source.number for row in rows])
        rows = [row for row in rows if row.source.number in left]
        if not rows:
            return []
        begun, new = await self._bound(tx, account, rows)
        anew: dict[bytes, UUID] = {}
        reserved = await self._rows.reserve(tx, account, [row.ready for row in new])
        mine: list[ReadyRow] = []
        for row in new:
            made = reserved.get(row.ready.stamping)
            if made is None:
                # Another stamping of the document ended at this moment: the transaction is rolled back and repeated.
                raise DatabaseBusy("a stamping of the same document ended")
            one, is_new = made
            anew[row.subject] = one
            if is_new:
                mine.append(row.ready)
            lease = self._rows.lease_seconds if is_new else JOINED_SECONDS
            begun.append(RowBegun(row.source.number, one, RowState.RESERVED, lease))
        await store.rebind(tx, account, anew)
        await store.reserved(tx, account, batch.id, begun)
        uses = {one.stamping: len(one.placements) for one in mine}
        await accounts.use_stamps(tx, account, batch.member, uses)
        return mine

    async def _bound(
        self, tx: Tx, account: UUID, rows: Sequence[_RowUnderWay]
    ) -> tuple[list[RowBegun], list[_RowUnderWay]]:
        """Bind rows to stampings. Return the rows that share an existing stamping, and the rows that need a new stamping."""
        wanted = {row.subject: row.ready.stamping for row in rows}
        bound = await store.bind(tx, account, wanted)
        others = [one for subject, one in bound.items() if one != wanted[subject]]
        states = await stamping.states(tx, account, others) if others else {}
        begun: list[RowBegun] = []
        new: list[_RowUnderWay] = []
        for row in rows:
            one = bound[row.subject]
            before = states.get(one)
            if before is None or before.state is StampingState.FAILED:
                new.append(row)
                continue
            is_delivered = before.state is StampingState.DELIVERED
            state = RowState.DELIVERED if is_delivered else RowState.RESERVED
            begun.append(RowBegun(row.source.number, one, state, JOINED_SECONDS))
        return begun, new

    async def _seal(self, batch: Batch, rows: Sequence[ReadyRow]) -> None:
        if not rows:
            return
        account = batch.account
        sealed, refused = await self._rows.seal(account, rows)

        async def deliver(tx: Tx) -> int:
            ours = await self._rows.deliver(tx, account, sealed)
            await store.delivered(tx, account, batch.id, list(ours))
            return len(ours)

        if sealed:
            ROWS.labels(outcome="delivered").inc(await self._database.run(deliver))
        for one, refusal in refused.items():
            await self._rows.fail(account, one, refusal)
            await self._store_failures(account, batch.id, {one: kept_refusal(refusal)})

    async def _store_failures(
        self, account: UUID, batch: UUID, why: dict[UUID, dict[str, object]]
    ) -> None:
        await self._database.once(store.failed, account, batch, why)
        ROWS.labels(outcome="failed").inc(len(why))

    async def _wait_for_stamps(self, batch: Batch, numbers: Sequence[int], tx: Tx) -> None:
        """Set the batch to wait for stamps, because the account has too few, and end the leases of these rows."""
        found = await store.locked(tx, batch.account, batch.id)
        if found is not None and found.state is BatchState.WORKING:
            state = BATCH.after(found.state, BatchEvent.STAMPS_SHORT)
            await store.move(tx, found, state)
            await store.need(tx, found, (await survey_of(tx, found)).needed)
            _log.info("batch_waits_for_stamps", batch=show("bat", batch.id))
        await store.release_rows(tx, batch.account, batch.id, numbers)

    async def _settle(self, account: UUID, batch: UUID) -> None:
        """Query the stampings of reserved rows whose lease expired, and store which were delivered or failed."""
        ids = await self._database.once(store.interrupted, account, batch, SETTLED_AT_ONCE)
        if not ids:
            return
        states = await self._database.once(stamping.states, account, ids)
        by = {
            state: [one.id for one in states.values() if one.state is state]
            for state in (StampingState.DELIVERED, StampingState.RESERVED)
        }
        if done := by[StampingState.DELIVERED]:
            await self._database.once(store.delivered, account, batch, done)
            ROWS.labels(outcome="delivered").inc(len(done))
        if open_ := by[StampingState.RESERVED]:
            await self._database.once(
                store.lease_interrupted, account, batch, open_, JOINED_SECONDS
            )
        why: dict[UUID, dict[str, object]] = {
            one.id: {"code": str(one.refused), "code_facts": {}}
            for one in states.values()
            if one.state is StampingState.FAILED
        }
        if why:
            await self._store_failures(account, batch, why)
