"""Pages of a document, and the conversion between positions on the shown page and coordinates in the file.

A page is found by the counts in the page tree (ISO 32000-2, section 7.7.3), so the last page of a thousand costs a few look-ups
instead of a thousand.  If the tree contradicts its counts, all of it is walked, as viewers do.  Boxes and rotation are treated
as viewers treat them: the crop box is cut to the media box, a missing media box is US Letter, and rotations are quarter turns
only.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from meterai.sealing.model import (
    LAST_PAGE,
    DocumentBroken,
    NoPages,
    PageOutOfRange,
    PageSize,
    Placement,
    PlacementOutsidePage,
)
from meterai.sealing.pdf.document import Document, is_number
from meterai.sealing.pdf.syntax import DEPTH_MAX, Dictionary, Ref, RefList, Value

_LOOK_BYTES = 64  # cost of visiting a node, as bytes of parsing
NODES_MAX = 40_000  # nodes that are walked, or kids that are counted, in one page tree

Box = tuple[float, float, float, float]

_LETTER: Box = (0.0, 0.0, 612.0, 792.0)
_INHERITED = (b"/MediaBox", b"/CropBox", b"/Rotate")
_TOLERANCE = 0.01  # points; a caller may have rounded a computed corner


@dataclass(frozen=True, slots=True)
class PdfPage:
    """One page: its object in the file and its geometry.

    `unit` is the length of one user space unit in points (`/UserUnit`); `quarter_turns` is the clockwise rotation, 0 to
    3.  `box` is the visible area and `medium` the media box, both in user space units; printing programs may show the
    area of `medium` outside `box`.
    """

    number: int
    ref: Ref
    entries: Dictionary
    medium: Box
    box: Box
    quarter_turns: int
    unit: float

    @property
    def size(self) -> PageSize:
        """Return the visible size of the rotated page, in points."""
        left, low, right, top = self.box
        width, height = (right - left) * self.unit, (top - low) * self.unit
        if self.quarter_turns % 2:
            width, height = height, width
        return PageSize(self.number, width, height)

    def rectangle(self, placement: Placement) -> Box:
        """Return the rectangle of a stamp in user space units of the file.  Refuses with `PlacementOutsidePage`."""
        size = self.size
        x, y, width, height = placement.x, placement.y, placement.width, placement.height
        if x + width > size.width + _TOLERANCE or y + height > size.height + _TOLERANCE:
            raise PlacementOutsidePage(placement, size)
        if self.unit != 1:
            x, y, width, height = (length / self.unit for length in (x, y, width, height))
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

    def seen(self, box: Box) -> Box:
        """Convert a rectangle in user space units to points of the page as it is shown (inverse of `rectangle`)."""
        x, y, right, top = box
        left, low, end, height = self.box
        match self.quarter_turns:
            case 1:
                x, y, right, top = y - low, end - right, top - low, end - x
            case 2:
                x, y, right, top = end - right, height - top, end - x, height - y
            case 3:
                x, y, right, top = height - top, x - left, height - y, right - left
            case _:
                x, y, right, top = x - left, y - low, right - left, top - low
        unit = self.unit
        return x * unit, y * unit, right * unit, top * unit


class _Contradiction(Exception):
    """The page tree contradicts the counts of pages in it."""


class PageTree:
    """Page tree of a document.  Refuses with `NoPages` or `DocumentBroken`.

    `is_walked` is true once a count of pages in the tree was found to be wrong.  Then readers that use the counts show other
    pages than readers that walk the tree.
    """

    def __init__(self, document: Document) -> None:
        self._document = document
        top = document.root.get(b"/Pages")
        node = document.dictionary(top)
        if node is None or not isinstance(top, Ref):
            raise NoPages("the catalog names no page tree")
        self._top, self._node = top, node
        self.is_walked = False
        self._looked = 0
        self._known: dict[int, PdfPage] = {}
        try:
            self._stated = self._count(node)
        except _Contradiction:
            self._stated = 0
        # A larger count is not trusted: callers calculate with it and store it.
        if not 1 <= self._stated <= NODES_MAX:
            self.is_walked = True
            if not self._walked:
                raise NoPages("the page tree holds no pages")

    @property
    def count(self) -> int:
        """Number of pages."""
        return len(self._walked) if self.is_walked else self._stated

    def page(self, number: int) -> PdfPage:
        """Return the page with this number (from 1, or `LAST_PAGE`).  Refuses with `PageOutOfRange`."""
        if not self.is_walked:
            wanted = self._stated if number == LAST_PAGE else number
            if wanted > self._stated:
                raise PageOutOfRange(page=wanted, pages=self._stated)
            try:
                if wanted not in self._known:
                    self._known[wanted] = self._descend(wanted)
                return self._known[wanted]
            except _Contradiction:
                self.is_walked = True
        pages = self._walked
        wanted = len(pages) if number == LAST_PAGE else number
        if not pages:
            raise NoPages("the page tree holds no pages")
        if wanted > len(pages):
            raise PageOutOfRange(page=wanted, pages=len(pages))
        return self._page(wanted, *pages[wanted - 1])

    def check_parent(self, page: PdfPage) -> None:
        """Refuse with `DocumentBroken` a page whose parent node does not list it.

        Some readers inherit sizes from that node, and would show a page of another size.
        """
        parent = self._document.dictionary(page.entries.get(b"/Parent"))
        if parent is None:
            return
        kids = self._document.references(parent, b"/Kids")
        if kids is not None:
            is_listed = kids.names(page.ref)
        else:
            is_listed = page.ref in self._document.items(parent, b"/Kids")
        if not is_listed:
            raise DocumentBroken("the parent of a page differs from the node that contains it")

    def all(self) -> Iterator[PdfPage]:
        """Yield every page in order, found by a walk through the tree, not by its counts."""
        for number, found in enumerate(self._walked, start=1):
            yield self._page(number, *found)

    # -- by the counts ---------------------------------------------------------------------

    def _descend(self, wanted: int) -> PdfPage:
        ref, node, skip = self._top, self._node, wanted - 1
        inherited: dict[bytes, Value] = {}
        for depth in range(DEPTH_MAX):
            self._inherit(inherited, node)
            is_leaf = b"/Kids" not in node
            if self._document.entry(node, b"/Type") != ("/Page" if is_leaf else "/Pages"):
                raise DocumentBroken("a page has kids, or a node has none, for some readers")
            if is_leaf:
                if skip or not depth:
                    break
                return self._page(wanted, ref, node, inherited)
            ref, node, skip = self._child(node, skip)
        raise _Contradiction

    def _child(self, node: Dictionary, skip: int) -> tuple[Ref, Dictionary, int]:
        """Return the kid that contains the page after `skip` pages of the node, and the number of pages to skip in that kid."""
        kids, count = self._document.references(node, b"/Kids"), self._count(node)
        if kids is None or len(kids) > count or not 0 <= skip < count:
            raise _Contradiction
        if len(kids) == count:
            # All kids are pages, as in the flat tree of a simple producer.
            ref, kid = self._kid(kids[skip])
            if b"/Kids" not in kid:
                return ref, kid, 0
        if skip >= count // 2:
            return self._from_the_end(kids, count, skip)
        before = 0
        for index in range(len(kids)):
            ref, kid = self._kid(kids[index])
            inside = self._count(kid)
            if skip < before + inside:
                return ref, kid, skip - before
            before += inside
        raise _Contradiction

    def _from_the_end(self, kids: RefList, count: int, skip: int) -> tuple[Ref, Dictionary, int]:
        before = count
        for index in range(len(kids) - 1, -1, -1):
            ref, kid = self._kid(kids[index])
            before -= self._count(kid)
            if skip >= before:
                return ref, kid, skip - before
        raise _Contradiction

    def _kid(self, ref: Ref) -> tuple[Ref, Dictionary]:
        self._looked += 1
        if self._looked > NODES_MAX:
            raise DocumentBroken("the page tree is too large")
        kid = self._document.dictionary(ref)
        if kid is None:
            raise _Contradiction
        return ref, kid

    def _count(self, node: Dictionary) -> int:
        if b"/Kids" not in node:
            return 1
        count = self._document.number(node, b"/Count")
        if count is None or count < 0 or count != int(count):
            raise _Contradiction
        return int(count)

    # -- by walking ------------------------------------------------------------------------

    @cached_property
    def _walked(self) -> list[tuple[Ref, Dictionary, dict[bytes, Value]]]:
        pages: list[tuple[Ref, Dictionary, dict[bytes, Value]]] = []
        waiting: list[tuple[Value, dict[bytes, Value], int]] = [(self._top, {}, 0)]
        seen: set[Ref] = set()
        looked = 0
        while waiting:
            item, above, depth = waiting.pop()
            looked += 1
            self._document.note_parsed(_LOOK_BYTES)
            if looked > NODES_MAX or depth > DEPTH_MAX:
                raise DocumentBroken("the page tree is too large or too deep")
            node = self._document.dictionary(item)
            if isinstance(item, Dictionary):
                # Some readers count such a page, so that all later pages have other numbers.
                raise DocumentBroken("a page is not an indirect object")
            if not isinstance(item, Ref) or node is None or item in seen:
                continue
            seen.add(item)
            inherited = dict(above)
            self._inherit(inherited, node)
            if b"/Kids" in node:
                kids = self._document.items(node, b"/Kids")
                waiting.extend((kid, inherited, depth + 1) for kid in reversed(kids))
            elif depth:
                pages.append((item, node, inherited))
        return pages

    # -- one page --------------------------------------------------------------------------

    def _inherit(self, inherited: dict[bytes, Value], node: Dictionary) -> None:
        for key in _INHERITED:
            if key in node.spans:
                inherited[key] = node.get(key)

    def _page(
        self, number: int, ref: Ref, entries: Dictionary, inherited: dict[bytes, Value]
    ) -> PdfPage:
        unit = self._document.number(entries, b"/UserUnit")
        turned = self._document.resolve(inherited.get(b"/Rotate"))
        medium = self._box(inherited.get(b"/MediaBox")) or _LETTER
        return PdfPage(
            number,
            ref,
            entries,
            medium,
            self._visible_box(medium, inherited),
            int(turned / 90) % 4 if is_number(turned) and math.isfinite(turned) else 0,
            unit if unit is not None and 0 < unit < math.inf else 1,
        )

    def _visible_box(self, media: Box, inherited: dict[bytes, Value]) -> Box:
        crop = self._box(inherited.get(b"/CropBox"))
        if crop is None:
            return media
        left, low = max(media[0], crop[0]), max(media[1], crop[1])
        right, top = min(media[2], crop[2]), min(media[3], crop[3])
        return (left, low, right, top) if left < right and low < top else media

    def _number(self, value: Value) -> float:
        found = self._document.resolve(value) if isinstance(value, Ref) else value
        return float(found) if is_number(found) else math.nan

    def _box(self, value: Value) -> Box | None:
        """Return a box from an array of four numbers, its corners in any order; `None` if it is malformed or empty."""
        found = self._document.resolve(value)
        if not isinstance(found, list) or len(found) != 4:
            return None
        one, two, three, four = map(self._number, found)
        left, right = (one, three) if one < three else (three, one)
        low, top = (two, four) if two < four else (four, two)
        is_box = left < right and low < top and right - left < math.inf and top - low < math.inf
        return (left, low, right, top) if is_box else None
