"""Reconciliation of a day: read its record, compare it line by line with payments, refunds and books, open an item for each
difference.

No transaction is open while lines are read, since they may come from another machine.  Each step has a transaction of its own:
to lease the day, to store some thousand lines, and at the end to compare all of them.
"""

import asyncio
import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path

import structlog

from meterai import ledger, payments, suspense, trail
from meterai.accounts import NOBODY
from meterai.kit.actor import Actor, ActorKind
from meterai.kit.clock import WIB, Clock
from meterai.kit.ids import show
from meterai.kit.numbers import counted
from meterai.kit.refusal import Refusal
from meterai.payments import PaymentService, PaymentSettings, RailNotConfigured
from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import Database, Tx
from meterai.plumbing.objects import ObjectStore
from meterai.plumbing.work.events import emit
from meterai.reconciliation import differences, file_store, metrics, sides, store
from meterai.reconciliation.comparing import (
    BREAKS_MAX,
    COMPARE_SECONDS,
    ITEMS_SEEN_MAX,
    TAKEN_MAX,
    Doubted,
    breaks_of,
    doubted_of,
)
from meterai.reconciliation.events import DutyLeft
from meterai.reconciliation.files import FileRead, FileUnreadable, read
from meterai.reconciliation.loading import Loading
from meterai.reconciliation.model import (
    ACCOUNT,
    FLOAT,
    STATEMENTS,
    TREASURY,
    BreakKind,
    DayNotOver,
    Days,
    DayState,
    Differing,
    EvidenceLine,
    Leased,
    ProviderUnknown,
    ReadingCounts,
    RecordDay,
    RecordFileKnown,
    RecordFilesMissing,
    RecordFileTaken,
    RecordFileUnreadable,
    RecordIsBeingRead,
    begin_of,
    end_of,
)
from meterai.reconciliation.settings import ReconciliationSettings, agreed_of, names_of
from meterai.suspense import Break, OpenBreak, Resolution

TASK = "reconcile"
LEASE_SECONDS = 3_600.0  # time for one reading, and the pause before the next try
DAYS_MAX = 45  # compared automatically; QRIS acquirers answer about no older days
DAYS_AT_ONCE = 5
READ_AGAIN_DAYS = (
    1,
    7,
)  # after a comparison: late movements between banks arrive the next day, corrections within a week
LINES_AT_ONCE = 10_000  # confirmed in one transaction
FAULT_LENGTH_MAX = 60
TAKEN = "taken"  # folder of the inbox for accepted files
_DAY = re.compile(r"(?<![0-9])(20[0-9]{2})-?([01][0-9])-?([0-3][0-9])(?![0-9])")
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _InboxFile:
    """A file to be read as a record."""

    path: Path
    sha256: bytes
    size: int


@dataclass(slots=True)
class _Read:
    """The counts and files of a day's record that is being read, without its lines."""

    loading: Loading
    files: list[tuple[_InboxFile, FileRead]] = field(default_factory=list)


