"""Positions of ink on a page, and search for a free place for a stamp.  Pure functions, no input or output.

An `InkSurvey` is a grid over the page as it is shown.  Lengths are in points and positions are counted from the
lower left corner, as in `Placement`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate
from operator import add

from meterai.sealing.model import Placement

CELL_POINTS = 72 / 25.4 * 2  # side of a cell, 2 mm; about the height of a letter of 9 points
CELLS_MAX = 200  # along one side; a poster gets larger cells
INK_SHARE_MAX = 0.005  # of a stamp's area; over more ink, a stamp covers something

_MARGIN_POINTS = 72 / 25.4 * 4  # distance of a suggested stamp from ink and other stamps
_EDGE_POINTS = 72 / 25.4 * 8  # from the edge of the page, where printers cannot print
_SPECKS_SHARE = INK_SHARE_MAX / 5  # of a stamp's area; so little ink in a free place is ignored
_FOOT_SHARE = 0.2  # of the page's height; a single line in it is a page number
_LINE_POINTS = 72 / 25.4 * 8
_RIGHT_SHARE = 0.5  # of the width; signatures are to the right of that
_USUAL = (0.74, 0.2)  # the centre of a stamp on an empty page, as shares of width and height
_ROW_INK_MIN = 64  # ink of a row (255 for a full cell); less is specks, no line
_GAP_POINTS = 72 / 25.4 * 30  # largest gap within a block, as between a closing phrase and a name


def grid(width: float, height: float) -> tuple[int, int]:
    """Return the numbers of columns and rows for the survey of a page of this size in points."""
    cell = max(CELL_POINTS, width / CELLS_MAX, height / CELLS_MAX)
    return max(1, round(width / cell)), max(1, round(height / cell))


@dataclass(frozen=True)
class InkSurvey:
    """Ink on one page, of `width` by `height` points.

    `ink` has a byte for each cell, row by row from the top left: 255 times the share of the cell that has ink.  `paper`
    is the grey level of the paper, 0 to 255.
    """

    width: float
    height: float
    columns: int
    rows: int
    ink: bytes = field(repr=False)
    paper: int = 255

    def ink_under(self, placement: Placement) -> float:
        """Return the share, 0 to 1, of a stamp's area that covers ink; the page number of the placement is ignored."""
        across = self.columns / self.width
        along = self.rows / self.height
        left, right = placement.x * across, (placement.x + placement.width) * across
        low = placement.y + placement.height
        top, bottom = (self.height - low) * along, (self.height - placement.y) * along
        found = area = 0.0
        for row in range(max(0, math.floor(top)), min(self.rows, math.ceil(bottom))):
            high = min(bottom, row + 1) - max(top, row)
            for column in range(max(0, math.floor(left)), min(self.columns, math.ceil(right))):
                part = high * (min(right, column + 1) - max(left, column))
                area += part
                found += part * self.ink[row * self.columns + column]
        return found / area / 255 if area else 0.0

    def free_place(
        self, page: int, width: float, taken: Sequence[Placement] = ()
    ) -> Placement | None:
        """Return a placement on `page` where a stamp of this width covers nothing; `None` if there is none.

        Of all free places the nearest to where people usually sign is returned: at the last block of text on the right side of
        the page, or on an empty page at the lower right.  `taken` are stamps on the page, which are not covered either.
        """
        shape = Placement(page, 0.0, 0.0, width)
        places = _Places(self, shape)
        if not places.columns or not places.rows:
            return None
        aim_x, aim_y = self._aim
        best: tuple[float, Placement] | None = None
        # Rows and columns are tried from the nearest outwards, so that the first free place of a row is its best, and the
        # search ends at the first row that is farther away than the best place.
        for row in sorted(places.rows, key=lambda row: abs(places.y(row) - aim_y)):
            away_y = abs(places.y(row) - aim_y)
            if best is not None and away_y >= best[0]:
                break
            for column in sorted(places.columns, key=lambda column: abs(places.x(column) - aim_x)):
                away = math.hypot(places.x(column) - aim_x, away_y)
                if best is not None and away >= best[0]:
                    break
                if places.is_free(row, column):
                    place = places.placement(row, column)
                    if not _is_near(place, taken):
                        best = away, place
                        break
        return best[1] if best else None

    def usual_place(self, page: int, width: float) -> Placement:
        """Return the usual placement at the lower right of the page, whether it is free or not."""
        shape = Placement(page, 0.0, 0.0, width)
        x = self.width * _USUAL[0] - shape.width / 2
        y = self.height * _USUAL[1] - shape.height / 2
        return Placement(
            page,
            max(0.0, min(x, self.width - shape.width)),
            max(0.0, min(y, self.height - shape.height)),
            width,
        )

    @cached_property
    def _sums(self) -> list[list[int]]:
        """Summed-area table: item [row][column] is the ink of all cells above that row and left of that column."""
        sums = [[0] * (self.columns + 1)]
        for start in range(0, self.rows * self.columns, self.columns):
            row = accumulate(self.ink[start : start + self.columns], initial=0)
            sums.append(list(map(add, sums[-1], row)))
        return sums

    def ink_in(self, left: int, top: int, right: int, bottom: int) -> int:
        """Return the ink in a rectangle of cells; columns count from the left, rows from the top, and ends are exclusive."""
        above, below = self._sums[top], self._sums[bottom]
        return below[right] - below[left] - above[right] + above[left]

    @cached_property
    def _aim(self) -> tuple[float, float]:
        """Position (x, y) in points near which people usually sign: the middle of the last block of ink on the right side."""
        cell_x, cell_y = self.width / self.columns, self.height / self.rows
        begins = round(self.columns * _RIGHT_SHARE)
        block = self._last_block(begins, round(_GAP_POINTS / cell_y))
        if block is None:
            return self.width * _USUAL[0], self.height * _USUAL[1]
        top, bottom = block
        # A long column of text is not a signature block: people sign at its end.
        top = max(top, bottom - round(self.rows / 5))
        columns = [
            column
            for column in range(begins, self.columns)
            if self.ink_in(column, top, column + 1, bottom + 1)
        ]
        middle = (columns[0] + columns[-1] + 1) / 2 * cell_x
        return middle, self.height - (top + bottom + 1) / 2 * cell_y

    def _last_block(self, begins: int, gap: int) -> tuple[int, int] | None:
        """Return first and last row of the lowest block of ink from column `begins` on; `None` if there is none.

        A block has no gap of more than `gap` rows.  Page numbers are ignored.
        """
        foot, line = self.rows * (1 - _FOOT_SHARE), self.rows * _LINE_POINTS / self.height
        blocks: list[tuple[int, int]] = []
        for row in range(self.rows):
            if self.ink_in(begins, row, self.columns, row + 1) <= _ROW_INK_MIN:
                continue
            if blocks and row - blocks[-1][1] <= gap:
                blocks[-1] = blocks[-1][0], row
            else:
                blocks.append((row, row))
        while blocks and blocks[-1][0] > foot and blocks[-1][1] - blocks[-1][0] < line:
            blocks.pop()
        return blocks[-1] if blocks else None


