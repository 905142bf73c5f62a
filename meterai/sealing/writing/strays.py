"""Stamps of ours on the pages of a document whose seal is gone.

Whoever takes a seal out of the form and leaves its picture could have the document stamped again: then two
stamps are seen, and one is paid.  They are known by their names (`stamp.identifiers`); one that was drawn anew, or
copied as a picture, is not, and shows the serial of another document.
"""

import re

from meterai.sealing.model import DocumentBroken, StrayStamp
from meterai.sealing.pdf.document import Document
from meterai.sealing.pdf.forms import signature_fields
from meterai.sealing.pdf.pages import PageTree
from meterai.sealing.pdf.references import texts_of
from meterai.sealing.stamp.identifiers import (
    FIELD_PREFIX,
    is_serial,
    serial_in_name,
    serials_in_reason,
)

ANNOTATIONS_MAX = 20_000  # of a document with a name of ours in it

_NAMED = re.compile(FIELD_PREFIX.encode("ascii") + rb"[0-9A-Z]{22}")


def refuse_stray_stamps(document: Document) -> None:
    """Refuse with `StrayStamp` an annotation with a name of ours that no signature names."""
    if not any(_NAMED.search(text) for text in texts_of(document)):
        return
    signed = {
        serial
        for one in signature_fields(document)
        for serial in serials_in_reason(document.text(one.signature, b"/Reason"))
    }
    looked = 0
    for page in PageTree(document).all():
        for item in document.items(page.entries, b"/Annots"):
            looked += 1
            if looked > ANNOTATIONS_MAX:
                raise DocumentBroken("too many annotations beside a stamp")
            annotation = document.dictionary(item)
            for key in (b"/T", b"/NM"):
                serial = serial_in_name(document.text(annotation, key))
                if serial is not None and is_serial(serial) and serial not in signed:
                    raise StrayStamp(f"a stamp on page {page.number} whose seal is gone")
