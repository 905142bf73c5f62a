"""Does a picture look like a stamp, whatever its size, shape, colours and quarter turns?

What is compared is where ink is: in the head of the stamp (name, value, what it says of the duty) and
along its frame.  Code, serial and words are left out, for each stamp has others, and a copy may have
none.  Both pictures are cut to their frames first, so that nothing but the frame decides scale and
shape; and so is each figure in the picture that hangs together and has the proportion of a stamp, for a copy
may have words beside it, another frame around it, or a coloured ground.
"""

from collections.abc import Iterator
from math import sqrt
from operator import itemgetter

from PIL import Image, ImageChops

LIKENESS_MIN = 0.75  # copies measured have 0.89 and more, other signatures 0.61 and less
_COLUMNS, _ROWS = 40, 62  # of the grid: 2.5 units of the sheet of a stamp each
_HEAD_ROWS = 12  # above the room of the code
_INK_LEVELS = 24  # of 255: pale lines are ink, what a scan or JPEG leaves on paper is not
_DARK_LEVELS = 110  # of 255: what is on a pale ground, or on coloured spots
_GRID_SIDE = 200  # cells of the longer side, in which figures are looked for
_GRID_SHARE = 40  # of 255: of a cell that is ink where a thin line goes through it
_FIGURES_MAX = 40
_PROPORTION_OFF_MAX = 0.2  # of a figure, that is compared
_LINE_SHARE = 0.6  # of a row or a column that is ink where a line of a frame is
_SIDE_MIN = 24  # pixels; in less no words could be read
_ROUNDS_MAX = 8

_Box = tuple[int, int, int, int]


def is_like(picture: Image.Image, stamp: Image.Image) -> bool:
    """True if the picture, in any quarter turn, looks like the stamp."""
    wanted = _framed(_ink(stamp, _INK_LEVELS))
    cells = _cells(wanted)
    proportion = wanted.height / wanted.width
    for levels in (_INK_LEVELS, _DARK_LEVELS):
        ink = _ink(picture, levels)
        for framed in (_framed(ink), *_figures(ink, proportion)):
            if min(framed.size) >= _SIDE_MIN and any(
                _correlation(_cells(turned), cells) >= LIKENESS_MIN for turned in _turned(framed)
            ):
                return True
    return False


def _figures(ink: Image.Image, proportion: float) -> Iterator[Image.Image]:
    """What hangs together and has the proportion of a stamp, whatever is beside or around it."""
    scale = min(1.0, _GRID_SIDE / max(ink.size))
    size = max(1, round(ink.width * scale)), max(1, round(ink.height * scale))
    grid = ink.resize(size, Image.Resampling.BOX)
    for left, top, right, low in _connected(grid)[:_FIGURES_MAX]:
        wide, high = right - left, low - top
        if min(wide, high) / scale < _SIDE_MIN or not any(
            abs(one / proportion - 1) <= _PROPORTION_OFF_MAX for one in (high / wide, wide / high)
        ):
            continue
        corners = (left / scale, top / scale, right / scale, low / scale)
        part = ink.crop(tuple(round(one) for one in corners))  # type: ignore[arg-type]
        yield part.crop(part.getbbox())


def _connected(grid: Image.Image) -> list[_Box]:
    """The boxes of what hangs together in a grid, the largest first: runs of ink, row by row."""
    wide, cells = grid.width, grid.tobytes()
    boxes = list[_Box]()
    above = list[tuple[int, int, int]]()  # runs of the row above: from, to, of which figure
    joined = list[int]()

    def root(figure: int) -> int:
        while joined[figure] != figure:
            joined[figure] = joined[joined[figure]]
            figure = joined[figure]
        return figure

    for row in range(grid.height):
        inked = [share >= _GRID_SHARE for share in cells[row * wide : (row + 1) * wide]]
        runs = list[tuple[int, int, int]]()
        at = 0
        while at < wide:
            if not inked[at]:
                at += 1
                continue
            start = at
            while at < wide and inked[at]:
                at += 1
            touching = {root(one) for first, last, one in above if first <= at and last >= start}
            figure = min(touching, default=len(joined))
            if not touching:
                joined.append(figure)
                boxes.append((start, row, at, row + 1))
            for one in (*touching, figure):
                joined[one] = figure
                boxes[figure] = _around(boxes[figure], boxes[one])
            boxes[figure] = _around(boxes[figure], (start, row, at, row + 1))
            runs.append((start, at, figure))
        above = runs
    found = [box for figure, box in enumerate(boxes) if root(figure) == figure]
    return sorted(found, key=lambda box: (box[0] - box[2]) * (box[3] - box[1]))


