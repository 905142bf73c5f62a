"""Service of collectors: limit, months, deposits to the treasury and tax returns; the periodic tasks of credit."""

import re
from collections.abc import Sequence
from datetime import date, datetime
from functools import partial
from uuid import UUID

import msgspec

from meterai import notifications, trail
from meterai.collectors import store
from meterai.collectors.model import (
    DEPOSIT_CODE,
    DEPOSIT_KIND,
    Collector,
    CollectorDeposit,
    CollectorState,
    Dates,
    DepositBeyondDue,
    MonthDue,
    MonthReport,
    MonthRuns,
    MonthStanding,
    NoCollector,
    NtpnUsed,
    OfCollector,
    reminder_day,
)
from meterai.collectors.settings import CollectorSettings
from meterai.kit.actor import Actor
from meterai.kit.clock import Clock
from meterai.kit.days import Month, day_of
from meterai.kit.ids import show
from meterai.kit.money import Rupiah
from meterai.kit.refusal import Malformed, NotFound
from meterai.kit.text import one_line
from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import Database, ReadTx, Tx
from meterai.plumbing.work.periodic import each, run_row
from meterai.stamping import DocumentFacts

BATCH = 200  # collectors in one run of a periodic task
RECEIPT_LENGTH_MAX = 60  # characters
REASON_LENGTH_MAX = 200
_NTPN = re.compile(r"[0-9A-Z]{16}", re.ASCII)


class CollectorMonth(msgspec.Struct, frozen=True, kw_only=True):
    """One month (WIB) of a collector.  Amounts in whole rupiah.

    `due` is the amount still to be deposited: `drawn` less `returned` less `deposited` (confirmed deposits), less a surplus
    of earlier months.  `state` is `running`, `due`, `overdue` (draws may stop), `deposited` or `reported` (tax return filed).
    """

    month: str
    state: str
    drawn: int
    returned: int
    deposited: int
    due: int
    deposit_by: date
    report_by: date
    receipt: str | None


class CollectorDepositView(msgspec.Struct, frozen=True, kw_only=True):
    """A deposit to the treasury that you reported, in whole rupiah.  `state` is `told` until we confirm the deposit."""

    id: str
    ntpn: str
    month: str
    amount: int
    paid_on: date
    state: str
    told_at: datetime


class CollectorView(msgspec.Struct, frozen=True, kw_only=True):
    """The credit of a collector.  Amounts in whole rupiah.

    `used` is the part of `limit` that is drawn in the current month.  `stopped_by` is the reason why nothing can be drawn now:
    `limit` (it is used up) or `deposit` (the deposit of an earlier month is not confirmed); null if draws are possible.
    """

    state: str
    name: str
    npwp: str
    limit: int
    used: int
    left: int
    owed: int
    waiting_orders: int
    waiting_rupiah: int
    stopped_by: str | None
    deposit_code: str
    months: list[CollectorMonth]
    deposits: list[CollectorDepositView]


def deposit_view(one: CollectorDeposit) -> CollectorDepositView:
    """Convert a deposit to the form that its collector sees."""
    return CollectorDepositView(
        id=show(DEPOSIT_KIND, one.id),
        ntpn=one.ntpn,
        month=str(Month(one.month)),
        amount=one.amount,
        paid_on=one.paid_on,
        state=one.state,
        told_at=one.told_at,
    )


async def load(tx: ReadTx, account: UUID) -> Collector:
    """Return a collector. Refuses `NoCollector`."""
    found = await store.collector(tx, account)
    if found is None:
        raise NoCollector("this account is no collector")
    return found


def read_ntpn(text: str) -> str:
    """Parse an NTPN, the state's receipt number of a deposit. Refuses `Malformed`."""
    written = text.strip().upper()
    if not _NTPN.fullmatch(written):
        raise Malformed("ntpn", "ntpn")
    return written


async def _check_told(tx: Tx, account: UUID, ntpn: str, month: Month, rupiah: int) -> None:
    """Check a deposit that a collector reports. Refuses `NtpnUsed` if another collector has this receipt, and
    `DepositBeyondDue` if the rupiah exceed the open duty of the month less its unconfirmed deposits.

    Deposits that staff enter skip this check: the record of the treasury counts, not the reports (`collector_confirm`).
    """
    await store.lock(tx, account)
    if await store.deposit_of(tx, account, ntpn) is not None:
        return
    if await store.is_ntpn_of_another_account(tx, account, ntpn):
        raise NtpnUsed("of another collector")
    open_ = sum(one.open for one in await store.months(tx, account) if one.month == month.first)
    left = max(0, open_ - await store.unconfirmed_rupiah(tx, account, month.first))
    if rupiah > left:
        raise DepositBeyondDue(due=left)


def check_paid_on(month: Month, paid_on: date, today: date) -> None:
    """Refuse `Malformed` for a day on which the duty of a month cannot have been deposited."""
    if not month.first <= paid_on <= today:
        raise Malformed("paid_on", "day_between", first=str(month.first), last=str(today))