class Reconciliation:
    """Compares the records of finished days, from histories of rails or from files, with the books, and compares them again
    later.
    """

    def __init__(
        self,
        database: Database,
        paying: PaymentService,
        objects: ObjectStore,
        settings: Settings,
        clock: Clock,
    ) -> None:
        self._database = database
        self._payments = paying
        self._objects = objects
        self._hour = settings.of(PaymentSettings).bank_compared_at_hour
        own = settings.of(ReconciliationSettings)
        self._due_hour = own.record_due_hour
        self._inbox = Path(own.reconciliation_files or settings.process.directory / "records")
        self._agreed, self._names = agreed_of(own.provider_fees), names_of(own.statement_names)
        self._vat, self._tolerance = own.provider_vat_percent, own.fee_tolerance_rupiah
        self._clock = clock

    # -- automatic comparison --------------------------------------------------------------

    async def reconcile_due(self) -> int:
        """Periodic task: compare the days that are due, oldest first, one rail after the other."""
        now = self._clock.now()
        last = (now.astimezone(WIB) - timedelta(hours=self._hour)).date() - timedelta(days=1)
        providers = [*self._payments.rails.names(), *STATEMENTS]
        try:
            return sum([await self._compare_due(one, last) for one in providers])
        finally:
            # Also if a fault of one provider prevents the comparison of others.
            for provider in providers:
                if self._is_compared(provider):
                    await self._tell_missing(provider, last)
            await self.show()

    def _is_compared(self, provider: str) -> bool:
        """True for each rail, and for an account of ours whose statements come into the inbox."""
        return provider not in STATEMENTS or (self._inbox / provider).is_dir()

    async def _compare_due(self, provider: str, last: date) -> int:
        files = await self._files(provider, last)
        due = set(files)
        if self._is_compared(provider):
            first = await self._first(provider, last)
            due |= {*await self._database.once(store.days_due, provider, first, last, DAYS_AT_ONCE)}
        return sum([await self._one(provider, day, files.get(day, [])) for day in sorted(due)])

    async def _tell_missing(self, provider: str, last: date) -> None:
        """Open an item in suspense for each day that was not compared by the configured hour after its end, whatever the
        reason.
        """
        first, hour = await self._first(provider, last), timedelta(hours=self._due_hour)
        now = self._clock.now()

        async def tell(tx: Tx) -> None:
            for day, why in await store.missing_days(tx, provider, first, last):
                if now >= end_of(day) + hour:
                    found = differences.missing(_day_alone(provider, day), why)
                    await suspense.keep_break(tx, found)

        await self._database.run(tell)

    async def _one(self, provider: str, day: date, files: Sequence[Path]) -> int:
        try:
            await self._reconcile(
                provider, day, files, Actor(ActorKind.JOB, TASK), is_asked=bool(files)
            )
        except RecordIsBeingRead:
            return 0
        except RecordFileKnown:
            self._put_away(files)
        except Refusal as refusal:
            _log.error("record_not_compared", provider=provider, day=str(day), code=refusal.code)
        else:
            self._put_away(files)
        return 1

    async def _first(self, provider: str, last: date) -> date:
        """Return the first day to compare; for bank statements it is `last`."""
        known, _ = await self._database.once(store.known_days)
        oldest = last - timedelta(days=DAYS_MAX - 1)
        if provider in STATEMENTS:
            return last
        if known is not None:
            return max(known, oldest)
        async with self._database.reading() as tx:
            posted = await ledger.first_posted(tx)
        return max(posted.astimezone(WIB).date(), oldest) if posted else last

    def _has_history(self, provider: str) -> bool:
        return any(
            one.name == provider and one.is_history_there for one in self._payments.rails.kinds
        )

    async def _files(self, provider: str, last: date) -> dict[date, list[Path]]:
        """Return the files in the inbox by the day in their names. For a file without a day in its name, an item in suspense is
        opened.
        """
        found: dict[date, list[Path]] = {}
        folder = self._inbox / provider
        for one in sorted(folder.iterdir()) if folder.is_dir() else ():
            if not one.is_file() or one.name.startswith("."):
                continue
            if (day := day_in(one.name)) is not None and day <= last:
                found.setdefault(day, []).append(one)
            elif day is None:
                file, leased = await _opened(one), Leased(provider, last, 0, 0)
                await self._database.run(
                    partial(_keep_unreadable, leased=leased, file=file, why=differences.NO_DAY)
                )
        return found

    def _put_away(self, files: Sequence[Path]) -> None:
        """Move accepted files out of the inbox."""
        for one in files:
            with suppress(OSError):
                (one.parent / TAKEN).mkdir(exist_ok=True)
                one.rename(one.parent / TAKEN / one.name)

    # -- one day ---------------------------------------------------------------------------

    async def reconcile(
        self, provider: str, day: date, files: Sequence[Path], actor: Actor
    ) -> RecordDay:
        """Compare one finished day, by these files or, without files, by the history of the rail.

        Refuses `ProviderUnknown`, `DayNotOver`, `RecordIsBeingRead`, `RecordFilesMissing`, `RecordFileKnown`,
        `RecordFileUnreadable`. Raises the refusals of the provider.
        """
        if provider not in (*STATEMENTS, *self._payments.rails.names()):
            raise ProviderUnknown(provider)
        if end_of(day) > self._clock.now():
            raise DayNotOver(str(day))
        return await self._reconcile(provider, day, files, actor, is_asked=True)

    async def _reconcile(
        self, provider: str, day: date, files: Sequence[Path], actor: Actor, *, is_asked: bool
    ) -> RecordDay:
        given = [await _opened(one) for one in files]
        for one in given:
            if await self._database.once(store.file_of, one.sha256, provider, day):
                raise RecordFileKnown(one.path.name)
        source = "files" if given or not self._has_history(provider) else "history"
        leased = await self._database.once(
            store.begin, provider, day, source, LEASE_SECONDS, is_asked=is_asked
        )
        if leased is None:
            raise RecordIsBeingRead(f"{provider} {day}")
        this = (provider, day, leased.reading)
        reading = _Read(Loading(*this, self._add))
        try:
            # A dead process may have left lines.
            await self._database.once(store.clear, *this)
            if source == "history":
                await self._read_history(leased, reading)
            else:
                await self._read_files(leased, reading, given)
            return await self._compare(leased, reading, actor)
        except Refusal as refusal:
            # After any other fault the lease stays, and the day is begun again once the lease ends.
            code = refusal.code
            # The task tries a day each hour: of tries without files, only the first failure is in the audit trail.
            is_told = bool(given) or leased.tries == 1
            await self._database.run(
                partial(_failed, leased=leased, code=code, actor=actor if is_told else None)
            )
            raise

    async def _add(self, rows: str) -> None:
        await self._database.run(partial(store.add, lines=rows))

    async def _read_history(self, leased: Leased, reading: _Read) -> None:
        rail = self._payments.rails.of(leased.provider)
        begins, ends = begin_of(leased.day), end_of(leased.day)
        await reading.loading.take_history(rail.history(begins, ends), begins, ends)

    async def _read_files(
        self, leased: Leased, reading: _Read, files: Sequence[_InboxFile]
    ) -> None:
        """Load the lines of every file of the day. For an unreadable file, opens an item in suspense and refuses
        `RecordFileUnreadable`.
        """
        for one in files:
            accounts = [name for name, of in self._names.items() if of == leased.provider]
            of = FileRead(
                leased.day,
                self._ourselves(leased.provider),
                frozenset(one for one in accounts if counted(one) is not None),
                self._names,
            )
            try:
                await reading.loading.take_file(read(one.path, of), one.sha256.hex())
            except FileUnreadable as unreadable:
                of.faults.append(str(unreadable))
            if of.faults:
                why = ", ".join(of.faults)
                await self._database.run(
                    partial(_keep_unreadable, leased=leased, file=one, why=why)
                )
                raise RecordFileUnreadable(one.path.name, why)
            reading.files.append((one, of))
        if not reading.files:
            raise RecordFilesMissing(leased.provider)

    def _ourselves(self, provider: str) -> frozenset[str]:
        try:
            about = self._payments.rails.ourselves(provider)
        except RailNotConfigured:
            return frozenset()
        return frozenset({about.merchant} if about.merchant else ()) | about.aliases

    async def _compare(self, leased: Leased, reading: _Read, actor: Actor) -> RecordDay:
        kept = []
        for file, told in reading.files:
            pieces = await file_store.keep(self._objects, file.path, file.sha256)
            taken = RecordFileTaken(file.sha256, leased.provider, leased.day, pieces)
            kept.append((taken, file, told))

        doubted = await self._take(leased, reading.loading)

        async def compare(tx: Tx) -> tuple[RecordDay, Days, frozenset[str]]:
            await tx.allow(COMPARE_SECONDS)
            for taken, file, told in kept:
                if await store.file_of(tx, file.sha256, leased.provider, leased.day) is None:
                    await store.keep_file(
                        tx,
                        taken,
                        file.path.name,
                        told.layout,
                        file.size,
                        told.lines,
                        told.unmatched,
                        str(actor),
                    )
            return await self._ended(tx, leased, reading.loading, doubted, actor)

        found, of, open_now = await self._database.run(compare)
        await self._confirm(of, open_now)
        tell = _log.info if not found.broken else _log.error
        tell("record_compared", provider=found.provider, day=str(found.day), broken=found.broken)
        return found

    async def _take(self, leased: Leased, loading: Loading) -> Doubted:
        """Book the payments that the record has and the books lack, one by one, if they may be booked (`_is_told`).

        Returns the payments to compare afterwards; each payment that then still differs becomes a break.
        """

        async def find(tx: Tx) -> tuple[Days, Doubted, list[Differing]]:
            await tx.allow(COMPARE_SECONDS)
            of = await _days(tx, leased)
            if len(loading.found.sources) > 1:
                await store.repeated(tx, of)
            doubted = await doubted_of(tx, of)
            return of, doubted, await sides.differing(tx, of, doubted.payments, TAKEN_MAX)

        async def take(tx: Tx, of: Days, one: Differing) -> None:
            lines = await store.lines_of(tx, [one.payment], ITEMS_SEEN_MAX)
            # Only up to the last day without a gap: a chargeback on an unread day would seem to be won.
            begins = min((line.day for line in lines), default=of.day)
            until = await store.covered_until(tx, of, begins)
            if until and (wish := differences.recorded(one, lines, end_of(until))):
                outcome = await payments.take_record(tx, of.provider, wish)
                _log.info("record_taken", payment=one.payment, outcome=outcome)

        of, doubted, found = await self._database.run(find)
        for one in found if self._is_told(leased, loading) else ():
            await self._database.run(partial(take, of=of, one=one))
        return doubted

    def _is_told(self, leased: Leased, loading: Loading) -> bool:
        """True if the payments of this record may be booked: if it is a history, or if the rail has no history.

        A file is not signed, so if the rail has a history, payments are booked from the history only.
        """
        return "" in loading.found.sources or not self._has_history(leased.provider)

    async def _confirm(self, of: Days, doubted: frozenset[str]) -> None:
        """Mark payments, refunds and transfers in the record as confirmed, except those of the payments in `doubted` (for the
        float account: those of the buyers in `doubted`).
        """
        position = 0
        while lines := await self._database.once(store.numbers_after, of, position, LINES_AT_ONCE):
            if of.provider == FLOAT:
                sent = [
                    one.transfer
                    for one in lines
                    if one.account and one.transfer and show("acc", one.account) not in doubted
                ]
                confirm = partial(payments.confirm_transfers_by_record, numbers=sent)
            else:
                sound = [one for one in lines if one.payment and one.payment not in doubted]
                paid = [str(one.payment) for one in sound]
                refunds = [one.refund for one in sound if one.refund]
                confirm = partial(payments.confirm_by_record, payments=paid, refunds=refunds)
            await self._database.run(confirm)
            position = lines[-1].position

    async def _ended(
        self, tx: Tx, leased: Leased, loading: Loading, doubted: Doubted, actor: Actor
    ) -> tuple[RecordDay, Days, frozenset[str]]:
        now, loaded = self._clock.now(), loading.found
        day, of = leased.day, await _days(tx, leased)
        counted = await store.counted(tx, of)
        loaded.lines = counted.lines + loaded.unreadable
        breaks, differing = await self._found(tx, of, doubted)
        if not self._is_told(leased, loading):
            # Its item differs from the item of the history, which books the money.
            breaks = [
                replace(one, is_money=False, key=f"{one.key}:file") if one.is_money else one
                for one in breaks
            ]
        lines = await store.unplaced(tx, of, BREAKS_MAX + 1)
        moved = [*differences.line_breaks(of, lines)]
        agreed, fees = await self._fees(tx, of, counted)
        breaks += [
            *moved,
            *fees,
            *differences.unmatched_breaks(of, loaded.unmatched, loaded.unreadable),
        ]
        if of.reading > 1:
            breaks += differences.change_breaks(of, await store.changed(tx, of, BREAKS_MAX))
        is_whole = len(breaks) <= BREAKS_MAX
        if not is_whole:
            breaks = [*breaks[:BREAKS_MAX], differences.too_many(of, "differences", len(breaks))]
        await self._keep(tx, of, breaks)
        for one in agreed:
            await suspense.book(tx, one, Resolution.FEE, "as agreed")
        await tell_paid_out(tx, of, lines)
        explained = await _paired(tx, moved)
        matched = loaded.lines - loaded.unreadable - differing - len(moved) + explained
        broken = len(breaks) - explained if is_whole else len(breaks)
        counts = (loaded.lines, max(matched, 0), loaded.unreadable, broken)
        state = DayState.FINAL if is_whole else DayState.DIFFERING
        again = _next_reading_at(day, now) if "" in loaded.sources or not loaded.sources else None
        await store.end(tx, of, state, again, *counts)
        names = ("lines", "matched", "unreadable", "differences")
        await trail.record(
            tx,
            NOBODY,
            actor=actor,
            action="record_compared",
            subject=_subject(leased),
            **dict(zip(names, counts, strict=True)),
        )
        found = await store.day_of(tx, leased.provider, day)
        assert found is not None
        differ = (name for one in breaks for name in (one.payment, one.reference))
        return found, of, frozenset(filter(None, differ))

    async def _found(self, tx: Tx, of: Days, doubted: Doubted) -> tuple[list[Break], int]:
        """Return (breaks of payments or, for the float account, of transfers by buyer; number of lines of the record that
        differ).
        """
        if of.provider == FLOAT:
            buyers = await sides.buyers(tx, of, BREAKS_MAX + 1)
            return [*differences.transfer_breaks(buyers)], len(buyers)
        found = await sides.differing(tx, of, doubted.payments, BREAKS_MAX + 1)
        return await breaks_of(tx, of, doubted, found)

    async def _fees(
        self, tx: Tx, of: Days, counted: ReadingCounts
    ) -> tuple[list[Break], list[Break]]:
        """Return (breaks of agreed fees and taxes, which are booked at once; breaks of other fees and taxes)."""
        if of.provider == ACCOUNT or not (counted.fee or counted.tax):
            return [], []
        agreed = self._agreed.get(of.provider, [])
        by = sides.Contract(agreed, self._vat, self._tolerance)
        fits, unmatched = await sides.fees(tx, of, by, differences.LINES_TOLD_MAX)
        booked = {}
        for kind in (BreakKind.FEE_NOT_BOOKED, BreakKind.TAX_NOT_BOOKED):
            for name, is_agreed in ((kind, False), (f"{kind}:agreed", True)):
                key = differences.key_of_fee(of, kind, is_agreed=is_agreed)
                booked[str(name)] = -await suspense.sum_of_ended(tx, key)
        return differences.fee_breaks(of, counted, fits, booked, unmatched)

    async def _keep(self, tx: Tx, of: Days, breaks: Sequence[Break]) -> None:
        """Open an item in suspense for each difference, and resolve as `explained` the open items whose difference no longer
        exists.
        """
        for one in breaks:
            if one.is_money and await payments.captured_anywhere(tx, str(one.payment)):
                continue  # the payment was booked during the comparison
            if await suspense.keep_break(tx, one) and one.reference:
                await payments.ask_about(tx, one.reference)
        still = {one.key for one in breaks}
        for item in await suspense.open_breaks(
            tx, differences.key_of_payments(of.provider), differences.key_of_day(of), ITEMS_SEEN_MAX
        ):
            if not _is_among(item, still) and ":changed:" not in item.key:
                await suspense.explain(tx, item.id, f"record of {of.day}, reading {of.reading}")

    # -- files, metrics, readiness ----------------------------------------------------------

    async def let_files_go(self) -> int:
        """Periodic task: delete the contents of record files accepted longer than `KEPT` ago; return the number of files."""
        now = self._clock.now()
        old = await self._database.once(store.old_files, now - file_store.KEPT, DAYS_AT_ONCE)
        for one in old:
            await file_store.let_go(self._objects, one, now)
            await self._database.once(store.let_go, one.sha256)
        return len(old)

    async def show(self) -> None:
        """Set the metrics of comparisons: the time since the end of the last compared day, and the number of differences."""
        if found := await self._database.once(store.overview):
            since = end_of(found.compared_until)
            metrics.COMPARED.set((self._clock.now() - since).total_seconds())
            metrics.DIFFERENCES.set(found.broken)

    async def said(self) -> str | None:
        """Return one line about the newest day for `/readyz`; it has no sums, since it is public."""
        found = await self._database.once(store.overview)
        if found is None:
            return None
        what = f"not compared ({found.fault or 'under way'})"
        if found.ended_at is not None:
            what = "differs" if found.broken else "agrees"
        late = f", days missing: {found.missing}" if found.missing else ""
        return f"{found.day} {what}{late}"


