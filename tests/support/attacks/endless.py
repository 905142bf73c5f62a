"""Small documents, sealed by us, with which a comparison or a drawing would not come to an end."""

import zlib
from collections.abc import Callable

from tests.support.attacks.lab import EMPTY_PAPER, Attack, Lab
from tests.support.pdfmaker import Body, Stream, letter

_LEVELS = 40  # with two ways from each to the next, 2^40 ways
_STROKES = 200_000


def _deflated(data: bytes, entries: bytes = b"") -> Stream:
    return Stream(entries + b"/Filter/FlateDecode", zlib.compress(data, 9))


def shared_arrays() -> dict[int, Body]:
    """A letter whose catalog leads to arrays that share arrays."""
    objects = letter(2)
    objects[1] = b"<</Type/Catalog/Pages 2 0 R/Ways 100 0 R>>"
    for level in range(_LEVELS):
        objects[100 + level] = b"[%d 0 R %d 0 R]" % (101 + level, 101 + level)
    objects[100 + _LEVELS] = b"[]"
    return objects


def dashed_strokes() -> dict[int, Body]:
    """A letter with a page of strokes, each of more dashes than anybody sees."""
    objects = letter(2)
    strokes = b"290 290 m 470 290 l 470 370 l S\n" * _STROKES
    objects[5] = _deflated(b"[1 1] 0 d 0.1 w\n" + strokes)
    return objects


def nested_forms() -> dict[int, Body]:
    """A letter with forms that draw forms four times, and so on."""
    objects = letter(2)
    resources = b"/Resources<</XObject<</X %d 0 R>>>>"
    head = b"/Type/XObject/Subtype/Form/BBox[0 0 595 842]"
    for level in range(_LEVELS):
        following = resources % (101 + level)
        objects[100 + level] = Stream(head + following, b"/X Do /X Do /X Do /X Do")
    objects[100 + _LEVELS] = Stream(head, b"0 0 1 1 re f")
    objects[4] = objects[4].replace(b"/Resources<<", b"/Resources<</XObject<</X 100 0 R>>")  # type: ignore[union-attr]
    objects[5] = Stream(b"", b"/X Do")
    return objects


def _signed(objects: Callable[[], dict[int, Body]]) -> Callable[[Lab], bytes]:
    """Sealed, and signed later in a visible place."""
    return lambda lab: lab.signed(lab.sealed_of(objects()), on_page=0, box=EMPTY_PAPER)


def _endless(make: Callable[[Lab], bytes]) -> Attack:
    return Attack(make, "could_not_be_compared", frozenset({"compared"}))


CASES: dict[str, Attack] = {
    "endless-strokes": _endless(_signed(dashed_strokes)),
    "endless-forms": _endless(_signed(nested_forms)),
}
