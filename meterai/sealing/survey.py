"""Where on a page there is ink, and where a stamp has a free place; pure.

A `Survey` is a grid over the page as it is seen.  Lengths are points, counted from the lower left
corner, as in `Placement`.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate

from meterai.sealing.model import Placement

CELL_POINTS = 72 / 25.4 * 2  # 2 mm; a letter of 9 points is about as high
CELLS_MAX = 200  # along one side: the cells of a poster are larger
INK_SHARE_MAX = 0.005  # of a stamp's area; more is said to lie on something

_MARGIN_POINTS = 72 / 25.4 * 4  # kept free around a suggested stamp
_EDGE_POINTS = 72 / 25.4 * 8  # from the edge of the page, where printers do not print
_SPECKS_SHARE = INK_SHARE_MAX / 5  # of a stamp's area, in a free place: less than a digit
_FOOT_SHARE = 0.2  # of the page's height: a single line there is a page number, no signature
_LINE_POINTS = 72 / 25.4 * 8
_RIGHT_SHARE = 0.5  # of the width: signatures are to the right of it
_USUAL = (0.74, 0.2)  # the centre of a stamp on an empty page, as shares of width and height
_ROW_INK_MIN = 64  # of 255 for each cell that is all ink: specks make no line
_GAP_POINTS = 72 / 25.4 * 30  # within one block; between a closing and a name is room to sign


def grid(width: float, height: float) -> tuple[int, int]:
    """The columns and rows of the survey of a page, in points."""
    cell = max(CELL_POINTS, width / CELLS_MAX, height / CELLS_MAX)
    return max(1, round(width / cell)), max(1, round(height / cell))


@dataclass(frozen=True, slots=True)
class _Cells:
    """A rectangle of cells: columns from the left, rows from the top; ends are not in it."""

    left: int
    top: int
    right: int
    bottom: int


@dataclass(frozen=True)
class Survey:
    """The ink of one page.

    `ink` has a byte for each cell, row by row from the top left: 255 times the share of it that is
    not paper.
    """

    width: float
    height: float
    columns: int
    rows: int
    ink: bytes = field(repr=False)

    def ink_under(self, placement: Placement) -> float:
        """The share of a stamp's area where there is ink, 0 to 1; the page is not looked at."""
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
        """A place where a stamp of this width covers nothing; `None` where there is none.

        It is the free one nearest to where people sign: beside the last block of text on the right
        side of the page, and on an empty page to the lower right.  `taken` are stamps on it.
        """
        shape = Placement(page, 0.0, 0.0, width)
        aim_x, aim_y = self._aim
        best: tuple[float, Placement] | None = None
        for x, y in self._free_corners(shape, taken):
            away_x, away_y = x + shape.width / 2 - aim_x, y + shape.height / 2 - aim_y
            away = math.hypot(away_x, away_y)
            if best is None or away < best[0]:
                best = away, Placement(page, x, y, width)
        return best[1] if best else None

    def usual_place(self, page: int, width: float) -> Placement:
        """To the lower right, whatever is there."""
        shape = Placement(page, 0.0, 0.0, width)
        x = self.width * _USUAL[0] - shape.width / 2
        y = self.height * _USUAL[1] - shape.height / 2
        return Placement(
            page,
            max(0.0, min(x, self.width - shape.width)),
            max(0.0, min(y, self.height - shape.height)),
            width,
        )

    def _free_corners(
        self, shape: Placement, taken: Sequence[Placement]
    ) -> Iterator[tuple[float, float]]:
        """Lower left corners at the cells' edges, with a margin free of ink and of other stamps."""
        cell_x, cell_y = self.width / self.columns, self.height / self.rows
        beside = math.ceil(_MARGIN_POINTS / cell_x), math.ceil(_MARGIN_POINTS / cell_y)
        across, along = math.ceil(shape.width / cell_x), math.ceil(shape.height / cell_y)
        least = shape.width * shape.height * _SPECKS_SHARE / (cell_x * cell_y) * 255
        edge = min(_EDGE_POINTS, (self.width - shape.width) / 2, (self.height - shape.height) / 2)
        if edge < 0:
            return
        for row in range(self.rows - along + 1):
            top = self.height - row * cell_y
            y = top - shape.height
            if y < edge or top > self.height - edge:
                continue
            for column in range(self.columns - across + 1):
                x = column * cell_x
                if x < edge or x + shape.width > self.width - edge:
                    continue
                cells = _Cells(
                    max(0, column - beside[0]),
                    max(0, row - beside[1]),
                    min(self.columns, column + across + beside[0]),
                    min(self.rows, row + along + beside[1]),
                )
                if self._ink_in(cells) <= least and not _is_near(x, y, shape, taken):
                    yield x, y

    @cached_property
    def _sums(self) -> list[list[int]]:
        """For each corner of a cell, the ink of all above and to the left of it."""
        sums = [[0] * (self.columns + 1)]
        for start in range(0, self.rows * self.columns, self.columns):
            row = accumulate(self.ink[start : start + self.columns], initial=0)
            sums.append([above + one for above, one in zip(sums[-1], row, strict=True)])
        return sums

    def _ink_in(self, cells: _Cells) -> int:
        above, below = self._sums[cells.top], self._sums[cells.bottom]
        return below[cells.right] - below[cells.left] - above[cells.right] + above[cells.left]

    @cached_property
    def _aim(self) -> tuple[float, float]:
        """The point near which people sign: the middle of the last block on the right."""
        cell_x, cell_y = self.width / self.columns, self.height / self.rows
        begins = round(self.columns * _RIGHT_SHARE)
        block = self._last_block(begins, round(_GAP_POINTS / cell_y))
        if block is None:
            return self.width * _USUAL[0], self.height * _USUAL[1]
        top, bottom = block
        # A whole column of text is no signature: people sign where it ends.
        top = max(top, bottom - round(self.rows / 5))
        columns = [
            column
            for column in range(begins, self.columns)
            if self._ink_in(_Cells(column, top, column + 1, bottom + 1))
        ]
        middle = (columns[0] + columns[-1] + 1) / 2 * cell_x
        return middle, self.height - (top + bottom + 1) / 2 * cell_y

    def _last_block(self, begins: int, gap: int) -> tuple[int, int] | None:
        """The first and last row of the lowest block from that column on, but for a page number."""
        foot, line = self.rows * (1 - _FOOT_SHARE), self.rows * _LINE_POINTS / self.height
        blocks: list[tuple[int, int]] = []
        for row in range(self.rows):
            if self._ink_in(_Cells(begins, row, self.columns, row + 1)) <= _ROW_INK_MIN:
                continue
            if blocks and row - blocks[-1][1] <= gap:
                blocks[-1] = blocks[-1][0], row
            else:
                blocks.append((row, row))
        while blocks and blocks[-1][0] > foot and blocks[-1][1] - blocks[-1][0] < line:
            blocks.pop()
        return blocks[-1] if blocks else None


def _is_near(x: float, y: float, shape: Placement, taken: Sequence[Placement]) -> bool:
    """True if a stamp there would lie on another, or closer than the margin."""
    return any(
        x < one.x + one.width + _MARGIN_POINTS
        and one.x < x + shape.width + _MARGIN_POINTS
        and y < one.y + one.height + _MARGIN_POINTS
        and one.y < y + shape.height + _MARGIN_POINTS
        for one in taken
    )
