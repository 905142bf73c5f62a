"""Commands of finance: reports, closes of days, payouts of duty, and files for third parties."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from cyclopts import Parameter

from meterai import approvals, ledger
from meterai.commands import (
    NO_OPTIONS,
    Between,
    By,
    DryRun,
    Exit,
    OptionalText,
    Options,
    Reason,
    Text,
    complain,
    line,
    with_database,
)
from meterai.finance import beans, closing, levers, payouts, reports, store, tables
from meterai.finance.model import (
    DEPOSIT_CODE,
    LINES_MAX,
    UNPLACED,
    BookStatementTooLong,
    StatementRequest,
    StatementScope,
)
from meterai.kit.clock import SystemClock
from meterai.kit.days import Month, begin_of, day_of, read_day
from meterai.kit.refusal import Malformed, NotFound
from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import Database, ReadTx
from meterai.plumbing.db.figures import moment
from meterai.plumbing.files import read_key_file
from meterai.plumbing.signed import public_key_of
from meterai.plumbing.spreadsheets import (
    BYTE_ORDER_MARK,
    Cell,
    Sheet,
    csv_lines,
    csv_table,
    xlsx_book,
)

Answer = TypeVar("Answer")
Out = Annotated[Path | None, Parameter(help="A new file: .csv or .xlsx.")]
Language = Annotated[Literal["id", "en"], Parameter(help="Language of the texts.")]
From = Annotated[OptionalText, Parameter(name="--from", help="A day in WIB, or a moment.")]
To = Annotated[
    OptionalText, Parameter(name="--to", help="A day in WIB, or a moment; it is not included.")
]
RUPIAH_MAX = 10**15  # of one payout; a larger amount is a typing error
Rupiahs = Annotated[int, Parameter(help="Rupiah.", validator=Between(1, RUPIAH_MAX))]


def _query_command(
    command: str, options: Options, ask: Callable[[ReadTx], Awaitable[Answer]]
) -> Answer:
    async def look(database: Database, _: Settings) -> Answer:
        async with database.reading() as tx:
            return await ask(tx)

    return with_database(command, options, look)


def _moment(text: str | None, field: str) -> datetime:
    return moment(text, field) if text else SystemClock().now()


def _give(sheet: Sheet, out: Path | None, language: str) -> None:
    """Print a table, or write it to a file."""
    if out is None:
        for text in aligned([sheet.head, *sheet.rows]):
            line(text)
        return
    _write(out, _content([sheet], out, language))
    line(f"{len(sheet.rows)} rows: {out}")


def aligned(rows: Sequence[Sequence[Cell]]) -> Iterator[str]:
    """Yield the rows of a table, each column as wide as its widest cell, numbers right-aligned."""
    cells = [[f"{one:,}" if isinstance(one, int) else str(one) for one in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    numbers = [any(isinstance(one, int) for one in column) for column in zip(*rows, strict=True)]
    for row in cells:
        parts = zip(row, widths, numbers, strict=True)
        texts = [
            one.rjust(width) if is_right else one.ljust(width) for one, width, is_right in parts
        ]
        yield "  ".join(texts).rstrip()


def _content(sheets: list[Sheet], out: Path, language: str) -> bytes:
    match out.suffix.lower():
        case ".csv":
            return csv_table([sheets[0].head, *sheets[0].rows], language)
        case ".xlsx":
            return xlsx_book(sheets)
        case _:
            raise Malformed("out", "another_value")


def _write(out: Path, content: bytes) -> None:
    try:
        with out.open("xb") as file:
            file.write(content)
    except OSError as error:
        raise _unwritten(out, error) from None


def _unwritten(out: Path, error: OSError) -> SystemExit:
    complain(f"{out}: {error.strerror}")
    return SystemExit(Exit.USAGE)


def trial_balance(
    *,
    at: OptionalText = None,
    out: Out = None,
    language: Language = "en",
    options: Options = NO_OPTIONS,
) -> None:
    """Show every book at a moment (now without --at), on its debit or its credit side, with totals of each unit."""
    when = _moment(at, "at")
    found = _query_command(
        "finance trial-balance", options, lambda tx: reports.trial_balance(tx, when)
    )
    _give(tables.trial(found, language), out, language)


def ageing(*, out: Out = None, language: Language = "en", options: Options = NO_OPTIONS) -> None:
    """Show open refunds by provider, method and age, with the oldest and the number of overdue ones."""
    now = SystemClock().now()
    found = _query_command("finance ageing", options, lambda tx: reports.ageing(tx, now))
    _give(tables.ageing(found, language), out, language)
    line(f"open {found.rupiah}, in the book {found.payable}")


def by_channel(
    of: Text,
    *,
    by_day: Annotated[bool, Parameter(help="A row for each day.")] = False,
    out: Out = None,
    language: Language = "en",
    options: Options = NO_OPTIONS,
) -> None:
    """Show duty to the treasury and fees by channel, of a month (2026-11) or a day (2026-11-30)."""
    first, last = _days(of)
    found = _query_command(
        "finance channels", options, lambda tx: reports.channels(tx, first, last)
    )
    rows = found.by_day if by_day else found.whole
    _give(tables.channels(rows, found.names, language, by_day=by_day), out, language)


def _days(of: str) -> tuple[date, date]:
    """Return the first and the last day of the month or day that `of` names. Refuses `Malformed`, `NotFound`."""
    if len(of) > len("2026-11"):
        return read_day(of), read_day(of)
    month = Month.read(of)
    return month.first, month.last


def statement(
    scope: Text,
    of: Text = UNPLACED,
    *,
    begin: From = None,
    end: To = None,
    out: Out = None,
    language: Language = "en",
    options: Options = NO_OPTIONS,
) -> None:
    """Show the statement of an account, order, provider, day or month: SCOPE is one of these words, OF its name.

    The books are printed; with --out, every entry is written to a file.
    """
    since = moment(begin, "from") if begin else None
    until = _moment(end, "to")

    is_csv = out is not None and out.suffix.lower() == ".csv"

    async def ask(tx: ReadTx) -> tuple[dict[str, Sheet], int]:
        wish = await reports.asked(tx, scope, of, since, until)
        count = await _write_lines(tx, wish, out, language) if out and is_csv else 0
        most = LINES_MAX if out and not is_csv else 0
        return await tables.of_statement(tx, wish, most, language), count

    sheets, count = _query_command("finance statement", options, ask)
    _give(sheets["balances"], None, language)
    if out and not is_csv:
        if "lines" not in sheets:
            raise BookStatementTooLong
        _write(out, _content(list(sheets.values()), out, language))
        count = len(sheets["lines"].rows)
    if out:
        line(f"{count} lines: {out}")


async def _write_lines(tx: ReadTx, wish: StatementRequest, out: Path, language: str) -> int:
    """Write every leg of a statement as CSV, some thousands at a time; return their number."""
    head, count = tables.lines([], language).head, 0
    _write(out, (BYTE_ORDER_MARK + csv_lines([head], language)).encode())
    with out.open("ab") as file:
        async for some in store.lines(tx, wish):
            file.write(csv_lines(tables.line_rows(some), language).encode("utf-8", "replace"))
            count += len(some)
    return count


def _folder(path: Path) -> None:
    path.mkdir(parents=True, exist_ok=True)


def export(
    month: Text, *, out: Path, language: Language = "en", options: Options = NO_OPTIONS
) -> None:
    """Write a month into a folder: every report as CSV and in one workbook; each close, with the entries of its day."""
    of = Month.read(month)

    async def ask(tx: ReadTx) -> int:
        sheets = await tables.month(tx, of, SystemClock().now(), language)
        _folder(out)
        for name, sheet in sheets.items():
            path = out / f"{name}-{of}.csv"
            _write(path, _content([sheet], path, language))
        path = out / f"finance-{of}.xlsx"
        _write(path, _content(list(sheets.values()), path, language))
        closes = await store.closes(tx, of.first, of.last, 31)
        for one in closes:
            name, content = closing.written(one)
            _write(out / name, content)
            with (out / closing.journal_of(one.day)).open("xb") as file:
                asked = closing.asked_of_day(one.day)
                async for some in store.journal(tx, asked.begin, asked.end):
                    file.write(some.encode())
        return len(closes)

    try:
        count = _query_command("finance export", options, ask)
    except OSError as error:
        raise _unwritten(out, error) from None
    line(f"{of}: {count} closed days: {out}")


def write_ledger(
    *,
    begin: Annotated[Text, Parameter(name="--from", help="The first day, in WIB.")],
    end: Annotated[Text, Parameter(name="--to", help="The day after the last.")],
    out: Annotated[Path, Parameter(help="A new file.")],
    options: Options = NO_OPTIONS,
) -> None:
    """Write the books of some days as a file that beancount reads and balances."""
    first, last = day_of(moment(begin, "from")), day_of(moment(end, "to"))
    if first >= last:
        raise Malformed("to", "moment")
    wish = StatementRequest(StatementScope.BOOKS, "", begin_of(first), begin_of(last))

    async def write(database: Database, settings: Settings) -> int:
        async with database.reading() as tx:
            await tx.allow(store.REPORT_SECONDS_MAX)
            balances = await store.balances(tx, wish)
            _write(out, beans.head(first, balances, settings.process.url).encode())
            count = 0
            await ledger.open_entries(tx, wish.begin, wish.end)
            with out.open("a", encoding="utf-8") as file:
                while entries := await ledger.next_entries(tx, store.LINES_AT_ONCE):
                    file.writelines(beans.transactions(entries))
                    count += len(entries)
                file.write(beans.foot(last, balances))
            return count

    line(f"{with_database('finance ledger', options, write)} entries: {out}")


def close(
    day: Text,
    *,
    reason: Reason,
    by: By = None,
    dry_run: DryRun = False,
    options: Options = NO_OPTIONS,
) -> None:
    """Close DAY (2026-11-30) in the books with a signed document; no entry can be posted into it any more."""
    asked = levers.DayCloseArguments(day)
    approvals.pull(options, levers.CLOSE, asked, by=by, reason=reason, dry_run=dry_run)
    line(f"{day} is closed")


def verify(
    files: Annotated[
        list[Path], Parameter(help="Closes of days; the entries of each are in files beside it.")
    ],
    *,
    key: Annotated[Path, Parameter(help="The public key in PEM: /finance/key.pem.")],
    options: Options = NO_OPTIONS,
) -> None:
    """Check closes of days with the public key of an installation, offline: signatures, chain, entries."""
    options.settings("finance verify")
    found = list(closing.check_files(files, public_key_of(read_key_file(key))))
    if not found:
        raise NotFound("no close")
    whole = sum(is_whole for _, is_whole in found)
    first, last = found[0][0], found[-1][0]
    line(f"every day from {first.day} to {last.day} as it was signed, {whole} with their entries")
    for close, _ in found:
        breaks = f", {len(close.breaks)} breaks open" if close.breaks else ""
        line(f"  {close.day}: {close.entries} entries{breaks}")


def propose(
    amount: Rupiahs,
    month: Text,
    *,
    deposit_code: Text = DEPOSIT_CODE,
    reason: Reason,
    by: By = None,
    dry_run: DryRun = False,
    options: Options = NO_OPTIONS,
) -> None:
    """Ask for a payout of AMOUNT rupiah of the duty of MONTH (2026-11) to the treasury; a second person approves."""
    asked = levers.ProposeArguments(amount, month, deposit_code)
    approvals.pull(options, levers.PROPOSE, asked, by=by, reason=reason, dry_run=dry_run)
    line(f"a payout of {amount} is approved: meterai finance payouts")


def send(
    payout: Text,
    billing_code: Text,
    *,
    reason: Reason = "",
    by: By = None,
    dry_run: DryRun = False,
    options: Options = NO_OPTIONS,
) -> None:
    """Record that the bank was told to pay PAYOUT under the BILLING_CODE of the treasury."""
    asked = levers.SendArguments(payout, billing_code)
    approvals.pull(options, levers.SEND, asked, by=by, reason=reason, dry_run=dry_run)
    line(f"{payout} is sent")


def confirm(  # noqa: PLR0913 - what the bank statement says, and how a lever is pulled
    payout: Text,
    *,
    number: Annotated[Text, Parameter(name="--line", help="The line of the bank statement.")],
    amount: Annotated[
        int, Parameter(help="Rupiah, as in the line.", validator=Between(1, RUPIAH_MAX))
    ],
    at: Annotated[Text, Parameter(help="The time in the line.")],
    ntpn: Annotated[Text, Parameter(help="The number of the state's receipt.")],
    reason: Reason = "",
    by: By = None,
    dry_run: DryRun = False,
    options: Options = NO_OPTIONS,
) -> None:
    """Confirm PAYOUT by a line of the bank statement, and post it in the books."""
    asked = levers.ConfirmArguments(payout, number, amount, moment(at, "at"), ntpn)
    approvals.pull(options, levers.CONFIRM, asked, by=by, reason=reason, dry_run=dry_run)
    line(f"{payout} is confirmed")


def fail(
    payout: Text,
    *,
    reason: Reason,
    by: By = None,
    dry_run: DryRun = False,
    options: Options = NO_OPTIONS,
) -> None:
    """Record that PAYOUT was not paid, so that its duty can be paid out again."""
    asked = levers.FailArguments(payout)
    approvals.pull(options, levers.FAIL, asked, by=by, reason=reason, dry_run=dry_run)
    line(f"{payout} has failed")


def list_payouts(options: Options = NO_OPTIONS) -> None:
    """List the newest payouts, and the duty payable that is in no payout yet."""

    async def ask(tx: ReadTx) -> None:
        for one in await store.newest_payouts(tx, 100):
            line(f"{one.shown}: {one.amount} of {one.month:%Y-%m}, {one.state}, {one.ntpn or '-'}")
        line(f"duty payable that is in no payout: {await payouts.duty_free(tx)}")

    _query_command("finance payouts", options, ask)
