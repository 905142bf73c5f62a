"""How far the drawing of an annotation goes, at the most, whichever reader draws it.

An annotation with an appearance is drawn in its `/Rect` (ISO 32000-2, section 12.5.5).  Where there is none,
or none with anything in it, readers draw by what its kind says (12.5.6), and not all keep to the rectangle:

| kind | drawn by |
|---|---|
| line, polygon, polyline, ink, markup of text, callout, redaction: their points | poppler, MuPDF, Ghostscript, pdf.js |
| a markup of text by its points, although there is an appearance | poppler, pdf.js |
| a border of any width, half of it outside; of a link as well | poppler, MuPDF, Ghostscript |
| a note, a file, a sound, a caret: an icon of its own size | poppler, MuPDF |
| a named stamp without a size | Ghostscript |
| what keeps its size or stands upright, when the page is zoomed or turned (table 167) | most |
"""

from collections.abc import Iterator

from meterai.sealing.checking.measures import is_near
from meterai.sealing.pdf.document import Document, is_number
from meterai.sealing.pdf.pages import Box
from meterai.sealing.pdf.syntax import Dictionary, Value
from meterai.sealing.sandbox.rendering import NotDrawn

NUMBERS_MAX = 50_000  # in the geometry of one annotation; a page of handwriting has 20,000

_POINTS = (b"/L", b"/Vertices", b"/QuadPoints", b"/CL")
_STROKES = (b"/InkList", b"/Path")  # lists of points
_BORDER_POINTS = 3.0  # as wide as borders usually are; fields and links may touch
_POINT_POINTS = 1.0  # half as wide as lines usually are, which have no area by their points
_LEADERS = (b"/LL", b"/LLE", b"/LLO")
_ICONS = {"/Text", "/FileAttachment", "/Sound", "/Caret"}
_ICON_POINTS = 32.0  # the side of the largest icon, with room
_STAMP_POINTS = 200.0  # the longer side of a named stamp that has no size
_ENDING_WIDTHS = 10.0  # an arrow head is so many times as wide as its line
_FIXED = 8 | 16  # flags: no zoom, no rotation
_FIXED_SIDES = 2.0  # a reader that shows the page at a third of its size adds so many sides


def extent(document: Document, annotation: Dictionary | None) -> Box | None:
    """The box that holds all that readers draw; `None` where there are neither a `/Rect` nor points, which some
    readers go by alone.  Raises `NotDrawn`."""
    if annotation is None:
        return None
    box = rectangle(document, annotation)
    if box is None and document.entry(annotation, b"/Rect") is not None:
        raise NotDrawn  # of five corners each reader takes other ones
    across, along = list[float](), list[float]()
    for points in _all_points(document, annotation):
        across += points[::2]
        along += points[1::2]
    if box is None and not across:
        return None
    box = box or (min(across), min(along), max(across), max(along))
    if not is_near(box) or not is_near(across) or not is_near(along):
        raise NotDrawn  # some readers see it elsewhere
    if b"/FixedPrint" in annotation:
        raise NotDrawn  # placed on the paper, not on the page (table 194)
    beyond = _POINT_POINTS if across else 0.0
    across += [box[0], box[2]]
    along += [box[1], box[3]]
    beyond = max(beyond, _beyond(document, annotation, box))
    return min(across) - beyond, min(along) - beyond, max(across) + beyond, max(along) + beyond


def rectangle(document: Document, annotation: Dictionary | None) -> Box | None:
    """The `/Rect` of an annotation, if it has four numbers."""
    stated = document.items(annotation, b"/Rect")
    corners = _numbers(document, stated)
    if len(stated) != 4 or len(corners) != 4:
        return None
    left, right = sorted((corners[0], corners[2]))
    low, top = sorted((corners[1], corners[3]))
    return left, low, right, top


def _numbers(document: Document, values: list[Value]) -> list[float]:
    return [float(one) for one in map(document.resolve, values) if is_number(one)]


def _all_points(document: Document, annotation: Dictionary) -> Iterator[list[float]]:
    lists = [document.items(annotation, key) for key in _POINTS]
    for key in _STROKES:
        strokes = map(document.resolve, document.items(annotation, key))
        lists += [one for one in strokes if isinstance(one, list)]
    if sum(map(len, lists)) > NUMBERS_MAX:
        raise NotDrawn
    for one in lists:
        numbers = _numbers(document, one)
        if len(numbers) != len(one) or len(numbers) % 2:
            raise NotDrawn  # each reader pairs them in its way
        yield numbers


def _beyond(document: Document, annotation: Dictionary, box: Box) -> float:
    """How far the drawing goes beyond the points and the rectangle."""
    kind = document.entry(annotation, b"/Subtype")
    width = _width(document, annotation)
    found = [max(width, 1) * _ENDING_WIDTHS if b"/LE" in annotation else width]
    found.append(sum(abs(document.number(annotation, key) or 0) for key in _LEADERS) + width)
    found += [-one for one in _numbers(document, document.items(annotation, b"/RD"))]
    longest = max(box[2] - box[0], box[3] - box[1])
    if kind in _ICONS:
        found.append(_ICON_POINTS)
    if kind == "/Stamp" and (box[0] == box[2] or box[1] == box[3]):
        found.append(_STAMP_POINTS)
    flags = document.entry(annotation, b"/F")
    if isinstance(flags, int) and flags & _FIXED:
        found.append(longest * _FIXED_SIDES)
    return max(found)


def _width(document: Document, annotation: Dictionary) -> float:
    """The width of the border, whichever of the two entries a reader takes (12.5.4)."""
    style = document.dictionary(annotation.get(b"/BS"))
    border = _numbers(document, document.items(annotation, b"/Border")[2:3])
    width = max(document.number(style, b"/W") or 0, *border, 0)
    return width if width > _BORDER_POINTS else 0
