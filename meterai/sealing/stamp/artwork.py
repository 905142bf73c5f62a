"""The artwork of the stamp: lines and letters only, so that it prints sharply at any size.

The picture is our own and neutral: no state emblem.  It is drawn on a sheet of 100 by 112 units
and scaled by the caller.  From the top: a band with the name, a strip of fine waves (or the word
SPECIMEN), then the value beside the room for the QR code, then the room for the serial.  What must
be read is black or white, which any printer prints sharply; colours are decoration.

Colours are calibrated (ISO 32000-1, section 8.6.5), which PDF/A allows beside any output intent.
White is that of the primaries of sRGB, which every viewer tried shows as pure white; black is that
of a grey, so that a printer can take its black ink alone.  Nothing is transparent.
"""

from functools import cache, lru_cache

from meterai.kit.serial import Serial
from meterai.sealing.model import HEIGHT_PER_WIDTH
from meterai.sealing.stamp.qr import QUIET_MODULES, Qr
from meterai.sealing.stamp.typeface import typeface_named

SHEET_WIDTH = 100.0
SHEET_HEIGHT = SHEET_WIDTH * HEIGHT_PER_WIDTH

Box = tuple[float, float, float, float]  # x, y, width, height

# The names of the resources in the content.
_GREY = b"/G[/CalGray<</WhitePoint[.9505 1 1.089]>>]"
BLACK = b"/ColorSpace<<%b>>" % _GREY  # all that an appearance stream needs
COLOURS = (
    b"/ColorSpace<<%b/C[/CalRGB<</WhitePoint[.9505 1 1.089]/Gamma[2.2 2.2 2.2]/Matrix[.4124 .2126"
    b" .0193 .3576 .7152 .1192 .1805 .0722 .9505]>>]>>"
) % _GREY
SANS, MONO, OPERATOR_ARTWORK = b"/B", b"/M", b"/Official"

_QR_BOX: Box = (20.8, 16.5, 76.2, 76.2)  # with the quiet zone of the code
_SERIAL_BOX: Box = (14.5, 3.0, 71.0, 13.0)
_SERIAL_SIZE, _SERIAL_SPACING = 6.8, 0.8  # of the letters, and between them
_SERIAL_LINES = (10.3, 3.8)  # their heights
_WHITE, _WHITE_LINE = "/C cs 1 1 1 sc", "/C CS 1 1 1 SC"
_BLACK, _BLACK_LINE = "/G cs 0 sc", "/G CS 0 SC"
_PALE_LINE = "/C CS .42 .58 .72 SC .24 w"
_WARNING = "/C cs .8 .05 .1 sc"

_LEFT, _RIGHT, _TOP = 3.0, 97.0, SHEET_HEIGHT - 3.0
_BAND: Box = (_LEFT, 100.6, _RIGHT - _LEFT, 8.4)
_STRIP: Box = (_LEFT, 93.2, _RIGHT - _LEFT, 6.8)
_VALUE: Box = (_LEFT, 16.5, 17.2, 76.2)
_FEET: tuple[Box, Box] = ((_LEFT, 3.0, 10.0, 13.0), (_RIGHT - 10.0, 3.0, 10.0, 13.0))


@lru_cache(2)
def fixed_part(*, specimen: bool) -> bytes:
    """What all stamps of one kind share, in the units of the sheet."""
    parts = [
        f"{_WHITE} 0 0 {SHEET_WIDTH:g} {SHEET_HEIGHT:g} re f",
        *(_waves(foot, lines=7, pieces=2, swing=2.1) for foot in _FEET),
        *_frame(),
        *_value(),
        f"{_BLACK} {_written(_BAND)} re f {_WHITE}",
        _spread("METERAI ELEKTRONIK", 6.6, x=7.5, y=102.4, width=85.0),
        _specimen() if specimen else _waves(_STRIP, lines=4, pieces=16, swing=2.1),
    ]
    return "\n".join(parts).encode("ascii")


def around_operator_artwork(placing: bytes, *, specimen: bool) -> bytes:
    """Operator artwork on the sheet: white where code and serial go; outside production the
    word SPECIMEN.  `placing` is the content that paints the artwork."""
    rooms = " ".join(f"{_written(box)} re" for box in (_QR_BOX, _SERIAL_BOX))
    parts = [
        f"{_WHITE} 0 0 {SHEET_WIDTH:g} {SHEET_HEIGHT:g} re f".encode("ascii"),
        placing,
        f"{_WHITE} {rooms} f".encode("ascii"),
    ]
    if specimen:
        parts.append(f"{_WHITE} {_written(_STRIP)} re f {_specimen()}".encode("ascii"))
    return b"\n".join(parts)


