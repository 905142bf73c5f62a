"""Artwork of the stamp: lines and letters only, so that it prints sharply at any size.

The picture is our own design and neutral: it has no state emblem.  It is drawn on a sheet of 100 by 156 units, which
the caller scales.  From the top it shows: a band with the name, the value in figures and words, a strip that says that
the duty is paid (or SPECIMEN), the QR code as wide as the sheet allows, then the serial, the time of sealing and the
check address.  Text and code are black or white, which every printer prints sharply; colours are decoration only.

Colours are calibrated (ISO 32000-1, section 8.6.5), which PDF/A allows beside any output intent.
White is defined by the primaries of sRGB, because every tested viewer shows that as pure white.  Black is in a grey
colour space, so that a printer can use its black ink only.  Nothing is transparent.
"""

from functools import lru_cache

from meterai.kit.serial import Serial
from meterai.sealing.model import HEIGHT_PER_WIDTH
from meterai.sealing.stamp.qr import QUIET_MODULES, QrSymbol
from meterai.sealing.stamp.typeface import typeface_named
from meterai.sealing.stamp.wording import Wording

SHEET_WIDTH = 100.0
SHEET_HEIGHT = SHEET_WIDTH * HEIGHT_PER_WIDTH

Box = tuple[float, float, float, float]  # x, y, width, height

# Colour spaces and names of resources in the content.
_GREY = b"/G[/CalGray<</WhitePoint[.9505 1 1.089]>>]"
BLACK = b"/ColorSpace<<%b>>" % _GREY  # resources of an appearance stream
COLOURS = (
    b"/ColorSpace<<%b/C[/CalRGB<</WhitePoint[.9505 1 1.089]/Gamma[2.2 2.2 2.2]/Matrix[.4124 .2126"
    b" .0193 .3576 .7152 .1192 .1805 .0722 .9505]>>]>>"
) % _GREY
SANS, MONO, OPERATOR_ARTWORK = b"/B", b"/M", b"/Official"

_QR_BOX: Box = (3.0, 30.6, 94.0, 94.0)  # with the quiet zone of the code
_WORDS_BOX: Box = (3.0, 3.0, 94.0, 27.6)
_SERIAL_SIZE, _SERIAL_SPACING = 6.8, 0.8  # size of the letters, and space between them
_SERIAL_LINES = (25.2, 18.2)  # vertical positions of the two lines
_SERIAL_CHARACTERS = (14, 12)  # on each line, in groups of four with spaces
_WORDS_SIZE = 6.2  # 4 points on a stamp of minimal width
_WORDS_LINES = (11.2, 4.6)
_WORDS_CHARACTERS = 25  # of that size fit on a line
_CHECK_AT = "PERIKSA: "
_WHITE, _WHITE_LINE = "/C cs 1 1 1 sc", "/C CS 1 1 1 SC"
_BLACK, _BLACK_LINE = "/G cs 0 sc", "/G CS 0 SC"
_PALE_LINE = "/C CS .42 .58 .72 SC .24 w"
_WARNING = "/C cs .8 .05 .1 sc"

_LEFT, _RIGHT, _TOP = 3.0, 97.0, SHEET_HEIGHT - 3.0
_BAND: Box = (_LEFT, 144.6, _RIGHT - _LEFT, 8.4)
_FIGURES: Box = (_LEFT, 132.5, 47.0, 11.6)
_STRIP: Box = (_LEFT, 125.0, _RIGHT - _LEFT, 6.8)
_STRIP_END = 0.14  # share of the strip on each side of its words


@lru_cache(2)
def fixed_part(*, specimen: bool) -> bytes:
    """Return the content of our artwork that is equal on all stamps, in units of the sheet."""
    parts = [
        f"{_WHITE} 0 0 {SHEET_WIDTH:g} {SHEET_HEIGHT:g} re f",
        *_frame(),
        *_value(),
        f"{_BLACK} {_written(_BAND)} re f {_WHITE}",
        _spread("METERAI ELEKTRONIK", 6.6, x=7.5, y=146.4, width=85.0),
        _specimen() if specimen else _paid(),
    ]
    return "\n".join(parts).encode("ascii")


def around_operator_artwork(placing: bytes, *, specimen: bool) -> bytes:
    """Return the content of a sheet with operator artwork; `placing` is the content that paints the artwork.

    White areas for code, serial and words are painted over the artwork; with `specimen` the word SPECIMEN is added.
    """
    rooms = " ".join(f"{_written(box)} re" for box in (_QR_BOX, _WORDS_BOX))
    parts = [
        f"{_WHITE} 0 0 {SHEET_WIDTH:g} {SHEET_HEIGHT:g} re f".encode("ascii"),
        placing,
        f"{_WHITE} {rooms} f".encode("ascii"),
    ]
    if specimen:
        parts.append(f"{_WHITE} {_written(_STRIP)} re f {_specimen()}".encode("ascii"))
    return b"\n".join(parts)


