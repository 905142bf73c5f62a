"""What the pages decide without asking anybody: places on a page, paths, fields; pure."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from meterai.kit.ids import read
from meterai.kit.refusal import NotFound, Refusal
from meterai.sealing import LAST_PAGE, PageSize, Placement

MARGIN = 36.0  # points; half an inch, less is cut off by some printers
STAMP_WIDTH = 80.0  # points; its QR is then printed at about 17 mm
PATH_LENGTH_MAX = 500  # characters of an address to come back to
PAGE_MAX = 100_000  # pages; beyond it is a slip of the finger
FORM_KEY = "frm"


class Place(StrEnum):
    """Where on the page a stamp goes."""

    LOWER_RIGHT = "lower_right"
    LOWER_LEFT = "lower_left"
    UPPER_RIGHT = "upper_right"
    UPPER_LEFT = "upper_left"
    CENTRE = "centre"
    EXACT = "exact"  # the numbers that were typed


class FormForeign(Refusal):
    """A form that did not come from a page of ours."""

    code = "form_foreign"
    status = 403


class FieldWrong(Refusal):
    """What was typed into a field of a page cannot be used; `field` names its sentence."""

    code = "field_wrong"
    status = 422

    def __init__(self, field: str) -> None:
        super().__init__(f"the field {field} cannot be used")
        self.field = field


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


def local_path(wanted: str, otherwise: str = "/") -> str:
    """The path if it leads to a page of ours, else `otherwise`.

    A browser reads `//host` and `/\\host` as another site, so a plain slash is not enough.
    """
    is_local = (
        wanted.startswith("/")
        and not wanted.startswith("//")
        and "\\" not in wanted
        and wanted.isascii()
        and wanted.isprintable()
        and len(wanted) <= PATH_LENGTH_MAX
    )
    return wanted if is_local else otherwise


def _number(typed: str, field: str) -> float:
    """A length as people type it: with a decimal comma or point."""
    try:
        number = float(typed.strip().replace(",", "."))
    except ValueError:
        raise FieldWrong(field) from None
    if not math.isfinite(number) or number < 0:
        raise FieldWrong(field)
    return number


def whole_number(typed: str, field: str) -> int:
    """A whole number of at least 1.  Refuses `FieldWrong`."""
    text = typed.strip()
    if not (text.isascii() and text.isdigit() and 1 <= len(text) <= 9 and int(text) >= 1):
        raise FieldWrong(field)
    return int(text)


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


def form_key(typed: str) -> str:
    """The key that a page put into its form, so that sending it twice is one command.

    Refuses `FormForeign`.
    """
    try:
        read(FORM_KEY, typed)
    except NotFound:
        raise FormForeign("the form has no key of ours") from None
    return typed
