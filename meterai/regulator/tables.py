"""Statement as tables for spreadsheets: each row names its month, and whether the month's figures can still change."""

from collections.abc import Mapping, Sequence
from datetime import date

from meterai.ledger import CHART, DutyFigure, Sums, figures_of
from meterai.plumbing.messages import format_datetime, translate
from meterai.plumbing.spreadsheets import Cell, Sheet, csv_table, xlsx_book
from meterai.regulator.model import DutyStatement, MonthState

TABLES = ("statement", "books", "facts", "days")
Days = Mapping[date, Sums]
_WIDTHS = (10, 34, 40)


def state_in_words(found: DutyStatement, language: str) -> str:
    """Return a sentence that says whether the figures of a statement can still change."""
    return translate(
        f"statement.state.{found.state}",
        language,
        until=format_datetime(found.until, language),
        closed=format_datetime(found.closed_at, language) if found.closed_at else "",
    )


def name_of_file(found: DutyStatement, table: str, ending: str, language: str) -> str:
    """Return the name of a file of a statement; the name says if the month is not closed."""
    marked = {
        MonthState.RUNNING: translate("statement.file.running", language),
        MonthState.OVER: translate("statement.file.over", language),
    }.get(found.state, "")
    return f"{translate(f'statement.file.{table}', language)}-{found.month}{marked}.{ending}"


def sheet(found: DutyStatement, days: Days, table: str, language: str) -> Sheet:
    """Return the table of a statement that is named `table`, as a sheet for a spreadsheet."""
    rows = {"statement": _lines, "books": _books, "facts": _facts}
    cells = _days(days) if table == "days" else rows[table](found, language)
    state = state_in_words(found, language)
    head = translate(f"statement.columns.{table}", language).split("|")
    return Sheet(
        translate(f"statement.table.{table}", language),
        [*translate("statement.columns", language).split("|"), *head],
        [[str(found.month), state, *one] for one in cells],
        _WIDTHS,
        "#,##0",
    )


def csv_of(found: DutyStatement, days: Days, table: str, language: str) -> bytes:
    """Return one table of a statement as CSV."""
    content = sheet(found, days, table, language)
    return csv_table([content.head, *content.rows], language)


def xlsx_of(found: DutyStatement, days: Days, language: str) -> bytes:
    """Return every table of a statement as one workbook."""
    return xlsx_book(sheet(found, days, one, language) for one in TABLES)


def _cells(figure: DutyFigure, kind: str, language: str) -> list[Cell]:
    words = translate(f"statement.{kind}.{figure.name}", language)
    return [words, figure.stamps, figure.rupiah]


def _lines(found: DutyStatement, language: str) -> list[list[Cell]]:
    figures = [_cells(one, "figure", language) for one in found.figures]
    return figures + [_cells(one, "line", language) for one in found.lines]


def _books(found: DutyStatement, language: str) -> list[list[Cell]]:
    rows: list[list[Cell]] = []
    for one in found.balances:
        words = translate(f"book.{one.book}", language)
        sides: list[Cell] = [one.opening, one.moved, one.closing]
        rows.append([words, one.book, CHART[one.book].unit, *sides])
    return rows


def _facts(found: DutyStatement, language: str) -> list[list[Cell]]:
    rows: list[list[Cell]] = []
    for one in found.sums.rows():
        words = translate(f"book.{one.book}", language)
        rows.append([one.reason, words, one.book, CHART[one.book].unit, one.entries, one.amount])
    return rows


def _days(days: Days) -> Sequence[list[Cell]]:
    return [
        [str(day), *(number for one in figures_of(sums) for number in (one.stamps, one.rupiah))]
        for day, sums in days.items()
    ]