def serial_and_words(serial: Serial, words: Wording) -> bytes:
    """Return the content that prints the serial on two lines, the time of sealing and the check address, in black."""
    grouped = serial.grouped().encode("ascii")
    first, _ = _SERIAL_CHARACTERS
    return _around_serial(words) % (grouped[:first], grouped[first + 1 :])


@lru_cache(4)
def _around_serial(words: Wording) -> bytes:
    """Return the content of all text on a stamp, with `%b` in place of each of the two lines of the serial.

    If the host is too long for its line, the words before it are omitted, and the host is printed smaller if necessary.
    """
    check = _CHECK_AT + words.host
    if len(check) > _WORDS_CHARACTERS:
        check = words.host
    size = _WORDS_SIZE * min(1.0, _WORDS_CHARACTERS / len(check))
    lines = [
        _line("%b", characters, _SERIAL_SIZE, _SERIAL_SPACING, y)
        for characters, y in zip(_SERIAL_CHARACTERS, _SERIAL_LINES, strict=True)
    ]
    said = [(words.sealed_at.upper(), _WORDS_SIZE), (check.upper(), size)]
    lines += [
        _line(text, len(text), of_size, 0.0, y)
        for (text, of_size), y in zip(said, _WORDS_LINES, strict=True)
    ]
    return b"/G cs BT%b ET" % b"".join(lines)


def _line(text: str, characters: int, size: float, spacing: float, y: float) -> bytes:
    """Return the content of one line of text in the fixed-pitch typeface, centred on the sheet.

    The line is centred as if it had `characters` characters, since `text` may be a placeholder.
    """
    letter = typeface_named("mono").width("0") * size / 1000 + spacing
    x = (SHEET_WIDTH - characters * letter + spacing) / 2
    return b"%b %.4g Tf %g Tc 1 0 0 1 %.4g %g Tm(%b)Tj" % (
        MONO,
        size,
        spacing,
        x,
        y,
        text.encode("ascii"),
    )


def code(qr: QrSymbol) -> bytes:
    """Return the content that paints the QR code in its box, in the current colour.

    It is an inline image with one bit for each module, painted as a stencil (ISO 32000-1, section 8.9.7).  Compared with
    rectangles it has a fifth of the bytes, even if those are compressed, and leaves no hairlines between modules.  It does not
    grow in print: an image paints the device pixels whose centres it covers, and a path paints all pixels that it touches
    (section 10.6.4).
    """
    x, y, side, _ = _QR_BOX
    module = side / (qr.modules + 2 * QUIET_MODULES)
    filters, data = b"", qr.rows
    if b"EI" in data:
        # In hexadecimal, since some programs do not compute the length of an inline image but search for its end.
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
    """Return the content that prints the value of the stamp in figures and in words, side by side."""
    figures = _spread("10000", 12.4, x=6.5, y=133.8, width=40.5)
    return [
        _waves(_FIGURES, lines=6, pieces=8, swing=2.6),
        # A white outline separates the figures from the lines behind them.
        f"q {_WHITE} {_WHITE_LINE} 1.8 w 1 j 2 Tr {figures} 0 Tr {_BLACK} {figures} Q",
        f"{_BLACK} {_spread('SEPULUH RIBU', 5.4, x=53, y=139.2, width=43.5)}",
        _spread("RUPIAH", 5.4, x=53, y=133.4, width=22.5),
    ]


def _specimen() -> str:
    bars = " ".join(f"{_written(end)} re" for end in _strip_ends())
    return f"{_WARNING} {bars} f {_BLACK} {_in_strip('SPECIMEN', 8, of=0.62)}"


def _paid() -> str:
    waves = (_waves(end, lines=4, pieces=2, swing=2.1) for end in _strip_ends())
    return f"{' '.join(waves)} {_BLACK} {_in_strip('BEA METERAI LUNAS', 6.2, of=0.68)}"


def _strip_ends() -> tuple[Box, Box]:
    x, y, width, height = _STRIP
    end = width * _STRIP_END
    return (x, y, end, height), (x + width - end, y, end, height)


def _in_strip(text: str, size: float, *, of: float) -> str:
    """Return the content that prints words centred on the strip; `of` is the share of the strip's width that the words fill."""
    x, y, width, height = _STRIP
    up = (height - size * typeface_named("sans").figures.cap_height / 1000) / 2
    return _spread(text, size, x=x + width * (1 - of) / 2, y=y + up, width=width * of)


def _waves(box: Box, *, lines: int, pieces: int, swing: float) -> str:
    """Return the content that paints two crossing sets of waves, clipped to a box.

    Each set has `lines` waves of `pieces` half periods.
    """
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
    """Return the content of one line in the sans typeface, its letters spaced to fill the width."""
    natural = typeface_named("sans").width(text) * size / 1000
    space = (width - natural) / (len(text) - 1)
    name = SANS.decode("ascii")
    return f"BT {name} {size:g} Tf {space:.4f} Tc {x:g} {y:g} Td ({text}) Tj ET"


def _written(box: Box) -> str:
    return " ".join(f"{length:g}" for length in box)