def _around(one: _Box, other: _Box) -> _Box:
    return (
        *(min(one[0], other[0]), min(one[1], other[1])),
        *(max(one[2], other[2]), max(one[3], other[3])),
    )


def _turned(picture: Image.Image) -> Iterator[Image.Image]:
    yield picture
    yield picture.transpose(Image.Transpose.ROTATE_90)
    yield picture.transpose(Image.Transpose.ROTATE_180)
    yield picture.transpose(Image.Transpose.ROTATE_270)


def _ink(picture: Image.Image, levels: int) -> Image.Image:
    """White where the picture is by so many levels not of its most frequent colour, black elsewhere."""
    colour = picture.convert("RGB")
    counts = colour.getcolors(colour.width * colour.height) or [(1, (255, 255, 255))]
    paper = max(counts, key=itemgetter(0))[1]
    assert isinstance(paper, tuple)
    red, green, blue = ImageChops.difference(colour, Image.new("RGB", colour.size, paper)).split()
    most = ImageChops.lighter(ImageChops.lighter(red, green), blue)
    return most.point([255 if level > levels else 0 for level in range(256)])


def _framed(ink: Image.Image) -> Image.Image:
    """What is within the outermost lines that reach from end to end; all ink, if there are none."""
    around = ink.getbbox()
    if around is None:
        return ink.crop((0, 0, 1, 1))
    box = around
    for _ in range(_ROUNDS_MAX):
        within = _within_lines(ink, box)
        if within is None:
            return ink.crop(around)
        if within == box:
            break
        box = within
    return ink.crop(box)


def _within_lines(ink: Image.Image, box: _Box) -> _Box | None:
    left, top, right, low = box
    part = ink.crop(box)
    columns = _lines(part.resize((part.width, 1), Image.Resampling.BOX))
    if columns is not None:
        left, right = left + columns[0], left + columns[1]
        part = ink.crop((left, top, right, low))
    rows = _lines(part.resize((1, part.height), Image.Resampling.BOX))
    if rows is not None:
        top, low = top + rows[0], top + rows[1]
    return (left, top, right, low) if columns is not None or rows is not None else None


def _lines(shares: Image.Image) -> tuple[int, int] | None:
    """The first and behind the last of them that is a line."""
    found = [at for at, share in enumerate(shares.tobytes()) if share >= _LINE_SHARE * 255]
    return (found[0], found[-1] + 1) if found and found[0] < found[-1] else None


def _cells(ink: Image.Image) -> list[int]:
    """The ink of the cells that are compared."""
    cells = ink.resize((_COLUMNS, _ROWS), Image.Resampling.BOX).tobytes()
    last = _COLUMNS - 1
    return [
        share
        for at, share in enumerate(cells)
        if at // _COLUMNS < _HEAD_ROWS or at // _COLUMNS == _ROWS - 1 or at % _COLUMNS in (0, last)
    ]


def _correlation(one: list[int], other: list[int]) -> float:
    """Pearson's coefficient; 0 where one of them is all the same."""
    mean, mean_other = sum(one) / len(one), sum(other) / len(other)
    away = [share - mean for share in one]
    away_other = [share - mean_other for share in other]
    spread = sqrt(sum(x * x for x in away) * sum(y * y for y in away_other))
    return sum(x * y for x, y in zip(away, away_other, strict=True)) / spread if spread else 0.0
