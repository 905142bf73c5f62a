"""A table as a file for a spreadsheet, CSV or XLSX: no cell of it is ever a formula.

A spreadsheet parts the cells of a CSV as its settings say: with Indonesian ones at each semicolon, with
English ones at each comma.  So the separator goes by the language, and nothing that stands behind the other
one in a cell begins a formula either.
"""

import csv
import io
import re
from collections.abc import Sequence

from xlsxwriter import Workbook

from meterai.plumbing.messages import translate

BYTE_ORDER_MARK = "\ufeff"  # by which some spreadsheets see that it is UTF-8
SEPARATORS = {"id": ";", "en": ","}
CELL_LENGTH_MAX = 32_767  # characters, of XLSX
COLUMN_WIDTHS = (40, 30, 60)  # characters, of the first columns; some 20 of the others
# With which a formula begins; some take the wide forms of East Asian keyboards (U+FF01 and on) too.
_FORMULA = re.compile(
    r"""((?:^|[;,\r\n])["\s]*)(?=[=+\-@\t\r\uff1d\uff0b\uff0d\uff20])""", re.ASCII
)
_COUNT = re.compile(r"[0-9]{1,15}", re.ASCII)  # beyond 15 digits a spreadsheet rounds
Cells = Sequence[str]


def columns(language: str) -> list[str]:
    """Names of the columns."""
    return translate("page.many.csv_columns", language).split("|")


def csv_line(cells: Cells, language: str) -> str:
    """One record of RFC 4180, but for the separator; what a spreadsheet would take for a formula is text."""
    out = io.StringIO()
    separator = SEPARATORS[language]
    csv.writer(out, delimiter=separator, lineterminator="\r\n").writerow(map(_as_text, cells))
    return out.getvalue()


def _as_text(cell: str) -> str:
    return _FORMULA.sub(r"\1'", cell)


def csv_table(lines: Sequence[Cells], language: str) -> bytes:
    """A table with the names of its columns: UTF-8 with a byte order mark."""
    written = (csv_line(one, language) for one in (columns(language), *lines))
    return (BYTE_ORDER_MARK + "".join(written)).encode("utf-8", "replace")


def xlsx_table(lines: Sequence[Cells], language: str) -> bytes:
    """The same as a workbook of Office Open XML (ECMA-376): counts are numbers, all else is text."""
    out = io.BytesIO()
    head = columns(language)
    with Workbook(out, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        bold = book.add_format({"bold": True})
        wrapped = book.add_format({"text_wrap": True, "valign": "top"})
        for column, name in enumerate(head):
            sheet.write_string(0, column, name, bold)
            width = COLUMN_WIDTHS[column] if column < len(COLUMN_WIDTHS) else 20
            sheet.set_column(column, column, width)
        for row, cells in enumerate(lines, start=1):
            for column, cell in enumerate(cells):
                if column >= len(COLUMN_WIDTHS) and _COUNT.fullmatch(cell):
                    sheet.write_number(row, column, int(cell), wrapped)
                else:
                    text = cell[:CELL_LENGTH_MAX].encode("utf-8", "replace").decode()
                    sheet.write_string(row, column, text, wrapped)
        sheet.freeze_panes(1, 1)
        sheet.autofilter(0, 0, len(lines), len(head) - 1)
    return out.getvalue()
