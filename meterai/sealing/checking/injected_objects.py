"""Injected objects: whether later updates add objects that they do not themselves refer to.

A comparison of what can be reached does not see three things, which are refused here.  (1) A sealed
document may refer to an object that does not exist, which means null (ISO 32000-2, section 7.3.10);
if a later update adds that object, it changes what was sealed (a "shadow attack", Mainka et al.,
2021).  (2) A new object that nothing in the update refers to.  (3) A script or a link (/A, /AA) in
a new object, such as the field of a signature.  References are searched for in the bytes, because
readers build different trees of one file.
"""

import re
from collections.abc import Iterable, Iterator

from meterai.sealing.model import DocumentBroken
from meterai.sealing.pdf.cross_reference import FREE, IN_FILE, IN_STREAM, Row, Section
from meterai.sealing.pdf.document import Document

LATER_ROWS_MAX = 5_000  # of the updates behind a seal; 32 signatures write 300 objects
ROWS_MAX = 500_000  # of all sections together; a book of 1,000 pages has 20,000

_ACTIONS = (b"/A", b"/AA")
_WHITE_SPACE = rb"(?:[\0\t\n\f\r ]|%[^\r\n]*+[\r\n])++"
_REFERENCE = re.compile(rb"(\d++)%b\d++%bR" % (_WHITE_SPACE, _WHITE_SPACE))


def injects_nothing(document: Document, sealed: Document, newer: int) -> bool:
    """True if the updates behind a seal only change objects, and add what only they refer to.

    `sealed` is the document as it was sealed, `newer` the number of sections behind it.
    """
    end = len(sealed.buffer)
    later = list(_rows(document.sections[:newer]))
    if len(later) > LATER_ROWS_MAX:
        raise DocumentBroken("more objects than signatures write")
    added: set[int] = set()
    for number, row in later:
        before = sealed.row(number)[1]
        if row.kind == FREE:
            continue
        if before is None or before.kind == FREE:
            added.add(number)
        elif _generation(before) != _generation(row):
            return False  # readers that ignore generations would show it instead of the old one
    if added & (
        _references(sealed.buffer) | _references_in_streams(sealed, _rows(sealed.sections))
    ):
        return False
    if any(_acts(document, number) for number in added):
        return False
    asked = _references(document.buffer[end:]) | _references_in_streams(document, later)
    return added <= asked | _structure(document, newer, later)


def _rows(sections: list[Section]) -> Iterator[tuple[int, Row]]:
    """Every row of the sections, those beside a table included."""
    count = 0
    for section in sections:
        for part in (section, section.beside):
            if part is None:
                continue
            count += part.rows
            if count > ROWS_MAX:
                raise DocumentBroken("too many rows to compare")
            for number in part.numbers():
                row = part.row(number)
                if row is not None:
                    yield number, row


def _structure(document: Document, newer: int, later: list[tuple[int, Row]]) -> set[int]:
    """The numbers of the streams behind the seal that nothing refers to: those of the file."""
    starts = {
        part.start
        for section in document.sections[:newer]
        for part in (section, section.beside)
        if part is not None
    }
    object_streams = {row.where for _, row in later if row.kind == IN_STREAM}
    return object_streams | {
        number
        for number, row in later
        if row.kind == IN_FILE and row.where + document.shift in starts
    }


def _generation(row: Row) -> int:
    return row.extra if row.kind == IN_FILE else 0


def _acts(document: Document, number: int) -> bool:
    """True if the object is a dictionary that makes a viewer do something (section 12.6)."""
    location = document.locate(number)
    found = document.dictionary(location.ref) if location is not None else None
    return found is not None and any(key in found for key in _ACTIONS)


def _references(text: bytes) -> set[int]:
    return {int(number) for number in _REFERENCE.findall(text) if len(number) <= 10}


def _references_in_streams(document: Document, rows: Iterable[tuple[int, Row]]) -> set[int]:
    found: set[int] = set()
    for number in {row.where for _, row in rows if row.kind == IN_STREAM}:
        found |= _references(document.object_stream(number))
    return found
