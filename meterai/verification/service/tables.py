"""Writes a table of many checks as a file for a spreadsheet, CSV or XLSX."""

import re
from collections.abc import Sequence

from meterai.plumbing.messages import translate
from meterai.plumbing.spreadsheets import Cell, Sheet, xlsx_book
from meterai.plumbing.spreadsheets import csv_table as as_csv

COLUMN_WIDTHS = (40, 30, 60)  # in characters, of the first columns; the others have 20
_COUNT = re.compile(r"[0-9]{1,15}", re.ASCII)  # a spreadsheet rounds numbers of more than 15 digits
Cells = Sequence[str]


def columns(language: str) -> list[str]:
    """Return the names of the columns of the table."""
    return translate("page.many.csv_columns", language).split("|")


def csv_table(lines: Sequence[Cells], language: str) -> bytes:
    """Return the table as CSV, its first line being the names of the columns."""
    return as_csv((columns(language), *lines), language)


def xlsx_table(lines: Sequence[Cells], language: str) -> bytes:
    """Return the table as an XLSX workbook; cells with a whole number are numbers, all others are text."""
    rows = [[_cell(column, cell) for column, cell in enumerate(cells)] for cells in lines]
    return xlsx_book([Sheet("", columns(language), rows, COLUMN_WIDTHS)])


def _cell(column: int, cell: str) -> Cell:
    is_count = column >= len(COLUMN_WIDTHS) and _COUNT.fullmatch(cell)
    return int(cell) if is_count else cell
