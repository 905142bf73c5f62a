"""Tables as files for a spreadsheet, CSV or XLSX: no cell of one is ever a formula.

A spreadsheet parts the cells of a CSV as its settings say: with Indonesian ones at each semicolon, with
English ones at each comma.  So the separator goes by the language, and nothing that stands behind the other
one in a cell begins a formula either.
"""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

from xlsxwriter import Workbook

BYTE_ORDER_MARK = "\ufeff"  # by which some spreadsheets see that it is UTF-8
SEPARATORS = {"id": ";", "en": ","}
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CELL_LENGTH_MAX = 32_767  # characters, of XLSX
CELLS_KEPT = 10_000  # texts that were looked at: most columns of a long table say a few of them
COLUMN_WIDTH = 20  # characters, of a column without a width of its own
# With which a formula begins; some take the wide forms of East Asian keyboards (U+FF01 and on) too.
_FORMULA = re.compile(
    r"""((?:^|[;,\r\n])["\s]*)(?=[=+\-@\t\r\uff1d\uff0b\uff0d\uff20])""", re.ASCII
)
Cell: TypeAlias = str | int  # a whole number is one in the spreadsheet too; all else is text


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table: its name, the names of its columns, its rows, and widths of its first columns in characters.

    `number_format` is how whole numbers are shown, as spreadsheets write it.
    """

    name: str
    head: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    widths: Sequence[int] = ()
    number_format: str = ""


def csv_line(cells: Iterable[Cell], language: str) -> str:
    """One record of RFC 4180, but for the separator; what a spreadsheet would take for a formula is text."""
    return csv_lines([cells], language)


def csv_lines(rows: Iterable[Iterable[Cell]], language: str) -> str:
    """Records, as `csv_line` writes each."""
    out = io.StringIO()
    write = csv.writer(out, delimiter=SEPARATORS[language], lineterminator="\r\n")
    write.writerows(map(_as_text, cells) for cells in rows)
    return out.getvalue()


def _as_text(cell: Cell) -> Cell:
    return cell if isinstance(cell, int) else _no_formula(cell)


@lru_cache(CELLS_KEPT)
def _no_formula(text: str) -> str:
    return _FORMULA.sub(r"\1'", text)


def csv_table(rows: Iterable[Iterable[Cell]], language: str) -> bytes:
    """A table, its first row the names of its columns: UTF-8 with a byte order mark."""
    return (BYTE_ORDER_MARK + csv_lines(rows, language)).encode("utf-8", "replace")


def xlsx_book(sheets: Iterable[Sheet]) -> bytes:
    """A workbook of Office Open XML (ECMA-376)."""
    out = io.BytesIO()
    with Workbook(out, {"in_memory": True}) as book:
        for one in sheets:
            _write(book, one)
    return out.getvalue()


def _write(book: Workbook, told: Sheet) -> None:
    sheet = book.add_worksheet(told.name)
    bold = book.add_format({"bold": True})
    wrapped = book.add_format({"text_wrap": True, "valign": "top"})
    number = book.add_format({"valign": "top", "num_format": told.number_format or "General"})
    for column, name in enumerate(told.head):
        sheet.write_string(0, column, name, bold)
        width = told.widths[column] if column < len(told.widths) else COLUMN_WIDTH
        sheet.set_column(column, column, width)
    for row, cells in enumerate(told.rows, start=1):
        for column, cell in enumerate(cells):
            if isinstance(cell, int):
                sheet.write_number(row, column, cell, number)
            else:
                text = cell[:CELL_LENGTH_MAX].encode("utf-8", "replace").decode()
                sheet.write_string(row, column, text, wrapped)
    sheet.freeze_panes(1, 1)
    sheet.autofilter(0, 0, len(told.rows), len(told.head) - 1)
