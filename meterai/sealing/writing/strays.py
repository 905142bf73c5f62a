"""Stamps of ours on the pages of a document: those whose seal is gone, and those that a new one would hide.

Whoever takes a seal out of the form and leaves its picture could have the document stamped again: then two
stamps are seen, and one is paid.  They are known by their names (`stamp.identifiers`); one that was drawn anew, or
copied as a picture, is not, and shows the serial of another document.
"""

import re
from collections.abc import Iterator, Sequence

from meterai.sealing.model import DocumentBroken, Placement, PlacementOnStamp, StrayStamp, overlap
from meterai.sealing.pdf.document import Document, is_number
from meterai.sealing.pdf.forms import signature_fields
from meterai.sealing.pdf.pages import PageTree, PdfPage
from meterai.sealing.pdf.syntax import Dictionary
from meterai.sealing.stamp.identifiers import (
    FIELD_PREFIX,
    is_serial,
    serial_in_name,
    serials_in_reason,
)

ANNOTATIONS_MAX = 20_000  # of a document with a name of ours in it

_NAMED = re.compile(FIELD_PREFIX.encode("ascii") + rb"[0-9A-Z]{22}")


def refuse_stamps_in_the_way(
    document: Document, placements: Sequence[Placement], pages: Sequence[PdfPage]
) -> None:
    """Refuse with `StrayStamp` an annotation with a name of ours that no signature names, and with
    `PlacementOnStamp` a placement over one; `pages` are those of the placements."""
    if not any(map(_NAMED.search, document.texts())):
        return
    signed = {
        serial
        for one in signature_fields(document)
        for serial in serials_in_reason(document.text(one.signature, b"/Reason"))
    }
    for page, annotation, serial in _stamps(document):
        if serial not in signed:
            raise StrayStamp(f"a stamp on page {page} whose seal is gone")
        numbers = map(document.resolve, document.items(annotation, b"/Rect"))
        corners = [float(one) for one in numbers if is_number(one)]
        if len(corners) != 4:
            raise DocumentBroken("a stamp without a place")
        left, right = sorted(corners[::2])
        low, top = sorted(corners[1::2])
        for number, (placement, target) in enumerate(zip(placements, pages, strict=True), start=1):
            is_there = target.number == page
            if is_there and overlap(target.rectangle(placement), (left, low, right, top)):
                raise PlacementOnStamp(number=number, page=page)


def _stamps(document: Document) -> Iterator[tuple[int, Dictionary, str]]:
    """Each annotation with a name of ours: its page, and the serial in its name."""
    looked = 0
    for page in PageTree(document).all():
        for item in document.items(page.entries, b"/Annots"):
            looked += 1
            if looked > ANNOTATIONS_MAX:
                raise DocumentBroken("too many annotations beside a stamp")
            annotation = document.dictionary(item)
            if annotation is None:
                continue
            for key in (b"/T", b"/NM"):
                serial = serial_in_name(document.text(annotation, key))
                if serial is not None and is_serial(serial):
                    yield page.number, annotation, serial
