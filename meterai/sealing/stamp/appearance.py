"""The drawing of a stamp as objects of a PDF: what all stamps share, and one form per stamp.

Shared are the two typefaces and a form with the art, ours or the issuer's own.  A stamp's own form
calls the art and adds the serial and the QR code; it is written plainly, because compressing it
saves nothing.

No dictionary here holds a string, so that whoever writes an encrypted document has only the data
of streams to encrypt.
"""

import zlib
from dataclasses import dataclass
from functools import lru_cache

from meterai.kit.serial import Serial
from meterai.sealing.model import HEIGHT_PER_WIDTH
from meterai.sealing.pdf.serialization import Stream, number, numbers
from meterai.sealing.stamp import artwork as drawing
from meterai.sealing.stamp.operator_artwork import OfficialArt, official_art
from meterai.sealing.stamp.qr import Qr
from meterai.sealing.stamp.typeface import OBJECTS
from meterai.sealing.stamp.typeface import face as typeface

SHARED_MAX = 4  # one art, with and without SPECIMEN, and again while it is changed

# What turns upright content the way the page will be turned back, by quarter turns.
_UPRIGHT = (b"", b"/Matrix[0 1 -1 0 0 0]", b"/Matrix[-1 0 0 -1 0 0]", b"/Matrix[0 -1 1 0 0 0]")
_MONO = 1  # of the shared objects: the art, the two faces, what official art there is
_SANS = _MONO + OBJECTS
_OFFICIAL = _SANS + OBJECTS


@dataclass(frozen=True, slots=True)
class Shared:
    """The objects that all stamps of a document share: `count` of them, numbered in a row."""

    _art: Stream
    _official: OfficialArt | None
    count: int

    def art(self, first: int) -> int:
        """The number of the form with the art."""
        return first

    def objects(self, first: int) -> list[Stream | bytes]:
        """The bodies of the objects `first`, `first + 1`, ..."""
        resources = b"/Resources<<%b/Font<<%b %d 0 R>>" % (
            drawing.COLOURS,
            drawing.SANS,
            first + _SANS,
        )
        if self._official is not None:
            resources += b"/XObject<<%b %d 0 R>>" % (drawing.OFFICIAL, first + _OFFICIAL)
        bodies: list[Stream | bytes] = [
            Stream(self._art.entries + resources + b">>", self._art.data)
        ]
        bodies += typeface("mono").objects(first + _MONO)
        bodies += typeface("sans").objects(first + _SANS)
        if self._official is not None:
            bodies += self._official.objects(first + _OFFICIAL)
        return bodies


@lru_cache(SHARED_MAX)
def shared(*, specimen: bool, official: bytes | None = None) -> Shared:
    """What a document needs once, whatever number of stamps it gets.

    `official` is a PDF whose first page is shown in place of our art; refuses with `ArtUnusable`
    one that cannot be.
    """
    art = official_art(official) if official is not None else None
    box = numbers(0, 0, drawing.SHEET_WIDTH, drawing.SHEET_HEIGHT)
    content = (
        drawing.fixed_part(specimen=specimen)
        if art is None
        else drawing.frame_of_official(art.placing, specimen=specimen)
    )
    form = Stream(
        b"/Type/XObject/Subtype/Form/BBox[%b]/Filter/FlateDecode" % box, zlib.compress(content, 9)
    )
    return Shared(form, art, _OFFICIAL + (art.count if art is not None else 0))


def face(serial: Serial, code: Qr, width: float, quarter_turns: int, shared_first: int) -> Stream:
    """The appearance of one stamp `width` points wide, turned so that it stands upright on a page
    turned clockwise by `quarter_turns`.

    `shared_first` is the number of the first object of `shared`.
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
        drawing.BLACK,
    )
    scale = number(width / drawing.SHEET_WIDTH)
    content = b"q %b 0 0 %b 0 0 cm/Art Do%b%b Q" % (
        scale,
        scale,
        drawing.serial_lines(serial),
        drawing.code(code),
    )
    return Stream(entries, content)
