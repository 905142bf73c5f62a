"""Whether a file holds what its rows lead to, to the last byte.

An object that begins behind the end, or has no end before it (an open bracket or string, a stream that
is said to be longer than the file), is one that readers do not see as it is, and that the next bytes
make: a stranger who appends a certificate to a sealed file would write a page.
"""

import re

from meterai.sealing.model import DocumentBroken
from meterai.sealing.pdf.cross_reference import (
    FREE,
    IN_FILE,
    OBJECT,
    ROWS_MAX,
    Row,
    Section,
)
from meterai.sealing.pdf.document import Document
from meterai.sealing.pdf.strict import Ambiguous, StrictValue, read
from meterai.sealing.pdf.syntax import DEPTH_MAX, SKIP, Dictionary, Ref, Value

_PARSED_PER_ROW = 4  # bytes parsed in the time a row is read
_SCANNED_PER_PARSED = 16  # bytes that an expression passes in the time one is parsed

_STRING = rb"\((?:[^()\\]++|\\.|\((?:[^()\\]++|\\.)*+\))*+\)"
_HEX = rb"<[0-9A-Fa-f\0\t\n\f\r ]*+>"
_COMMENT = rb"%[^\r\n]*+[\r\n]"
_FLAT = rb"[^()<>\[\]%%]++|%b|%b|%b" % (_STRING, _HEX, _COMMENT)
_LEVELS = 4  # of brackets in brackets; what has more is followed bracket by bracket


def _nested(levels: int) -> bytes:
    inside = _FLAT
    for _ in range(levels):
        inside = rb"%b|<<(?:%b)*+>>|\[(?:%b)*+\]" % (_FLAT, inside, inside)
    return rb"<<(?:%b)*+>>|\[(?:%b)*+\]" % (inside, inside)


# An object as nearly all are written: its value, and the word behind it.
_WHOLE = re.compile(
    OBJECT.pattern
    + SKIP
    + rb"(?:%b|%b|%b|[-+.\d]++(?:[\0\t\n\f\r ]++\d++[\0\t\n\f\r ]++R)?+|/[^\0\t\n\f\r ()<>\[\]{}/%%]*+|true|false|null)"
    % (_nested(_LEVELS), _STRING, _HEX)
    + SKIP
    + rb"(?:endobj|(?P<stream>stream)(?:\r\n|\n|\r))",
    re.DOTALL,
)
_PIECE = re.compile(rb"<<|>>|[\[\](<%]|endobj|endstream|(?:stream(?:\r\n|\n|\r))|obj")
_OPENING, _CLOSING = {b"<<", b"["}, {b">>", b"]"}
_REST_OF_COMMENT = re.compile(rb"[^\r\n]*+[\r\n]")
_REST_OF_HEX = re.compile(rb"[^>]*+>")
_STRING_PIECE = re.compile(rb"[^()\\]*+(?:\\.[^()\\]*+)*+([()])", re.DOTALL)
_LENGTH = re.compile(
    rb"/Length(?=[\0\t\n\f\r %])"
    + SKIP
    + rb"\+?(\d{1,20})(?:"
    + SKIP
    + rb"(\d{1,5})"
    + SKIP
    + rb"R)?"
)
_PREV, _BESIDE = "/Prev", "/XRefStm"
_ESCAPE = re.compile(rb"#([0-9A-Fa-f]{2})")


class Listing:
    """What the cross-reference of a file says, all of it: a section at a time is less than these ask for.

    `newest` has of each object the row that counts, `parts` are the sections, those of hybrid files beside
    theirs.  Refuses with `DocumentBroken` if that is too much, and what is damaged on the way.
    """

    def __init__(self, document: Document) -> None:
        self._document = document
        self.parts = [part for section in document.sections for part in section.parts]
        rows = sum(part.rows for part in self.parts)
        if rows > ROWS_MAX:
            raise DocumentBroken("too many rows to look at")
        document.note_parsed(_PARSED_PER_ROW * rows)
        self.newest: dict[int, Row] = {}
        self.has_object_zero = False  # for some reader a mark that the sections are damaged
        for section in reversed(document.sections):
            self._follow(section)

    def _follow(self, section: Section) -> None:
        beside = dict(section.beside.entries()) if section.beside is not None else {}
        for number, row in beside.items():
            self._say(number, row)
        for number, row in section.entries():
            if row.kind != FREE or number not in beside:
                self._say(number, row)

    def _say(self, number: int, row: Row) -> None:
        self.has_object_zero |= not number and row.kind != FREE
        if row.kind == FREE:
            self.newest.pop(number, None)
        else:
            self.newest[number] = row

    def leads_plainly(self) -> bool:
        """False where readers may disagree on where a section is: a trailer that they read differently, a way
        that is no whole number, and one that only some follow."""
        for section in self._document.sections:
            own, *beside = [_strictly(part.trailer) for part in section.parts]
            if own is None or any(type(own.get(way, 0)) is not int for way in (_PREV, _BESIDE)):
                return False
            for one in beside:
                # Some follow the stream beside a table before they come to the table's.
                if (
                    one is None
                    or _BESIDE in one
                    or one.get(_PREV, own.get(_PREV)) != own.get(_PREV)
                ):
                    return False
        return True

    def is_sized(self) -> bool:
        """False where an object has a number that the file says none has: some readers mend that first."""
        size = self._document.trailer.get(b"/Size")
        return isinstance(size, int) and size >= self._document.size

    def first_open_end(self) -> int | None:
        """The number of an object that does not lie whole in the file, 0 for a cross-reference stream;
        `None` where all do.

        Of an object that was written again the newest is looked at, of those in object streams the stream.
        """
        document, shift = self._document, self._document.shift
        end = len(document.buffer)
        for part in self.parts:
            if part.is_stream and not _lies_inside(document, part.start):
                return 0
        for number, row in self.newest.items():
            if row.kind == IN_FILE and (
                row.where + shift >= end or not _lies_inside(document, row.where + shift)
            ):
                return number
        return None


