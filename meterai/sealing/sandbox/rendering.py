"""Whether anything is visible in given areas of a document, found by rendering them (PDFium).

PDFium is large and gets hostile files here: this runs only in the processes of `bounded`.
"""

from collections.abc import Sequence
from typing import NamedTuple

import pypdfium2

_SCALE = 2.0  # pixels a point: thin lines and small print are seen
_PAPER = 250  # of 255: what is lighter is paper
_SIZE_TOLERANCE = 1.0  # units of the file; renderers round
_SPECKS_MAX = 8  # dark pixels at the edge of an area that are not counted as something drawn
_DARK = bytes(range(_PAPER))


class Area(NamedTuple):
    """A part of a page (`page` counts from 1), as fractions of what is seen of it.

    `page_width` and `page_height` are of the page as it is seen, in units of the file: the renderer
    knows no other, and must see the same page.
    """

    page: int
    left: float
    low: float
    right: float
    top: float
    page_width: float
    page_height: float


def have_content(document: bytes, pages: int, areas: Sequence[Area], password: bytes) -> list[bool]:
    """For each area, whether something is drawn there; all true if it cannot be said.

    It cannot if the renderer does not open the document, sees another number of `pages`, or pages
    of another size.
    """
    try:
        opened = pypdfium2.PdfDocument(document, password=password.decode("latin-1") or None)
        opened.init_forms()
        if len(opened) != pages:
            return [True] * len(areas)
        return [_has_content(opened, area) for area in areas]
    except (pypdfium2.PdfiumError, ValueError):
        return [True] * len(areas)


def _has_content(document: pypdfium2.PdfDocument, area: Area) -> bool:
    page = document[area.page - 1]
    width, height = page.get_size()
    if max(abs(width - area.page_width), abs(height - area.page_height)) > _SIZE_TOLERANCE:
        return True
    left, low = width * max(0.0, area.left), height * max(0.0, area.low)
    right, top = width * min(1.0, area.right), height * min(1.0, area.top)
    if left >= right or low >= top:
        return False
    picture = page.render(
        scale=_SCALE, crop=(left, low, width - right, height - top), grayscale=True
    )
    levels = bytes(picture.buffer)
    rows = [
        levels[start : start + picture.width]
        for start in range(0, picture.height * picture.stride, picture.stride)
    ]
    dark = sum(len(row) - len(row.translate(None, _DARK)) for row in rows)
    return dark > _SPECKS_MAX
