"""The two typefaces of the stamp.  They are embedded, as PDF/A requires, so that every viewer draws the same.

Each is a simple TrueType font in WinAnsiEncoding (ISO 32000-1, sections 9.6.3 and 9.8): a font
dictionary, its descriptor and a program that holds only the letters of the stamp.
scripts/typeface.py makes the programs and `faces.toml`.
"""

import tomllib
import zlib
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from importlib import resources

from meterai.sealing.pdf.serialization import Stream, numbers

OBJECTS = 3  # PDF objects of one typeface: font, descriptor, program
_NONSYMBOLIC, _FIXED_PITCH = 1 << 5, 1 << 0  # flags of a descriptor (ISO 32000-1, table 123)


@dataclass(frozen=True, slots=True)
class TypefaceMetrics:
    """Metrics of one typeface in a PDF, in thousandths of the font size.

    `widths` are the widths of `letters`, in that order.
    """

    name: str
    letters: str
    widths: list[int]
    bbox: list[int]
    ascent: int
    descent: int
    cap_height: int
    stem: int
    fixed_pitch: bool


class Typeface:
    """One typeface: measures the width of lines, and makes the objects of the font in a PDF."""

    def __init__(self, figures: TypefaceMetrics, program: bytes) -> None:
        self.figures = figures
        self._widths = dict(zip(figures.letters, figures.widths, strict=True))
        name = f"/{_subset_tag(program)}+{figures.name}".encode("ascii")
        self._font = self._font_entries(name)
        self._descriptor = self._descriptor_entries(name)
        self._program = Stream(
            b"/Length1 %d/Filter/FlateDecode" % len(program), zlib.compress(program, 9)
        )

    def width(self, text: str) -> int:
        """Return the width of a line in thousandths of the font size.  Raises `KeyError` for a letter the font lacks."""
        return sum(self._widths[letter] for letter in text)

    def objects(self, first: int) -> list[Stream | bytes]:
        """Return the bodies of the font, its descriptor and its program, which are numbered from `first`."""
        return [
            b"<<%b/FontDescriptor %d 0 R>>" % (self._font, first + 1),
            b"<<%b/FontFile2 %d 0 R>>" % (self._descriptor, first + 2),
            self._program,
        ]

    def _font_entries(self, name: bytes) -> bytes:
        first, last = min(self._widths), max(self._widths)
        span = map(chr, range(ord(first), ord(last) + 1))
        widths = numbers(*(self._widths.get(letter, 0) for letter in span))
        return (
            b"/Type/Font/Subtype/TrueType/BaseFont%b/Encoding/WinAnsiEncoding"
            b"/FirstChar %d/LastChar %d/Widths[%b]"
        ) % (name, ord(first), ord(last), widths)

    def _descriptor_entries(self, name: bytes) -> bytes:
        figures = self.figures
        flags = _NONSYMBOLIC | (_FIXED_PITCH if figures.fixed_pitch else 0)
        return (
            b"/Type/FontDescriptor/FontName%b/Flags %d/FontBBox[%b]/ItalicAngle 0"
            b"/Ascent %d/Descent %d/CapHeight %d/StemV %d"
        ) % (
            name,
            flags,
            numbers(*figures.bbox),
            figures.ascent,
            figures.descent,
            figures.cap_height,
            figures.stem,
        )


@lru_cache(2)
def typeface_named(name: str) -> Typeface:
    """Load a typeface of `fonts/faces.toml`: `sans` for words and figures, `mono` for serials."""
    directory = resources.files("meterai") / "sealing" / "stamp" / "fonts"
    figures = tomllib.loads((directory / "faces.toml").read_text("utf-8"))[name]
    return Typeface(TypefaceMetrics(**figures), (directory / f"{name}.ttf").read_bytes())


def _subset_tag(program: bytes) -> str:
    """Return the tag of six letters for a subset of a font, derived from its program (ISO 32000-1, section 9.6.4)."""
    return "".join(chr(ord("A") + octet % 26) for octet in sha256(program).digest()[:6])