def _strictly(trailer: Dictionary) -> dict[str, StrictValue] | None:
    try:
        value, _ = read(trailer.buffer, trailer.start - len(b"<<"), comments=True)
    except Ambiguous:
        return None
    return value if isinstance(value, dict) else None


def end_of_object(document: Document, start: int) -> int:
    """Where an object ends that is written at `start`, but for the data of a stream; behind the end of the
    file for one without an end."""
    return _extent(document, start)[0]


def _lies_inside(document: Document, start: int) -> bool:
    """False for an object that goes on behind the end.  Where none begins, nothing goes on."""
    stop, is_stream = _extent(document, start)
    if stop > len(document.buffer):
        return False
    return not is_stream or stop + _longest(document, start, stop) <= len(document.buffer)


def _extent(document: Document, start: int) -> tuple[int, bool]:
    """Where the value of an object ends that is written at `start`, and whether a stream begins there."""
    buffer = document.buffer
    whole = _WHOLE.match(buffer, start)
    if whole is not None:
        document.note_parsed((whole.end() - start) // _SCANNED_PER_PARSED)
        return whole.end(), whole["stream"] is not None
    header = OBJECT.match(buffer, start)
    if header is None:
        return start, False
    stop, is_stream = _followed(buffer, header.end())
    document.note_parsed(stop - start)
    return stop, is_stream


def _followed(buffer: bytes, start: int) -> tuple[int, bool]:
    """Where a value ends, bracket by bracket, and whether a stream begins there.

    Some readers pass over `endobj` inside of brackets.
    """
    outside = len(buffer) + 1, False
    depth, offset = 0, start
    while (piece := _PIECE.search(buffer, offset)) is not None:
        token, offset = piece[0], piece.end()
        if token in _OPENING:
            depth += 1
            if depth > DEPTH_MAX:
                return outside
        elif token in _CLOSING:
            depth -= 1
        elif token[:1] in b"(<%":
            stop = _passed(buffer, token, offset)
            if stop is None:
                return outside
            offset = stop
        elif depth <= 0:
            return offset, token.startswith(b"stream")
    return outside


def _passed(buffer: bytes, opening: bytes, start: int) -> int | None:
    """Where a string, a hexadecimal one or a comment ends."""
    if opening == b"(":
        return _string_end(buffer, start)
    end = (_REST_OF_COMMENT if opening == b"%" else _REST_OF_HEX).match(buffer, start)
    return end.end() if end is not None else None


def _string_end(buffer: bytes, start: int) -> int | None:
    depth, offset = 1, start
    while depth:
        piece = _STRING_PIECE.match(buffer, offset)
        if piece is None:
            return None
        depth += 1 if piece[1] == b"(" else -1
        offset = piece.end()
    return offset


def _longest(document: Document, start: int, stop: int) -> int:
    """The greatest length that the entries of a stream may be read to say, however they say it."""
    buffer = document.buffer
    if buffer.find(b"#", start, stop) >= 0:
        buffer = _ESCAPE.sub(lambda found: bytes([int(found[1], 16)]), buffer[start:stop])
        start, stop = 0, len(buffer)
    longest = 0
    for said in _LENGTH.finditer(buffer, start, stop):
        value: Value = int(said[1])
        if said[2] is not None:
            value = document.resolve(Ref(int(said[1]), int(said[2])))
        if isinstance(value, int):
            longest = max(longest, value)
    return longest
