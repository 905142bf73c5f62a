"""Streams taken out of their filters, within a budget.

Only what sealing must read is decoded: cross-reference and object streams, which are plain or
deflated (ISO 32000-2, sections 7.5.7 and 7.5.8).  Other filters are refused; repair rewrites them.
"""

import re
import zlib
from itertools import accumulate

from meterai.sealing.model import DocumentBroken
from meterai.sealing.syntax import Dictionary, Value

DECODED_BYTES_MAX = 96 * 1024 * 1024  # of one document, all streams together; a book has 10 MiB
PARSED_BYTES_MAX = 6 * 1024 * 1024  # of all values looked at; a page has 300 to 500
UNPREDICTED_BYTES_MAX = 2 * 1024 * 1024  # through predictors other than "up", byte by byte

STREAM = re.compile(rb"[\0\t\n\f\r ]*+stream(?:\r\n|\n|\r)")
_UP = 2  # the PNG predictor that every producer uses for cross-reference streams


class Budget:
    """How much of a document may still be decoded and parsed.

    Values and streams of a hostile file lie inside each other, so that looking at a thousand of
    them costs a thousand times the file.  Raises `DocumentBroken` when it is used up.
    """

    def __init__(self, allowed_bytes: int = DECODED_BYTES_MAX) -> None:
        self._left = allowed_bytes
        self._unparsed = PARSED_BYTES_MAX

    def parse(self, count: int) -> None:
        """Note that a value of so many bytes was parsed."""
        self._unparsed -= count
        if self._unparsed < 0:
            raise DocumentBroken("more values than a document may make us look at")

    def take(self, data: bytes) -> bytes:
        """Data that need no decoding; they are a copy all the same."""
        self._left -= len(data)
        if self._left < 0:
            raise DocumentBroken("streams hold more than a document may")
        return data

    def inflate(self, data: bytes) -> bytes:
        """The inflated bytes; what follows the end of the deflated data is ignored."""
        engine = zlib.decompressobj()
        try:
            inflated = engine.decompress(data, self._left + 1)
        except zlib.error as cause:
            raise DocumentBroken("deflated data are damaged") from cause
        self._left -= len(inflated)
        if self._left < 0:
            raise DocumentBroken("streams inflate to more than a document may hold")
        if not engine.eof:
            raise DocumentBroken("deflated data are cut off")
        return inflated


class Rows:
    """The rows of a cross-reference stream, of `width` bytes each.

    With the predictor "up" a row is the sum of all rows above it, so a few rows are summed where
    they stand, and only a reader of many has a column summed once for all.
    """

    _SUMMED_MAX = 12  # rows asked for before whole columns are worth their price

    def __init__(self, data: bytes, width: int, *, is_up: bool) -> None:
        self._data = data
        self._width = width
        self._stride = width + 1 if is_up else width
        self._is_up = is_up
        self._asked = 0
        self._columns: list[bytes] | None = None
        self.count = len(data) // self._stride

    def row(self, index: int) -> bytes:
        """One row; the caller keeps `index` below `count`."""
        if not self._is_up:
            return self._data[index * self._width : (index + 1) * self._width]
        if self._columns is not None:
            return bytes([column[index] for column in self._columns])
        self._asked += 1
        if self._asked > self._SUMMED_MAX:
            self._columns = [self._summed(place) for place in range(1, self._stride)]
            return self.row(index)
        limit, stride, data = (index + 1) * self._stride, self._stride, self._data
        return bytes([sum(data[place:limit:stride]) & 0xFF for place in range(1, stride)])

    def _summed(self, place: int) -> bytes:
        column = self._data[place : self.count * self._stride : self._stride]
        return bytes([total & 0xFF for total in accumulate(column)])


def stream_bytes(buffer: bytes, entries: Dictionary, length: int) -> bytes:
    """The encoded bytes of the stream behind a dictionary."""
    keyword = STREAM.match(buffer, entries.end)
    if keyword is None or length < 0 or keyword.end() + length > len(buffer):
        raise DocumentBroken("a stream without its data")
    return buffer[keyword.end() : keyword.end() + length]


def decoded(encoded: bytes, entries: Dictionary, budget: Budget) -> bytes:
    """The data of a stream; refuses with `DocumentBroken` what is neither plain nor deflated."""
    data, columns = _before_prediction(encoded, entries, budget)
    return data if columns is None else _unpredicted(data, columns)


def stream_rows(encoded: bytes, entries: Dictionary, width: int, budget: Budget) -> Rows:
    """The rows of a cross-reference stream, each of `width` bytes."""
    data, columns = _before_prediction(encoded, entries, budget)
    if columns is None:
        return Rows(data, width, is_up=False)
    if columns == width and data.count(_UP) >= (count := len(data) // (width + 1)):
        tags = data[0 : count * (width + 1) : width + 1]
        if tags.count(_UP) == len(tags):
            return Rows(data, width, is_up=True)
    return Rows(_unpredicted(data, columns), width, is_up=False)


def _before_prediction(
    encoded: bytes, entries: Dictionary, budget: Budget
) -> tuple[bytes, int | None]:
    """The data as the filter leaves them, and the row length if a PNG predictor was used."""
    name = _only(entries.get(b"/Filter"))
    if name is None:
        return budget.take(encoded), None
    if name not in ("/FlateDecode", "/Fl"):
        raise DocumentBroken("a filter that is not used for such streams")
    data = budget.inflate(encoded)
    parameters = _only(entries.get(b"/DecodeParms"))
    if not isinstance(parameters, Dictionary):
        return data, None
    predictor, columns = parameters.get(b"/Predictor"), parameters.get(b"/Columns")
    if predictor in (None, 1):
        return data, None
    columns = 1 if columns is None else columns
    if not (isinstance(predictor, int) and predictor >= 10):
        raise DocumentBroken("a predictor that is not used for such streams")
    if not (isinstance(columns, int) and 0 < columns <= 64):
        raise DocumentBroken("predicted rows of an odd length")
    return data, columns


def _only(value: Value) -> Value:
    """The value, or the only item of a list."""
    if isinstance(value, list):
        if len(value) > 1:
            raise DocumentBroken("more than one filter")
        return value[0] if value else None
    return value


def _unpredicted(data: bytes, columns: int) -> bytes:
    """PNG prediction undone (RFC 2083, section 6)."""
    if len(data) > UNPREDICTED_BYTES_MAX:
        raise DocumentBroken("too much data with an unusual predictor")
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
    for place, upper in enumerate(above):
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
        left = row[place] = (row[place] + guess) & 0xFF
        upper_left = upper


def _paeth(left: int, upper: int, upper_left: int) -> int:
    estimate = left + upper - upper_left
    return min(
        (left, upper, upper_left),
        key=lambda one: abs(estimate - one),
    )