async def tell_deposit(
    tx: Tx, account: UUID, ntpn: str, month: Month, rupiah: int, paid_on: date, today: date
) -> UUID:
    """Insert a reported deposit and return its id; the same report returns the same id. Refuses `Malformed`, `NtpnUsed`."""
    if rupiah < 1:
        raise Malformed("rupiah", "at_least_one")
    check_paid_on(month, paid_on, today)
    await store.lock(
        tx, account
    )  # of two concurrent calls, the second sees the deposit of the first
    known = await store.deposit_of(tx, account, ntpn)
    if known is not None:
        if (known.month, known.amount, known.paid_on) != (month.first, rupiah, paid_on):
            raise NtpnUsed("another deposit of this collector has this NTPN")
        return known.id
    return await store.tell_deposit(tx, account, ntpn, month.first, rupiah, paid_on)


async def report(
    tx: Tx, account: UUID, month: Month, receipt: str, reported_on: date, actor: Actor
) -> None:
    """Record that the tax return of a month was filed. A later call replaces the record."""
    await store.report(tx, account, month.first, receipt, reported_on)
    facts = {"receipt": receipt, "reported_on": str(reported_on)}
    await trail.record(
        tx, account, actor=actor, action="collector_reported", subject=str(month), **facts
    )


class CollectorService:
    """Shows collectors their state, takes their reports, and runs the periodic tasks of credit."""

    def __init__(self, database: Database, settings: Settings, clock: Clock) -> None:
        self._database = database
        self._own = settings.of(CollectorSettings)
        self._clock = clock

    def today(self) -> date:
        """Return the current day in WIB."""
        return day_of(self._clock.now())

    def dates(self, month: Month) -> Dates:
        """Return the last days to deposit the duty of a month and to file its tax return."""
        return Dates(month, self._own.collector_deposit_day, self._own.collector_report_day)

    # -- queries ---------------------------------------------------------------------------

    async def view(self, account: UUID) -> CollectorView:
        """Return a collector, its months and its deposits to the treasury. Refuses `NoCollector`."""

        async def look(tx: Tx) -> CollectorView:
            found = await load(tx, account)
            stopped = await store.stops(tx, account, 1, *self._own.stops)
            waits = await store.waits(tx, account)
            dues = await store.months(tx, account)
            now = Month.of(self.today())
            used = sum(one.drawn - one.returned for one in dues if one.month == now.first)
            is_open = found.state == CollectorState.OPEN
            return CollectorView(
                state=found.state,
                name=found.name,
                npwp=found.npwp,
                limit=found.limit_rupiah,
                used=used,
                left=max(found.limit_rupiah - used, 0) if is_open else 0,
                owed=sum(one.open for one in dues),
                waiting_orders=waits.draws,
                waiting_rupiah=waits.rupiah,
                stopped_by=stopped if is_open else None,
                deposit_code=DEPOSIT_CODE,
                months=self._months(found, dues, await store.reports(tx, account)),
                deposits=[deposit_view(one) for one in await store.deposits(tx, account)],
            )

        return await self._database.run(look)

    def _months(
        self, found: Collector, dues: Sequence[MonthDue], reports: Sequence[MonthReport]
    ) -> list[CollectorMonth]:
        """Return every month since the approval of the collector, the newest first."""
        by_month = {one.month: one for one in dues}
        receipts = {one.month: one.receipt for one in reports}
        at, today = Month.of(day_of(found.approved_at)), self.today()
        shown: list[CollectorMonth] = []
        while at <= Month.of(today):
            shown.append(self._month(at, by_month.get(at.first), receipts.get(at.first), today))
            at = at.next
        return shown[::-1]

    def _month(
        self, month: Month, due: MonthDue | None, receipt: str | None, today: date
    ) -> CollectorMonth:
        dates = self.dates(month)
        open_ = due.open if due else 0
        return CollectorMonth(
            month=str(month),
            state=dates.standing(today, open_, is_reported=receipt is not None),
            drawn=due.drawn if due else 0,
            returned=due.returned if due else 0,
            deposited=due.deposited if due else 0,
            due=open_,
            deposit_by=dates.deposit_by,
            report_by=dates.report_by,
            receipt=receipt,
        )

    async def month(self, tx: ReadTx, found: Collector, month: Month) -> CollectorMonth:
        """Return one month of a collector. Refuses `NotFound` for a month before its approval, or in the future."""
        if not Month.of(day_of(found.approved_at)) <= month <= Month.of(self.today()):
            raise NotFound("no such month of this collector")
        dues = {one.month: one for one in await store.months(tx, found.account)}
        receipts = {one.month: one.receipt for one in await store.reports(tx, found.account)}
        return self._month(month, dues.get(month.first), receipts.get(month.first), self.today())

    # -- reports ---------------------------------------------------------------------------

    async def tell_deposit(
        self, account: UUID, ntpn: str, month: Month, rupiah: int, paid_on: date, actor: Actor
    ) -> CollectorDepositView:
        """Record a deposit that a collector reports and staff confirm later. The same report returns the same deposit.

        Refuses `NoCollector`, `Malformed`, `NtpnUsed`, `DepositBeyondDue`.
        """
        written = read_ntpn(ntpn)

        async def tell(tx: Tx) -> CollectorDepositView:
            await load(tx, account)
            await _check_told(tx, account, written, month, rupiah)
            await tell_deposit(tx, account, written, month, rupiah, paid_on, self.today())
            found = await store.deposit_of(tx, account, written)
            assert found is not None
            await trail.record(
                tx,
                account,
                actor=actor,
                action="collector_deposit_told",
                subject=show(DEPOSIT_KIND, found.id),
                rupiah=rupiah,
            )
            return deposit_view(found)

        return await self._database.run(tell)

    async def withdraw_deposit(self, account: UUID, ntpn: str) -> None:
        """Withdraw a wrongly reported deposit. Refuses `NotFound` if no deposit has this NTPN or it is confirmed."""
        if not await self._database.once(store.withdraw, account, read_ntpn(ntpn)):
            raise NotFound("no such unconfirmed deposit")

    async def report(
        self, account: UUID, month: Month, receipt: str, reported_on: date, actor: Actor
    ) -> CollectorMonth:
        """Record that a collector filed the tax return of a month.

        Refuses `NoCollector`, `Malformed`, `MonthRuns`, `NotFound`.
        """
        number = one_line(receipt)
        if not 1 <= len(number) <= RECEIPT_LENGTH_MAX:
            raise Malformed("receipt", "shown_text", length_max=RECEIPT_LENGTH_MAX)
        if month >= Month.of(self.today()):
            raise MonthRuns("the month has not ended")
        if not month.next.first <= reported_on <= self.today():
            raise Malformed(
                "reported_on", "day_between", first=str(month.next.first), last=str(self.today())
            )

        async def tell(tx: Tx) -> CollectorMonth:
            found = await load(tx, account)
            await self.month(tx, found, month)
            await report(tx, account, month, number, reported_on, actor)
            return await self.month(tx, found, month)

        return await self._database.run(tell)

    async def tell_unstamped(
        self, account: UUID, facts: DocumentFacts, happened_at: datetime, reason: str
    ) -> None:
        """Add to annex III of its month a document on which duty fell due and that could not be stamped. A repeat changes
        nothing.

        Refuses `NoCollector`, `Malformed`.
        """
        facts.check_complete()
        why = one_line(reason)
        if not 1 <= len(why) <= REASON_LENGTH_MAX:
            raise Malformed("reason", "shown_text", length_max=REASON_LENGTH_MAX)
        if happened_at > self._clock.now():
            raise Malformed("happened_at", "moment")
        month = Month.of(day_of(happened_at))

        async def tell(tx: Tx) -> None:
            await self.month(tx, await load(tx, account), month)
            columns = facts.columns()
            await store.tell_unstamped(tx, account, month.first, columns, happened_at, why)

        await self._database.run(tell)

    # -- periodic tasks --------------------------------------------------------------------

    async def take_waiting(self) -> int:
        """Periodic task: take waiting draws on credit after a month began, a limit grew or a deposit was confirmed."""
        found = await self._database.run(partial(store.to_take, limit=BATCH))
        return await each(self._database, store.TAKING, found, self._take, subject="account")

    async def _take(self, one: OfCollector) -> None:
        await run_row(self._database, store.take_waiting, one.account, *self._own.stops)

    async def remind(self) -> int:
        """Periodic task: remind collectors of a missing deposit or tax return of the last month, once on each reminder day."""
        today = self.today()
        day = reminder_day(today)
        if day is None:
            return 0
        month = Month.of(today).before
        found = await self._database.run(
            partial(store.to_remind, month=month.first, day=day, limit=BATCH)
        )
        remind = partial(self._remind, month=month, day=day)
        return await each(self._database, store.REMINDING, found, remind, subject="account")

    async def _remind(self, one: OfCollector, month: Month, day: int) -> None:
        async def remind(tx: Tx) -> None:
            found = await load(tx, one.account)
            view = await self.month(tx, found, month)
            if view.state == MonthStanding.REPORTED:
                return
            what = "deposit" if view.due else "report"
            if await store.remind(tx, one.account, month.first, day, what):
                await notifications.queue(
                    tx,
                    one.account,
                    cause=f"collector_{what}:{month}:{day}",
                    template=f"collector_{what}",
                    facts={
                        "name": found.name,
                        "month": str(month),
                        "rupiah": str(Rupiah(view.due)),
                        "deposit_code": DEPOSIT_CODE,
                        "deposit_by": str(view.deposit_by),
                        "report_by": str(view.report_by),
                    },
                )

        await run_row(self._database, remind)
