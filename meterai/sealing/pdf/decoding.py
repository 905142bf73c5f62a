"""Decoding of streams, within a budget.

Only streams that sealing must read are decoded: cross-reference and object streams, which are plain or
deflated (ISO 32000-2, sections 7.5.7 and 7.5.8).  Other filters are refused; repair rewrites them.
"""

import re
import zlib
from dataclasses import dataclass
from itertools import accumulate

from meterai.sealing.model import DocumentBroken
from meterai.sealing.pdf.syntax import Dictionary, Value

UNPREDICTED_BYTES_MAX = 2 * 1024 * 1024  # for predictors other than "up", undone byte by byte

STREAM = re.compile(rb"[\0\t\n\f\r ]*+stream(?:\r\n|\n|\r)")
_UP = 2  # the PNG predictor that every producer uses for cross-reference streams


class TooMuchHere(Exception):
    """The document exceeds `FIRST_LOOK`, the low limits for a web process; a task in another process has wider limits."""


@dataclass(frozen=True, slots=True)
class ReadLimits:
    """Limits of the work of reading one document.

    Values and streams of a hostile file may overlap, so that reading a thousand of them may cost a thousand times the
    size of the file.
    """

    decoded_bytes: int  # decoded from all streams together; a book has 10 MiB
    parsed_bytes: int  # parsed for all values together; a page has 300 to 500
    looked_into: int  # sections searched, for all objects together; each update adds one
    signatures: int  # read, by any signer; each costs the reading of its certificates
    is_first_look: bool  # exceeding a limit raises `TooMuchHere`, else it refuses

    def exceeded(self, message: str) -> Exception:
        """Return the exception for an exceeded limit: `TooMuchHere` if the limits are those of a web process, else
        `DocumentBroken`.
        """
        return TooMuchHere(message) if self.is_first_look else DocumentBroken(message)


# Limits of a task; a document beyond them is refused.  Reading takes two seconds of processor time at the worst.
LIMITS = ReadLimits(32 * 1024 * 1024, 6 * 1024 * 1024, 1_000_000, 256, is_first_look=False)
# Limits of a first look in a web process: enough for nearly every document, 0.3 s of processor time at the worst.
FIRST_LOOK = ReadLimits(16 * 1024 * 1024, 1024 * 1024, 100_000, 24, is_first_look=True)


class ReadBudget:
    """Counts the work of reading one document; raises the exception of `ReadLimits.exceeded` when a limit is exceeded."""

    def __init__(self, limits: ReadLimits = LIMITS) -> None:
        self._limits = limits
        self._decoded = self._parsed = self._looked_into = self._signatures = 0

    def widen(self, limits: ReadLimits) -> None:
        """Replace the limits; work that was counted before still counts."""
        self._limits = limits

    def parse(self, count: int) -> None:
        """Count `count` bytes as parsed."""
        self._parsed += count
        if self._parsed > self._limits.parsed_bytes:
            raise self._limits.exceeded("the document has more values than the bound")

    def look_into(self, sections: int) -> None:
        """Count `sections` cross-reference sections that were searched for an object and do not have it."""
        self._looked_into += sections
        if self._looked_into > self._limits.looked_into:
            raise self._limits.exceeded("the document has too many objects in too many updates")

    def read_signature(self) -> None:
        """Count a signature that the caller is about to read."""
        self._signatures += 1
        if self._signatures > self._limits.signatures:
            raise self._limits.exceeded("too many signatures")

    def take(self, data: bytes) -> bytes:
        """Return data that need no decoding.  They count as decoded data, since they take as much memory."""
        self._decode(len(data))
        return data

    def inflate(self, data: bytes) -> bytes:
        """Return the inflated bytes; bytes behind the end of the deflated data are ignored."""
        engine = zlib.decompressobj()
        try:
            inflated = engine.decompress(data, self._limits.decoded_bytes - self._decoded + 1)
        except zlib.error as cause:
            raise DocumentBroken("deflated data are damaged") from cause
        self._decode(len(inflated))
        if not engine.eof:
            raise DocumentBroken("deflated data are incomplete")
        return inflated

    def _decode(self, count: int) -> None:
        self._decoded += count
        if self._decoded > self._limits.decoded_bytes:
            raise self._limits.exceeded("streams contain more bytes than the bound")


# Predictors of PNG (ISO 32000-2, table 10); each row begins with the predictor that it uses.
PNG_PREDICTORS = range(10, 16)