def day_in(name: str) -> date | None:
    """Return the day in the name of a file, as 2026-11-30 or 20261130; None if the name has no day, or several."""
    found = {"".join(one) for one in _DAY.findall(name)}
    with suppress(ValueError):
        return date.fromisoformat(found.pop()) if len(found) == 1 else None
    return None


async def _days(tx: Tx, leased: Leased) -> Days:
    first, last = await store.known_days(tx)
    day = leased.day
    upto = max(last or day, day)
    return Days(leased.provider, day, leased.reading, first or day, upto, end_of(upto))


async def _failed(tx: Tx, *, leased: Leased, code: str, actor: Actor | None) -> None:
    """Record why a day could not be compared: in the row of the day and, if an actor is given, in the audit trail."""
    await store.fail(tx, leased, code[:FAULT_LENGTH_MAX], BREAKS_MAX)
    if actor is not None:
        action, subject = "record_not_compared", _subject(leased)
        await trail.record(tx, NOBODY, actor=actor, action=action, subject=subject, fault=code)


def _day_alone(provider: str, day: date) -> Days:
    return Days(provider, day, 0, day, day, end_of(day))


async def _opened(path: Path) -> _InboxFile:
    try:
        return _InboxFile(path, *await asyncio.to_thread(file_store.digest_of, path))
    except OSError as error:
        raise RecordFileUnreadable(path.name, error.strerror or "unreadable") from None


