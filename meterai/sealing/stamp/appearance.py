"""A stamp as objects of a PDF: objects that all stamps of a file share, and one form XObject for each stamp.

The shared objects are the two typefaces and a form with the artwork, ours or the operator's.  The form of a single stamp,
its appearance stream (/AP), paints the artwork and adds serial, words and QR code.  It is not compressed, since that
would not make it smaller.

No dictionary here may contain a string, because the writer of an encrypted document encrypts only the data of these
streams.
"""

import zlib
from dataclasses import dataclass
from functools import lru_cache

from meterai.sealing.model import HEIGHT_PER_WIDTH
from meterai.sealing.pdf.serialization import Stream, number, numbers
from meterai.sealing.stamp import artwork
from meterai.sealing.stamp.operator_artwork import OperatorArtwork
from meterai.sealing.stamp.qr import QrSymbol
from meterai.sealing.stamp.typeface import OBJECTS, typeface_named

SHARED_MAX = 4  # cached; one artwork with and without SPECIMEN, and another during a change

# Matrices, by quarter turns of the page, that keep the content upright on a rotated page.
_UPRIGHT = (b"", b"/Matrix[0 1 -1 0 0 0]", b"/Matrix[-1 0 0 -1 0 0]", b"/Matrix[0 -1 1 0 0 0]")
_MONO = 1  # indices of shared objects; the artwork is 0
_SANS = _MONO + OBJECTS
_OPERATOR_ARTWORK = _SANS + OBJECTS


@dataclass(frozen=True, slots=True)
class SharedObjects:
    """Objects that all stamps of a document share: `count` of them, with consecutive numbers."""

    _artwork: Stream
    _operator_artwork: OperatorArtwork | None
    count: int

    def artwork(self, first: int) -> int:
        """Return the number of the form with the artwork, if `first` is the number of the first shared object."""
        return first

    def objects(self, first: int) -> list[Stream | bytes]:
        """Return the bodies of the objects `first`, `first + 1`, ..."""
        resources = b"/Resources<<%b/Font<<%b %d 0 R>>" % (
            artwork.COLOURS,
            artwork.SANS,
            first + _SANS,
        )
        if self._operator_artwork is not None:
            resources += b"/XObject<<%b %d 0 R>>" % (
                artwork.OPERATOR_ARTWORK,
                first + _OPERATOR_ARTWORK,
            )
        bodies: list[Stream | bytes] = [
            Stream(self._artwork.entries + resources + b">>", self._artwork.data)
        ]
        bodies += typeface_named("mono").objects(first + _MONO)
        bodies += typeface_named("sans").objects(first + _SANS)
        if self._operator_artwork is not None:
            bodies += self._operator_artwork.objects(first + _OPERATOR_ARTWORK)
        return bodies


@lru_cache(SHARED_MAX)
def shared(*, specimen: bool, operator_artwork: bytes | None = None) -> SharedObjects:
    """Return the objects that a document with stamps needs once, for any number of stamps.

    `operator_artwork` is a PDF whose first page is shown in place of our artwork; refuses with
    `ArtworkUnusable` if it cannot be shown.
    """
    operators = _read(operator_artwork) if operator_artwork is not None else None
    box = numbers(0, 0, artwork.SHEET_WIDTH, artwork.SHEET_HEIGHT)
    content = (
        artwork.fixed_part(specimen=specimen)
        if operators is None
        else artwork.around_operator_artwork(operators.placing, specimen=specimen)
    )
    form = Stream(
        b"/Type/XObject/Subtype/Form/BBox[%b]/Filter/FlateDecode" % box, zlib.compress(content, 9)
    )
    return SharedObjects(
        form, operators, _OPERATOR_ARTWORK + (operators.count if operators is not None else 0)
    )


def _read(operator_artwork: bytes) -> OperatorArtwork:
    from meterai.sealing.stamp.artwork_reading import (  # noqa: PLC0415 - see there
        read_operator_artwork,
    )

    return read_operator_artwork(operator_artwork)


def appearance_stream(
    words: bytes, code: QrSymbol, width: float, quarter_turns: int, shared_first: int
) -> Stream:
    """Return the appearance stream of one stamp, `width` points wide, upright on a page rotated by `quarter_turns`.

    Rotation is clockwise.  The unit of the stream is the point even if the page has another unit, since readers fit the
    appearance into the rectangle of the annotation (ISO 32000-2, section 12.5.5).

    `words` is the output of `artwork.serial_and_words`; `shared_first` is the number of the first object of `shared`.
    """
    entries = (
        b"/Type/XObject/Subtype/Form/BBox[0 0 %b %b]%b"
        b"/Resources<</XObject<</Art %d 0 R>>/Font<</M %d 0 R>>%b>>"
    ) % (
        number(width),
        number(width * HEIGHT_PER_WIDTH),
        _UPRIGHT[quarter_turns],
        shared_first,
        shared_first + _MONO,
        artwork.BLACK,
    )
    scale = number(width / artwork.SHEET_WIDTH)
    content = b"q %b 0 0 %b 0 0 cm/Art Do%b%b Q" % (
        scale,
        scale,
        words,
        artwork.code(code),
    )
    return Stream(entries, content)
