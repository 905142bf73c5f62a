"""Refuses documents for which readers show other content than the pages, and documents with a stamp without its seal.

If a seal were removed from the form but the picture of its stamp left, a new stamping would make a document with two stamps for
one payment.  Stamps are found by their names (`stamp.identifiers`).  A stamp that was drawn anew or copied as a picture is not
found; it shows the serial of another document.
"""

import re
from collections.abc import Iterator, Sequence

from meterai.sealing.model import (
    DocumentBroken,
    DynamicForm,
    LeavesWhenOpened,
    Placement,
    PlacementOnStamp,
    Portfolio,
    StrayStamp,
    overlap,
)
from meterai.sealing.pdf.document import Document, is_number
from meterai.sealing.pdf.forms import form_of, signature_fields
from meterai.sealing.pdf.pages import PageTree, PdfPage
from meterai.sealing.pdf.syntax import Dictionary, Value
from meterai.sealing.stamp.identifiers import (
    FIELD_PREFIX,
    is_serial,
    serial_in_name,
    serials_in_reason,
)

ANNOTATIONS_MAX = 20_000  # read in a document that contains one of our names

_NAMED = re.compile(FIELD_PREFIX.encode("ascii") + rb"[0-9A-Z]{22}")
ACTIONS_MAX = 100  # in one chain of actions; real chains have one or two
_LEAVING = {"/GoToR", "/GoToE", "/Launch", "/URI", "/SubmitForm", "/ImportData"}
_HEAD_BYTES = 1024  # in which a linearized file has its linearization dictionary
_LINEARIZED = re.compile(rb"/Linearized\b[^>]*?/L\s+(\d{1,12})|/L\s+(\d{1,12})[^>]*?/Linearized\b")


def refuse_stamps_in_the_way(
    document: Document, placements: Sequence[Placement], pages: Sequence[PdfPage]
) -> None:
    """Refuse a document with a stray stamp (`StrayStamp`), or with a stamp that a placement overlaps (`PlacementOnStamp`).

    A stray stamp is an annotation that is named like one of our stamps, while no signature states its serial.  `pages` has the
    page of each placement.
    """
    if not any(map(_NAMED.search, document.texts())):
        return
    signed = {
        serial
        for one in signature_fields(document)
        for serial in serials_in_reason(document.text(one.signature, b"/Reason"))
    }
    for page, annotation, serial in _stamps(document):
        if serial not in signed:
            raise StrayStamp(f"a stamp on page {page} has no seal")
        numbers = map(document.resolve, document.items(annotation, b"/Rect"))
        corners = [float(one) for one in numbers if is_number(one)]
        if len(corners) != 4:
            raise DocumentBroken("a stamp has no position")
        left, right = sorted(corners[::2])
        low, top = sorted(corners[1::2])
        for number, (placement, target) in enumerate(zip(placements, pages, strict=True), start=1):
            is_there = target.number == page
            if is_there and overlap(target.rectangle(placement), (left, low, right, top)):
                raise PlacementOnStamp(number=number, page=page)


def _stamps(document: Document) -> Iterator[tuple[int, Dictionary, str]]:
    """Yield page number, dictionary and serial of each annotation that is named like one of our stamps."""
    looked = 0
    for page in PageTree(document).all():
        for item in document.items(page.entries, b"/Annots"):
            looked += 1
            if looked > ANNOTATIONS_MAX:
                raise DocumentBroken("too many annotations are beside a stamp")
            annotation = document.dictionary(item)
            if annotation is None:
                continue
            for key in (b"/T", b"/NM"):
                serial = serial_in_name(document.text(annotation, key))
                if serial is not None and is_serial(serial):
                    yield page.number, annotation, serial


def refuse_other_views(document: Document, first_page: Dictionary) -> None:
    """Refuse with `DynamicForm`, `Portfolio` or `LeavesWhenOpened` a document for which readers show other content.

    Refuses with `DocumentBroken` a file that is shorter than its linearization dictionary states.  With our update the file
    could reach that length; readers would then trust the linearization, and read other objects.
    """
    form = form_of(document)
    if form is not None and form.get(b"/XFA") is not None:
        raise DynamicForm("the form is built when the document is opened")
    root = document.root
    if document.dictionary(root.get(b"/Collection")) is not None:
        raise Portfolio("a portfolio")
    _refuse_leaving(document, root.get(b"/OpenAction"))
    of_page = document.dictionary(first_page.get(b"/AA"))
    if of_page is not None:
        _refuse_leaving(document, of_page.get(b"/O"))
    linearized = _LINEARIZED.search(document.buffer, 0, _HEAD_BYTES)
    if linearized is not None and int(linearized[1] or linearized[2]) > len(document.buffer):
        raise DocumentBroken("the document is linearized and incomplete")


def _refuse_leaving(document: Document, action: Value) -> None:
    waiting, looked = [action], 0
    while waiting:
        looked += 1
        if looked > ACTIONS_MAX:
            raise DocumentBroken("too many actions")
        entries = document.dictionary(waiting.pop())
        if entries is None:
            continue  # a destination inside the document
        kind = document.entry(entries, b"/S")
        if kind in _LEAVING:
            raise LeavesWhenOpened(f"the action {kind} leaves the document when it is opened")
        waiting += _following(document, entries)


def _following(document: Document, entries: Dictionary) -> list[Value]:
    found = document.entry(entries, b"/Next")
    return list(found) if isinstance(found, list) else [found]
