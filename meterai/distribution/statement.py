"""Statement of a deposit: its legs, each with the balance after it, and their sums by day.

A statement is read from the book `deposits` alone, so it cannot differ from the books.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from uuid import UUID

import msgspec

from meterai.distribution import store
from meterai.distribution.model import Leg, Summed, WorkbookTooLong
from meterai.kit.days import DAY, Month, begin_of, read_day
from meterai.kit.refusal import Malformed
from meterai.plumbing.db.database import ReadTx
from meterai.plumbing.messages import translate
from meterai.plumbing.spreadsheets import (
    BYTE_ORDER_MARK,
    SEPARATORS,
    Cell,
    Sheet,
    csv_line,
    csv_lines,
    xlsx_book,
)

SECONDS_MAX = 60  # time limit of a database query over a large month
FEES = ("earned", "returned", "collected")  # with the prefix `fee_`: reasons of entries
# Time zone and pattern of the times of legs: in WIB for people, in RFC 3339 for programs.
_FOR_PEOPLE = ("Asia/Jakarta", "YYYY-MM-DD HH24:MI:SS")
_FOR_PROGRAMS = ("UTC", 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
XLSX_LEGS_MAX = (
    100_000  # a workbook is made in memory; a longer statement is available as CSV or JSON
)


class DayOfDeposit(msgspec.Struct, frozen=True, kw_only=True):
    """One day (WIB) of a deposit, in whole rupiah: `closing` is `opening` plus all amounts between them."""

    day: date
    opening: int
    added: int  # by top-ups
    sold: int  # negative
    returned: int  # of sales that were not executed, or whose stamps were returned
    fees: int  # of the seller, from orders that buyers paid by our rails; less returns
    withdrawn: int  # negative: returned to the distributor, or charged back by its bank
    closing: int
    sales: int


class StatementView(msgspec.Struct, frozen=True, kw_only=True):
    """Statement of a deposit from `begins` to before `ends`, in whole rupiah; days without a movement are left out."""

    begins: datetime
    ends: datetime
    opening: int
    closing: int
    days: list[DayOfDeposit]


@dataclass(frozen=True, slots=True)
class StatementSpan:
    """Period of a statement: a month or a day in WIB."""

    name: str
    begins: datetime
    ends: datetime

    @classmethod
    def read(cls, month: str | None, day: str | None) -> "StatementSpan":
        """Parse a month (2026-11) or a day (2026-11-30), exactly one of them. Refuses `Malformed`, `NotFound`."""
        if (month is None) == (day is None):
            raise Malformed("month", "given")
        if day is not None:
            first = read_day(day)
            return cls(day, begin_of(first), begin_of(first + DAY))
        of = Month.read(str(month))
        return cls(str(of), of.begins, of.ends)


async def by_day(tx: ReadTx, account: UUID, of: StatementSpan) -> StatementView:
    """Return the statement of a deposit for a period: for each day the sums of its movements, and the balances."""
    await tx.allow(SECONDS_MAX)
    balance = opening = await store.balance_before(tx, account, of.begins)
    days: list[DayOfDeposit] = []
    found: dict[date, dict[str, Summed]] = {}
    for one in await store.sums_by_day(tx, account, of.begins, of.ends):
        found.setdefault(one.day, {})[one.reason] = one
    for day, reasons in found.items():
        sums = {reason: one.amount for reason, one in reasons.items()}
        closing = balance + sum(sums.values())
        days.append(
            DayOfDeposit(
                day=day,
                opening=balance,
                added=sums.get("deposit_added", 0),
                sold=sums.get("deposit_taken", 0),
                returned=sums.get("deposit_returned", 0),
                fees=sum(sums.get(f"fee_{one}", 0) for one in FEES),
                withdrawn=sums.get("deposit_withdrawn", 0) + sums.get("deposit_recovered", 0),
                closing=closing,
                sales=reasons["deposit_taken"].entries if "deposit_taken" in reasons else 0,
            )
        )
        balance = closing
    return StatementView(
        begins=of.begins, ends=of.ends, opening=opening, closing=balance, days=days
    )


async def legs(
    tx: ReadTx, account: UUID, of: StatementSpan, times: tuple[str, str] = _FOR_PEOPLE
) -> AsyncIterator[list[Leg]]:
    """Yield every leg of a statement, oldest first, some legs at a time.

    `times` are the time zone and the PostgreSQL pattern with which the times of legs are written.
    """
    await tx.allow(SECONDS_MAX)
    before = await store.balance_before(tx, account, of.begins)
    await store.open_legs(tx, account, of.begins, of.ends, before, times)
    while some := await store.next_legs(tx):
        yield some


@dataclass(frozen=True)
class StatementWords:
    """Texts of a statement in one language."""

    language: str

    @cached_property
    def head(self) -> list[str]:
        """Return the names of the columns."""
        return translate("deposit.columns.legs", self.language).split("|")

    @cached_property
    def reasons(self) -> Mapping[str, str]:
        """Return, by reason of a ledger entry that moves a deposit, the text that people see."""
        return {
            reason: translate(f"deposit.reason.{reason}", self.language)
            for reason in (
                "deposit_added",
                "deposit_taken",
                "deposit_returned",
                "deposit_withdrawn",
                "deposit_recovered",
                *(f"fee_{one}" for one in FEES),
            )
        }

    def rows(self, some: Iterable[Leg]) -> Iterable[list[Cell]]:
        """Convert legs to rows of a table."""
        words = self.reasons
        return (
            [one.at, words[one.reason], one.shown, one.amount, one.balance, one.entry]
            for one in some
        )


async def as_csv(
    tx: ReadTx, account: UUID, of: StatementSpan, language: str
) -> AsyncIterator[bytes]:
    """Yield a statement as CSV, some legs at a time."""
    words = StatementWords(language)
    yield (BYTE_ORDER_MARK + csv_lines([words.head], language)).encode()
    # Each reason is escaped once; times, numbers and ids need no quotes, and no spreadsheet reads them as a formula.
    reasons = {one: csv_line([text], language).strip() for one, text in words.reasons.items()}
    to = SEPARATORS[language]
    async for some in legs(tx, account, of):
        lines = [
            f"{one.at}{to}{reasons[one.reason]}{to}{one.shown}{to}{one.amount}{to}{one.balance}{to}{one.entry}\r\n"
            for one in some
        ]
        yield "".join(lines).encode()


async def as_json(
    tx: ReadTx, account: UUID, of: StatementSpan, language: str
) -> AsyncIterator[bytes]:
    """Yield a statement as one JSON array, some legs at a time. Each leg has time, entry, reason, sale or order, rupiah,
    and the balance after it.
    """
    del language
    before = "["
    async for some in legs(tx, account, of, _FOR_PROGRAMS):
        # These texts are ours, and contain nothing that JSON must escape.
        lines = [
            f'{{"at":"{one.at}","entry":"{one.entry}","reason":"{one.reason}","subject":"{one.shown}",'
            f'"amount":{one.amount},"balance":{one.balance}}}'
            for one in some
        ]
        yield (before + ",\n".join(lines)).encode()
        before = ",\n"
    yield b"[]" if before == "[" else b"]"


async def as_xlsx(
    tx: ReadTx, account: UUID, of: StatementSpan, language: str
) -> AsyncIterator[bytes]:
    """Yield a statement as a workbook (XLSX) with a sheet of days and a sheet of legs. Refuses `WorkbookTooLong`."""
    words, rows = StatementWords(language), list[list[Cell]]()
    view = await by_day(tx, account, of)
    async for some in legs(tx, account, of):
        rows += words.rows(some)
        if len(rows) > XLSX_LEGS_MAX:
            raise WorkbookTooLong(legs_max=XLSX_LEGS_MAX)
    head = translate("deposit.columns.days", language).split("|")
    days: list[list[Cell]] = [
        [
            str(one.day),
            one.opening,
            one.added,
            one.sold,
            one.returned,
            one.fees,
            one.withdrawn,
            one.closing,
            one.sales,
        ]
        for one in view.days
    ]
    yield xlsx_book(
        [
            Sheet(translate("deposit.table.days", language), head, days, (12,), "#,##0"),
            Sheet(
                translate("deposit.table.legs", language), words.head, rows, (20, 30, 34), "#,##0"
            ),
        ]
    )


Writer = Callable[[ReadTx, UUID, StatementSpan, str], AsyncIterator[bytes]]
