"""Where on its pages a later signature is seen, by its own account."""

from dataclasses import dataclass

from meterai.sealing.checking.updates import Found
from meterai.sealing.pdf.strict import StrictValue
from meterai.sealing.pdf.syntax import Ref

SCALE_MIN, SCALE_MAX = 0.001, 1_000.0  # of a picture: beyond them renderers draw nothing, or differ
# Of a place or a matrix: some readers keep a whole part of 32 bits, so that what is far beside the page for
# one is on it for another.
COORDINATE_MAX = 1_000_000
UPRIGHT = 16  # it does not turn with the page: one program says so of every signature


@dataclass(slots=True)
class Widget:
    """Where a later signature is seen: its object, the page it hangs on (0: none), its rectangle; and whether it
    stays upright when the page is turned."""

    number: int
    rectangle: tuple[float, float, float, float]
    named_page: Ref | None
    is_upright: bool = False
    page: int = 0

    @property
    def is_visible(self) -> bool:
        """True if it has room on a page."""
        left, low, right, top = self.rectangle
        return bool(self.page) and left < right and low < top

    @property
    def places(self) -> list[tuple[float, float, float, float]]:
        """Wherever it is seen."""
        return [self.rectangle, *self.turned]

    @property
    def turned(self) -> list[tuple[float, float, float, float]]:
        """Where else one that stays upright is seen when somebody turns the page: around its upper left corner
        (12.5.3)."""
        left, low, right, top = self.rectangle
        wide, high = right - left, top - low
        if not self.is_upright:
            return []
        return [
            (left, top, left + high, top + wide),
            (left - wide, top, left, top + high),
            (left - high, top - wide, left, top),
        ]


def place(entries: dict[str, StrictValue], number: int) -> Widget:
    """Where a widget is, by its own account."""
    page = entries.get("/P")
    if page is not None and not isinstance(page, Ref):
        raise Found("annotation_added", number, key="/P")
    flags = entries.get("/F", 0)
    is_upright = isinstance(flags, int) and bool(flags & UPRIGHT)
    return Widget(number, rectangle(entries.get("/Rect"), number), page, is_upright)


def rectangle(value: StrictValue, number: int) -> tuple[float, float, float, float]:
    """Four numbers, in order; raises `Found`."""
    corners = value if isinstance(value, list) else []
    numbers = [
        float(one) for one in corners if isinstance(one, int | float) and not isinstance(one, bool)
    ]
    if len(corners) != 4 or len(numbers) != 4 or not all(map(is_coordinate, numbers)):
        raise Found("annotation_added", number, key="/Rect")
    left, right = sorted((numbers[0], numbers[2]))
    low, top = sorted((numbers[1], numbers[3]))
    return left, low, right, top


def is_coordinate(value: float) -> bool:
    """True for a number that is the same for every reader, wherever it is a place."""
    return abs(value) <= COORDINATE_MAX  # neither infinite nor no number


def keeps_shape(matrix: StrictValue) -> bool:
    """True for no matrix, or one of quarter turns and scales (ISO 32000-2, section 8.3.4)."""
    if matrix is None:
        return True
    if not isinstance(matrix, list) or len(matrix) != 6:
        return False
    numbers = [one for one in matrix if isinstance(one, int | float) and not isinstance(one, bool)]
    if len(numbers) != 6 or not all(map(is_coordinate, numbers)):
        return False
    if any(one and not SCALE_MIN <= abs(one) <= SCALE_MAX for one in numbers[:4]):
        return False
    across = not numbers[1] and not numbers[2] and numbers[0] * numbers[3] != 0
    turned = not numbers[0] and not numbers[3] and numbers[1] * numbers[2] != 0
    return across or turned
