"""Service of extracts and statements of this installation, each made in one transaction."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Sequence
from datetime import date, datetime

from meterai import ledger, trail
from meterai.accounts import NOBODY
from meterai.kit.actor import Actor
from meterai.kit.clock import Clock
from meterai.kit.days import DAY, Month, begin_of, day_of, last_settled
from meterai.kit.refusal import NotFound
from meterai.kit.serial import EPOCH
from meterai.ledger import ReasonSum, Sums
from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import Database, ReadTx, Tx
from meterai.plumbing.keyring import Keyring
from meterai.regulator import store
from meterai.regulator.extracts import (
    ExtractManifest,
    digest,
    packed,
    read_manifest,
    row_of,
    signer_of,
)
from meterai.regulator.model import DutyStatement, MonthClosed, MonthNotOver, MonthState
from meterai.regulator.store import Extract

MAKING = "make_extracts"  # name of the periodic task, and of its actor in the audit trail
LINKING = "marks of extracts"  # purpose for which the key of the marks is derived
# Rows of one part of a file: 5 MB before compression, so that a large day needs no more memory than a small one.
ROWS_PER_PART = 20_000
# Time limit of one SQL statement: a large day is sorted before its first row arrives.
MAKING_SECONDS_MAX = 1_800
MONTHS_SHOWN_MAX = 120  # ten years


class StatementService:
    """Makes statements of duty, and the daily extracts from whose sums the statements are computed."""

    def __init__(
        self, database: Database, keyring: Keyring, settings: Settings, clock: Clock
    ) -> None:
        self.signer = signer_of(keyring)
        self._link_key = keyring.derived(LINKING)
        self._database = database
        self._process = settings.process
        self._clock = clock

    # -- extracts --------------------------------------------------------------------------

    async def make_due(self) -> int:
        """Periodic task: make the extract of the first finished day without an extract. Return 1 if it was made, else
        0.

        Refuses `ExtractWrong` if the last extract is not signed by us: the chain continues only after our own extracts.
        """
        return int(await self._database.run(self._make_next))

    async def _make_next(self, tx: Tx) -> bool:
        # Locked before the last extract is read, because another process may be making it.
        if not await store.lock_making(tx):
            return False
        last, due = await store.last_extract(tx), last_settled(await store.now(tx))
        if last is not None and last.day >= due:
            return False
        if last is not None:
            read_manifest(last.manifest.encode(), str(last.day), self.signer.public_key())
        await tx.allow(MAKING_SECONDS_MAX)
        if last is not None:
            day = last.day + DAY
        else:
            first = await ledger.first_posted(tx)
            if first is None or day_of(first) > due:
                return False
            day = day_of(first)
        await self._make(tx, day, last)
        return True

    async def _make(self, tx: Tx, day: date, last: Extract | None) -> None:
        opening = dict(await store.opening(tx, day))
        sums, rows, size, hashed = Sums(), 0, 0, hashlib.sha256()
        await ledger.open_entries(tx, begin_of(day), begin_of(day + DAY))
        number = 0
        while True:
            entries = await ledger.next_entries(tx, ROWS_PER_PART)
            if not entries and number:
                break
            part = await asyncio.to_thread(self._packed, entries, sums)
            hashed.update(part)
            size += len(part)
            rows += len(entries)
            await store.insert_part(tx, day, number, part)
            number += 1
        before = digest(last.manifest) if last else ""
        manifest = ExtractManifest(day, rows, size, hashed.digest(), sums, opening, before)
        process = self._process
        text = manifest.signed(self.signer, by=process.url, specimen=not process.is_production)
        await store.insert_extract(tx, manifest, text)

    def _packed(self, entries: Sequence[ledger.LedgerEntry], sums: Sums) -> bytes:
        for one in entries:
            sums.add(one.reason, zip(one.books, one.amounts, strict=True))
        return packed(row_of(one, self._link_key) for one in entries)

    async def extract(self, day: date) -> Extract:
        """Return the extract of a day. Refuses `NotFound`."""
        async with self._database.reading() as tx:
            found = await store.extract(tx, day)
        if found is None:
            raise NotFound("no extract of this day")
        return found

    async def extracts(self, first: date, last: date) -> list[Extract]:
        """Return the extracts from the day `first` to the day `last`, the oldest first."""
        async with self._database.reading() as tx:
            return await store.extracts(tx, first, last)

    async def pieces(self, day: date) -> AsyncIterator[bytes]:
        """Yield the file of rows of a day in pieces; no transaction is open while the consumer handles a piece."""
        number = 0
        while (part := await self._database.once(store.part, day, number)) is not None:
            yield part
            number += 1

    # -- statements ------------------------------------------------------------------------

    async def months(self) -> list[tuple[Month, MonthState]]:
        """Return every month with a statement, the newest first."""
        now = self._clock.now()
        async with self._database.reading() as tx:
            first = await store.first_day(tx)
            last = await store.last_extract(tx)
            closed = {one.month for one in await store.closed(tx)}
        newest = Month.of(day_of(now))
        month = newest if first is None else Month.of(first)
        found = []
        while month <= newest:
            found.append((month, _state(month, closed, last)))
            month = month.next
        return found[::-1][:MONTHS_SHOWN_MAX]

    async def days(self, month: Month) -> dict[date, Sums]:
        """Return the sums of the ledger entries of each day of a month; days without an extract are left out."""
        async with self._database.reading() as tx:
            there = await store.extracts(tx, month.first, month.last)
            rows = await store.sums_by_day(tx, month.first, month.last)
        found: dict[date, list[ReasonSum]] = {one.day: [] for one in there}
        for one in rows:
            found[one.day].append(ReasonSum(one.reason, one.book, one.entries, one.amount))
        return {day: Sums(of) for day, of in found.items()}

    async def statement(self, month: Month) -> DutyStatement:
        """Return the statement of a month, up to now if the month is not over. Refuses `NotFound`."""
        async with self._database.reading() as tx:
            return await statement(tx, month, self._clock.now())


def _state(month: Month, closed: set[date], last: Extract | None) -> MonthState:
    if month.first in closed:
        return MonthState.CLOSED
    is_over = last is not None and last.day >= month.last
    return MonthState.OVER if is_over else MonthState.RUNNING


async def statement(tx: ReadTx, month: Month, now: datetime) -> DutyStatement:
    """Return the statement of a month. Refuses `NotFound` for a month in the future, or before the first extract."""
    last, first = await store.last_extract(tx), await store.first_day(tx)
    begun = Month.of(first) if first else Month.of(day_of(now))
    if not begun <= month <= Month.of(day_of(now)):
        raise NotFound("no statement of this month")
    closed = {one.month: one.closed_at for one in await store.closed(tx)}
    state = _state(month, set(closed), last)
    opening = dict(await store.opening(tx, month.first))
    end = month.ends
    if state is MonthState.CLOSED:
        sums = Sums(await store.sums_of_statement(tx, month.first))
        return DutyStatement(month, state, end, opening, sums, closed[month.first])
    rows = await store.sums_of_days(tx, month.first, month.last)
    if state is MonthState.OVER:
        return DutyStatement(month, state, end, opening, Sums(rows))
    return await _running(tx, month, last, rows, min(end, now))


async def _running(
    tx: ReadTx,
    month: Month,
    last: Extract | None,
    rows: Sequence[tuple[str, str, int, int]],
    until: datetime,
) -> DutyStatement:
    """Return the statement of a month that is not over: from its extracts, and from the books since the last extract."""
    since = begin_of(last.day + DAY) if last else EPOCH
    opening = dict(await store.opening(tx, month.first))
    begin = month.begins
    if since < begin:
        for one in await ledger.sums_between(tx, since, begin):
            opening[one.book] = opening.get(one.book, 0) + one.amount
    young = await ledger.sums_between(tx, max(since, begin), until)
    return DutyStatement(month, MonthState.RUNNING, until, opening, Sums([*rows, *young]))


async def check_closes(tx: ReadTx, month: Month, now: datetime) -> DutyStatement:
    """Return the statement of a month that may be closed now, with the figures that would become final. Refuses `NotFound`,
    `MonthNotOver`, `MonthClosed`.
    """
    found = await statement(tx, month, now)
    if found.state is MonthState.CLOSED:
        raise MonthClosed("closed before")
    if found.state is MonthState.RUNNING:
        raise MonthNotOver(str(month))
    return found


async def close(tx: Tx, month: Month, actor: Actor) -> None:
    """Make the figures of a month final, and record that in the audit trail. Refuses `MonthClosed`."""
    await store.close(tx, month.first, month.last)
    await trail.record(tx, NOBODY, actor=actor, action="statement_closed", subject=str(month))
