"""How wide the glyphs of a font are, and which show nothing (ISO 32000-2, sections 9.6 to 9.8).

A font that is not in the file, or damaged there, each reader replaces in its own way; but all go on by the
widths that the file states.
"""

import re
from collections.abc import Callable
from functools import cached_property
from itertools import pairwise

from meterai.sealing.pdf.operations import Matrix, transformed
from meterai.sealing.pdf.pages import Box
from meterai.sealing.pdf.strict import StrictValue

CODES_MAX = 70_000  # in the widths of one font
_EM = 1000.0
_COURIER = 600.0
# Of the fonts that have no widths in the file (9.6.2.2): no letter of Helvetica or Times is wider.
_NARROW, _WIDE = frozenset(b" !'(),-./:;I[]`fijlrt|"), frozenset(b"%&@MWmw")
_STANDARD = (400.0, 1000.0, 800.0, 620.0)  # narrow, wide, capitals, others
_SPACE = 32
_ABOVE, _BELOW = 0.75, -0.22  # of the em, as letters are high and deep
_TO_NOTHING = re.compile(
    rb"<([0-9A-Fa-f]{2,4})>[\0\t\n\f\r ]*+(?:<\1>[\0\t\n\f\r ]*+)?<(?:0020|00[Aa]0)>"
)

Resolve = Callable[[StrictValue], StrictValue]


class Lettering:
    """One font, read as far as it is asked for."""

    def __init__(
        self,
        entries: dict[str, StrictValue],
        resolved: Resolve,
        data: Callable[[StrictValue], bytes],
    ) -> None:
        self._entries = entries
        self._resolved = resolved
        self._data = data
        self._kind = resolved(entries.get("/Subtype"))
        below = resolved(entries.get("/DescendantFonts"))
        first = resolved(below[0]) if isinstance(below, list) and below else None
        self._below = first if isinstance(first, dict) else {}
        self.is_of_contents = self._kind == "/Type3"
        self.is_composite = self._kind == "/Type0"
        encoding = resolved(entries.get("/Encoding"))
        self.is_vertical = isinstance(encoding, str) and encoding.endswith("V")
        # Of an encoding in the file, or of one to four bytes, a byte is a glyph at the most.
        is_named = isinstance(encoding, str) and "UTF8" not in encoding
        self._is_in_pairs = self.is_composite and is_named

    def codes(self, string: bytes) -> list[int]:
        """The codes of a string; those of composite fonts have two bytes, as far as it matters here."""
        if not self._is_in_pairs:
            return list(string)
        return [int.from_bytes(string[at : at + 2]) for at in range(0, len(string), 2)]

    def width(self, code: int) -> float:
        """The width in ems."""
        if self.is_composite and not self._is_in_pairs:
            return 1.0
        return self._widths.get(code, self._other_width(code)) / _EM

    def shows_nothing(self, code: int) -> bool:
        """True for a blank, by what all readers go by."""
        return code in self._blanks

    @property
    def heights(self) -> tuple[float, float]:
        """The lowest and the highest that is drawn, in ems."""
        _, low, _, top = self._box
        return min(low, _BELOW), max(top, _ABOVE)

    @property
    def overhang(self) -> tuple[float, float]:
        """How far glyphs go before and behind their widths, in ems."""
        left, _, right, _ = self._box
        return min(left, 0.0), max(right, 0.0)

    @cached_property
    def _box(self) -> Box:
        """The box of all glyphs that are contents, in ems (9.6.4); of other fonts nothing."""
        box, matrix = (
            self._numbers(self._entries.get(key)) if self.is_of_contents else []
            for key in ("/FontBBox", "/FontMatrix")
        )
        if len(box) != 4 or len(matrix) != 6:
            return 0.0, 0.0, 0.0, 0.0
        return transformed((box[0], box[1], box[2], box[3]), _matrix(matrix))

    def _numbers(self, value: StrictValue) -> list[float]:
        found = self._resolved(value)
        items = map(self._resolved, found) if isinstance(found, list) else ()
        return [float(one) for one in items if isinstance(one, int | float)]

    @cached_property
    def _widths(self) -> dict[int, float]:
        if self.is_composite:
            return self._widths_below
        first = self._resolved(self._entries.get("/FirstChar"))
        stated = self._numbers(self._entries.get("/Widths"))
        factor = 1.0
        if self.is_of_contents:
            matrix = self._numbers(self._entries.get("/FontMatrix"))
            factor = abs(matrix[0]) * _EM if len(matrix) == 6 else 1.0
        begin = first if isinstance(first, int) else 0
        return {begin + index: one * factor for index, one in enumerate(stated[:CODES_MAX])}

    @cached_property
    def _widths_below(self) -> dict[int, float]:
        """The widths of a composite font (9.7.4.3): `c [w ...]` and `first last w`."""
        found: dict[int, float] = {}
        items = self._resolved(self._below.get("/W"))
        waiting: list[float] = []
        for item in map(self._resolved, items) if isinstance(items, list) else ():
            if isinstance(item, list) and waiting:
                found |= {int(waiting[-1]) + at: one for at, one in enumerate(self._numbers(item))}
                waiting = []
            elif isinstance(item, int | float):
                waiting.append(item)
            if len(waiting) == 3:
                first, last, width = waiting
                codes = range(int(first), min(int(last) + 1, int(first) + CODES_MAX))
                found |= dict.fromkeys(codes, width)
                waiting = []
            if len(found) > CODES_MAX:
                break
        return found

    def _other_width(self, code: int) -> float:
        if self.is_composite:
            stated = self._resolved(self._below.get("/DW"))
            return float(stated) if isinstance(stated, int | float) else _EM
        if self._widths:
            return 0.0
        if "Courier" in str(self._resolved(self._entries.get("/BaseFont"))):
            return _COURIER
        narrow, wide, capital, other = _STANDARD
        if code in _NARROW:
            return narrow
        return wide if code in _WIDE else capital if chr(code).isupper() else other

    @cached_property
    def _blanks(self) -> set[int]:
        """Blanks by the encoding; of a composite font in the file, by what its letters mean."""
        if self.is_of_contents:
            return set()
        if not self.is_composite:
            return set() if self._is_space_another else {_SPACE}
        described = self._resolved(self._below.get("/FontDescriptor"))
        keys = described.keys() if isinstance(described, dict) else set()
        if not self._is_in_pairs or not keys & {"/FontFile2", "/FontFile3"}:
            return set()
        meaning = self._data(self._entries.get("/ToUnicode"))
        return {int(digits, 16) for digits in _TO_NOTHING.findall(meaning)}

    @cached_property
    def _is_space_another(self) -> bool:
        """True if the code of the space has another name (9.6.5.1)."""
        encoding = self._resolved(self._entries.get("/Encoding"))
        named = self._resolved(encoding.get("/Differences")) if isinstance(encoding, dict) else None
        items = [self._resolved(one) for one in named] if isinstance(named, list) else []
        code = 0
        for item, following in pairwise([*items, None]):
            if isinstance(item, int):
                code = item
            elif code == _SPACE and item not in ("/space", "/.notdef", "/nbspace"):
                return True
            else:
                code += not isinstance(following, int)
        return False


def _matrix(found: list[float]) -> Matrix:
    a, b, c, d, e, f = found
    return a, b, c, d, e, f
