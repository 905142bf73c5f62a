"""Cross-reference sections: the positions of objects (ISO 32000-2, sections 7.5.4 and 7.5.8).

Rows are parsed on request, since the file of a thick book has 20,000 rows and sealing needs ten of them.  A file that only a
lenient reader understands (rows of 19 bytes, wrong pointers) is refused with `DocumentBroken`: viewers repair such a file in
memory, and then report a seal on it as invalid.  The caller repairs an unsigned file and reads it again; a signed file stays
refused.
"""

import re
import struct
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import chain, compress
from typing import NamedTuple

from meterai.sealing.model import DocumentBroken
from meterai.sealing.pdf.decoding import ReadBudget, Rows, stream_bytes, stream_rows
from meterai.sealing.pdf.syntax import SKIP, Dictionary, Value

SECTIONS_MAX = 1_000  # of one document; each may be searched for every object
SUBSECTIONS_MAX = 200_000  # of one section; an update has one for each changed object
OBJECT_NUMBER_MAX = 8_388_607  # ISO 32000-1, annex C: the limit of readers

_SUBSECTION_BYTES = 32  # cost of reading a subsection, as bytes of parsing
_ROW = 20  # bytes of a row in a table, end of line included
_LETTER_AT = 17  # position of the letter `n` or `f` in a row
_WORD = 8  # bytes of the widest column of a cross-reference stream that is read
_TABLE = re.compile(SKIP + rb"xref[\t\n\f\r ]*+")
_SUBSECTION = re.compile(rb"(\d{1,10})[\t ]+(\d{1,10})[\t ]*(?:\r\n|\r|\n)[\t\n\f\r ]*+")
_TRAILER = re.compile(rb"[\0\t\n\f\r ]*+trailer")
_TABLE_ROW = re.compile(rb"(\d{10}) (\d{5}) ([nf])[ \r\n][ \r\n]")
_TABLE_ROWS = re.compile(rb"(?:\d{10} \d{5} [nf][ \r\n][ \r\n])*+")
OBJECT = re.compile(SKIP + rb"(\d{1,10})[\0\t\n\f\r ]++(\d{1,5})[\0\t\n\f\r ]++obj(?![A-Za-z])")

FREE, IN_FILE, IN_STREAM = 0, 1, 2


class Row(NamedTuple):
    """Entry of a cross-reference section for an object.

    `kind` is `FREE`, `IN_FILE` or `IN_STREAM`, or the number of an unknown kind.  For `IN_FILE`, `where` is an offset in
    bytes and `extra` the generation; for `IN_STREAM`, `where` is the number of the object stream and `extra` the index
    in it.
    """

    kind: int
    where: int
    extra: int


class InFile(NamedTuple):
    """Objects of a section that are not in an object stream: number, offset in bytes and generation of each."""

    numbers: Sequence[int]
    offsets: Sequence[int]
    generations: Sequence[int]


class _Subsection(NamedTuple):
    first: int
    rows: int
    offset: int  # of the first row: in bytes for a table, a row index for a stream

    @property
    def numbers(self) -> range:
        """Object numbers of the subsection."""
        return range(self.first, self.first + self.rows)


