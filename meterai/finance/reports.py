"""Reports of the books for a controller: each shows sums of legs of the ledger, or single legs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from meterai import accounts, distribution, ledger
from meterai.finance import store
from meterai.finance.closing import asked_of_day
from meterai.finance.model import (
    UNPLACED,
    Ageing,
    BookStatement,
    ChannelReport,
    ChannelSpans,
    ChannelSum,
    PeriodBalance,
    ProviderReport,
    SalesChannel,
    StatementRequest,
    StatementScope,
    TaxReport,
    channel_reports,
    provider_reports,
)
from meterai.kit.days import Month, read_day
from meterai.kit.ids import read
from meterai.kit.refusal import Malformed, NotFound
from meterai.ledger import CHART, PAID_OUT, SOLD, Sums, figures_of
from meterai.plumbing.db.database import ReadTx

_ORDER = {book: place for place, book in enumerate(CHART)}
EVER = datetime.fromisoformat(
    "2020-01-01T00:00+07:00"
)  # before the first entry of any installation


def asked_of_month(month: Month) -> StatementRequest:
    """Return the request for the statement of all books of a month."""
    return StatementRequest(StatementScope.BOOKS, str(month), month.begins, month.ends)


async def asked(
    tx: ReadTx, scope: str, of: str, begin: datetime | None, end: datetime
) -> StatementRequest:
    """Return the request for a statement; `scope` is the word account, order, provider, day or month, and `of` names the
    account, order, and so on.

    Refuses `NotFound`, `Malformed`.
    """
    since = begin or EVER
    match scope:
        case "day":
            return asked_of_day(read_day(of))
        case "month":
            return asked_of_month(Month.read(of))
        case StatementScope.ACCOUNT:
            return StatementRequest(
                StatementScope.ACCOUNT, of, since, end, await accounts.account_named(tx, of)
            )
        case StatementScope.ORDER:
            account, order = await _order(tx, of)
            return StatementRequest(StatementScope.ORDER, of, since, end, account, order)
        case StatementScope.PROVIDER:
            return StatementRequest(StatementScope.PROVIDER, of or UNPLACED, since, end)
        case _:
            raise Malformed("scope", "another_value")


async def _order(tx: ReadTx, of: str) -> tuple[UUID, UUID]:
    order = read("ord", of)
    account = await store.account_of_subject(tx, order)
    if account is None:
        raise NotFound("no entry is of this order")
    return account, order


async def trial_balance(tx: ReadTx, at: datetime) -> list[PeriodBalance]:
    """Return the balance of every book of the chart at a moment."""
    return in_order(
        await store.balances(tx, StatementRequest(StatementScope.BOOKS, "", at, at)), is_whole=True
    )


def in_order(found: Sequence[PeriodBalance], *, is_whole: bool = False) -> list[PeriodBalance]:
    """Return the balances of books in the order of the chart of accounts: of all books if `is_whole`, else only of books with a
    balance or a movement.
    """
    there = {one.book: one for one in found}
    every = [there.get(book, PeriodBalance(book, 0, 0, 0)) for book in CHART] if is_whole else found
    return sorted(
        (one for one in every if is_whole or one.opening or one.debit or one.credit),
        key=lambda one: _ORDER[one.book],
    )


async def statement(tx: ReadTx, wish: StatementRequest, most: int = 0) -> BookStatement:
    """Return a statement with at most `most` legs, the oldest first; if `most` is 0, it has only the balances of the books."""
    balances = in_order(await store.balances(tx, wish))
    if not most:
        return BookStatement(wish, balances)
    lines = []
    async for some in store.lines(tx, wish):
        lines += some
        if len(lines) > most:
            break
    return BookStatement(wish, balances, lines[:most], is_cut=len(lines) > most)


async def providers(tx: ReadTx, begin: datetime, end: datetime) -> list[ProviderReport]:
    """Return a report of each provider in a period: received, returned and settled rupiah, the provider's fees and the tax on
    them.
    """
    return provider_reports(await store.provider_sums(tx, begin, end))


async def ageing(tx: ReadTx, at: datetime) -> Ageing:
    """Return the open refunds by provider, method and age, and the balance of the book `refunds_payable`."""
    rows = await store.ageing(tx, at)
    return Ageing(at, rows, await store.book_now(tx, "refunds_payable"))


@dataclass(frozen=True, slots=True)
class ByChannel:
    """Reports of the sales channels for a span of days, for all days together and for each day; and the names of sellers."""

    whole: Sequence[ChannelReport]
    by_day: Sequence[ChannelReport]
    names: Mapping[UUID, str]


async def channels(tx: ReadTx, first: date, last: date) -> ByChannel:
    """Return duty and fees of each channel over the days from `first` to `last`."""
    rows = await store.channels(tx, first, last)
    names = {one.account: one.name for one in await distribution.distributors(tx)}
    return ByChannel(channel_reports(rows), channel_reports(rows, by_day=True), names)


def _span(
    rows: Sequence[ChannelSpans], span: str
) -> Mapping[tuple[SalesChannel, UUID], ChannelReport]:
    """Return the reports of one span of the counted sums (`today`, `week` or `month`), by channel and seller."""
    sums = [
        ChannelSum(
            one.last_day, one.channel, one.seller, one.reason, one.book, 0, getattr(one, span)
        )
        for one in rows
    ]
    return {(one.channel, one.seller): one for one in channel_reports(sums)}


@dataclass(frozen=True, slots=True)
class ChannelsCounted:
    """Reports of channels over today, the last 7 and the last 30 days, as counted up to the moment `until`."""

    until: datetime | None
    today: Mapping[tuple[SalesChannel, UUID], ChannelReport]
    week: Mapping[tuple[SalesChannel, UUID], ChannelReport]
    month: Mapping[tuple[SalesChannel, UUID], ChannelReport]
    sold_on: Mapping[UUID, date]  # the last day with a sold stamp, by seller
    taken_week: Mapping[UUID, int]  # sales paid by the deposit, by seller


async def channels_counted(tx: ReadTx, today: date) -> ChannelsCounted:
    """Return the reports of channels from sums that were counted before, so that the cost does not depend on the number of
    orders.
    """
    rows = await store.channel_spans(tx, today)
    today_, week, month = (_span(rows, span) for span in ("today", "week", "month"))
    sold_on: dict[UUID, date] = {}
    for row in rows:
        if row.reason in SOLD and row.channel == SalesChannel.DISTRIBUTOR:
            sold_on[row.seller] = max(row.last_day, sold_on.get(row.seller, row.last_day))
    taken = {
        row.seller: row.entries_week
        for row in rows
        if (row.reason, row.book) == ("deposit_taken", "deposits")
    }
    until = await store.channels_counted_until(tx)
    return ChannelsCounted(until, today_, week, month, sold_on, taken)


async def taxes(tx: ReadTx, begin: datetime, end: datetime) -> TaxReport:
    """Return duty and tax of a period."""
    sums = Sums(await ledger.sums_between(tx, begin, end))
    found = await store.balances(tx, StatementRequest(StatementScope.BOOKS, "", begin, end))
    books = {one.book: one for one in found}
    duty = books.get("duty_payable", PeriodBalance("duty_payable", 0, 0, 0))
    return TaxReport(
        figures_of(sums),
        duty.opening,
        -sums.of("duty_payable", *PAID_OUT),
        duty.closing,
        sums.of("service_fee"),
        -sums.of("provider_fee"),
        -sums.of("provider_tax"),
    )