async def _keep_unreadable(tx: Tx, *, leased: Leased, file: _InboxFile, why: str) -> None:
    of = _day_alone(leased.provider, leased.day)
    await suspense.keep_break(tx, differences.unreadable_file(of, file.path.name, why, file.sha256))


async def tell_paid_out(tx: Tx, of: Days, lines: Iterable[EvidenceLine]) -> None:
    """Emit a `DutyLeft` event for each line of the operator's account that pays the treasury."""
    for one in lines:
        if one.counterpart == TREASURY and one.reference and of.provider == ACCOUNT:
            await emit(
                tx,
                DutyLeft(
                    account=NOBODY,
                    billing_code=one.reference,
                    amount=one.amount,
                    line=f"{one.day}/{one.line}",
                    moved_at=one.moved_at,
                    receipt=one.payment,
                ),
            )


async def _paired(tx: Tx, moved: Sequence[Break]) -> int:
    """Match pairs of open items about the same money in the records of two accounts of ours, and post an entry for each pair.

    `moved` are breaks of the day. Returns the number of those that are about money between our accounts and whose item is no
    longer open.
    """
    found = await suspense.open_by_reason(tx, differences.MOVED, ITEMS_SEEN_MAX)
    keys = {one.id: one.key for one in found}
    for one, other in differences.pairs([differences.side(item) for item in found]):
        for item, to in ((one, other), (other, one)):
            how = f"{to.provider}: {show('sus', to.id)}"
            await suspense.end(tx, item.id, Resolution.MATCHED, how)
            del keys[item.id]
    still_open = set(keys.values())
    return sum(one.reason in differences.MOVED and one.key not in still_open for one in moved)


def _is_among(item: OpenBreak, still: Iterable[str]) -> bool:
    """True if the difference of the item still exists. `still` are the keys of the differences found now: one of them is the
    key of the item, or that key without the number or sum at its end.
    """
    key = item.key
    return key in still or key.partition("#")[0] in still or key.rpartition(":")[0] in still


def _next_reading_at(day: date, now: datetime) -> datetime | None:
    """Return the time at which a day's record is read again, since it may change; None after the last time."""
    return next(
        (at for n in READ_AGAIN_DAYS if (at := end_of(day) + timedelta(days=n, hours=4)) > now),
        None,
    )


def _subject(leased: Leased) -> str:
    return f"day_{leased.provider}_{leased.day}"