class Section:
    """One cross-reference section, a table or a stream, with its trailer."""

    def __init__(
        self,
        start: int,
        trailer: Dictionary,
        subsections: list[_Subsection],
        source: bytes | Rows,
        widths: tuple[int, int, int] = (0, 0, 0),
    ) -> None:
        self.start = start
        self.trailer = trailer
        self.beside: Section | None = None  # the target of `/XRefStm` in a hybrid file
        self._source = source
        self._widths = widths
        self._subsections = sorted(subsections)
        self._firsts = [one.first for one in self._subsections]
        self.size = 0
        for one in self._subsections:
            if one.first < self.size:
                raise DocumentBroken("a cross-reference section has two rows for one object")
            self.size = one.first + one.rows
        if self.size > OBJECT_NUMBER_MAX + 1:
            raise DocumentBroken("the number of an object is too large")

    @property
    def is_stream(self) -> bool:
        """True for a cross-reference stream, false for a table."""
        return isinstance(self._source, Rows)

    @property
    def rows(self) -> int:
        """Number of rows of the section."""
        return sum(one.rows for one in self._subsections)

    @property
    def parts(self) -> "tuple[Section, ...]":
        """The section itself, followed in a hybrid file by the stream that `/XRefStm` names."""
        return (self,) if self.beside is None else (self, self.beside)

    def in_file(self) -> InFile:
        """Return the rows of this section for objects that are not in an object stream."""
        numbers = chain.from_iterable([one.numbers for one in self._subsections])
        is_used: Iterable[int]
        where: Iterable[int]
        extra: Iterable[int]
        if isinstance(self._source, bytes):
            text = self._joined(self._source, _ROW)
            if _TABLE_ROWS.fullmatch(text) is None:
                raise DocumentBroken("a row of the cross-reference table is malformed")
            is_used, words = text[_LETTER_AT::_ROW].replace(b"f", b"\0"), text.split()
            where, extra = map(int, words[0::3]), map(int, words[1::3])
        else:
            is_used, where, extra = self._columns(IN_FILE)
        return InFile(*(list(compress(one, is_used)) for one in (numbers, where, extra)))

    def holders(self) -> set[int]:
        """Return the object numbers of the object streams that the section refers to."""
        if isinstance(self._source, bytes):
            return set()
        is_inside, holders, _ = self._columns(IN_STREAM)
        return set(compress(holders, is_inside))

    def _columns(self, kind: int) -> tuple[Sequence[int], Sequence[int], Sequence[int]]:
        """Return three sequences with an item for each row of a cross-reference stream.

        The first states whether the row is of `kind`; the others are the `where` and the `extra` of the row.
        """
        assert isinstance(self._source, Rows)
        columns = [self._joined(column, 1) for column in self._source.columns()]
        first, second, _ = self._widths
        rows = len(columns[0])
        kinds = _numbers(columns[:first], rows) if first else [IN_FILE] * rows
        return (
            [found == kind for found in kinds],
            _numbers(columns[first : first + second], rows),
            _numbers(columns[first + second :], rows),
        )

    def _joined(self, source: bytes, width: int) -> bytes:
        """Join the bytes of all subsections in `source`: rows, or the cells of one column.

        `width` is the length of a row or cell in bytes.
        """
        spans = [slice(one.offset, one.offset + one.rows * width) for one in self._subsections]
        return b"".join([source[span] for span in spans])

    def row(self, number: int) -> Row | None:
        """Return the entry for an object; `None` if the section has no entry for it."""
        found = self._own_row(number)
        if found is not None and (found.kind != FREE or self.beside is None):
            return found
        return self.beside.row(number) if self.beside is not None else None

    def hides(self, number: int) -> bool:
        """True for an object that the table of a hybrid file hides from old readers (7.5.8.4)."""
        found = self._own_row(number)
        is_away = found is None or found.kind == FREE
        return is_away and self.beside is not None and self.beside.row(number) is not None

    def _own_row(self, number: int) -> Row | None:
        index = bisect_right(self._firsts, number) - 1
        if index < 0:
            return None
        first, rows, offset = self._subsections[index]
        return self._row(offset, number - first) if number < first + rows else None

    def _row(self, offset: int, index: int) -> Row:
        if isinstance(self._source, bytes):
            row = _TABLE_ROW.match(self._source, offset + index * _ROW)
            if row is None:
                raise DocumentBroken("a row of the cross-reference table is malformed")
            return Row(IN_FILE if row[3] == b"n" else FREE, int(row[1]), int(row[2]))
        text = self._source.row(offset + index)
        first, second, _ = self._widths
        kind = int.from_bytes(text[:first], "big") if first else IN_FILE
        where = int.from_bytes(text[first : first + second], "big")
        return Row(kind, where, int.from_bytes(text[first + second :], "big"))


def _numbers(columns: list[bytes], rows: int) -> tuple[int, ...]:
    """Return one integer for each row, from at most eight columns of one byte each, the most significant column first."""
    words = bytearray(_WORD * rows)
    for place, column in enumerate(columns, start=_WORD - len(columns)):
        words[place::_WORD] = column
    return struct.unpack(f">{rows}Q", words)