class Rows:
    """Rows of a cross-reference stream, of `width` bytes each.

    With the predictor "up" only the difference between a row and the row above is stored, so a row is the sum of all stored
    rows up to it.  For the first `_SUMMED_MAX` requested rows this sum is computed alone.  After that, all rows are summed
    once, column by column, and kept.
    """

    _SUMMED_MAX = 12  # requested rows, up to which single sums are cheaper
    _SUMMED_PER_PARSED = 4  # bytes summed in the time in which one byte is parsed

    def __init__(self, data: bytes, width: int, budget: ReadBudget, *, is_up: bool) -> None:
        self._data = data
        self._width = width
        self._stride = width + 1 if is_up else width
        self._is_up = is_up
        self._budget = budget
        self._asked = 0
        self._columns: list[bytes] | None = None
        self.count = len(data) // self._stride

    def row(self, index: int) -> bytes:
        """Return one row; `index` must be below `count`."""
        if not self._is_up:
            return self._data[index * self._width : (index + 1) * self._width]
        if self._columns is not None:
            return bytes([column[index] for column in self._columns])
        self._asked += 1
        if self._asked > self._SUMMED_MAX:
            return bytes([column[index] for column in self.columns()])
        limit, stride, data = (index + 1) * self._stride, self._stride, self._data
        return bytes([sum(data[offset:limit:stride]) & 0xFF for offset in range(1, stride)])

    def columns(self) -> list[bytes]:
        """Return the rows as columns: item `n` holds byte `n` of every row."""
        if self._columns is None:
            first = 1 if self._is_up else 0
            self._budget.parse(len(self._data) // self._SUMMED_PER_PARSED)
            self._columns = [self._column(offset) for offset in range(first, self._stride)]
        return self._columns

    def _column(self, offset: int) -> bytes:
        column = self._data[offset : self.count * self._stride : self._stride]
        if not self._is_up:
            return column
        return bytes([total & 0xFF for total in accumulate(column)])


def stream_bytes(buffer: bytes, entries: Dictionary, length: int) -> bytes:
    """Return the encoded bytes of a stream: the `length` bytes that follow its dictionary `entries`."""
    keyword = STREAM.match(buffer, entries.end)
    if keyword is None or length < 0 or keyword.end() + length > len(buffer):
        raise DocumentBroken("a stream has no data")
    return buffer[keyword.end() : keyword.end() + length]


def decoded(encoded: bytes, entries: Dictionary, budget: ReadBudget) -> bytes:
    """Return the data of a stream; refuses with `DocumentBroken` a stream that is neither plain nor deflated."""
    data, columns = _before_prediction(encoded, entries, budget)
    return data if columns is None else _unpredicted(data, columns)


def stream_rows(encoded: bytes, entries: Dictionary, width: int, budget: ReadBudget) -> Rows:
    """Return the rows of a cross-reference stream, each of `width` bytes."""
    data, columns = _before_prediction(encoded, entries, budget)
    if columns is None:
        return Rows(data, width, budget, is_up=False)
    if columns == width and data.count(_UP) >= (count := len(data) // (width + 1)):
        tags = data[0 : count * (width + 1) : width + 1]
        if tags.count(_UP) == len(tags):
            return Rows(data, width, budget, is_up=True)
    return Rows(_unpredicted(data, columns), width, budget, is_up=False)


def _before_prediction(
    encoded: bytes, entries: Dictionary, budget: ReadBudget
) -> tuple[bytes, int | None]:
    """Return the data of a stream before PNG prediction is undone, and the length of its rows in bytes.

    The length is `None` if no PNG predictor was used, so that the data are final.  Refuses like `decoded`.
    """
    name = _only(entries.get(b"/Filter"))
    if name is None:
        return budget.take(encoded), None
    if name not in ("/FlateDecode", "/Fl"):
        raise DocumentBroken("a stream has an unexpected filter")
    data = budget.inflate(encoded)
    parameters = _only(entries.get(b"/DecodeParms"))
    if not isinstance(parameters, Dictionary):
        return data, None
    predictor, columns = parameters.get(b"/Predictor"), parameters.get(b"/Columns")
    if predictor in (None, 1):
        return data, None
    columns = 1 if columns is None else columns
    if not isinstance(predictor, int) or predictor not in PNG_PREDICTORS:
        raise DocumentBroken("a stream has an unexpected predictor")
    colours, bits = parameters.get(b"/Colors"), parameters.get(b"/BitsPerComponent")
    if colours not in (None, 1) or bits not in (None, 8):
        raise DocumentBroken("predicted rows do not consist of bytes")
    if not (isinstance(columns, int) and 0 < columns <= 64):
        raise DocumentBroken("predicted rows have an invalid length")
    if len(data) % (columns + 1):
        raise DocumentBroken("the last row of data is incomplete")
    return data, columns


def _only(value: Value) -> Value:
    """Return the value itself, or the only item of a list; `None` for an empty list.

    Refuses with `DocumentBroken` a list of several items.
    """
    if isinstance(value, list):
        if len(value) > 1:
            raise DocumentBroken("a stream has more than one filter")
        return value[0] if value else None
    return value


def _unpredicted(data: bytes, columns: int) -> bytes:
    """Undo PNG prediction (RFC 2083, section 6)."""
    if len(data) > UNPREDICTED_BYTES_MAX:
        raise DocumentBroken("a stream with an unusual predictor has too much data")
    out = bytearray()
    above = bytes(columns)
    for start in range(0, len(data) - columns, columns + 1):
        row = bytearray(data[start + 1 : start + 1 + columns])
        _unpredict_row(data[start], row, above)
        out += row
        above = bytes(row)
    return bytes(out)


def _unpredict_row(kind: int, row: bytearray, above: bytes) -> None:
    left = upper_left = 0
    for offset, upper in enumerate(above):
        match kind:
            case 0:
                return
            case 1:
                guess = left
            case 2:
                guess = upper
            case 3:
                guess = (left + upper) // 2
            case 4:
                guess = _paeth(left, upper, upper_left)
            case _:
                raise DocumentBroken("an unknown predictor")
        left = row[offset] = (row[offset] + guess) & 0xFF
        upper_left = upper


def _paeth(left: int, upper: int, upper_left: int) -> int:
    estimate = left + upper - upper_left
    return min(
        (left, upper, upper_left),
        key=lambda one: abs(estimate - one),
    )