def serial_lines(serial: Serial) -> bytes:
    """The serial in groups of four, on two lines, in black."""
    groups = serial.grouped().split(" ")
    x, y, dx, dy = _serial_offsets()
    return b"/G cs BT%b %g Tf %g Tc %.3f %g Td(%b)Tj %.3f %g Td(%b)Tj ET" % (
        MONO,
        _SERIAL_SIZE,
        _SERIAL_SPACING,
        x,
        y,
        " ".join(groups[:3]).encode("ascii"),
        dx,
        dy,
        " ".join(groups[3:]).encode("ascii"),
    )


def code(qr: Qr) -> bytes:
    """The QR code in its box, in the colour that is set.

    It is an inline image of one bit a module, painted as a stencil (ISO 32000-1, section 8.9.7).
    Against rectangles it is a fifth of the bytes even where those are compressed, leaves no
    hairlines between modules, and does not swell in print: an image paints a device pixel by its
    middle, a path every pixel that it touches (section 10.6.4).
    """
    x, y, side, _ = _QR_BOX
    module = side / (qr.modules + 2 * QUIET_MODULES)
    filters, data = b"", qr.rows
    if b"EI" in data:
        # Programs that do not work out the length of an inline image look for its end instead.
        filters, data = b"/F/AHx", qr.rows.hex().encode("ascii") + b">"
    return b" %.4f 0 0 %.4f %.4f %.4f cm BI/W %d/H %d/BPC 1/IM true/D[1 0]%b ID %b\nEI" % (
        module * qr.modules,
        module * qr.modules,
        x + module * QUIET_MODULES,
        y + module * QUIET_MODULES,
        qr.modules,
        qr.modules,
        filters,
        data,
    )


def _frame() -> list[str]:
    width, height = SHEET_WIDTH, SHEET_HEIGHT
    return [
        f"{_BLACK_LINE} 1.2 w .6 .6 {width - 1.2:g} {height - 1.2:.4g} re S",
        f".35 w 2.1 2.1 {width - 4.2:g} {height - 4.2:.4g} re S",
    ]


def _value() -> list[str]:
    """The value in figures and in words, standing on its side left of the QR code."""
    x, y, width, height = _VALUE
    figures = _spread("10000", 13.8, x=5, y=0, width=66.2)
    return [
        f"q 0 1 -1 0 {x + width:g} {y:g} cm",
        _waves((0, 5.2, height, width - 5.2), lines=6, pieces=12, swing=2.6),
        # A white outline under the figures lifts them off the lines behind.
        f"q 1 0 0 1 0 6 cm {_WHITE} {_WHITE_LINE} 1.8 w 1 j 2 Tr {figures} 0 Tr {_BLACK} {figures} Q",
        f"{_BLACK} {_spread('SEPULUH RIBU RUPIAH', 4.5, x=1, y=0.9, width=74.2)} Q",
    ]


def _specimen() -> str:
    x, y, width, height = _STRIP
    bars = " ".join(
        f"{start:.4g} {y:g} {width / 6:.4g} {height:g} re" for start in (x, x + width * 5 / 6)
    )
    words = _spread("SPECIMEN", 8, x=x + width * 0.19, y=y + 0.5, width=width * 0.62)
    return f"{_WARNING} {bars} f {_BLACK} {words}"


def _waves(box: Box, *, lines: int, pieces: int, swing: float) -> str:
    """Two families of waves that cross each other, each in so many half turns, clipped to a box."""
    x, y, width, height = box
    parts = [f"q {_written(box)} re W n {_PALE_LINE}"]
    half = width / pieces
    for number in range(lines):
        level = y + height * (number + 0.5) / lines
        for sign in (1, -1):
            parts.append(f"{x:g} {level:.4g} m")
            for piece in range(pieces):
                start, top = x + piece * half, level + sign * swing * (-1) ** piece
                parts.append(
                    f"{start + half * 0.36:.4g} {top:.4g} {start + half * 0.64:.4g} {top:.4g} "
                    f"{start + half:.4g} {level:.4g} c"
                )
    return " ".join([*parts, "S Q"])


def _spread(text: str, size: float, *, x: float, y: float, width: float) -> str:
    """One line of the sans, its letters spaced so that it fills the width."""
    natural = typeface_named("sans").width(text) * size / 1000
    space = (width - natural) / (len(text) - 1)
    name = SANS.decode("ascii")
    return f"BT {name} {size:g} Tf {space:.4f} Tc {x:g} {y:g} Td ({text}) Tj ET"


def _written(box: Box) -> str:
    return " ".join(f"{length:g}" for length in box)


@cache
def _serial_offsets() -> tuple[float, float, float, float]:
    """Where the first line begins, and the way from there to the second, both in the middle."""
    letter = typeface_named("mono").width("0") * _SERIAL_SIZE / 1000 + _SERIAL_SPACING
    starts = [(SHEET_WIDTH - letters * letter + _SERIAL_SPACING) / 2 for letters in (14, 12)]
    first, second = _SERIAL_LINES
    return starts[0], first, starts[1] - starts[0], second - first
