"""Service of batches: make, start, show and cancel batches, add rows, continue batches that waited for stamps."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from hashlib import sha256
from typing import NamedTuple
from uuid import UUID

import msgspec
import structlog

from meterai import accounts, stamps
from meterai.batches import metrics, store
from meterai.batches.intake import FileIntake
from meterai.batches.model import (
    BATCH,
    BATCH_KIND,
    STILL_SECONDS,
    Batch,
    BatchEmpty,
    BatchEvent,
    BatchKey,
    BatchRow,
    BatchStarted,
    BatchState,
    Counts,
    ResultsNotReady,
    RowChanged,
    RowState,
    StampsMissing,
    TooManyBatches,
    TooManyRows,
    TypedRow,
    refused_identity,
    written,
)
from meterai.batches.settings import BatchSettings
from meterai.batches.survey import survey_of
from meterai.batches.words import kept_refusal
from meterai.documents import keep_longer
from meterai.drafts import FILE_KIND, DraftService, known_content
from meterai.kit.clock import Clock
from meterai.kit.ids import new_id, read_typed, show
from meterai.kit.labels import labels
from meterai.kit.paging import ListPage
from meterai.kit.refusal import NotFound, Refusal
from meterai.orders import OrderService, OrderSettings, OrderState, OrderView
from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import Database, Tx
from meterai.plumbing.http.requests import IdempotencyKeyReused
from meterai.plumbing.observe.exchange import note_replay
from meterai.plumbing.work.periodic import each
from meterai.stamping import StampingService

WAITING_AT_ONCE = 50  # batches that wait for stamps, examined in one run
LEFT_AT_ONCE = 100
STILL_COUNTED = 100  # batches without progress; a larger number would add no information
_log = structlog.get_logger()


class RowAnswer(NamedTuple):
    """Outcome of a row that was sent: its number in the batch, and the refusal if the row will not be stamped."""

    line: int
    number: int
    key: str | None
    outcome: str  # added, known, refused
    refusal: Refusal | None = None


@dataclass(frozen=True, slots=True)
class BatchDetails:
    """A batch with the counts of its rows and files, the stamps available to it, and the order of stamps for which it waits."""

    batch: Batch
    counts: Counts
    files: int
    available: int
    order: OrderView | None = None


class BatchService:
    """Commands and queries of the batches of an account; `BatchWork` processes their rows."""

    def __init__(
        self,
        database: Database,
        services: tuple[OrderService, StampingService, DraftService],
        intake: FileIntake,
        settings: Settings,
        clock: Clock,
    ) -> None:
        self._database = database
        self._orders, self._stampings, self._drafts = services
        self.intake = intake
        self.settings = settings.of(BatchSettings)
        self._due_seconds = settings.of(OrderSettings).stamps_due_seconds
        self._clock = clock

    # -- making ----------------------------------------------------------------------------

    async def make(self, account: UUID, key: str, reference: str | None) -> Batch:
        """Make a batch, or return the batch that was made with the same idempotency key.

        Refuses `Malformed`, `ReferenceTaken`, `TooManyBatches`, `IdempotencyKeyReused`.
        """
        labels(reference, None)
        request = sha256((reference or "").encode()).digest()
        batch = new_id()

        async def act(tx: Tx) -> UUID:
            made = await store.by_key(tx, account, key)
            if made is None:
                if await store.alive(tx, account) >= self.settings.batches_per_account_max:
                    raise TooManyBatches(batches_max=self.settings.batches_per_account_max)
                if await store.make(tx, account, batch, key, request, reference):
                    return batch
                made = await store.by_key(tx, account, key)
            assert made is not None
            found, before = made
            if before != request:
                raise IdempotencyKeyReused("another request used this key")
            return found

        found = await self._database.run(act)
        if found != batch:
            note_replay()
        return await self.load(account, found)

    async def load(self, account: UUID, batch: UUID) -> Batch:
        """Return a batch of this account. Refuses `NotFound`."""
        return _existing(await self._database.once(store.batch, account, batch))

    # -- rows ------------------------------------------------------------------------------

    async def add_rows(
        self, account: UUID, batch: UUID, typed: Sequence[TypedRow]
    ) -> list[RowAnswer]:
        """Add rows, and return the outcome of each row. A row that the batch has already is not added again.

        Refuses `NotFound`, `TooManyRows`, and `BatchStarted` if the batch was started and one of the rows is new.
        """
        if len(typed) > self.settings.batch_rows_max:
            raise TooManyRows(rows_max=self.settings.batch_rows_max)
        await self._copy_uploads(await self.load(account, batch), typed)
        return await self._database.run(partial(self._add_rows, account, batch, typed))

    async def _add_rows(
        self, account: UUID, batch: UUID, typed: Sequence[TypedRow], tx: Tx
    ) -> list[RowAnswer]:
        found = _existing(await store.locked(tx, account, batch))
        known = dict(await store.known_rows(tx, account, batch, [row.identity for row in typed]))
        last = await store.last_number(tx, account, batch)
        answers: list[RowAnswer] = []
        new: list[dict[str, object]] = []
        changed: list[tuple[int, TypedRow]] = []
        for row in typed:
            before = known.get(row.identity)
            if before is not None and before[0] == row.content:
                outcome = "known" if row.refusal is None else "refused"
                answers.append(RowAnswer(row.line, before[1], row.key, outcome, row.refusal))
            elif before is not None:
                named = replace(row, refusal=RowChanged(before[1]))
                changed.append((len(answers), named))
                answers.append(RowAnswer(row.line, 0, row.key, "refused", named.refusal))
            else:
                last += 1
                known[row.identity] = (row.content, last)
                new.append(_stored(row, last))
                outcome = "added" if row.refusal is None else "refused"
                answers.append(RowAnswer(row.line, last, row.key, outcome, row.refusal))
        # A row that contradicts a stored row is stored too, but only once, however often it is sent.
        again = dict(
            await store.known_rows(tx, account, batch, [_identity(row) for _, row in changed])
        )
        for at, row in changed:
            identity = _identity(row)
            if identity not in again:
                last += 1
                again[identity] = (row.content, last)
                new.append(_stored(row, last))
            answers[at] = answers[at]._replace(number=again[identity][1])
        if new:
            if found.state is not BatchState.OPEN:
                raise BatchStarted(found.state)
            if last > self.settings.batch_rows_max:
                raise TooManyRows(rows_max=self.settings.batch_rows_max)
            await store.add_rows(tx, account, batch, new)
        return answers

    async def _copy_uploads(self, batch: Batch, typed: Sequence[TypedRow]) -> None:
        """Copy the files of the account's draft to which rows refer (`upload:<id>`) into the batch."""
        wanted = {row.document for row in typed if row.document.startswith("upload:")}
        names = {one.replace(":", "-") for one in wanted}
        if not wanted or batch.state is not BatchState.OPEN:
            return
        known = await self._database.once(store.files_named, batch.account, batch.id, sorted(names))
        draft, files = await self._drafts.current_files("", batch.account)
        if draft is None or draft.owner != batch.account:
            return
        for file in files:
            name = f"upload-{show(FILE_KIND, file.id)}"
            if name not in names or name in known:
                continue
            # A file that cannot be stamped is left out: its row is refused because its document is missing.
            if file.is_usable:
                await self.intake.take_stored(batch, name, known_content(file))

    # -- starting --------------------------------------------------------------------------

    async def start(
        self, account: UUID, batch: UUID, member: UUID | None, *, method: str | None, orders: bool
    ) -> BatchDetails:
        """Start a batch, or continue one that waits for stamps. A repeat changes nothing.

        If the account has too few stamps and `orders` is true, the missing stamps are ordered, to be paid by `method` or
        the default method. Refuses `NotFound`, `BatchEmpty`, `StampsMissing` (if `orders` is false), and the refusals of
        `accounts.check_stamps_left` and of ordering.
        """
        found = await self.load(account, batch)
        if found.state not in (BatchState.OPEN, BatchState.WAITING_FOR_STAMPS):
            note_replay()
            return await self.details(found)
        missing = await self._database.run(
            partial(self._start, account, batch, member, is_ordering=orders)
        )
        if missing and orders:
            await self._order_missing(found, missing, method)
        return await self.details(await self.load(account, batch))

    async def _start(
        self, account: UUID, batch: UUID, member: UUID | None, tx: Tx, *, is_ordering: bool
    ) -> int:
        """Start a batch in a transaction. Return the number of missing stamps, for which the batch then waits; 0 if it was
        started.
        """
        found = _existing(await store.locked(tx, account, batch))
        if found.state not in (BatchState.OPEN, BatchState.WAITING_FOR_STAMPS):
            return 0
        survey = await survey_of(tx, found)
        missing = max(survey.needed - survey.available, 0)
        if not survey.rows and not (await store.counts(tx, account, batch)).rows:
            raise BatchEmpty("no rows")
        await accounts.check_stamps_left(tx, account, member, survey.needed)
        if missing and not is_ordering:
            raise StampsMissing(needed=survey.needed, available=survey.available)
        await store.resolve(tx, account, batch, survey.resolved)
        await store.refuse(tx, account, batch, survey.refused)
        # A row whose document is deleted meanwhile is refused when it is processed.
        until = self._clock.now() + timedelta(seconds=self._due_seconds) + timedelta(days=7)
        await keep_longer(tx, account, survey.documents, until)
        if missing:
            if found.state is BatchState.OPEN:
                state = BATCH.after(found.state, BatchEvent.STAMPS_SHORT)
                await store.move(tx, found, state, starts=True, member=member)
            await store.need(tx, found, survey.needed)
            return missing
        is_open = found.state is BatchState.OPEN
        event = BatchEvent.STARTED if is_open else BatchEvent.STAMPS_CAME
        await store.move(tx, found, BATCH.after(found.state, event), starts=is_open, member=member)
        return 0

    async def _order_missing(self, batch: Batch, missing: int, method: str | None) -> None:
        """Order the stamps for which a batch waits, unless an earlier order for the batch can still be paid."""
        if batch.order is not None:
            before = await self._orders.view(batch.account, batch.order)
            if before.state == OrderState.PLACED:
                return
        key = f"batch:{show(BATCH_KIND, batch.id)}:{batch.order_count}:{missing}"
        order = await self._orders.place(batch.account, key, missing, method=method)
        await self._database.once(
            store.ordered, batch.account, batch.id, _order_id(order), batch.order_count
        )

    # -- showing ---------------------------------------------------------------------------

    async def details(self, batch: Batch) -> BatchDetails:
        """Return a batch with the counts of its rows, and with the order of missing stamps if it waits for them."""
        async with self._database.reading() as tx:
            counts = await store.counts(tx, batch.account, batch.id)
            files, _ = await store.files_total(tx, batch.account, batch.id)
            available = await stamps.available(tx, batch.account)
            if batch.state is BatchState.WAITING_FOR_STAMPS:
                promised = await store.promised(tx, batch.account, batch.id)
                available = max(available - promised, 0)
        order = None
        if batch.order is not None and batch.state is BatchState.WAITING_FOR_STAMPS:
            order = await self._orders.view(batch.account, batch.order)
        return BatchDetails(batch, counts, files, available, order)

    async def page(
        self, account: UUID, page: ListPage, reference: str | None = None
    ) -> tuple[list[Batch], bool]:
        """Return a page of the batches of an account, newest first, and whether another page follows."""
        found = await self._database.once(
            store.listed, account, page.before, page.wanted, reference
        )
        return page.cut(found)

    async def rows(
        self,
        account: UUID,
        batch: UUID,
        after: int,
        limit: int,
        states: Sequence[RowState] | None = None,
    ) -> list[BatchRow]:
        """Return up to `limit` rows of a batch after the row number `after`. Refuses `NotFound`."""
        await self.load(account, batch)
        wanted = [str(one) for one in states] if states is not None else None
        return await self._database.once(store.rows, account, batch, after, limit, wanted)

    async def row(self, account: UUID, batch: UUID, number: int) -> BatchRow:
        """Return a row by its number. Refuses `NotFound`."""
        found = await self._database.once(store.row, account, batch, number)
        if found is None:
            raise NotFound("no such row of a batch of this account")
        return found

    async def document(self, account: UUID, batch: UUID, number: int) -> tuple[BatchRow, bytes]:
        """Return a row and its stamped document.

        Refuses `NotFound`, `ResultsNotReady`, `DocumentForgotten`, `DocumentUnavailable`.
        """
        row = await self.row(account, batch, number)
        if row.state is not RowState.DELIVERED or row.stamping is None:
            raise ResultsNotReady(row.state)
        _, content = await self._stampings.document(account, row.stamping)
        return row, content

    async def serials(
        self, account: UUID, rows: Sequence[BatchRow]
    ) -> Mapping[UUID, tuple[str, ...]]:
        """Return the serials of the stamps of each row, by the id of the row's stamping."""
        ids = [row.stamping for row in rows if row.stamping is not None]
        if not ids:
            return {}
        return await self._database.once(stamps.serials_of_each, account, ids)

    # -- ending ----------------------------------------------------------------------------

    async def cancel(self, account: UUID, batch: UUID) -> BatchDetails:
        """Cancel a batch. Waiting rows end; rows with held stamps are still stamped. A repeat changes nothing.

        Refuses `NotFound`, and `NotAllowedNow` for a finished batch.
        """
        await self._database.run(partial(self._cancel, account, batch))
        return await self.details(await self.load(account, batch))

    async def _cancel(self, account: UUID, batch: UUID, tx: Tx) -> None:
        found = _existing(await store.locked(tx, account, batch))
        if found.state in (BatchState.CANCELLING, BatchState.CANCELLED):
            return
        await store.move(tx, found, BATCH.after(found.state, BatchEvent.GIVEN_UP))
        await store.cancel_rows(tx, account, batch)
        await store.finish(tx, account, batch)

    # -- periodic tasks --------------------------------------------------------------------

    async def go_on(self) -> int:
        """Periodic task: continue the waiting batches whose stamps arrived."""
        found = await self._database.once(store.waiting, WAITING_AT_ONCE)

        async def one(due: BatchKey) -> None:
            await self._database.run(partial(self._resume, due))

        await each(self._database, "go_on_with_batches", found, one, subject="batch")
        return 0

    async def _resume(self, due: BatchKey, tx: Tx) -> None:
        found = _existing(await store.locked(tx, due.account, due.batch))
        if found.state is not BatchState.WAITING_FOR_STAMPS:
            return
        free = await stamps.available(tx, due.account)
        if free < found.needed:
            return
        survey = await survey_of(tx, found)
        if survey.available >= survey.needed:
            state = BATCH.after(found.state, BatchEvent.STAMPS_CAME)
            await store.move(tx, found, state)
            _log.info("batch_goes_on", batch=show(BATCH_KIND, due.batch))

    async def measure(self) -> int:
        """Periodic task: set the gauges of batches under way, batches that wait for stamps, and batches without progress."""
        since = self._clock.now() - timedelta(seconds=STILL_SECONDS)
        async with self._database.reading() as tx:
            found = await store.under_way(tx)
            metrics.WORKING.set(found.working)
            metrics.WAITING.set(found.waiting)
            metrics.STILL.set(len(await store.stalled_batches(tx, since, STILL_COUNTED)))
        return 0

    async def give_up(self) -> int:
        """Periodic task: cancel batches that nobody started in time, and batches that wait for stamps for too long."""
        now = self._clock.now()
        made = now - timedelta(days=self.settings.batch_open_days)
        started = now - timedelta(days=self.settings.batch_waits_days)
        found = await self._database.once(store.left, made, started, LEFT_AT_ONCE)

        async def one(due: BatchKey) -> None:
            await self._database.run(partial(self._cancel, due.account, due.batch))

        return await each(self._database, "give_up_batches", found, one, subject="batch")


def _existing(found: Batch | None) -> Batch:
    if found is None:
        raise NotFound("no such batch of this account")
    return found


def _order_id(order: OrderView) -> UUID:
    found = read_typed("ord", order.id)
    assert found is not None
    return found


def _identity(row: TypedRow) -> bytes:
    assert row.refusal is not None
    return refused_identity(row.content, row.key, row.refusal.code)


def _stored(row: TypedRow, number: int) -> dict[str, object]:
    """Convert a row to the form that `store.add_rows` takes."""
    kept: dict[str, object] = {"code": None, "code_facts": {}}
    if row.refusal is not None:
        kept = kept_refusal(row.refusal)
    facts = {} if row.refusal is not None else msgspec.to_builtins(row.facts)
    return kept | {
        "number": number,
        "identity": row.identity.hex(),
        "content": row.content.hex(),
        "key": row.key,
        "document": row.document,
        "document_name": row.document.partition(":")[2] if row.document.startswith("file:") else "",
        "wishes": written(row.wishes),
        "quantity": len(row.wishes),
        "facts": facts,
        "state": RowState.WAITING if row.refusal is None else RowState.REFUSED,
    }
