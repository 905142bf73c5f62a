"""Pages of a document, and the conversion between the page as it is shown and its coordinates.

The page tree is descended by its counts (ISO 32000-2, section 7.7.3), so the last page of a
thousand costs a few look-ups instead of a thousand.  A tree that contradicts its counts is walked
instead, as viewers do.  Boxes and rotation follow the viewers too: the crop box
cut to the media box, US Letter if there is none, quarter turns only.
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

_LOOK_BYTES = 64  # parsed in the time that a node costs besides its own
NODES_MAX = 40_000  # of a page tree that must be walked; kids counted in one that need not

Box = tuple[float, float, float, float]

_LETTER: Box = (0.0, 0.0, 612.0, 792.0)
_INHERITED = (b"/MediaBox", b"/CropBox", b"/Rotate")
_TOLERANCE = 0.01  # points; a caller that computed the corner may round


@dataclass(frozen=True, slots=True)
class PdfPage:
    """One page: its place in the file and its geometry.

    `unit` is the length of the file's unit in points (`/UserUnit`); `quarter_turns` are clockwise,
    as `/Rotate` counts them.  `medium` is the whole page: printing programs show the area outside `box`.
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
        """Return the visible size."""
        left, low, right, top = self.box
        width, height = (right - left) * self.unit, (top - low) * self.unit
        if self.quarter_turns % 2:
            width, height = height, width
        return PageSize(self.number, width, height)

    def rectangle(self, placement: Placement) -> Box:
        """Return the stamp's rectangle in the file's coordinates; refuses with `PlacementOutsidePage`."""
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
        """Return a rectangle of the file in points of the page as it is shown (inverse of `rectangle`)."""
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
    """The tree contradicts its counts."""


class PageTree:
    """Pages of a document.  Refuses with `NoPages` or `DocumentBroken`.

    `is_walked` is true once the counts of the tree were found to be wrong: readers that use the counts see
    other pages than those that walk.
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
        # A count beyond the limit of a walk is rejected: callers calculate with it and store it.
        if not 1 <= self._stated <= NODES_MAX:
            self.is_walked = True
            if not self._walked:
                raise NoPages("the page tree holds no pages")

    @property
    def count(self) -> int:
        """Number of pages."""
        return len(self._walked) if self.is_walked else self._stated

    def page(self, number: int) -> PdfPage:
        """Return the page of that number (from 1, or `LAST_PAGE`).  Refuses with `PageOutOfRange`."""
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

        Some readers inherit from that node, and see a page of another size.
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
            raise DocumentBroken("a page that hangs from another node than it says")

    def all(self) -> Iterator[PdfPage]:
        """Yield every page, in order, as a walk through the tree finds them."""
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
                raise DocumentBroken("a page with kids, or a node without, for some readers")
            if is_leaf:
                if skip or not depth:
                    break
                return self._page(wanted, ref, node, inherited)
            ref, node, skip = self._child(node, skip)
        raise _Contradiction

    def _child(self, node: Dictionary, skip: int) -> tuple[Ref, Dictionary, int]:
        """Return the kid with the page after `skip` others, and the number of those in the kid."""
        kids, count = self._document.references(node, b"/Kids"), self._count(node)
        if kids is None or len(kids) > count or not 0 <= skip < count:
            raise _Contradiction
        if len(kids) == count:
            # All kids are pages: the usual flat tree of a small producer.
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
                # Readers differ: some count such a page, and show another one at every later number.
                raise DocumentBroken("a page that is no object of its own")
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
        """Return four numbers in any order of corners; `None` if they are not, or enclose nothing."""
        found = self._document.resolve(value)
        if not isinstance(found, list) or len(found) != 4:
            return None
        one, two, three, four = map(self._number, found)
        left, right = (one, three) if one < three else (three, one)
        low, top = (two, four) if two < four else (four, two)
        is_box = left < right and low < top and right - left < math.inf and top - low < math.inf
        return (left, low, right, top) if is_box else None
