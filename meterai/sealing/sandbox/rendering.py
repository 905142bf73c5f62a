"""How pages look, before and after: drawn by two renderers that know nothing of each other.

PDFium (of Chrome and many phones, in C++) draws the screen and the print of a page, forms and
annotations included; pdf_oxide (in Rust, with a parser of its own) draws it once more.  Both get
hostile files here: this runs only in the processes of `bounded`.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from operator import itemgetter
from typing import NamedTuple, Protocol

import pdf_oxide
import pypdfium2
from PIL import Image, ImageChops, ImageFilter, ImageOps

from meterai.sealing.sandbox.likeness import is_like
from meterai.sealing.sandbox.scanning import codes_in

PIXELS_MAX = 4_000_000  # of one picture; 16 MB as a bitmap
# Pixels a unit, by how many pages are drawn: thin lines are seen at each, small print in `_INK_SCALE`.
_SCALES = ((4, 2.0), (1 << 30, 1.0))
_SCALE_MIN = 0.5  # a sheet of A0 is drawn at 0.7
_INK_SCALE = 6.0  # of a box alone, in which a comma of small print has six pixels
_INK_PIXELS_MAX = 1_000_000
_PAPER_SCALE, _PAPER_FACTOR = 1.0, 4  # the colour of the paper is seen in 18 dots an inch
_CODE_SCALE = 4.0  # a module of the smallest stamp has two pixels and a half
_LIKE_SCALE = 6.0  # of a stamp and a box that are compared
_CODE_AROUND = 80.0  # units around the boxes in which a part of a code may have been sealed
_SIZE_TOLERANCE = 1.0  # units of the file; renderers round
_LEVELS = 12  # of 255: what differs by less is the same
_PRINTING = "print"

Fractions = tuple[float, float, float, float]  # left, top, right, bottom; of what is seen


class _Way(NamedTuple):
    """How a box is looked at for codes: pixels a unit, drawn out so many times, blurred by a share of its
    side."""

    scale: float
    across: int = 1
    down: int = 1
    blur: float = 0.0


# Of a box alone, pixels a unit, and how it is then drawn out, across and down: one scale reads what
# another does not, and what was squeezed to half its width is read when it is drawn out again.  Last,
# by which share of its side it is blurred: half a module, so that dots in place of modules run together.
_BOX_LOOKS = (
    *(_Way(12.0), _Way(9.0), _Way(6.0), _Way(6.0, across=2), _Way(6.0, down=2)),
    *(_Way(6.0, blur=1 / 110), _Way(6.0, blur=1 / 170)),
)


class NotDrawn(Exception):
    """A renderer does not draw the document, or sees other pages than we do."""


class PageLook(NamedTuple):
    """A page to be drawn (`number` counts from 1), and the boxes of signatures made later.

    `width` and `height` are of the page as it is seen, in units of the file.  One without boxes is drawn
    by PDFium alone, which is the fastest; paper is drawn where something is on a page that only one of
    screen and paper shows (`is_printed_alike`).  `elsewhere` is where a box, of that index, lies as well when
    somebody turns the page.
    """

    number: int
    width: float
    height: float
    boxes: tuple[Fractions, ...]
    is_printed_alike: bool = False
    elsewhere: tuple[tuple[int, Fractions], ...] = ()


class Place(NamedTuple):
    """A part of a page."""

    page: PageLook
    part: Fractions


class Copies(NamedTuple):
    """A document of `page_count` pages as it was and as it is; `cut` is the same for pdf_oxide, which draws a
    picture beyond its box."""

    before: bytes
    after: bytes
    cut: bytes
    page_count: int
    password: bytes


class Look(NamedTuple):
    """What is seen to have changed: on which page, in which box (-1: outside of them).

    `kind` is `covered` (a later signature is over something), `different` (outside of the boxes a
    page looks another way) or `copied` (a box has the code of a stamp, or looks like one).
    """

    kind: str
    page: int
    box: int


class _Renderer(Protocol):
    border: float  # units around the box of a signature that it may touch

    def __init__(self, document: bytes, password: bytes) -> None: ...

    @property
    def pages(self) -> int: ...

    def draw(self, page: PageLook, scale: float) -> Image.Image: ...


class _Screen:
    """PDFium, as on a screen."""

    border = 1.0  # what smoothing touches
    _optimised: str | None = None

    def __init__(self, document: bytes, password: bytes) -> None:
        self._opened = pypdfium2.PdfDocument(document, password=password.decode("latin-1") or None)
        self._opened.init_forms()

    @property
    def pages(self) -> int:
        return len(self._opened)

    def draw(self, page: PageLook, scale: float) -> Image.Image:
        found = self._opened[page.number - 1]
        _check_size(page, *found.get_size())
        picture = found.render(
            scale=scale, may_draw_forms=True, optimize_mode=self._optimised, rev_byteorder=True
        )
        drawn: Image.Image = picture.to_pil()
        return drawn.convert("RGB")

    def draw_box(
        self, page: PageLook, box: Fractions, scale: float, pixels_max: int = PIXELS_MAX
    ) -> Image.Image:
        """One box of a page, larger."""
        left, top, right, bottom = (max(0.0, min(1.0, one)) for one in box)
        wide, high = (right - left) * page.width, (bottom - top) * page.height
        if wide <= 0 or high <= 0:
            return Image.new("RGB", (1, 1))
        found = self._opened[page.number - 1]
        picture = found.render(
            scale=min(scale, math.sqrt(pixels_max / (wide * high))),
            crop=(
                left * page.width,
                (1 - bottom) * page.height,
                (1 - right) * page.width,
                top * page.height,
            ),
            may_draw_forms=True,
        )
        drawn: Image.Image = picture.to_pil()
        return drawn.convert("RGB")


class _Print(_Screen):
    """PDFium, as on paper: annotations that are not printed are not there."""

    _optimised = _PRINTING


class _Oxide:
    """pdf_oxide, which has a parser and a renderer of its own."""

    border = 3.0  # it does not cut a picture to its box: a line along the edge stands out by half

    def __init__(self, document: bytes, password: bytes) -> None:
        self._opened = pdf_oxide.PdfDocument.from_bytes(document)
        if password:
            self._opened.authenticate(password.decode("latin-1"))

    @property
    def pages(self) -> int:
        return int(self._opened.page_count())

    def draw(self, page: PageLook, scale: float) -> Image.Image:
        picture = self._opened.render_pixmap(page.number - 1, dpi=max(1, round(72 * scale)))
        # It draws on white, so that nothing is left to shine through.
        size = picture.width, picture.height
        return Image.frombytes("RGB", size, bytes(picture.data), "raw", "RGBX")


def _check_size(page: PageLook, width: float, height: float) -> None:
    if max(abs(width - page.width), abs(height - page.height)) > _SIZE_TOLERANCE:
        raise NotDrawn


@contextmanager
def _as_not_drawn() -> Iterator[None]:
    try:
        yield
    except (NotDrawn, MemoryError):
        raise
    # pdf_oxide raises plain exceptions, and a panic of Rust arrives as one.
    except BaseException as cause:
        if isinstance(cause, KeyboardInterrupt | SystemExit):
            raise
        raise NotDrawn from cause


def first_change(
    copies: Copies,
    pages: Sequence[PageLook],
    stamps: Sequence[Place],
    is_ours: Callable[[str], bool],
) -> Look | None:
    """The first thing that is seen to have changed on these pages.

    `stamps` are some that were sealed: no box may look like one.  `is_ours` is asked of the text of each
    code in a box: is it that of a stamp?  Raises
    `NotDrawn` where a renderer does not draw both, or sees other pages.
    """
    before, after, cut, count, password = copies
    scale = next(scale for most, scale in _SCALES if len(pages) <= most)
    with_boxes = [page for page in pages if page.boxes]
    on_paper = [page for page in pages if not page.is_printed_alike]
    for kind, drawn in ((_Screen, pages), (_Print, on_paper)):
        with _as_not_drawn():
            old, new = kind(before, password), kind(after, password)
            found = _compared(old, new, drawn, count, scale)
            if found is None and kind is _Screen:
                found = (
                    _covered(old, drawn)
                    or _copied(old, new, drawn, is_ours)
                    or _imitated(old, new, drawn, stamps)
                )
        if found is not None:
            return found
    if not with_boxes:
        return None
    with _as_not_drawn():
        old_oxide, new_oxide = _Oxide(before, password), _Oxide(cut, password)
        sealed = _Screen(before, password)
        ours = [sealed.draw_box(page, part, _LIKE_SCALE, _INK_PIXELS_MAX) for page, part in stamps]

        def is_copy(picture: Image.Image) -> bool:
            codes = codes_in(picture.convert("L"))
            return any(map(is_ours, codes)) or any(is_like(picture, stamp) for stamp in ours)

        # What PDFium does not draw of a picture may be a copy for this one.
        return _compared(old_oxide, new_oxide, with_boxes, count, scale, is_copy)


def _covered(old: _Screen, pages: Sequence[PageLook]) -> Look | None:
    """Ink in a box that is too small to be seen in the picture of the whole page."""
    for page in pages:
        paper = (
            _paper(old.draw(page, min(_PAPER_SCALE, _scale_max(page)))) if page.boxes else (0, 0, 0)
        )
        for index, box in [*enumerate(page.boxes), *page.elsewhere]:
            drawn = old.draw_box(page, box, _INK_SCALE, _INK_PIXELS_MAX)
            if min(drawn.size) <= 2:
                continue  # beside the page
            # What is along the edge is beside the box as well.
            inside = drawn.crop((1, 1, drawn.width - 1, drawn.height - 1))
            if _has_ink(inside, paper):
                return Look("covered", page.number, index)
    return None


def _copied(
    old: _Screen, new: _Screen, pages: Sequence[PageLook], is_ours: Callable[[str], bool]
) -> Look | None:
    """More codes of stamps around boxes than there were: a picture of ours that somebody copied.

    All boxes of a page are read together, with what is around them, because a code may be put together
    of several, and of what was sealed.
    """
    for page in pages:
        if not page.boxes:
            continue
        lefts, tops, rights, downs = zip(*page.boxes, strict=True)
        around = _wider((min(lefts), min(tops), max(rights), max(downs)), page, _CODE_AROUND)
        after, before = (
            _codes(one, page, around, _Way(_CODE_SCALE), is_ours) for one in (new, old)
        )
        if after > before:
            return Look("copied", page.number, 0)
        for index, box in enumerate(page.boxes):
            for way in _BOX_LOOKS:
                if _codes(new, page, box, way, is_ours):
                    return Look("copied", page.number, index)
    return None


def _imitated(
    old: _Screen, new: _Screen, pages: Sequence[PageLook], stamps: Sequence[Place]
) -> Look | None:
    """A box that looks like a stamp, with a code or without."""
    ours = [old.draw_box(page, part, _LIKE_SCALE, _INK_PIXELS_MAX) for page, part in stamps]
    for page in pages:
        for index, box in enumerate(page.boxes):
            picture = new.draw_box(page, box, _LIKE_SCALE, _INK_PIXELS_MAX)
            if any(is_like(picture, stamp) for stamp in ours):
                return Look("copied", page.number, index)
    return None


def _codes(
    drawn: _Screen, page: PageLook, box: Fractions, way: _Way, is_ours: Callable[[str], bool]
) -> int:
    """How many codes of stamps are in a box."""
    pixels = PIXELS_MAX // (way.across * way.down) ** 2
    picture = drawn.draw_box(page, box, way.scale, pixels).convert("L")
    picture = picture.resize((picture.width * way.across, picture.height * way.down))
    if way.blur:
        softened = picture.filter(ImageFilter.GaussianBlur(way.blur * min(picture.size)))
        picture = ImageOps.autocontrast(softened)
    return sum(map(is_ours, codes_in(picture)))


def _scale_max(page: PageLook) -> float:
    area = page.width * page.height
    if not (area > 0 and math.isfinite(area)):
        raise NotDrawn
    most = math.sqrt(PIXELS_MAX / area)
    if most < _SCALE_MIN:
        raise NotDrawn  # small print would not be seen
    return most


def _compared(
    old: _Renderer,
    new: _Renderer,
    pages: Sequence[PageLook],
    count: int,
    scale: float,
    is_copy: Callable[[Image.Image], bool] | None = None,
) -> Look | None:
    if not old.pages == new.pages == count:
        raise NotDrawn
    for page in pages:
        size = min(scale if page.boxes else 1.0, _scale_max(page))
        was, now = old.draw(page, size), new.draw(page, size)
        if was.size != now.size:
            return Look("different", page.number, -1)
        apart = ImageChops.difference(was, now)
        paper = _paper(was) if page.boxes else (0, 0, 0)
        for index, box in enumerate(page.boxes):
            around = _pixels(_wider(box, page, new.border), was.size)
            if around is not None:
                apart.paste((0, 0, 0), around)
                if is_copy is not None and is_copy(now.crop(around)):
                    return Look("copied", page.number, index)
            inside = _pixels(box, was.size, inwards=True)
            if inside is not None and _has_ink(was.crop(inside), paper):
                return Look("covered", page.number, index)
        if _is_seen(apart):
            return Look("different", page.number, -1)
    return None


def _is_seen(apart: Image.Image) -> bool:
    """True if any colour of a difference is more than what renderers round."""
    return apart.getbbox() is not None and any(most > _LEVELS for _, most in _extremes(apart))


def _extremes(picture: Image.Image) -> tuple[tuple[int, int], ...]:
    """The least and the most of each colour."""
    found: list[tuple[int, int]] = []
    for band in picture.split():
        levels = [level for level, count in enumerate(band.histogram()) if count]
        found.append((levels[0], levels[-1]))
    return tuple(found)


def _paper(picture: Image.Image) -> tuple[int, int, int]:
    """The colour of the paper of a page: the most frequent one, fine print blurred."""
    small = picture.reduce(_PAPER_FACTOR)
    counts = small.getcolors(small.width * small.height) or []
    most = max(counts, key=itemgetter(0), default=(0, (255, 255, 255)))[1]
    assert isinstance(most, tuple)
    return most[0], most[1], most[2]


def _has_ink(picture: Image.Image, paper: tuple[int, int, int]) -> bool:
    """True if anything in the picture is not of the colour of the paper."""
    return any(
        level - least > _LEVELS or most - level > _LEVELS
        for level, (least, most) in zip(paper, _extremes(picture), strict=True)
    )


def _wider(box: Fractions, page: PageLook, border: float) -> Fractions:
    left, top, right, bottom = box
    across, down = border / page.width, border / page.height
    return left - across, top - down, right + across, bottom + down


def _pixels(
    box: Fractions, size: tuple[int, int], *, inwards: bool = False
) -> tuple[int, int, int, int] | None:
    """A box in pixels, cut to the picture; `None` if it is beside it.

    `inwards`: only pixels that are in it as a whole, so that a neighbour is not cut.
    """
    wide, high = size
    left, top, right, bottom = box
    low, up = (math.ceil, math.floor) if inwards else (math.floor, math.ceil)
    cut = (
        max(0, low(left * wide)),
        max(0, low(top * high)),
        min(wide, up(right * wide)),
        min(high, up(bottom * high)),
    )
    return cut if cut[0] < cut[2] and cut[1] < cut[3] else None
