"""Files that the bank makes for each day (WIB): the settlement of payments, and statements of accounts.

    GET /standin/files/2026-11-30/settlement.csv   lines of the balance, as Xendit's report has them
    GET /standin/files/2026-11-30/statement.csv    the merchant's own account, or ?account=...
    GET /standin/files/2026-11-30/statement.mt940  the same statement for programs (SWIFT MT940)
    GET /standin/files/2026-11-30/statement.xlsx   the same statement as a spreadsheet

By a fault the next file has a line twice, lacks a line, has a broken row, ends in the middle, or is in UTF-16.
"""

import csv
import io
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date

import xlsxwriter
from aiohttp import web

from standins import clock
from standins.bank.accounts import FLOAT_ACCOUNT, OWN_ACCOUNT, AccountLine, Accounts
from standins.bank.settlement import Line, Settlements, span
from standins.bank.storm import BankFaults
from standins.refusal import NotFound, NotUnderstood

SETTLEMENT_COLUMNS = (
    "Product ID",
    "Transaction ID",
    "Transaction Type",
    "Line Type",
    "Payment Channel",
    "Reference",
    "Currency",
    "Amount",
    "Balance",
    "Created Date",
)
STATEMENT_COLUMNS = ("Date", "Description", "Reference", "Debit", "Credit", "Balance", "Currency")
TAG_86_CHARACTERS = 65  # characters of one line in tag 86 of MT940
BIC = "STNDIDJA"

Row = tuple[object, ...]


class Files:
    """The route of files."""

    def __init__(self, settlements: Settlements, accounts: Accounts, faults: BankFaults) -> None:
        self._settlements = settlements
        self._accounts = accounts
        self._faults = faults

    def add_routes(self, app: web.Application) -> None:
        """Add the route."""
        app.router.add_get("/standin/files/{day}/{kind}", self._file)

    async def _file(self, request: web.Request) -> web.Response:
        kinds: dict[str, Callable[[date, str], bytes]] = {
            "settlement.csv": self._settlement,
            "statement.csv": self._statement_csv,
            "statement.mt940": self._statement_mt940,
            "statement.xlsx": self._statement_xlsx,
        }
        kind, account = request.match_info["kind"], request.query.get("account", OWN_ACCOUNT)
        if kind not in kinds or account not in (OWN_ACCOUNT, FLOAT_ACCOUNT):
            raise NotFound(f"no such file; there are {', '.join(kinds)}")
        try:
            day = date.fromisoformat(request.match_info["day"])
        except ValueError:
            raise NotUnderstood("a day is YYYY-MM-DD") from None
        self._settlements.book()
        with self._faults.struck("file"):
            content = kinds[kind](day, account)
            if self._faults.take("file_half"):
                content = content[: len(content) // 2]
        return web.Response(body=content, content_type="application/octet-stream")

    def _settlement(self, day: date, _account: str) -> bytes:
        balance = self._settlements.held(self._settlements.cut(day)[0])
        rows: list[Row] = []
        lines = self._settlements.of_day(day)
        if self._faults.take("file_fee_rounded"):
            lines = _rounded_otherwise(lines)
        for number, line in enumerate(lines, 1):
            balance += line.amount
            rows.append(
                (
                    line.number,
                    f"{day:%Y%m%d}-{number:08d}",
                    line.transaction,
                    line.part,
                    line.channel,
                    line.reference,
                    "IDR",
                    line.amount,
                    balance,
                    clock.snap_time(line.moved_at),
                )
            )
        return self._csv(SETTLEMENT_COLUMNS, rows)

    def _statement_csv(self, day: date, account: str) -> bytes:
        return self._csv(STATEMENT_COLUMNS, self._statement(day, account))

    def _statement(self, day: date, account: str) -> list[Row]:
        begins, ends = span(day)
        balance = self._accounts.balance(account, before=begins)
        rows: list[Row] = []
        for line in self._accounts.lines(account, begins, ends):
            balance += line.amount
            debit, credit = (-line.amount, "") if line.amount < 0 else ("", line.amount)
            at = clock.wib(line.moved_at).strftime("%Y-%m-%d %H:%M:%S")
            rows.append((at, line.remark, line.reference, debit, credit, balance, "IDR"))
        return rows

    def _statement_xlsx(self, day: date, account: str) -> bytes:
        out = io.BytesIO()
        with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
            sheet = book.add_worksheet("Mutasi")
            rows = [STATEMENT_COLUMNS, *self._with_faults(self._statement(day, account))]
            for number, row in enumerate(rows):
                sheet.write_row(number, 0, row)
        return out.getvalue()

    def _statement_mt940(self, day: date, account: str) -> bytes:
        """Return one message: opening balance, tags 61 and 86 for each movement, closing balance."""
        begins, ends = span(day)
        lines = self._accounts.lines(account, begins, ends)
        opening = self._accounts.balance(account, before=begins)
        closing = opening + sum(line.amount for line in lines)
        texts = [
            f":20:STN{day:%y%m%d}",
            f":25:{BIC}/{account}",
            f":28C:{day:%j}/1",
            f":60F:{_mt940_balance(opening, day)}",
            *self._with_faults([(_mt940_line(line, day),) for line in lines]),
            f":62F:{_mt940_balance(closing, day)}",
            "-",
        ]
        text = "\r\n".join(one if isinstance(one, str) else str(one[0]) for one in texts)
        return self._encoded(text + "\r\n")

    def _csv(self, columns: Row, rows: list[Row]) -> bytes:
        out = io.StringIO()
        csv.writer(out).writerows([columns, *self._with_faults(rows)])
        return self._encoded(out.getvalue())

    def _with_faults(self, rows: list[Row]) -> Iterable[Row]:
        """Return the rows, damaged by the fault switches; a fault is used up only if there is a row to damage."""
        if rows and self._faults.take("file_line_twice"):
            rows = [*rows, rows[0]]
        if rows and self._faults.take("file_line_missing"):
            rows = rows[:-1]
        if rows and self._faults.take("file_broken_row"):
            middle = len(rows) // 2
            rows = [*rows[:middle], ('"' + str(rows[middle][0])[:5],), *rows[middle + 1 :]]
        return rows

    def _encoded(self, text: str) -> bytes:
        return text.encode("utf-16" if self._faults.take("file_other_encoding") else "utf-8")


def _rounded_otherwise(lines: list[Line]) -> list[Line]:
    """Return the lines with the first fee increased by one rupiah."""
    fees = [number for number, line in enumerate(lines) if line.part == "FEE"]
    return [
        replace(line, amount=line.amount - 1) if [number] == fees[:1] else line
        for number, line in enumerate(lines)
    ]


def _mt940_balance(rupiah: int, day: date) -> str:
    return f"{'D' if rupiah < 0 else 'C'}{day:%y%m%d}IDR{abs(rupiah)},00"


def _mt940_line(line: AccountLine, day: date) -> str:
    """Return tags 61 and 86 of a line. A reference in tag 61 has 16 characters; tag 86 has the whole reference."""
    side = "D" if line.amount < 0 else "C"
    kind = "NCHG" if line.kind == "fee" else "NTRF"
    reference = line.reference[:16] or "NONREF"
    text = line.remark if line.reference in line.remark else f"{line.remark} {line.reference}"
    parts = [text[at : at + TAG_86_CHARACTERS] for at in range(0, len(text), TAG_86_CHARACTERS)]
    return (
        f":61:{day:%y%m%d%m%d}{side}{abs(line.amount)},00{kind}{reference}//L{line.seq:012d}\r\n:86:"
        + "\r\n".join(parts)
    )
