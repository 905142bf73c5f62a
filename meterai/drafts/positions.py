"""Conversion between placements and the numbers that people type; no input or output.

People use millimetres from the left and the top edge of a page; a `Placement` has points from the lower left
corner of the page.  Shown values are rounded to a tenth of a millimetre, and the rounded value is stored.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from math import ceil, floor, hypot, isfinite

from meterai.drafts.model import DraftFile
from meterai.pages import FieldWrong, whole_number
from meterai.sealing import STAMPS_MAX, WIDTH_MAX, WIDTH_MIN, PageSize, Placement

MM = 72 / 25.4  # points
TAP_WIDTH = 288  # width in CSS pixels of the picture without scripts (site.css); taps are sent in these pixels
APART = MM  # points between stamps that we place side by side, so that they do not overlap after rounding
PAGES_SHOWN = 6  # pages offered as small pictures; other pages are chosen by their number
FIELDS_MAX = 4 * STAMPS_MAX  # form fields: the four of `TypedStamp` for each stamp
_STEP = 0.1  # mm
_ROUNDED = _STEP / 2 * MM + 1e-6  # greatest error of a rounded number, in points
# A stamp whose corner and width are both rounded may exceed the edge of the page by this many points; it is moved back.
_BEYOND_EDGE = 2.2 * _ROUNDED

WIDTH_MM_MIN = ceil(WIDTH_MIN / MM / _STEP) * _STEP
WIDTH_MM_MAX = floor(WIDTH_MAX / MM / _STEP) * _STEP


@dataclass(frozen=True, slots=True)
class TypedStamp:
    """A stamp as typed in the form: page number; left, top and width in millimetres."""

    page: str
    x: str
    y: str
    width: str


def typed_stamps(texts: Mapping[str, str]) -> list[TypedStamp]:
    """Return the stamps of a form, whose fields are numbered from 1."""
    found: list[TypedStamp] = []
    for number in range(1, STAMPS_MAX + 1):
        if f"page-{number}" not in texts:
            break
        values = (texts.get(f"{name}-{number}", "") for name in ("page", "x", "y", "width"))
        found.append(TypedStamp(*values))
    return found


def shown_number(millimetres: float, language: str) -> str:
    """Return a length with one decimal, and with a decimal comma in Indonesian."""
    text = f"{max(0.0, millimetres):.1f}"
    return text.replace(".", ",") if language == "id" else text


def shown(placement: Placement, size: PageSize, language: str) -> TypedStamp:
    """Return a placement on a page of this size as the form shows it."""
    top = size.height - placement.y - placement.height
    lengths = (shown_number(one / MM, language) for one in (placement.x, top, placement.width))
    return TypedStamp(str(placement.page), *lengths)


def key_of(stamps: Sequence[TypedStamp]) -> str:
    """Return the stamps of a form as one line of text.

    The line of the sent form is compared with the line of the page as it was shown.  If they differ, the visitor has typed
    numbers and has not seen yet where they put the stamps.
    """
    fields = ((one.page, one.x, one.y, one.width) for one in stamps)
    return ";".join(" ".join(one.replace(",", ".") for one in stamp) for stamp in fields)


def page_of(typed: TypedStamp, number: int, pages: int) -> int:
    """Return the number of the page that was typed for a stamp.

    `number` is the number of the stamp in the form, `pages` the number of pages of the document.  Refuses `FieldWrong` if the
    document has no such page.
    """
    page = whole_number(typed.page, f"page-{number}")
    if page > pages:
        raise FieldWrong(f"page-{number}")
    return page


def placement_of(typed: TypedStamp, number: int, size: PageSize) -> Placement:
    """Return the placement of a typed stamp on a page of this size.

    `number` is the number of the stamp in the form.  Refuses `FieldWrong`.
    """
    x = _length(typed.x, f"x-{number}")
    top = _length(typed.y, f"y-{number}")
    width = _length(typed.width, f"width-{number}")
    if not WIDTH_MIN - _ROUNDED <= width <= WIDTH_MAX + _ROUNDED:
        raise FieldWrong(f"width-{number}")
    width = min(max(width, WIDTH_MIN), WIDTH_MAX)
    placed = Placement(size.page, x, 0.0, width)
    placed = replace(placed, y=size.height - top - placed.height)
    near = inside(placed, size)
    if abs(near.x - placed.x) > _BEYOND_EDGE:
        raise FieldWrong(f"x-{number}")
    if abs(near.y - placed.y) > _BEYOND_EDGE:
        raise FieldWrong(f"y-{number}")
    return near


def _length(typed: str, field: str) -> float:
    """Convert a typed length in millimetres, with a decimal comma or a dot, to points.  Refuses `FieldWrong`."""
    try:
        found = float(typed.strip().replace(",", "."))
    except ValueError:
        raise FieldWrong(field) from None
    if not isfinite(found) or found < 0:
        raise FieldWrong(field)
    return found * MM


def inside(placement: Placement, size: PageSize) -> Placement:
    """Return the placement, moved into the page as little as possible.

    A stamp larger than the page is moved to the page's lower left corner.
    """
    return replace(
        placement,
        x=max(0.0, min(placement.x, size.width - placement.width)),
        y=max(0.0, min(placement.y, size.height - placement.height)),
    )


def fits(placement: Placement, size: PageSize) -> bool:
    """True if the stamp is not larger than the page."""
    return placement.width <= size.width and placement.height <= size.height


def tapped(placement: Placement, size: PageSize, across: float, down: float) -> Placement:
    """Return the stamp, moved so that its centre is at the tapped point, as far as the page allows.

    `across` and `down` are shares of the page's width and height, from the top left.
    """
    x = across * size.width - placement.width / 2
    y = (1 - down) * size.height - placement.height / 2
    return inside(replace(placement, page=size.page, x=x, y=y), size)


def page_alike(page: int, of: DraftFile, on: DraftFile) -> int:
    """Return the page of the file `on` that corresponds to a page of the file `of`.

    The last page corresponds to the last page, any other page to the page of the same number.
    """
    pages = on.pages or 1
    return pages if page == of.pages else min(page, pages)


def alike(placement: Placement, size: PageSize, other: PageSize) -> tuple[Placement, bool]:
    """Return the corresponding placement on a page of the size `other`, and True if it has the same distance from the corner.

    The corner is the lower right one, where documents are signed.  If a stamp at that distance does not fit on the page, the
    stamp's centre is put at the same shares of the page's width and height, and False is returned with the placement.
    """
    from_right = size.width - placement.x
    kept = replace(placement, page=other.page, x=other.width - from_right)
    if kept.x >= 0 and kept.y + kept.height <= other.height:
        return kept, True
    across = (placement.x + placement.width / 2) / size.width
    down = 1 - (placement.y + placement.height / 2) / size.height
    return tapped(placement, other, across, down), False


def apart(wanted: Placement, size: PageSize, others: Sequence[Placement]) -> Placement | None:
    """Return the place nearest to `wanted` that overlaps none of the other stamps of the page; None if none exists.

    Only some places are tried, since the nearest one always touches the edge of the page or the margin of another stamp, or has
    a coordinate of `wanted`.
    """
    aside = [(one.x - APART - wanted.width, one.x + one.width + APART) for one in others]
    along = [(one.y - APART - wanted.height, one.y + one.height + APART) for one in others]
    across = {wanted.x, 0.0, size.width - wanted.width, *chain.from_iterable(aside)}
    upward = {wanted.y, 0.0, size.height - wanted.height, *chain.from_iterable(along)}
    places = (replace(wanted, x=x, y=y) for x in across for y in upward)
    clear = (
        one
        for one in places
        if inside(one, size) == one and not any(_is_near(one, other) for other in others)
    )
    return min(clear, key=lambda one: hypot(one.x - wanted.x, one.y - wanted.y), default=None)


def _is_near(one: Placement, other: Placement) -> bool:
    across = max(one.x, other.x) - min(one.x + one.width, other.x + other.width)
    along = max(one.y, other.y) - min(one.y + one.height, other.y + other.height)
    return max(across, along) < APART - 1e-6


def pages_to_choose(shown_page: int, pages: int) -> list[int]:
    """Return the pages to offer as small pictures: the first, the last, and those nearest to the shown page."""
    around = range(max(2, shown_page - PAGES_SHOWN), min(pages, shown_page + PAGES_SHOWN))
    nearest = sorted(around, key=lambda one: abs(one - shown_page))
    return sorted({1, pages, *nearest[: PAGES_SHOWN - 2]})
