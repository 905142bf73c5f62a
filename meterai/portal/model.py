"""Places on a page, lengths and page numbers as they are typed into forms; pure."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from meterai.pages import FieldWrong, whole_number
from meterai.sealing import LAST_PAGE, PageSize, Placement

MARGIN = 36.0  # points; half an inch, less is cut off by some printers
STAMP_WIDTH = 80.0  # points; its QR is then printed at about 17 mm
PAGE_MAX = 100_000  # pages; a larger number is a typing mistake


class Place(StrEnum):
    """Where on the page a stamp goes."""

    LOWER_RIGHT = "lower_right"
    LOWER_LEFT = "lower_left"
    UPPER_RIGHT = "upper_right"
    UPPER_LEFT = "upper_left"
    CENTRE = "centre"
    EXACT = "exact"  # the numbers that were typed


@dataclass(frozen=True, slots=True)
class PlacementChoice:
    """Where the stamps of an upload shall go, the same for each of its documents.

    `page` counts from 1 or is `LAST_PAGE`; `exact` is the placement that was typed, if one was;
    `width` is in points.
    """

    place: Place
    page: int
    exact: Placement | None = None
    width: float = STAMP_WIDTH

    def probe(self) -> Placement:
        """A placement that fits any page, to learn the size of the page that is meant."""
        return self.exact or Placement(self.page, 0.0, 0.0, 40.0)

    def on(self, size: PageSize) -> Placement:
        """The placement on a page of this size."""
        return self.exact or in_corner(self.place, self.page, size, self.width)


def in_corner(place: Place, page: int, size: PageSize, width: float = STAMP_WIDTH) -> Placement:
    """A stamp in a corner or in the middle, `MARGIN` from the edges.

    On a page too small for the margins they shrink; what does not fit even so is refused by
    `sealing`.
    """
    stamp = Placement(page, 0.0, 0.0, width)
    free_x = max(size.width - stamp.width, 0.0)
    free_y = max(size.height - stamp.height, 0.0)
    left, low = min(MARGIN, free_x / 2), min(MARGIN, free_y / 2)
    right, high = free_x - left, free_y - low
    x, y = {
        Place.LOWER_RIGHT: (right, low),
        Place.LOWER_LEFT: (left, low),
        Place.UPPER_RIGHT: (right, high),
        Place.UPPER_LEFT: (left, high),
        Place.CENTRE: (free_x / 2, free_y / 2),
    }[place]
    return Placement(page, round(x, 2), round(y, 2), width)


def _number(typed: str, field: str) -> float:
    """A length as people type it: with a decimal comma or point."""
    try:
        number = float(typed.strip().replace(",", "."))
    except ValueError:
        raise FieldWrong(field) from None
    if not math.isfinite(number) or number < 0:
        raise FieldWrong(field)
    return number


def page_chosen(typed: Mapping[str, str]) -> int:
    """The page from the fields `page` and `page_number`; a number that was typed is meant.

    Refuses `FieldWrong`.
    """
    number = typed.get("page_number", "").strip()
    match typed.get("page", "last"):
        case "last" if not number:
            return LAST_PAGE
        case "first" if not number:
            return 1
        case _:
            page = whole_number(number, "page")
            if page > PAGE_MAX:
                raise FieldWrong("page")
            return page


def choice_of(typed: Mapping[str, str]) -> PlacementChoice:
    """Where the stamps shall go, from the fields of the form.

    Numbers that were typed are meant, whichever button is chosen: without scripts nothing chooses
    the one beside them.  Refuses `FieldWrong`.
    """
    page = page_chosen(typed)
    try:
        place = Place(typed.get("place", Place.LOWER_RIGHT))
    except ValueError:
        raise FieldWrong("place") from None
    width = _number(typed.get("width", "").strip() or str(STAMP_WIDTH), "width")
    is_typed = any(typed.get(name, "").strip() for name in ("x", "y"))
    if not is_typed and place != Place.EXACT:
        return PlacementChoice(place, page, width=width)
    x, y = (_number(typed.get(name, ""), name) for name in ("x", "y"))
    return PlacementChoice(Place.EXACT, page, Placement(page, x, y, width))
