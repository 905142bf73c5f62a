"""Tables as files for spreadsheets, CSV or XLSX: no cell is ever a formula.

A spreadsheet splits the cells of a CSV as its settings say: with Indonesian settings at each semicolon, with English settings
at each comma. So the separator depends on the language. If a cell contains the separator of the other language, a spreadsheet
with other settings splits the cell there: so the text behind that separator may not begin a formula either.
"""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

from xlsxwriter import Workbook

BYTE_ORDER_MARK = "\ufeff"  # shows some spreadsheets that the file is UTF-8
SEPARATORS = {"id": ";", "en": ","}
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CELL_LENGTH_MAX = 32_767  # characters; the limit of XLSX
# Checked texts that are cached: most columns of a long table repeat a few of them.
CELLS_KEPT = 10_000
COLUMN_WIDTH = 20  # characters, of a column without a given width
# Characters that begin a formula; some spreadsheets also accept the full-width forms of East Asian keyboards (U+FF01
# and on).
_FORMULA = re.compile(
    r"""((?:^|[;,\r\n])["\s]*)(?=[=+\-@\t\r\uff1d\uff0b\uff0d\uff20])""", re.ASCII
)
# An integer is a number in the spreadsheet too; everything else is text.
Cell: TypeAlias = str | int


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table: its name, the names of its columns, its rows, and widths of its first columns in characters.

    `number_format` is the format of whole numbers, in the notation of spreadsheets.
    """

    name: str
    head: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    widths: Sequence[int] = ()
    number_format: str = ""


def csv_line(cells: Iterable[Cell], language: str) -> str:
    """Return one CSV record (RFC 4180, except for the separator); cells that would be formulas become text."""
    return csv_lines([cells], language)


def csv_lines(rows: Iterable[Iterable[Cell]], language: str) -> str:
    """Return several CSV records, each as by `csv_line`."""
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
    """Return a CSV file in UTF-8 with a byte order mark; the first row has the names of the columns."""
    return (BYTE_ORDER_MARK + csv_lines(rows, language)).encode("utf-8", "replace")


def xlsx_book(sheets: Iterable[Sheet]) -> bytes:
    """Return a workbook of Office Open XML (ECMA-376)."""
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
