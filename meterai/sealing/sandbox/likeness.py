"""Does a picture look like a stamp, whatever its size, shape, colours and quarter turns?

What is compared is where ink is: in the head of the stamp (name, value, what it says of the duty) and
along its frame.  Code, serial and words are left out, for each stamp has others, and a copy may have
none.  Both pictures are cut to their frames first, so that nothing but the frame decides scale and
shape.
"""

from collections.abc import Iterator
from math import sqrt
from operator import itemgetter

from PIL import Image, ImageChops

LIKENESS_MIN = 0.75  # copies measured have 0.89 and more, other signatures 0.61 and less
_COLUMNS, _ROWS = 40, 62  # of the grid: 2.5 units of the sheet of a stamp each
_HEAD_ROWS = 12  # above the room of the code
_INK_LEVELS = 24  # of 255: pale lines are ink, what a scan or JPEG leaves on paper is not
_LINE_SHARE = 0.6  # of a row or a column that is ink where a line of a frame is
_SIDE_MIN = 24  # pixels; in less no words could be read
_ROUNDS_MAX = 8

_Box = tuple[int, int, int, int]


def is_like(picture: Image.Image, stamp: Image.Image) -> bool:
    """True if the picture, in any quarter turn, looks like the stamp."""
    wanted = _cells(_framed(_ink(stamp)))
    framed = _framed(_ink(picture))
    if min(framed.size) < _SIDE_MIN:
        return False
    return any(_correlation(_cells(turned), wanted) >= LIKENESS_MIN for turned in _turned(framed))


def _turned(picture: Image.Image) -> Iterator[Image.Image]:
    yield picture
    yield picture.transpose(Image.Transpose.ROTATE_90)
    yield picture.transpose(Image.Transpose.ROTATE_180)
    yield picture.transpose(Image.Transpose.ROTATE_270)


def _ink(picture: Image.Image) -> Image.Image:
    """White where the picture is not of its most frequent colour, black elsewhere."""
    colour = picture.convert("RGB")
    counts = colour.getcolors(colour.width * colour.height) or [(1, (255, 255, 255))]
    paper = max(counts, key=itemgetter(0))[1]
    assert isinstance(paper, tuple)
    red, green, blue = ImageChops.difference(colour, Image.new("RGB", colour.size, paper)).split()
    most = ImageChops.lighter(ImageChops.lighter(red, green), blue)
    return most.point([255 if level > _INK_LEVELS else 0 for level in range(256)])


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
