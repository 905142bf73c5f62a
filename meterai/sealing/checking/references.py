"""The numbers of all objects that a sealed file refers to, in any way that some reader follows.

Readers differ in what they take for a reference: leading zeros, more digits than a number may have
(which wrap around beyond 31 or 32 bits), a fraction, a sign, a vertical tab or another control character
between the parts, a comment.  A number that any of them would see counts.
"""

import re
from bisect import bisect_right

from meterai.sealing.model import DocumentBroken
from meterai.sealing.pdf.cross_reference import IN_FILE, IN_STREAM
from meterai.sealing.pdf.document import Document

ROWS_MAX = 500_000  # of all sections together; a book of 1,000 pages has 20,000
_DIGITS_MAX = 64  # of a number; readers stop earlier

_BETWEEN = rb"(?:[\0-\x20]|%[^\r\n]*+[\r\n])++"
# Some readers need no white space where a sign or the R itself divides.
_REFERENCE = re.compile(
    rb"(?<![\d.])(\d++)[.\d]*+(?:%b[+-]?+|[+-])[\d.]++(?:%b)?R" % (_BETWEEN, _BETWEEN)
)
_WRAPS = (0x8000_0000, 0x1_0000_0000)
_CUTS = (9, 10)  # digits after which some readers stop


def references_of(document: Document) -> set[int]:
    """Every number that a reference in the file, or in one of its object streams, may name."""
    found = _references(document.buffer)
    for number in _object_streams(document):
        found |= _references(document.object_stream(number))
    return found


def times_referred(document: Document, number: int) -> int:
    """How often the objects of a document, as it is now, refer to an object.

    What may change in one place must be in one place: an array that is the evidence of a signature and the
    content of a page as well changes what is drawn.
    """
    reference = re.compile(
        rb"(?<!\d)0*%d[\0-\x20]+0+[\0-\x20]+R(?![^\0-\x20()<>\[\]{}/%%])" % number
    )
    starts = _starts(document)
    offsets = sorted(starts)
    count = 0
    for found in reference.finditer(document.buffer):
        index = bisect_right(offsets, found.start()) - 1
        count += index >= 0 and starts[offsets[index]]
    for holder in _object_streams(document):
        inside = sorted((at, one) for one, at in document.streamed(holder))
        for found in reference.finditer(document.object_stream(holder)):
            index = bisect_right(inside, (found.start(), ROWS_MAX)) - 1
            row = document.row(inside[index][1])[1] if index >= 0 else None
            count += row is not None and row.kind == IN_STREAM and row.where == holder
    return count


def _starts(document: Document) -> dict[int, bool]:
    """Where objects and sections of the file begin, and whether that is an object that counts."""
    starts: dict[int, bool] = {}
    rows = 0
    for index, section in enumerate(document.sections):
        for part in (section, section.beside):
            if part is None:
                continue
            starts[part.start] = False
            rows += part.rows
            if rows > ROWS_MAX:
                raise DocumentBroken("too many rows to compare")
            for number in part.numbers():
                row = part.row(number)
                if row is not None and row.kind == IN_FILE:
                    at = row.where + document.shift
                    starts[at] = starts.get(at, False) or document.row(number)[0] == index
    return starts


def _object_streams(document: Document) -> set[int]:
    holders, count = set(), 0
    for section in document.sections:
        for part in (section, section.beside):
            if part is None:
                continue
            count += part.rows
            if count > ROWS_MAX:
                raise DocumentBroken("too many rows to compare")
            if not part.is_stream:
                continue
            for number in part.numbers():
                row = part.row(number)
                if row is not None and row.kind == IN_STREAM:
                    holders.add(row.where)
    return holders


def _references(text: bytes) -> set[int]:
    found: set[int] = set()
    for written in {one.lstrip(b"0") for one in _REFERENCE.findall(text)}:
        digits = written[:_DIGITS_MAX] or b"0"
        number = int(digits)
        found.add(number)
        if len(digits) > _CUTS[0]:
            found.update(number % wrap for wrap in _WRAPS)
            found.update(int(digits[:cut]) for cut in _CUTS)
    return found
