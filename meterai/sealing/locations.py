"""Positions of stamps in a document, found by the type and name of their annotations only.

The positions are used only to show the stamps.  Only the verifier decides whether stamps are genuine.
"""

import math
from collections.abc import Collection, Iterator
from typing import NamedTuple

from meterai.kit.refusal import Refusal
from meterai.sealing.model import STAMPS_MAX, DocumentBroken
from meterai.sealing.pdf.document import Document, is_number
from meterai.sealing.pdf.pages import Box, PageTree, PdfPage
from meterai.sealing.pdf.syntax import Dictionary, Ref
from meterai.sealing.picture import Rectangle
from meterai.sealing.sandbox import answers
from meterai.sealing.sandbox.answers import Located, NotAnswered
from meterai.sealing.sandbox.bounded import Task, Work
from meterai.sealing.stamp.identifiers import serial_in_name

ANNOTATIONS_MAX = 20_000  # annotations that are read in one document
_NAMED_BY = {b"/Widget": b"/T", b"/Stamp": b"/NM"}
_WALL_SECONDS = 6  # a person waits for the verdict meanwhile


class StampLocation(NamedTuple):
    """Position of a stamp: its page (from 1) and its rectangle in points of the page as it is shown."""

    page: int
    rectangle: Rectangle


def locating(
    document: bytes, serials: Collection[str], password: bytes = b""
) -> Work[list[StampLocation]]:
    """Return a `Work` that finds the stamps with these serials, at most `STAMPS_MAX`, in page order.

    If several annotations have the same serial, the last object counts, because an earlier annotation may be a forgery with a
    copied name, and the update with the seal comes last.  The result is empty if the document cannot be read.
    """
    parameters = {"password": password.decode("latin-1"), "serials": sorted(serials)}
    answer = yield Task("locate", document, parameters, wall_seconds=_WALL_SECONDS)
    try:
        found = answers.read(answer, Located)
    except (NotAnswered, Refusal):
        return []
    return [StampLocation(page, Rectangle(*corners)) for page, *corners in found.stamps if page]


def located(document: Document, serials: Collection[str]) -> Located:
    """Find the stamps with these serials in an open document.  Refuses `DocumentBroken`.

    The search may take long, so it is called only in a process of `bounded`.
    """
    found: dict[str, tuple[int, tuple[int, float, float, float, float]]] = {}
    for order, serial, page, box in _boxes(document):
        if serial in serials and (serial not in found or order > found[serial][0]):
            left, low, right, top = page.seen(box)
            found[serial] = order, (page.number, left, low, right - left, top - low)
    return Located(sorted(where for _, where in list(found.values())[:STAMPS_MAX]))


def _boxes(document: Document) -> Iterator[tuple[int, str, PdfPage, Box]]:
    """Yield the object number, serial, page and box of each annotation that is named like a stamp."""
    looked = 0
    for page in PageTree(document).all():
        for item in document.items(page.entries, b"/Annots"):
            looked += 1
            if looked > ANNOTATIONS_MAX:
                raise DocumentBroken("the document has too many annotations")
            annotation = document.dictionary(item)
            serial = _serial(document, annotation) if annotation is not None else None
            if annotation is not None and serial is not None:
                box = _box(document, annotation)
                if box is not None:
                    yield item.number if isinstance(item, Ref) else 0, serial, page, box


def _serial(document: Document, annotation: Dictionary) -> str | None:
    key = _NAMED_BY.get(annotation.raw(b"/Subtype") or b"")
    return serial_in_name(document.text(annotation, key)) if key is not None else None


def _box(document: Document, annotation: Dictionary) -> Box | None:
    corners = [document.resolve(item) for item in document.items(annotation, b"/Rect")]
    numbers = [float(one) for one in corners if is_number(one) and math.isfinite(one)]
    if len(corners) != 4 or len(numbers) != 4:
        return None
    left, right = sorted((numbers[0], numbers[2]))
    low, top = sorted((numbers[1], numbers[3]))
    return (left, low, right, top) if left < right and low < top else None
