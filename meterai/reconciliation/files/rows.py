"""Rows of a table in a file: CSV in the encodings and separators of banks, or the first sheet of an XLSX.

Text is streamed: a file of a million lines is never in memory.  A row that cannot be split is one `BROKEN` row,
and the next row begins at the next line.
"""

import codecs
import csv
import os
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeAlias

from python_calamine import CalamineError, CalamineWorkbook

SEPARATORS = (",", ";", "\t")
LINES_OF_CELL_MAX = 5  # a description may contain line ends
LINE_LENGTH_MAX = 20_000  # characters; bounds the effect of an unclosed quotation mark
BLOCK = 1 << 20
# A sheet is read whole, and takes four times its size in memory.
XLSX_BYTES_MAX = 32 << 20
XLSX_UNPACKED_MAX = 96 << 20
BROKEN = "\x00broken"
Cell: TypeAlias = object  # a text of CSV; text, number, date or datetime of XLSX
Row: TypeAlias = tuple[int, Sequence[Cell]]  # number of the row, from 1, and its cells


class FileUnreadable(Exception):
    """A file cannot be read: the code of the fault, and what was found."""

    def __init__(self, code: str, found: str = "") -> None:
        super().__init__(f"{code} {found}".rstrip())
        self.code = code
        self.found = found


def encoding_of(path: Path) -> str:
    """Return the encoding: UTF-8 if the whole file is valid; UTF-16 by byte order mark or zero bytes; else Windows-1252."""
    with path.open("rb") as file:
        head = file.read(4_096)
        if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return "utf-16"
        if head[1::2].count(0) > len(head) // 4:
            return "utf-16-le"
        if head[::2].count(0) > len(head) // 4:
            return "utf-16-be"
        decoder = codecs.getincrementaldecoder("utf-8")()
        try:
            while head:
                decoder.decode(head)
                head = file.read(BLOCK)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return "cp1252"
    return "utf-8-sig"


def lines_of(path: Path) -> Iterator[str]:
    """Yield the lines of a text with their line ends; a line longer than `LINE_LENGTH_MAX` is `BROKEN`."""
    with path.open(encoding=encoding_of(path), errors="replace", newline="") as file:
        is_rest = False
        while line := file.readline(LINE_LENGTH_MAX):
            is_long = len(line) == LINE_LENGTH_MAX and line[-1] not in "\r\n"
            if not is_rest:
                yield BROKEN if is_long else line
            is_rest = is_long


def ends_within_a_line(path: Path) -> bool:
    """True if the last line of a text has no line end, so that it may be truncated."""
    with path.open("rb") as file:
        file.seek(-min(path.stat().st_size, 4), os.SEEK_END)
        return not file.read().rstrip(b"\0").endswith((b"\n", b"\r"))


def separator_of(line: str) -> str:
    """Return the most frequent separator in a line."""
    return max(SEPARATORS, key=line.count)


class _Whole:
    """Yields the rows of CSV as text; the lines of a row with line ends inside a quoted cell are joined.

    `begins` is the number of the first line of the last yielded row.
    """

    def __init__(self, lines: Iterator[str], first: int) -> None:
        self._lines = lines
        self._next = first
        self.begins = first

    def _told(self, text: str, lines: int = 1) -> str:
        self.begins, self._next = self._next, self._next + lines
        return text

    def _split(self, waiting: Sequence[str]) -> Iterator[str]:
        """Yield the lines from an unclosed quotation mark on as single rows: the first is broken, but later ones may be
        complete rows.
        """
        yield self._told(BROKEN)
        for line in waiting[1:]:
            yield self._told(BROKEN if line.count('"') % 2 else line)

    def __iter__(self) -> Iterator[str]:
        waiting: list[str] = []
        for line in self._lines:
            if not waiting and '"' not in line:
                yield self._told(line)
                continue
            waiting.append(line)
            if sum(part.count('"') for part in waiting) % 2 == 0:
                yield self._told("".join(waiting), len(waiting))
                waiting = []
            elif len(waiting) >= LINES_OF_CELL_MAX:
                yield from self._split(waiting)
                waiting = []
        if waiting:
            yield from self._split(waiting)


def rows_of_text(lines: Iterator[str], separator: str, first: int) -> Iterator[Row]:
    """Yield the rows of CSV with their line numbers; the first line has the number `first`."""
    whole = _Whole(lines, first)
    for cells in csv.reader(whole, delimiter=separator):
        yield whole.begins, cells


def is_workbook(path: Path) -> bool:
    """True if the file begins like a zip archive, as every XLSX file does."""
    with path.open("rb") as file:
        return file.read(4) == b"PK\x03\x04"


def rows_of_workbook(path: Path) -> Iterator[Row]:
    """Yield the rows of the first sheet of an XLSX file.  Raises `FileUnreadable`."""
    try:
        with zipfile.ZipFile(path) as parts:
            unpacked = sum(one.file_size for one in parts.infolist())
        if path.stat().st_size > XLSX_BYTES_MAX or unpacked > XLSX_UNPACKED_MAX:
            raise FileUnreadable("too_large", str(unpacked))
        with CalamineWorkbook.from_path(path) as book:
            yield from enumerate(book.get_sheet_by_index(0).iter_rows(), 1)
    except (zipfile.BadZipFile, CalamineError, OSError, IndexError) as fault:
        raise FileUnreadable("half_or_damaged", type(fault).__name__) from None
