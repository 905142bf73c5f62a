"""The drawing of the stamp: lines and letters only, so that it prints sharply at any size.

The picture is our own and neutral: no state emblem.  It is drawn on a sheet of 100 by 112 units
and scaled by the caller.  From the top: a dark band with the name, a strip of fine waves (or the
word SPECIMEN), then the value beside the QR code, then the serial.  What never changes is one
compressed stream, made once; `face` adds the QR code and the serial of one stamp.

The dark tone prints as near black, the line tone as light grey; the QR code is black on white.
"""

import math
import zlib
from functools import cache

from meterai.kit.serial import Serial
from meterai.sealing.model import HEIGHT_PER_WIDTH
from meterai.sealing.qr import Qr

SHEET_WIDTH = 100.0
SHEET_HEIGHT = SHEET_WIDTH * HEIGHT_PER_WIDTH

_DARK = "0.07 0.20 0.33"
_LINE = "0.62 0.71 0.78"
_WARNING = "0.72 0.05 0.09"

_BAND = (3.4, 96.6, 93.2, 12.0)  # x, y, width, height of the band with the name
_STRIP = (3.4, 86.6, 93.2, 9.0)  # of the waves, or of the word SPECIMEN
_VALUE = (3.4, 23.4, 30.6, 62.2)  # of the value
_QR_BOX = (34.8, 23.8, 61.4, 61.4)  # of the QR code with its quiet zone
_SERIAL_LINES = (13.2, 5.2)  # heights of the two lines of the serial

# Widths of Helvetica-Bold in thousandths of its size (Adobe Core 14 metrics), for the letters used.
_WIDTHS = (
    dict(
        zip(
            "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
            [
                722,
                722,
                722,
                722,
                667,
                611,
                778,
                722,
                278,
                556,
                722,
                611,
                833,
                722,
                778,
                667,
                778,
                722,
                667,
                611,
                722,
                667,
                944,
                667,
                667,
                611,
            ],
            strict=True,
        )
    )
    | {" ": 278}
    | dict.fromkeys("0123456789", 556)
)
_MONO_WIDTH = 600  # every letter of Courier-Bold


@cache
def fixed_part(*, specimen: bool) -> bytes:
    """What all stamps share, as the compressed content of a form of the sheet's size."""
    parts = [
        f"1 1 1 rg 0 0 {SHEET_WIDTH:g} {SHEET_HEIGHT:g} re f",
        *_waves(3.4, 3.4, 93.2, 18.4, lines=7, swing=2.6),
        *_rosette(),
        *_frame(),
        *_value(),
        f"{_DARK} rg {_box(_BAND)} re f 1 1 1 rg",
        _spread("METERAI ELEKTRONIK", 8.0, x=8.0, y=99.7, width=84.0),
        *(_specimen_strip() if specimen else _waves(*_STRIP, lines=6, swing=2.2)),
        f"1 1 1 rg {_box(_QR_BOX)} re f",
    ]
    return zlib.compress("\n".join(parts).encode("ascii"), 9)


def face(serial: Serial, qr: Qr) -> bytes:
    """What is particular to one stamp, in the units of the sheet."""
    x, y, side, _ = _QR_BOX
    module = side / (qr.modules + 2 * qr.quiet)
    corner = module * qr.quiet
    groups = serial.grouped().split(" ")
    lines = [" ".join(groups[:3]), " ".join(groups[3:])]
    return b"\n".join(
        [
            # White under the serial keeps it legible over the waves.
            b"1 1 1 rg 13 3.2 74 18.8 re f",
            b"0 g",
            *(_mono(line, low) for line, low in zip(lines, _SERIAL_LINES, strict=True)),
            f"q {module:.5f} 0 0 {module:.5f} {x + corner:.4f} {y + corner:.4f} cm".encode(),
            qr.path,
            b"f Q",
        ]
    )


def _frame() -> list[str]:
    width, height = SHEET_WIDTH, SHEET_HEIGHT
    return [
        f"{_DARK} RG 1.3 w 0.9 0.9 {width - 1.8:g} {height - 1.8:.4g} re S",
        f"0.4 w 2.5 2.5 {width - 5:g} {height - 5:.4g} re S",
    ]


