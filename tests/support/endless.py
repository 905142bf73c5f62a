"""A small document whose page nobody draws to its end."""

import zlib

from tests.support.pdfmaker import Body, Stream, letter

_STROKES = 200_000


def dashed_strokes() -> dict[int, Body]:
    """A letter with a page of strokes, each of more dashes than anybody sees."""
    objects = letter(2)
    strokes = b"290 290 m 470 290 l 470 370 l S\n" * _STROKES
    data = zlib.compress(b"[1 1] 0 d 0.1 w\n" + strokes, 9)
    objects[5] = Stream(b"/Filter/FlateDecode", data)
    return objects
