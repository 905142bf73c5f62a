"""Draws a page of a document as a small picture (by PDFium, then WebP), and finds the positions of ink on it.

PDFium is large and reads hostile files here, so this code runs only in the processes of `bounded`.  Pillow reads only
the bitmap that PDFium made, and no file.
"""

import importlib
import io
import math
from collections.abc import Sequence
from typing import NamedTuple

import pypdfium2
from PIL import Image, ImageDraw

PIXELS_MAX = 4_000_000  # of one picture; 16 MB as a bitmap
SIDE_PIXELS_MAX = 4096
SCALE_MAX = 40.0  # pixels per unit of the file; bounds the enlargement of small pages and parts
PICTURE_BYTES_MAX = 60 * 1024  # takes a second and a half at 400 kbit/s
# WebP qualities, tried in this order until the picture is small enough; after that the number of pixels is reduced.
_QUALITIES = (60, 40, 20)
_SHRINK = 0.7
# Effort of the WebP encoder, 0 to 6.  On the plain documents of the corpus, 0 makes files 28 % larger than 2 does (a tenth
# of a second more on a slow connection) in three fifths of the time.
_EFFORT = 0

_SIZE_TOLERANCE = 1.0  # units of the file; tolerance for rounding by the renderer
_INK_LEVELS = 16  # of 255; a smaller difference from the paper's level is noise of a scan

_FRAME = 3  # pixels of each of the two lines around a marked area
_FRAME_DARK, _FRAME_LIGHT = (0, 0, 0), (255, 255, 255)

Fractions = tuple[
    float, float, float, float
]  # left, top, right, bottom; shares of the visible page


class PageNotSeen(Exception):
    """PDFium does not draw this page, or reads another number of pages or another size of the page than we do."""


class PictureRequest(NamedTuple):
    """Request for a picture of a page or of a part of it; the picture is `pixels_wide` pixels wide.

    `number` is the page, from 1, and `pages` the number of pages that the document should have.  `page_width` and `page_height`
    are the size that the page should have as it is shown, in units of the file.
    """

    number: int
    pages: int
    page_width: float
    page_height: float
    pixels_wide: int
    part: Fractions


def drawn(document: bytes, request: PictureRequest, password: bytes) -> Image.Image:
    """Draw the page as a viewer shows it, with form fields and annotations.  Raises `PageNotSeen`."""
    try:
        opened = pypdfium2.PdfDocument(document, password=password.decode("latin-1") or None)
        opened.init_forms()
        if len(opened) != request.pages:
            raise PageNotSeen
        page = opened[request.number - 1]
        width, height = page.get_size()
        if (
            max(abs(width - request.page_width), abs(height - request.page_height))
            > _SIZE_TOLERANCE
        ):
            raise PageNotSeen
        left, top, right, bottom = request.part
        picture = page.render(
            scale=_scale(width * (right - left), height * (bottom - top), request.pixels_wide),
            crop=(left * width, (1 - bottom) * height, (1 - right) * width, top * height),
            may_draw_forms=True,
            rev_byteorder=True,
            prefer_bgrx=True,
        )
        # With four bytes a pixel Pillow uses the bitmap itself; a copy would take as long as the drawing by PDFium.
        seen: Image.Image = picture.to_pil()
        return seen
    except (pypdfium2.PdfiumError, ValueError, MemoryError) as cause:
        raise PageNotSeen from cause


def _scale(width: float, height: float, pixels_wide: int) -> float:
    """Return the scale, in pixels per unit of the file, that gives the requested width, or less if the limits require it."""
    if width <= 0 or height <= 0:
        raise PageNotSeen
    # A hundredth is subtracted, since the renderer rounds up and stretches the page to the rounded size.
    return min(
        (pixels_wide - 0.01) / width,
        SIDE_PIXELS_MAX / max(width, height),
        math.sqrt(PIXELS_MAX / (width * height)),
        SCALE_MAX,
    )


def load_formats() -> None:
    """Load Pillow's image formats before processes are forked; loading them in each process would take longer than drawing."""
    Image.preinit()
    importlib.import_module("PIL.WebPImagePlugin")


def mark(picture: Image.Image, areas: Sequence[Fractions]) -> None:
    """Draw a frame around each area, outside of it: a dark and a light line, so that it is visible on any background."""
    pen = ImageDraw.Draw(picture)
    for left, top, right, bottom in areas:
        if left >= right or top >= bottom:
            continue  # outside the page
        box = (
            math.floor(left * picture.width) - 1,
            math.floor(top * picture.height) - 1,
            math.ceil(right * picture.width),
            math.ceil(bottom * picture.height),
        )
        for away, colour in ((2 * _FRAME, _FRAME_DARK), (_FRAME, _FRAME_LIGHT)):
            around = (box[0] - away, box[1] - away, box[2] + away, box[3] + away)
            pen.rectangle(around, outline=colour, width=_FRAME)


def encoded(picture: Image.Image) -> bytes:
    """Encode the picture in WebP at the best quality that fits in `PICTURE_BYTES_MAX`.

    If no quality fits, the picture is made smaller.
    """
    while True:
        for quality in _QUALITIES:
            out = io.BytesIO()
            picture.save(out, "WEBP", quality=quality, method=_EFFORT)
            if out.tell() <= PICTURE_BYTES_MAX:
                return out.getvalue()
        width, height = (max(1, int(side * _SHRINK)) for side in picture.size)
        picture = picture.resize((width, height), Image.Resampling.BOX)


def survey(picture: Image.Image, columns: int, rows: int) -> tuple[int, bytes]:
    """Return the grey level of the paper (the most frequent level), and the share of ink in each cell of a grid.

    Both are 0 to 255.  The cells are in rows from the top left; if `columns` is 0, the survey has no cells.  A pixel is ink if
    its level differs from the paper's by more than `_INK_LEVELS`.
    """
    levels = picture.convert("L")
    counts = levels.histogram()
    paper = counts.index(max(counts))
    if not columns:
        return paper, b""
    is_ink = levels.point([255 if abs(level - paper) > _INK_LEVELS else 0 for level in range(256)])
    return paper, is_ink.resize((columns, rows), Image.Resampling.BOX).tobytes()