def _value() -> list[str]:
    """The value in figures and in words, standing on its side left of the QR code."""
    return [
        f"{_DARK} rg {_DARK} RG q 0 1 -1 0 22.6 27.2 cm",
        # A white outline under the figures lifts them off the lines behind.
        "q 1 1 1 RG 2.2 w 1 j 2 Tr " + _spread("10000", 19.0, x=0, y=0, width=55.0) + " Q",
        "0 Tr " + _spread("10000", 19.0, x=0, y=0, width=55.0),
        "Q q 0 1 -1 0 30.9 26.6 cm 1 1 1 rg -1.5 -1.2 58.5 6.2 re f",
        f"{_DARK} rg " + _spread("SEPULUH RIBU RUPIAH", 4.9, x=0, y=0, width=55.5),
        "Q",
    ]


def _specimen_strip() -> list[str]:
    return [
        f"{_WARNING} rg {_box(_STRIP)} re f 1 1 1 rg",
        _spread("SPECIMEN", 7.6, x=14.0, y=88.4, width=72.0),
    ]


def _rosette() -> list[str]:
    """Turned ellipses around one middle: the woven figure behind the value."""
    x, y, width, height = _VALUE
    parts = [
        f"q {_box(_VALUE)} re W n {_LINE} RG 0.22 w",
        f"1 0 0 1 {x + width / 2:g} {y + height / 2:g} cm",
    ]
    turn = math.pi / 22
    step = f"{math.cos(turn):.5f} {math.sin(turn):.5f} {-math.sin(turn):.5f} {math.cos(turn):.5f} 0 0 cm"
    for _ in range(22):
        parts += [step, _ellipse(38.0, 11.0), _ellipse(24.0, 6.0)]
    return [*parts, "Q"]


def _ellipse(across: float, up: float) -> str:
    bend = 0.5523  # of a circle drawn as four Bezier curves
    a, b, c, d = across, up, across * bend, up * bend
    return (
        f"{a:g} 0 m {a:g} {d:.3g} {c:.4g} {b:g} 0 {b:g} c -{c:.4g} {b:g} -{a:g} {d:.3g} -{a:g} 0 c "
        f"-{a:g} -{d:.3g} -{c:.4g} -{b:g} 0 -{b:g} c {c:.4g} -{b:g} {a:g} -{d:.3g} {a:g} 0 c S"
    )


def _waves(
    x: float, y: float, width: float, height: float, *, lines: int, swing: float
) -> list[str]:
    """Two families of waves that cross each other, clipped to a box."""
    parts = [f"q {x:g} {y:g} {width:g} {height:g} re W n {_LINE} RG 0.22 w"]
    half = width / 16
    for number in range(lines):
        level = y + height * (number + 0.5) / lines
        for sign in (1, -1):
            curve = [f"{x:g} {level:.4g} m"]
            for piece in range(16):
                start, top = x + piece * half, level + sign * swing * (-1) ** piece
                curve.append(
                    f"{start + half * 0.36:.4g} {top:.4g} {start + half * 0.64:.4g} {top:.4g} "
                    f"{start + half:.4g} {level:.4g} c"
                )
            parts.append(" ".join(curve) + " S")
    return [*parts, "Q"]


def _spread(text: str, size: float, *, x: float, y: float, width: float) -> str:
    """One line of Helvetica-Bold, its letters spaced so that it fills the width."""
    natural = sum(_WIDTHS[letter] for letter in text) * size / 1000
    space = (width - natural) / (len(text) - 1)
    return f"BT /B {size:g} Tf {space:.4f} Tc {x:g} {y:g} Td ({text}) Tj ET"


def _mono(text: str, y: float) -> bytes:
    size = 8.6
    x = (SHEET_WIDTH - len(text) * size * _MONO_WIDTH / 1000) / 2
    return f"BT /M {size:g} Tf {x:.3f} {y:g} Td ({text}) Tj ET".encode("ascii")


def _box(box: tuple[float, float, float, float]) -> str:
    return " ".join(f"{length:g}" for length in box)
