"""Reports as tables for a spreadsheet: rupiah and stamps are whole numbers, everything else is text."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from uuid import UUID

from meterai.finance import reports
from meterai.finance.model import (
    AGES_DAYS,
    Aged,
    Ageing,
    BookStatement,
    ChannelReport,
    PeriodBalance,
    ProviderReport,
    SalesChannel,
    StatementLine,
    StatementRequest,
    TaxReport,
)
from meterai.kit.clock import WIB
from meterai.kit.days import Month
from meterai.kit.ids import show
from meterai.ledger import CHART
from meterai.plumbing.db.database import ReadTx
from meterai.plumbing.messages import translate
from meterai.plumbing.spreadsheets import Cell, Sheet

_NUMBERS = "#,##0"
ACCOUNTS_KEPT = 10_000  # cached ids of accounts: a long statement names few


def _sheet(name: str, language: str, rows: Sequence[Sequence[Cell]], *widths: int) -> Sheet:
    head = translate(f"finance.columns.{name}", language).split("|")
    return Sheet(translate(f"finance.table.{name}", language), head, rows, widths, _NUMBERS)


def book_in_words(book: str, language: str) -> str:
    """Return the name of a book in a language."""
    return translate(f"book.{book}", language)


def trial(balances: Sequence[PeriodBalance], language: str) -> Sheet:
    """Return a trial balance, with the totals of each unit at its end."""
    rows: list[list[Cell]] = [
        [one.book, book_in_words(one.book, language), one.of.unit, one.on_debit, one.on_credit]
        for one in balances
    ]
    total = translate("finance.total", language)
    rows += [["", total, unit, debit, credit] for unit, debit, credit in totals(balances)]
    return _sheet("trial", language, rows, 18, 44)


def totals(balances: Sequence[PeriodBalance]) -> list[tuple[str, int, int]]:
    """Return (unit, sum of debits, sum of credits) for each unit: rupiah and stamps."""
    return [
        (
            unit,
            sum(one.on_debit for one in balances if one.of.unit == unit),
            sum(one.on_credit for one in balances if one.of.unit == unit),
        )
        for unit in dict.fromkeys(one.of.unit for one in balances)
    ]


def balances(found: BookStatement, language: str) -> Sheet:
    """Return the table of the books of a statement; a balance is positive on the normal side of its book."""
    rows: list[list[Cell]] = []
    for one in found.balances:
        side = -1 if one.of.is_debit else 1
        words: list[Cell] = [one.book, book_in_words(one.book, language), one.of.unit]
        rows.append([*words, one.opening * side, one.debit, one.credit, one.closing * side])
    return _sheet("balances", language, rows, 18, 44)


def _moment(at: datetime) -> str:
    return at.astimezone(WIB).isoformat(timespec="seconds")


@lru_cache(ACCOUNTS_KEPT)
def _account(account: str) -> str:
    return show("acc", UUID(account))


def line_rows(found: Iterable[StatementLine]) -> Iterator[list[Cell]]:
    """Convert the lines of a statement to rows of cells. A line is one leg (an amount in one book) of a ledger entry."""
    units = {name: book.unit for name, book in CHART.items()}
    for at, account, entry, reason, subject, book, amount in found:
        sides = (-amount, 0) if amount < 0 else (0, amount)
        yield [at, _account(account), entry, reason, subject, book, units[book], *sides]


def lines(found: Sequence[StatementLine], language: str) -> Sheet:
    """Return the table of the lines of a statement."""
    return _sheet("lines", language, list(line_rows(found)), 26, 32, 44)


def providers(found: Sequence[ProviderReport], language: str) -> Sheet:
    """Return the table of the fees of providers, with the rupiah from which the fees were deducted."""
    rows: list[list[Cell]] = [
        [
            one.provider,
            *(one.opening, one.captured, one.given_back, one.charged_back),
            *(one.settled, one.fee, one.tax, one.other, one.closing),
        ]
        for one in found
    ]
    return _sheet("providers", language, rows)


def bucket_in_words(bucket: int, language: str) -> str:
    """Return the name of an age bucket of refunds, which is a range of days."""
    bounds = (0, *AGES_DAYS)
    if bucket == len(AGES_DAYS):
        return translate("finance.older", language, days=AGES_DAYS[-1])
    return translate("finance.age", language, first=bounds[bucket], last=bounds[bucket + 1])


def ageing(found: Ageing, language: str) -> Sheet:
    """Return the table of the open refunds by provider, method and age."""
    rows = [_aged(one, language) for one in found.rows]
    return _sheet("ageing", language, rows, 14, 14, 22)


def _aged(one: Aged, language: str) -> list[Cell]:
    return [
        one.provider,
        one.method,
        bucket_in_words(one.bucket, language),
        *(one.number, one.rupiah, one.overdue),
        *map(_moment, (one.oldest, one.due)),
    ]


def tax_lines(found: TaxReport) -> list[tuple[str, int, int]]:
    """Return the lines of a tax report: name (`finance.tax.<name>`), stamps, rupiah."""
    return [
        ("opening", 0, found.opening),
        *((one.name, one.stamps, one.rupiah) for one in found.figures),
        ("paid_out", 0, found.paid_out),
        ("closing", 0, found.closing),
        ("service_fee", 0, found.service_fee),
        ("provider_fee", 0, found.provider_fee),
        ("provider_tax", 0, found.provider_tax),
    ]


def taxes(found: TaxReport, language: str) -> Sheet:
    """Return the table of a tax report."""
    rows: list[list[Cell]] = [
        [translate(f"finance.tax.{name}", language), stamps, rupiah]
        for name, stamps, rupiah in tax_lines(found)
    ]
    return _sheet("taxes", language, rows, 50)


def channels(
    found: Sequence[ChannelReport],
    names: Mapping[UUID, str],
    language: str,
    *,
    by_day: bool = False,
) -> Sheet:
    """Return the table of duty and fees by channel, of all days together or of each day; its last row has the sums over all
    channels.
    """
    rows: list[list[Cell]] = []
    for one in found:
        whose = names.get(one.seller, "")
        kind = translate(f"finance.channel.{one.channel}", language)
        cells: list[Cell] = [str(one.day)] if by_day else []
        rows.append([*cells, kind, whose, _account(str(one.seller)) if whose else "", *_duty(one)])
    if rows:
        # Money of a deposit is counted once, at the channel that sold from it.
        sums = [sum(column) for column in zip(*map(_duty, found), strict=True)]
        deposits = [_duty(one) for one in found if one.channel is SalesChannel.DEPOSIT]
        for place in (2, 3):
            sums[place] -= sum(one[place] for one in deposits)
        blank = [""] * (3 if by_day else 2)
        rows.append([translate("finance.total", language), *blank, *sums])
    widths = (14, 26, 32) if by_day else (26, 26, 32)
    return _sheet("channel_days" if by_day else "channels", language, rows, *widths)


def _duty(one: ChannelReport) -> list[int]:
    """Return the numbers in a channel's row: stamps sold and refunded, rupiah paid, returned and due, and the fees.

    Duty that was paid to the treasury belongs to no channel.
    """
    sold, refunded, due = one.figure("sold"), one.figure("refunded"), one.figure("due")
    fees = (one.service_fee, one.seller_fee)
    return [sold.stamps, refunded.stamps, one.paid, one.returned, due.rupiah, *fees]


async def month(tx: ReadTx, of: Month, now: datetime, language: str) -> dict[str, Sheet]:
    """Return every report of a month, by the name of its file; the report of open refunds shows those that are open at
    `now`.
    """
    wish = reports.asked_of_month(of)
    by_channel = await reports.channels(tx, of.first, of.last)
    return {
        "trial-balance": trial(await reports.trial_balance(tx, min(wish.end, now)), language),
        "books": balances(await reports.statement(tx, wish), language),
        "providers": providers(await reports.providers(tx, wish.begin, wish.end), language),
        "taxes": taxes(await reports.taxes(tx, wish.begin, wish.end), language),
        "channels": channels(by_channel.whole, by_channel.names, language),
        "channel-days": channels(by_channel.by_day, by_channel.names, language, by_day=True),
        "refunds": ageing(await reports.ageing(tx, now), language),
    }


async def of_statement(
    tx: ReadTx, wish: StatementRequest, most: int, language: str
) -> dict[str, Sheet]:
    """Return a statement as tables: the balances of its books, and at most `most` of its legs."""
    found = await reports.statement(tx, wish, most)
    name = "lines-first" if found.is_cut else "lines"
    return {"balances": balances(found, language), name: lines(found.lines, language)}