class _Places:
    """Candidate places of a stamp, away from the edges of the page; the upper left corner of each is that of a cell."""

    def __init__(self, survey: InkSurvey, shape: Placement) -> None:
        self._survey = survey
        self._shape = shape
        self._cell_x = survey.width / survey.columns
        self._cell_y = survey.height / survey.rows
        self._beside = math.ceil(_MARGIN_POINTS / self._cell_x)
        self._around = math.ceil(_MARGIN_POINTS / self._cell_y)
        self._across = math.ceil(shape.width / self._cell_x)
        self._along = math.ceil(shape.height / self._cell_y)
        cells = shape.width * shape.height / (self._cell_x * self._cell_y)
        self._ink_max = cells * _SPECKS_SHARE * 255
        self.columns = _inside(
            survey.width, shape.width, self._cell_x, survey.columns - self._across
        )
        self.rows = _inside(survey.height, shape.height, self._cell_y, survey.rows - self._along)

    def x(self, column: int) -> float:
        """Return the horizontal position of the middle of the stamp, in points from the left edge of the page."""
        return column * self._cell_x + self._shape.width / 2

    def y(self, row: int) -> float:
        """Return the vertical position of the middle of the stamp, in points from the lower edge of the page."""
        return self._survey.height - row * self._cell_y - self._shape.height / 2

    def placement(self, row: int, column: int) -> Placement:
        """Return the placement whose upper left corner is that of this cell."""
        x, y = column * self._cell_x, self.y(row) - self._shape.height / 2
        return Placement(self._shape.page, x, y, self._shape.width)

    def is_free(self, row: int, column: int) -> bool:
        """True if there is no ink, except specks, on the place at this cell and on the margin around the place."""
        survey = self._survey
        found = survey.ink_in(
            max(0, column - self._beside),
            max(0, row - self._around),
            min(survey.columns, column + self._across + self._beside),
            min(survey.rows, row + self._along + self._around),
        )
        return found <= self._ink_max


def _inside(page: float, stamp: float, cell: float, last: int) -> range:
    """Return the cells, along one side of the page, at which a stamp can begin so that it keeps a distance from both edges."""
    if page < stamp:
        return range(0)
    edge = min(_EDGE_POINTS, (page - stamp) / 2)
    first = math.ceil(edge / cell - 1e-9)
    end = min(last, math.floor((page - edge - stamp) / cell + 1e-9))
    return range(first, end + 1)


def _is_near(place: Placement, taken: Sequence[Placement]) -> bool:
    """True if a stamp at this place would overlap one of the stamps `taken`, or be closer to it than the margin."""
    return any(
        place.x < one.x + one.width + _MARGIN_POINTS
        and one.x < place.x + place.width + _MARGIN_POINTS
        and place.y < one.y + one.height + _MARGIN_POINTS
        and one.y < place.y + place.height + _MARGIN_POINTS
        for one in taken
    )
