"""What a later signature hides: pictures drawn over what the seal had found on the page.

A signature made after the seal is allowed, and may bring a picture of any kind; covering text with
it is the "sneaky signature" attack on certified documents (Rohlmann et al., 2021).  So the page is
drawn as it was sealed, and where a later picture stands there must have been nothing.
"""

import math
from dataclasses import dataclass

from meterai.sealing import ink
from meterai.sealing.document import Document, is_number
from meterai.sealing.ink import Area
from meterai.sealing.model import DocumentBroken
from meterai.sealing.pages import Box, Page, PageTree
from meterai.sealing.syntax import Dictionary, Ref

PICTURES_MAX = 40  # of later signatures; each costs the drawing of a page
ANNOTATIONS_MAX = 100_000  # looked at in one document

_HIDDEN = 2  # neither shown nor printed (ISO 32000-2, table 167)


@dataclass(frozen=True, slots=True)
class Covering:
    """A picture of a later signature, in points of the page as it is seen."""

    page: int
    x: float
    y: float
    width: float
    height: float


def first_covering(document: Document, end: int, newer: int, password: bytes) -> Covering | None:
    """The first picture of a later signature that hides something the seal had found.

    `end` is where the sealed file ended, `newer` the number of sections behind it.
    """
    tree = PageTree(document)
    found = _later_pictures(document, tree, newer)
    if not found:
        return None
    areas = [_area(page, picture) for page, picture in found]
    inked = ink.find(document.buffer[:end], len(list(tree.all())), areas, password)
    return next((one for (_, one), has_ink in zip(found, inked, strict=True) if has_ink), None)


def _area(page: Page, picture: Covering) -> Area:
    width, height = page.size.width, page.size.height
    return Area(
        picture.page,
        picture.x / width,
        picture.y / height,
        (picture.x + picture.width) / width,
        (picture.y + picture.height) / height,
        width / page.unit,
        height / page.unit,
    )


def _later_pictures(document: Document, tree: PageTree, newer: int) -> list[tuple[Page, Covering]]:
    """Every visible annotation that an update behind the seal wrote.

    They are looked for on the pages, because what a stranger's widget says about its page need
    not be true.
    """
    pictures: list[tuple[Page, Covering]] = []
    looked = 0
    for page in tree.all():
        for item in document.items(page.entries, b"/Annots"):
            looked += 1
            if looked > ANNOTATIONS_MAX or len(pictures) > PICTURES_MAX:
                raise DocumentBroken("too many annotations to look at")
            if not isinstance(item, Ref) or document.row(item.number)[0] >= newer:
                continue
            annotation = document.dictionary(item)
            if annotation is not None and _is_visible(document, annotation):
                pictures.append((page, _seen(page, _corners(document, annotation))))
    return pictures


def _is_visible(document: Document, annotation: Dictionary) -> bool:
    flags = document.entry(annotation, b"/F")
    if isinstance(flags, int) and flags & _HIDDEN:
        return False
    left, low, right, top = _corners(document, annotation)
    return left < right and low < top


def _corners(document: Document, annotation: Dictionary) -> Box:
    corners = [document.resolve(item) for item in document.items(annotation, b"/Rect")]
    numbers = [float(one) for one in corners if is_number(one) and math.isfinite(one)]
    if not corners:
        return 0.0, 0.0, 0.0, 0.0
    if len(corners) != 4 or len(numbers) != 4:
        raise DocumentBroken("a rectangle without four numbers")
    left, right = sorted((numbers[0], numbers[2]))
    low, top = sorted((numbers[1], numbers[3]))
    return left, low, right, top


def _seen(page: Page, corners: Box) -> Covering:
    left, low, right, top = page.seen(corners)
    return Covering(page.number, left, low, right - left, top - low)
