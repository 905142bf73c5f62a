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
from PIL import Image, ImageChops

from meterai.sealing.sandbox.scanning import codes_in

PIXELS_MAX = 4_000_000  # of one picture; 16 MB as a bitmap
# Pixels a unit, by how many pages are drawn: thin lines and small print are seen at each.
_SCALES = ((4, 2.0), (1 << 30, 1.5))
_SCALE_MIN = 0.5  # a sheet of A0 is drawn at 0.7
_CODE_SCALE = 4.0  # a module of the smallest stamp has two pixels and a half
# Of a box alone: a stamp made a quarter as wide is read; one scale reads what another does not.
_BOX_SCALES = (12.0, 9.0, 6.0)
_SIZE_TOLERANCE = 1.0  # units of the file; renderers round
_LEVELS = 12  # of 255: what differs by less is the same
_PRINTING = "print"

Fractions = tuple[float, float, float, float]  # left, top, right, bottom; of what is seen


class NotDrawn(Exception):
    """A renderer does not draw the document, or sees other pages than we do."""


class PageLook(NamedTuple):
    """A page to be drawn (`number` counts from 1), and the boxes of signatures made later.

    `width` and `height` are of the page as it is seen, in units of the file.
    """

    number: int
    width: float
    height: float
    boxes: tuple[Fractions, ...]


class Look(NamedTuple):
    """What is seen to have changed: on which page, in which box (-1: outside of them).

    `kind` is `covered` (a later signature is over something), `different` (outside of the boxes a
    page looks another way) or `copied` (the code of a stamp is in a box).
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

    def draw_box(self, page: PageLook, box: Fractions, scale: float) -> Image.Image:
        """One box of a page, larger."""
        left, top, right, bottom = (max(0.0, min(1.0, one)) for one in box)
        wide, high = (right - left) * page.width, (bottom - top) * page.height
        if wide <= 0 or high <= 0:
            return Image.new("RGB", (1, 1))
        found = self._opened[page.number - 1]
        picture = found.render(
            scale=min(scale, math.sqrt(PIXELS_MAX / (wide * high))),
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
        drawn = Image.frombuffer(
            "RGBa", (picture.width, picture.height), picture.data, "raw", "RGBa", 0, 1
        )
        return drawn.convert("RGBA").convert("RGB")


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
    before: bytes,
    after: bytes,
    pages: Sequence[PageLook],
    count: int,
    password: bytes,
    is_ours: Callable[[str], bool],
) -> Look | None:
    """The first thing that is seen to have changed on these pages of a document of `count`.

    `is_ours` is asked of the text of each code in a box: is it that of a stamp?  Raises
    `NotDrawn` where a renderer does not draw both, or sees other pages.
    """
    scale = next(scale for most, scale in _SCALES if len(pages) <= most)
    for kind in (_Screen, _Print):
        with _as_not_drawn():
            old, new = kind(before, password), kind(after, password)
            found = _compared(old, new, pages, count, scale)
            if found is None and kind is _Screen:
                found = _copied(old, new, pages, is_ours)
        if found is not None:
            return found
    return _by_oxide(before, after, pages, count, password, scale)


def _copied(
    old: _Screen, new: _Screen, pages: Sequence[PageLook], is_ours: Callable[[str], bool]
) -> Look | None:
    """More codes of stamps on a page than there were: a picture of ours that somebody copied.

    The whole page is read, because a code may be put together of several boxes.
    """
    for page in pages:
        scale = min(_CODE_SCALE, _scale_max(page))
        before, after = (
            sum(map(is_ours, codes_in(one.draw(page, scale).convert("L")))) for one in (old, new)
        )
        if after > before:
            return Look("copied", page.number, 0)
        for index, box in enumerate(page.boxes):
            for box_scale in _BOX_SCALES:
                picture = new.draw_box(page, box, box_scale).convert("L")
                if any(map(is_ours, codes_in(picture))):
                    return Look("copied", page.number, index)
    return None


def _scale_max(page: PageLook) -> float:
    area = page.width * page.height
    if not (area > 0 and math.isfinite(area)):
        raise NotDrawn
    most = math.sqrt(PIXELS_MAX / area)
    if most < _SCALE_MIN:
        raise NotDrawn  # small print would not be seen
    return most


def _by_oxide(
    before: bytes,
    after: bytes,
    pages: Sequence[PageLook],
    count: int,
    password: bytes,
    scale: float,
) -> Look | None:
    with _as_not_drawn():
        return _compared(_Oxide(before, password), _Oxide(after, password), pages, count, scale)


def _compared(
    old: _Renderer, new: _Renderer, pages: Sequence[PageLook], count: int, scale: float
) -> Look | None:
    if not old.pages == new.pages == count:
        raise NotDrawn
    for page in pages:
        size = min(scale, _scale_max(page))
        was, now = old.draw(page, size), new.draw(page, size)
        if was.size != now.size:
            return Look("different", page.number, -1)
        paper = _paper(was)
        changed = _apart(was, now)
        for index, box in enumerate(page.boxes):
            around = _pixels(_wider(box, page, new.border), was.size)
            if around is not None:
                changed.paste(0, around)
            inside = _pixels(box, was.size, inwards=True)
            if inside is not None and _has_ink(was.crop(inside), paper):
                return Look("covered", page.number, index)
        if changed.getbbox() is not None:
            return Look("different", page.number, -1)
    return None


def _apart(one: Image.Image, other: Image.Image) -> Image.Image:
    """Where two pictures differ in any colour: white on black."""
    red, green, blue = ImageChops.difference(one, other).split()
    most = ImageChops.lighter(ImageChops.lighter(red, green), blue)
    return most.point(lambda level: 255 if level > _LEVELS else 0)


def _paper(picture: Image.Image) -> tuple[int, int, int]:
    """The colour of the paper of a page: the most frequent one."""
    counts = picture.getcolors(picture.width * picture.height) or []
    most = max(counts, key=itemgetter(0), default=(0, (255, 255, 255)))[1]
    assert isinstance(most, tuple)
    return most[0], most[1], most[2]


def _has_ink(picture: Image.Image, paper: tuple[int, int, int]) -> bool:
    """True if anything in the picture is not of the colour of the paper."""
    return _apart(picture, Image.new("RGB", picture.size, paper)).getbbox() is not None


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
