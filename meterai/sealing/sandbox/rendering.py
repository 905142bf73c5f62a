"""How pages look, before and after: drawn by two renderers that know nothing of each other.

PDFium (of Chrome and many phones, in C++) draws the screen and the print of a page, forms and
annotations included; pdf_oxide (in Rust, with a parser of its own) draws it once more.  Both get
hostile files here: this runs only in the processes of `bounded`.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple, Protocol

import pdf_oxide
import pypdfium2
from PIL import Image, ImageChops

from meterai.sealing.sandbox.scanning import codes_in

PIXELS_MAX = 4_000_000  # of one picture; 16 MB as a bitmap
# Pixels a unit, by how many pages are drawn: thin lines and small print are seen at each.
_SCALES = ((2, 2.0), (6, 1.5), (1 << 30, 1.0))
_CODE_SCALE = 2.5  # a module of the smallest stamp has a pixel and a half
_SIZE_TOLERANCE = 1.0  # units of the file; renderers round
_LEVELS = 12  # of 255: what differs by less is the same
_SPECKS_MAX = 8  # pixels of one document, in all, that may differ: the edge of an area cuts glyphs
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
            scale=scale, may_draw_forms=True, grayscale=True, optimize_mode=self._optimised
        )
        drawn: Image.Image = picture.to_pil()
        return drawn.convert("L")


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
        return drawn.convert("RGBA").convert("L")


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

    `is_ours` is asked of the text of each code in a box: is it that of a stamp?  Raises `NotDrawn` where PDFium does not draw both, or sees other pages; what pdf_oxide does not
    draw before, it has nothing to say about.
    """
    scale = next(scale for most, scale in _SCALES if len(pages) <= most)
    for kind in (_Screen, _Print):
        with _as_not_drawn():
            old, new = kind(before, password), kind(after, password)
            found = _compared(old, new, pages, count, scale)
            found = found or (_copied(new, pages, is_ours) if kind is _Screen else None)
        if found is not None:
            return found
    return _by_oxide(before, after, pages, count, password, scale)


def _copied(
    renderer: _Renderer, pages: Sequence[PageLook], is_ours: Callable[[str], bool]
) -> Look | None:
    """A box with the code of a stamp in it: a picture of ours that somebody copied."""
    for page in pages:
        picture = renderer.draw(page, min(_CODE_SCALE, _scale_max(page)))
        for index, box in enumerate(page.boxes):
            pixels = _pixels(box, picture.size)
            if pixels is not None and any(map(is_ours, codes_in(picture.crop(pixels)))):
                return Look("copied", page.number, index)
    return None


def _scale_max(page: PageLook) -> float:
    area = page.width * page.height
    if not (area > 0 and math.isfinite(area)):
        raise NotDrawn
    return math.sqrt(PIXELS_MAX / area)


def _by_oxide(
    before: bytes,
    after: bytes,
    pages: Sequence[PageLook],
    count: int,
    password: bytes,
    scale: float,
) -> Look | None:
    try:
        with _as_not_drawn():
            old = _Oxide(before, password)
            if old.pages != count:
                return None
            for page in pages:
                old.draw(page, 0.1)
    except NotDrawn:
        return None
    with _as_not_drawn():
        return _compared(old, _Oxide(after, password), pages, count, scale)


def _compared(
    old: _Renderer, new: _Renderer, pages: Sequence[PageLook], count: int, scale: float
) -> Look | None:
    if not old.pages == new.pages == count:
        raise NotDrawn
    different = covered = 0
    for page in pages:
        size = min(scale, _scale_max(page))
        was, now = old.draw(page, size), new.draw(page, size)
        if was.size != now.size:
            return Look("different", page.number, -1)
        changed = ImageChops.difference(was, now).point(_is_more)
        for index, box in enumerate(page.boxes):
            pixels = _pixels(box, was.size)
            around = _pixels(_wider(box, page, new.border), was.size)
            if around is not None:
                changed.paste(0, around)
            if pixels is None:
                continue
            covered += _ink(was.crop(pixels))
            if covered > _SPECKS_MAX:
                return Look("covered", page.number, index)
        different += sum(changed.histogram()[1:])
        if different > _SPECKS_MAX:
            return Look("different", page.number, -1)
    return None


def _is_more(level: int) -> int:
    return 255 if level > _LEVELS else 0


def _ink(picture: Image.Image) -> int:
    """Pixels that are not of the level of the paper, which is the most frequent one."""
    levels = picture.histogram()
    paper = max(range(256), key=levels.__getitem__)
    return sum(count for level, count in enumerate(levels) if abs(level - paper) > _LEVELS)


def _wider(box: Fractions, page: PageLook, border: float) -> Fractions:
    left, top, right, bottom = box
    across, down = border / page.width, border / page.height
    return left - across, top - down, right + across, bottom + down


def _pixels(box: Fractions, size: tuple[int, int]) -> tuple[int, int, int, int] | None:
    """A box in pixels, cut to the picture; `None` if it is beside it."""
    wide, high = size
    left, top, right, bottom = box
    cut = (
        max(0, math.floor(left * wide)),
        max(0, math.floor(top * high)),
        min(wide, math.ceil(right * wide)),
        min(high, math.ceil(bottom * high)),
    )
    return cut if cut[0] < cut[2] and cut[1] < cut[3] else None
