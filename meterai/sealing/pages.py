"""Finding a page, and the way from what a reader sees to the coordinates in the file.

The page tree is descended by its counts (ISO 32000-1, section 7.7.3), so the last page of a
thousand costs two look-ups and not a thousand.  Boxes and rotation are taken the way viewers do:
the crop box cut to the media box, US Letter where there is none, quarter turns only.
"""

import math
from dataclasses import dataclass

from pyhanko.pdf_utils import generic

from meterai.sealing.document import DEPTH_MAX, Reader
from meterai.sealing.model import (
    LAST_PAGE,
    DocumentBroken,
    NoPages,
    PageOutOfRange,
    PageSize,
    Placement,
    PlacementOutsidePage,
)
from meterai.sealing.objects import Dictionary, array, dictionary, entry, number

Box = tuple[float, float, float, float]

_LETTER: Box = (0.0, 0.0, 612.0, 792.0)
_INHERITED = ("/MediaBox", "/CropBox", "/Rotate")
_TOLERANCE = 0.01  # points; a caller that computed the corner may round

# What turns upright content the way the page will be turned back, by quarter turns.
UPRIGHT = ((1, 0, 0, 1), (0, 1, -1, 0), (-1, 0, 0, -1), (0, -1, 1, 0))


@dataclass(frozen=True, slots=True)
class Page:
    """One page: where it is in the file and how it is seen."""

    number: int
    reference: generic.IndirectObject
    entries: Dictionary
    box: Box
    quarter_turns: int  # clockwise, as `/Rotate` counts them

    @property
    def size(self) -> PageSize:
        """The visible size."""
        left, low, right, top = self.box
        width, height = right - left, top - low
        if self.quarter_turns % 2:
            width, height = height, width
        return PageSize(self.number, width, height)

    def rectangle(self, placement: Placement) -> Box:
        """The stamp's rectangle in the file's coordinates; refuses with `PlacementOutsidePage`."""
        size = self.size
        x, y, width, height = placement.x, placement.y, placement.width, placement.height
        if x + width > size.width + _TOLERANCE or y + height > size.height + _TOLERANCE:
            raise PlacementOutsidePage(placement, size)
        left, low, right, top = self.box
        match self.quarter_turns:
            case 1:
                return right - y - height, low + x, right - y, low + x + width
            case 2:
                return right - x - width, top - y - height, right - x, top - y
            case 3:
                return left + y, top - x - width, left + y + height, top - x
            case _:
                return left + x, low + y, left + x + width, low + y + height


def count_pages(reader: Reader) -> int:
    """What the page tree says about itself; refuses with `NoPages`."""
    tree = dictionary(entry(reader.root, "/Pages"))
    if tree is None:
        raise NoPages("the catalog names no page tree")
    count = entry(tree, "/Count")
    if not isinstance(count, generic.NumberObject) or count < 1:
        raise NoPages("the page tree counts no pages")
    return int(count)


def find_page(reader: Reader, number: int, pages: int) -> Page:
    """The page of that number (from 1, or `LAST_PAGE`) among `pages`.

    Refuses with `PageOutOfRange`, or `DocumentBroken` where the tree contradicts its counts.
    """
    wanted = pages if number == LAST_PAGE else number
    if wanted > pages:
        raise PageOutOfRange(page=wanted, pages=pages)
    reference = reader.root.raw_get("/Pages")
    node = reader.root["/Pages"]
    inherited: dict[str, generic.PdfObject] = {}
    skip, seen = wanted - 1, set()
    for _ in range(DEPTH_MAX):
        inherited |= {key: value for key in _INHERITED if (value := entry(node, key)) is not None}
        kids = array(entry(node, "/Kids"))
        if kids is None:
            break
        reference, skip = _child(kids, _count(node), skip)
        if reference.reference in seen:
            raise DocumentBroken("the page tree is a loop")
        seen.add(reference.reference)
        node = _node(reference)
    if array(entry(node, "/Kids")) is not None or skip or not seen:
        raise DocumentBroken("the page tree contradicts its counts")
    turns = _quarter_turns(inherited.get("/Rotate"))
    return Page(wanted, reference, node, _visible_box(inherited), turns)


def _child(kids: generic.ArrayObject, count: int, skip: int) -> tuple[generic.IndirectObject, int]:
    """The kid that holds the page with `skip` pages before it, and how many of those are inside."""
    if len(kids) == count:
        # All kids are pages: the usual flat tree of a small producer.
        kid = _reference(kids.raw_get(skip))
        if entry(_node(kid), "/Kids") is None:
            return kid, 0
    before = 0
    for item in kids:
        kid = _reference(item)
        inside = _count(_node(kid))
        if skip < before + inside:
            return kid, skip - before
        before += inside
    raise DocumentBroken("the page tree contradicts its counts")


def _reference(value: object) -> generic.IndirectObject:
    if not isinstance(value, generic.IndirectObject):
        raise DocumentBroken("a page is not an object of its own")
    return value


def _node(reference: generic.IndirectObject) -> Dictionary:
    node = dictionary(reference)
    if node is None:
        raise DocumentBroken("a node of the page tree is missing")
    return node


def _count(node: Dictionary) -> int:
    if entry(node, "/Kids") is None:
        return 1
    count = entry(node, "/Count")
    if not isinstance(count, generic.NumberObject) or count < 0:
        raise DocumentBroken("a node of the page tree does not count its pages")
    return int(count)


def _visible_box(inherited: dict[str, generic.PdfObject]) -> Box:
    media = _box(inherited.get("/MediaBox")) or _LETTER
    crop = _box(inherited.get("/CropBox"))
    if crop is None:
        return media
    left, low = max(media[0], crop[0]), max(media[1], crop[1])
    right, top = min(media[2], crop[2]), min(media[3], crop[3])
    return (left, low, right, top) if left < right and low < top else media


def _box(value: object) -> Box | None:
    """Four numbers in any order of corners; `None` if they are not, or enclose nothing."""
    corners = [number(item) for item in array(value) or ()]
    numbers = [corner for corner in corners if corner is not None and math.isfinite(corner)]
    if len(corners) != 4 or len(numbers) != 4:
        return None
    left, right = sorted((numbers[0], numbers[2]))
    low, top = sorted((numbers[1], numbers[3]))
    return (left, low, right, top) if left < right and low < top else None


def _quarter_turns(value: object) -> int:
    turned = number(value)
    return int(turned / 90) % 4 if turned is not None else 0
