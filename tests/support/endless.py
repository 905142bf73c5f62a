"""A small document with a page that takes practically infinite time to draw."""

import zlib

from tests.support.pdfmaker import Body, Stream, letter

_STROKES = 200_000


def dashed_strokes() -> dict[int, Body]:
    """A letter with a page of strokes, each with a huge number of dashes."""
    objects = letter(2)
    strokes = b"290 290 m 470 290 l 470 370 l S\n" * _STROKES
    data = zlib.compress(b"[1 1] 0 d 0.1 w\n" + strokes, 9)
    objects[5] = Stream(b"/Filter/FlateDecode", data)
    return objects
