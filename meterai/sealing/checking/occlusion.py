"""Occlusion: pictures of later signatures over something that was on the page when it was sealed.

A signature made after the seal is allowed, and may have any picture; hiding text under it is the
"sneaky signature" attack on certified documents (Rohlmann et al., 2021).  So the page is rendered
as it was sealed, and where a later picture is there must have been nothing.
"""

import math

from meterai.sealing.model import DocumentBroken
from meterai.sealing.pdf.document import Document, is_number
from meterai.sealing.pdf.pages import Box, Page, PageTree
from meterai.sealing.pdf.syntax import Dictionary, Ref
from meterai.sealing.sandbox import rendering
from meterai.sealing.sandbox.answers import Occlusion
from meterai.sealing.sandbox.rendering import Area

PICTURES_MAX = 40  # of later signatures; each costs the rendering of a page
ANNOTATIONS_MAX = 100_000  # looked at in one document

_NO_ZOOM, _NO_ROTATE = 8, 16  # flags of an annotation (ISO 32000-2, table 167)
_NOWHERE: Box = (0.0, 0.0, 0.0, 0.0)


def first_occlusion(document: Document, end: int, newer: int, password: bytes) -> Occlusion | None:
    """The first picture of a later signature over something that was on the page.

    `end` is where the sealed file ended, `newer` the number of sections behind it.  PDFium renders:
    this runs only in the processes of `bounded`.
    """
    tree = PageTree(document)
    found = _later_pictures(document, tree, newer)
    if not found:
        return None
    areas = [area for _, area in found]
    marked = rendering.have_content(document.buffer[:end], len(list(tree.all())), areas, password)
    return next((one for (one, _), is_marked in zip(found, marked, strict=True) if is_marked), None)


def _area(page: Page, picture: Occlusion, *, anywhere: bool) -> Area:
    width, height = page.size.width, page.size.height
    left, low = picture.x / width, picture.y / height
    right, top = (picture.x + picture.width) / width, (picture.y + picture.height) / height
    if anywhere:
        left, low, right, top = 0.0, 0.0, 1.0, 1.0
    return Area(picture.page, left, low, right, top, width / page.unit, height / page.unit)


def _later_pictures(document: Document, tree: PageTree, newer: int) -> list[tuple[Occlusion, Area]]:
    """Every annotation that an update behind the seal wrote, and where it may be seen.

    They are looked for on the pages, because a widget may name another page (/P) than the one it
    is on.  A hidden one counts: an action in the document may show it.
    """
    pictures: list[tuple[Occlusion, Area]] = []
    looked = 0
    for page in tree.all():
        for item in document.items(page.entries, b"/Annots"):
            looked += 1
            if looked > ANNOTATIONS_MAX or len(pictures) > PICTURES_MAX:
                raise DocumentBroken("too many annotations to look at")
            if not isinstance(item, Ref) or document.row(item.number)[0] >= newer:
                continue
            annotation = document.dictionary(item)
            corners = _corners(document, annotation) if annotation is not None else _NOWHERE
            if corners[0] < corners[2] and corners[1] < corners[3]:
                picture = _seen(page, corners)
                anywhere = _is_unsteady(document, annotation)
                pictures.append((picture, _area(page, picture, anywhere=anywhere)))
    return pictures


def _is_unsteady(document: Document, annotation: Dictionary | None) -> bool:
    """True if it does not turn or grow with the page, and so may lie beside its rectangle."""
    flags = document.entry(annotation, b"/F")
    return isinstance(flags, int) and bool(flags & (_NO_ZOOM | _NO_ROTATE))


def _corners(document: Document, annotation: Dictionary) -> Box:
    corners = [document.resolve(item) for item in document.items(annotation, b"/Rect")]
    numbers = [float(one) for one in corners if is_number(one) and math.isfinite(one)]
    if not corners:
        return _NOWHERE
    if len(corners) != 4 or len(numbers) != 4:
        raise DocumentBroken("a rectangle without four numbers")
    left, right = sorted((numbers[0], numbers[2]))
    low, top = sorted((numbers[1], numbers[3]))
    return left, low, right, top


def _seen(page: Page, corners: Box) -> Occlusion:
    left, low, right, top = page.seen(corners)
    return Occlusion(page.number, left, low, right - left, top - low)
