"""The graphics state of a content (ISO 32000-2, section 8.4), as far as it says where and how one paints.

Besides what the standard has, it knows whether readers agree about it.  Each limit was found by drawing the
same pages with six renderers.

| what | who draws it otherwise |
|---|---|
| a product of all matrices in force that is larger or smaller than numbers of 32 bits keep | poppler, which has 64 |
| a matrix, or a clip, without an area | Ghostscript and poppler, a row of pixels |
| a clip of no path, or to words | MuPDF, poppler, pdf.js |
| lines of a negative width; dashes of nothing, or less | all |
| a form that is drawn with no opacity | Ghostscript |
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from math import isfinite

from meterai.sealing.checking.colour_spaces import MEASURED
from meterai.sealing.checking.lettering import Lettering
from meterai.sealing.pdf.operations import Matrix, product
from meterai.sealing.pdf.pages import Box
from meterai.sealing.pdf.strict import StrictValue

# Of the product of all matrices, in units of the page to one of the content.  Numbers of 32 bits end at 1e-38 and
# 1e38; programs that write in the finest units have 1e-5 (TeX) and 1e-4 (drawings of machines).
PRODUCT_MIN, PRODUCT_MAX = 1e-6, 1e6
PLACE_MAX = 1e6  # units from the corner of the page: up to there 32 bits keep a sixteenth of one
_FLAT = 1e-9  # an area, as a share of the square of the longer side
_DASH_MIN = 0.05  # units that all dashes and gaps have together
_OPACITY_MIN = 0.05
_BUTT = 0  # the cap of a line that adds nothing to its length

NOWHERE: Box = (0.0, 0.0, -1.0, -1.0)
_LISTED_MAX = 2  # a list of colours has no other below it (8.6.6.3)

Parts = Callable[[StrictValue], Sequence[bytes]]
# Entries of the state (table 57) by which readers paint differently, and the values that do nothing.
_PLAIN: dict[str, tuple[object, ...]] = {
    "/BM": ("/Normal", "/Compatible"),
    "/SMask": ("/None",),
    **dict.fromkeys(("/op", "/OP"), (False,)),
    **dict.fromkeys(
        ("/TR", "/TR2", "/HT", "/BG", "/BG2", "/UCR", "/UCR2"), ("/Default", "/Identity")
    ),
}


class Colour(IntEnum):
    """As what a colour counts."""

    WHITE = 0
    PLAIN = 1
    ODD = 2


class Reader:
    """What a content refers to, as the file has it."""

    def __init__(
        self,
        resolved: Callable[[StrictValue], StrictValue],
        parts: Parts,
        data: Callable[[StrictValue], bytes],
    ) -> None:
        self.resolved = resolved
        self.parts = parts
        self.data = data

    def entries(self, value: StrictValue) -> dict[str, StrictValue]:
        """The dictionary that a value is or refers to, a stream's as well."""
        found = self.resolved(value)
        return found if isinstance(found, dict) else {}

    def numbers(self, value: StrictValue) -> list[float]:
        """The numbers of an array."""
        found = self.resolved(value)
        items = map(self.resolved, found) if isinstance(found, list) else ()
        return [float(one) for one in items if isinstance(one, int | float)]


@dataclass(slots=True)
class Graphics:
    """The state while a content is read."""

    matrix: Matrix
    clip: Box
    fill: Colour = Colour.PLAIN
    stroke: Colour = Colour.PLAIN
    odd: frozenset[str] = frozenset()  # entries of the state by which one does not paint plainly
    unsure: frozenset[str] = frozenset()  # operators after which readers paint in other places
    is_beyond: bool = False  # some readers have lost the place
    is_clear: bool = False  # what is drawn has no opacity
    line: float = 1.0
    cap: float = _BUTT
    dashes: tuple[float, ...] = ()
    font: Lettering | None = None
    size: float = 0.0
    scale: float = 1.0
    letter: float = 0.0
    word: float = 0.0
    leading: float = 0.0
    rise: float = 0.0
    mode: float = 0

    @property
    def is_doubtful(self) -> bool:
        """True if readers do not agree about anything that is painted."""
        return self.is_beyond or bool(self.unsure)

    @property
    def factor(self) -> float:
        """How many units of the page a unit of the content has, at the most."""
        return max(map(abs, self.matrix[:4]))

    def transform(self, matrix: Matrix) -> None:
        self.matrix = product(matrix, self.matrix)
        # What was lost once does not come back.
        self.is_beyond = self.is_beyond or not is_kept(self.matrix)
        if is_flat(self.matrix):
            self.unsure |= {"cm"}

    def has_doubtful_lines(self) -> bool:
        """True if readers stroke in different ways: with less than no width, or in dashes of nothing."""
        dashes = self.dashes
        if self.line < 0 or any(one < 0 for one in dashes):
            return True
        drawn = dashes if len(dashes) % 2 else dashes[::2]
        is_of_points = self.cap == _BUTT and any(one == 0 for one in drawn)
        return bool(dashes) and (is_of_points or sum(dashes) * self.factor < _DASH_MIN)

    def take(self, entries: dict[str, StrictValue], reader: Reader) -> None:
        """A dictionary of the state (table 57), but for its font."""
        known = {key for key in entries if key in _PLAIN}
        odd = {key for key in known if reader.resolved(entries[key]) not in _PLAIN[key]}
        self.odd = self.odd - known | odd
        self.line = _number(reader.resolved(entries.get("/LW")), self.line)
        self.cap = _number(reader.resolved(entries.get("/LC")), self.cap)
        dashed = reader.resolved(entries.get("/D"))
        if isinstance(dashed, list) and dashed:
            self.dashes = tuple(reader.numbers(dashed[0]))
        opacity = [reader.resolved(entries[key]) for key in ("/ca", "/CA") if key in entries]
        if opacity:
            self.is_clear = any(_number(one, 1.0) < _OPACITY_MIN for one in opacity)


def is_kept(matrix: Matrix) -> bool:
    """True if readers of 32 bits keep a matrix as it is; one of zeros too."""
    largest = max(map(abs, matrix[:4]))
    if not all(map(isfinite, matrix)) or max(map(abs, matrix[4:])) > PLACE_MAX:
        return False
    return largest == 0 or PRODUCT_MIN <= largest <= PRODUCT_MAX


def is_flat(matrix: Matrix) -> bool:
    """True for a matrix by which every shape loses its area."""
    a, b, c, d, _, _ = matrix
    return abs(a * d - b * c) <= _FLAT * max(map(abs, (a, b, c, d))) ** 2


def colour_of_space(space: StrictValue, reader: Reader) -> Colour:
    """As what any colour of a space counts."""
    found = reader.resolved(space)
    family = reader.resolved(found[0]) if isinstance(found, list) and found else found
    return Colour.PLAIN if family in MEASURED else Colour.ODD


def colour_of_image(entries: dict[str, StrictValue], fill: Colour, reader: Reader) -> Colour:
    """As what the colours of an image count: a mask has that of a path, lists those that are listed."""
    resolved = reader.resolved
    if resolved(entries.get("/ImageMask")) is True:
        return fill
    space = resolved(entries.get("/ColorSpace"))
    for _ in range(_LISTED_MAX):
        family = resolved(space[0]) if isinstance(space, list) and space else space
        if family != "/Indexed" or not isinstance(space, list) or len(space) < 2:
            return Colour.PLAIN if family in MEASURED or family is None else Colour.ODD
        space = resolved(space[1])
    return Colour.ODD


def _number(value: StrictValue, otherwise: float) -> float:
    return float(value) if isinstance(value, int | float) else otherwise