def read_sections(buffer: bytes, start: int, budget: ReadBudget) -> list[Section]:
    """Return all sections from the newest, at `start`, back to the oldest."""
    sections: list[Section] = []
    seen: set[int] = set()
    offset: Value = start
    while offset is not None:
        if not isinstance(offset, int | float) or int(offset) in seen:
            raise DocumentBroken("the chain of cross-reference sections has no end")
        seen.add(int(offset))
        if len(sections) == SECTIONS_MAX:
            raise DocumentBroken("too many cross-reference sections")
        section = read_section(buffer, int(offset), budget)
        beside = section.trailer.get(b"/XRefStm") if not section.is_stream else None
        if isinstance(beside, int):
            section.beside = read_section(buffer, beside, budget)
        sections.append(section)
        offset = section.trailer.get(b"/Prev")
    return sections


def read_section(buffer: bytes, start: int, budget: ReadBudget) -> Section:
    """Return the section at an offset in bytes."""
    if not 0 <= start < len(buffer):
        raise DocumentBroken("a cross-reference section is outside the file")
    table = _TABLE.match(buffer, start)
    if table is not None:
        return _table(buffer, start, table.end(), budget)
    header = OBJECT.match(buffer, start)
    if header is None:
        raise DocumentBroken("a cross-reference section is missing at its offset")
    return _stream(buffer, start, Dictionary(buffer, header.end()), budget)


def _table(buffer: bytes, start: int, offset: int, budget: ReadBudget) -> Section:
    subsections: list[_Subsection] = []
    while (trailer := _TRAILER.match(buffer, offset)) is None:
        head = _SUBSECTION.match(buffer, offset)
        if head is None or len(subsections) == SUBSECTIONS_MAX:
            raise DocumentBroken("the cross-reference table is malformed")
        budget.parse(_SUBSECTION_BYTES)
        first, count = int(head[1]), int(head[2])
        offset = head.end()
        if count:
            # Rows that are not 20 bytes long would not line up at the end.
            if not (_is_row(buffer, offset) and _is_row(buffer, offset + (count - 1) * _ROW)):
                raise DocumentBroken("a row of the cross-reference table is malformed")
            subsections.append(_Subsection(first, count, offset))
        offset += count * _ROW
    entries = Dictionary(buffer, trailer.end())
    budget.parse(entries.end - trailer.end())
    return Section(start, entries, subsections, buffer)


def _is_row(buffer: bytes, offset: int) -> bool:
    return _TABLE_ROW.match(buffer, offset) is not None


def _stream(buffer: bytes, start: int, entries: Dictionary, budget: ReadBudget) -> Section:
    budget.parse(entries.end - start)
    if entries.raw(b"/Type") != b"/XRef":
        raise DocumentBroken("a cross-reference section is missing at its offset")
    widths = _integers(entries.get(b"/W"))
    length = entries.get(b"/Length")
    if len(widths) != 3 or not all(0 <= one <= _WORD for one in widths) or not sum(widths):
        raise DocumentBroken("a cross-reference stream has rows of zero width")
    if not isinstance(length, int):
        raise DocumentBroken("a cross-reference stream has no length")
    table = stream_rows(stream_bytes(buffer, entries, length), entries, sum(widths), budget)
    index = entries.get(b"/Index")
    pairs = _integers([0, entries.get(b"/Size")] if index is None else index)
    if len(pairs) % 2 or len(pairs) > 2 * SUBSECTIONS_MAX:
        raise DocumentBroken("a cross-reference stream has a malformed index")
    subsections, offset = [], 0
    for first, count in zip(pairs[::2], pairs[1::2], strict=True):
        if first < 0 or count < 0 or offset + count > table.count:
            raise DocumentBroken("a cross-reference stream is shorter than its index")
        if count:
            subsections.append(_Subsection(first, count, offset))
        offset += count
    return Section(start, entries, subsections, table, (widths[0], widths[1], widths[2]))


def _integers(value: Value) -> list[int]:
    if not isinstance(value, list):
        raise DocumentBroken("a list of numbers is expected")
    numbers = [one for one in value if isinstance(one, int) and not isinstance(one, bool)]
    if len(numbers) != len(value):
        raise DocumentBroken("a list of numbers is expected")
    return numbers
