"""Whether a reader that looks for the objects of a file by itself finds what its cross-reference says.

Readers do so when a file seems damaged to them, each by marks of its own: a number too large, a reference
that leads nowhere.  What a stranger appends can be such a mark.  So what stands in a file and does not
count must be nothing that one of them would take: an object behind the one that counts, or one with
another generation (some keep the first they find); one that has no row, while something refers to it; an
object stream or a way into the file that nothing leads to.  And the one that counts must be seen by all:
where an older one stands before it, nothing between the objects may hide where it begins.
"""

import re
from bisect import bisect_right
from collections.abc import Sequence
from operator import attrgetter

from meterai.sealing.pdf.cross_reference import IN_FILE, IN_STREAM, OBJECT
from meterai.sealing.pdf.document import Document
from meterai.sealing.pdf.extents import Listing
from meterai.sealing.pdf.headers import Header, headers
from meterai.sealing.pdf.references import Places, references_of

_REFERRED_MAX = 32  # objects without a row for which it is asked whether something refers to them
_HEADER_BYTES = 16  # parsed in the time that the beginning of an object costs
_SCANNED_PER_PARSED = 16  # bytes that an expression passes in the time one is parsed
_BEFORE_BYTES = 1024  # in which the header of a stream stands before its type
_OF_STRUCTURE = re.compile(rb"/(ObjStm|XRef)(?![A-Za-z0-9])")
_ESCAPED_NAME = re.compile(rb"/(?=[^\0-\x20()<>\[\]{}/%#]{0,6}#)([^\0-\x20()<>\[\]{}/%]{6,18})")
_ESCAPE = re.compile(rb"#([0-9A-Fa-f]{2})")
_STRUCTURES = {b"ObjStm", b"XRef"}
# What stands before an object where all readers see it: the end of another, or of an update, or of the head.
_BEFORE = re.compile(
    rb"(?:endobj|%%EOF|%PDF-\d\.\d)(?:[\0\t\n\f\r ]|%[^\r\n]*+[\r\n])*+(?<=[\r\n])\Z"
)
_TRAILER = re.compile(rb"trailer(?=[\0-\x20\x80\xa0\xff<%])")


def first_found_otherwise(document: Document, listing: Listing) -> int | None:
    """The number of an object that such a reader would take otherwise, 0 for a way into the file; `None`
    where there is none."""
    without_row: set[int] = set()
    counting = _counting(document, listing)
    found = list[Header]()
    if listing.has_object_zero:
        return 0
    for header in headers(document.buffer):
        document.note_parsed(_HEADER_BYTES)
        found.append(header)
        if header.number < 0 or header.generation < 0:
            return 0
        known = counting.get(header.number)
        if known is None:
            without_row.add(header.number)
        elif header.end > known[0] or header.generation != known[1]:
            return header.number
    if len({one.number for one in found}) < len(found):
        hidden = _first_hidden(document.buffer, found)
        if hidden is not None:
            return hidden
    number = _first_referred(document, without_row)
    if number is None and not _leads_in_one_way(document, listing, found[::-1]):
        return 0
    return number


def _first_hidden(buffer: bytes, found: Sequence[Header]) -> int | None:
    """The number of an object that some readers pass over: it begins within a string or a line for them."""
    for before, header in zip([*found[1:], None], found, strict=True):
        between = buffer[before.end if before is not None else 0 : header.start]
        if _BEFORE.search(between, max(0, len(between) - _BEFORE_BYTES)) is None:
            return header.number
        if before is not None and between.count(b"endobj") != 1:
            return header.number
    return None


def _counting(document: Document, listing: Listing) -> dict[int, tuple[int, int]]:
    """Of each object that counts, where its header ends, or that of the stream it is in; and its
    generation."""
    ends = {
        number: end
        for number, row in listing.newest.items()
        if row.kind == IN_FILE
        and (end := _header_end(document, row.where + document.shift)) is not None
    }
    found = {number: (end, listing.newest[number].extra) for number, end in ends.items()}
    for number, row in listing.newest.items():
        if row.kind == IN_STREAM and row.where in ends:
            found[number] = ends[row.where], 0
    return found


def _header_end(document: Document, start: int) -> int | None:
    header = OBJECT.match(document.buffer, start)
    return header.end() if header is not None else None


def _first_referred(document: Document, numbers: set[int]) -> int | None:
    """The first of these numbers that an object refers to which counts."""
    referred = sorted(numbers & references_of(document)) if numbers else []
    if len(referred) > _REFERRED_MAX:
        return referred[0]
    places = Places(document) if referred else None
    for one in referred:
        document.note_parsed(len(document.buffer) // _SCANNED_PER_PARSED)
        if places is not None and places.times_referred(one):
            return one
    return None


def first_packed_otherwise(document: Document, listing: Listing) -> int | None:
    """The number of an object in an object stream that does not count there; `None` where all do.

    Some readers take it all the same: for the newest when they look for objects by themselves, or though it was
    freed.  A file that was edited may hold such, and then does a sealed one, whose page was written again.
    """
    holders = {holder for part in listing.parts for holder in part.holders()}
    for holder in sorted(holders):
        for number, _ in document.streamed(holder):
            row = listing.newest.get(number)
            if row is None or (row.kind, row.where) != (IN_STREAM, holder):
                return number
    return None


def _leads_in_one_way(document: Document, listing: Listing, begun: Sequence[Header]) -> bool:
    """False where such a reader may find another way into the file: a trailer, a cross-reference or object
    stream that no section leads to, or another catalog.  `begun` are the headers of objects in their order."""
    buffer, parts = document.buffer, listing.parts
    for key in (b"/Root", b"/Encrypt"):
        said = {b" ".join(raw.split()) for part in parts if (raw := part.trailer.raw(key))}
        if len(said) > 1:
            return False
    trailers = {
        buffer.rfind(b"trailer", part.start, part.trailer.start)
        for part in parts
        if not part.is_stream
    }
    if any(found.start() not in trailers for found in _TRAILER.finditer(buffer)):
        return False
    sections = {end for part in parts if (end := _header_end(document, part.start)) is not None}
    holders = {holder for part in parts for holder in part.holders()}
    for name in _ESCAPED_NAME.finditer(buffer):
        if _ESCAPE.sub(lambda one: bytes([int(one[1], 16)]), name[1]) in _STRUCTURES:
            return False
    for found in _OF_STRUCTURE.finditer(buffer):
        document.note_parsed(_HEADER_BYTES)
        index = bisect_right(begun, found.start(), key=attrgetter("end")) - 1
        if index < 0 or found.start() - begun[index].end > _BEFORE_BYTES:
            return False
        end, number = begun[index].end, begun[index].number
        if not (end in sections if found[1] == b"XRef" else number in holders):
            return False
    return True
