"""Make the typefaces of the stamp: `python -m scripts.typeface INTER.otf JETBRAINS-MONO.ttf`.

Takes the two families' bold fonts as their authors publish them (Inter 4, JetBrains Mono 2, both under the SIL Open
Font License, neither with a reserved name) and writes into meterai/sealing/stamp/fonts the parts that a PDF needs: a
TrueType program with the letters of the stamp, and `faces.toml` with the figures of the font dictionary.
"""

import json
import sys
from pathlib import Path

from fontTools import subset
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.cu2quPen import Cu2QuPen
from fontTools.pens.recordingPen import DecomposingRecordingPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont
from fontTools.ttLib.scaleUpem import scale_upem
from fontTools.ttLib.tables._g_l_y_f import Glyph

from meterai.kit.ids import ALPHABET

DIRECTORY = Path(__file__).parents[1] / "meterai" / "sealing" / "stamp" / "fonts"
SANS_LETTERS = "".join(
    sorted(set("METERAI ELEKTRONIK 10000 SEPULUH RIBU RUPIAH BEA LUNAS SPECIMEN"))
)
MONO_LETTERS = "".join(sorted({*" -.:ILOU", *ALPHABET}))  # serials, dates, names of hosts
UNITS_PER_EM = 1000  # those of a PDF's widths, so that nothing is rounded twice
CURVE_ERROR = 1.0  # largest deviation of a quadratic curve from the cubic one, in units
HEAD = """# Figures of the two typefaces in thousandths of their size; written by scripts/typeface.py.
# `widths` are of the characters of `letters`, in that order.
"""


def main() -> None:
    """Write the two programs and their figures."""
    sans, mono = sys.argv[1:]
    faces = [
        _face("sans", Path(sans), SANS_LETTERS, fixed_pitch=False),
        _face("mono", Path(mono), MONO_LETTERS, fixed_pitch=True),
    ]
    (DIRECTORY / "faces.toml").write_text(HEAD + "\n" + "\n\n".join(faces) + "\n")


def _face(name: str, source: Path, letters: str, *, fixed_pitch: bool) -> str:
    """Write one program; return its table for `faces.toml`."""
    font = TTFont(source)
    chosen = subset.Subsetter(subset.Options(hinting=False, layout_features=[]))
    chosen.populate(text=letters)
    chosen.subset(font)
    scale_upem(font, UNITS_PER_EM)
    program = _program(font, letters)
    program.save(DIRECTORY / f"{name}.ttf")
    head, widths = program["head"], program["hmtx"]
    figures = {
        "name": str(font["name"].getDebugName(6)),
        "letters": letters,
        "widths": [widths[_glyph(letter)][0] for letter in letters],
        "bbox": [head.xMin, head.yMin, head.xMax, head.yMax],
        "ascent": font["hhea"].ascent,
        "descent": font["hhea"].descent,
        "cap_height": font["OS/2"].sCapHeight,
        "stem": _stem(program),
        "fixed_pitch": fixed_pitch,
    }
    return "\n".join(
        [f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in figures.items())]
    )


def _program(font: TTFont, letters: str) -> TTFont:
    """Return the tables that ISO 32000-1, section 9.9, demands, with a (3, 1) character map."""
    old = {_glyph(letter): font.getBestCmap()[ord(letter)] for letter in letters}
    old = {".notdef": ".notdef"} | old
    builder = FontBuilder(UNITS_PER_EM, isTTF=True)
    builder.setupGlyphOrder(list(old))
    builder.setupGlyf({new: _outline(font, name) for new, name in old.items()})
    builder.setupCharacterMap({ord(letter): _glyph(letter) for letter in letters})
    glyphs, source = builder.font["glyf"], font["hmtx"]
    builder.setupHorizontalMetrics(
        {new: (source[name][0], getattr(glyphs[new], "xMin", 0)) for new, name in old.items()}
    )
    builder.setupHorizontalHeader(ascent=font["hhea"].ascent, descent=font["hhea"].descent)
    made = builder.font
    made["cmap"].tables = [
        table for table in made["cmap"].tables if (table.platformID, table.platEncID) == (3, 1)
    ]
    made["head"].created = made["head"].modified = font["head"].modified  # deterministic
    made.recalcTimestamp = False
    return made


def _outline(font: TTFont, name: str) -> Glyph:
    """Return one glyph in quadratic curves, its components resolved."""
    drawn = DecomposingRecordingPen(font.getGlyphSet())
    font.getGlyphSet()[name].draw(drawn)
    pen = TTGlyphPen(None)
    # Cubic outlines have the opposite direction of quadratic ones.
    drawn.replay(Cu2QuPen(pen, CURVE_ERROR, reverse_direction="CFF " in font))
    return pen.glyph()


def _stem(program: TTFont) -> int:
    """Return the width of the foot of a T, which is the stem of the face."""
    points, *_ = program["glyf"][_glyph("T")].getCoordinates(program["glyf"])
    foot = min(y for _, y in points)
    across = [x for x, y in points if y == foot]
    return int(max(across) - min(across))


def _glyph(letter: str) -> str:
    return f"u{ord(letter):04X}"


if __name__ == "__main__":
    main()
