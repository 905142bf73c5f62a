"""Whether a sealed page paints under a later box what a reader may see although no renderer of ours shows it.

Renderers tell what is seen.  What they do not show may be there all the same: words in a font that they have
not, or do not open; a colour that they take for white and others do not.  So every operation of the page
that paints in one of these ways is looked at, by a box that holds all that it may paint:

| what | where |
|---|---|
| words, whatever their font, unless they are white or shown by no reader (9.3.6) | the boxes of their glyphs, without blanks |
| a path filled or stroked in a space of inks, of a list, of a pattern or in Lab (8.6) | the box of its points |
| any path or words while blending, a transfer or overprint are on (8.4.5) | the same |
| a shading (8.7.4), a group that knocks out (11.4.6) | all of the clipping path |

Images, and paths in other colours, all readers show, or `drawn_alike` refuses them.  White words are nothing on white
paper; where anything else is painted there they count as well.
"""

from collections.abc import Callable, Iterable, Sequence
from copy import copy
from dataclasses import dataclass
from enum import IntEnum

from meterai.sealing.checking.lettering import Lettering
from meterai.sealing.pdf.operations import (
    EVERYWHERE,
    IDENTITY,
    Matrix,
    bounds,
    common,
    numbers,
    operations,
    product,
    transformed,
    values,
)
from meterai.sealing.pdf.pages import Box
from meterai.sealing.pdf.strict import StrictValue
from meterai.sealing.pdf.syntax import Ref, Value
from meterai.sealing.sandbox.rendering import NotDrawn

OPERATIONS_MAX = 60_000  # of a page with its forms; a page of text has 3,000, a dense map 50,000
FORMS_DEEP_MAX = 12
_NOWHERE: Box = (0.0, 0.0, -1.0, -1.0)
_INVISIBLE = 3  # the text rendering mode
_FILLED = {b"f", b"F", b"f*", b"B", b"B*", b"b", b"b*"}
_STROKED = {b"S", b"s", b"B", b"B*", b"b", b"b*"}
_NARROWEST = 0.15  # of the em; a letter that is stated to be narrower may be drawn as wide as any
_CUT_OFF = 0.2  # of the height of letters; boxes of signatures often touch those beside them
_MITER = 10.0  # how many widths a corner of a line may be long (8.4.3.5)
_WHITES = ([1.0], [1.0] * 3, [0.0] * 4)  # as numbers of gray, of light and of inks
_DEVICES = (b"g", b"rg", b"k")
_TEXT_STATE = {  # table 103: what each sets, and in which unit
    b"Tc": ("letter", 1.0),
    b"Tw": ("word", 1.0),
    b"Tz": ("scale", 0.01),
    b"TL": ("leading", 1.0),
    b"Ts": ("rise", 1.0),
    b"Tr": ("mode", 1.0),
}
_COLOURS = {b"g", b"G", b"rg", b"RG", b"k", b"K", b"cs", b"CS", b"sc", b"SC", b"scn", b"SCN"}
_LISTED_MAX = 2  # a list of colours has no other below it (8.6.6.3)
_MEASURED = {"/DeviceGray", "/DeviceRGB", "/DeviceCMYK", "/CalGray", "/CalRGB", "/ICCBased"}
# Entries of the state (table 57) by which readers paint differently, and the values that do nothing.
_PLAIN: dict[str, tuple[object, ...]] = {
    "/BM": ("/Normal", "/Compatible"),
    **dict.fromkeys(("/op", "/OP"), (False,)),
    **dict.fromkeys(
        ("/TR", "/TR2", "/HT", "/BG", "/BG2", "/UCR", "/UCR2"), ("/Default", "/Identity")
    ),
}

Parts = Callable[[StrictValue], Sequence[bytes]]


class Colour(IntEnum):
    """As what a colour counts."""

    WHITE = 0
    PLAIN = 1
    ODD = 2


@dataclass(slots=True)
class _Graphics:
    """The graphics state (8.4), as far as it says where and how one paints."""

    matrix: Matrix
    clip: Box
    fill: Colour = Colour.PLAIN
    stroke: Colour = Colour.PLAIN
    odd: frozenset[str] = frozenset()  # entries of the state by which one does not paint plainly
    line: float = 1.0
    font: Lettering | None = None
    size: float = 0.0
    scale: float = 1.0
    letter: float = 0.0
    word: float = 0.0
    leading: float = 0.0
    rise: float = 0.0
    mode: float = 0


class Reader:
    """What a content refers to, as the file has it."""

    def __init__(
        self,
        resolved: Callable[[StrictValue], StrictValue],
        parts: Parts,
        data: Callable[[StrictValue], bytes],
    ) -> None:
        self.resolved = resolved
        self.parts = parts
        self.data = data

    def entries(self, value: StrictValue) -> dict[str, StrictValue]:
        """The dictionary that a value is or refers to, a stream's as well."""
        found = self.resolved(value)
        return found if isinstance(found, dict) else {}

    def numbers(self, value: StrictValue) -> list[float]:
        """The numbers of an array."""
        found = self.resolved(value)
        items = map(self.resolved, found) if isinstance(found, list) else ()
        return [float(one) for one in items if isinstance(one, int | float)]


def refuse_if_painted(
    reader: Reader, parts: Sequence[bytes], resources: StrictValue, boxes: Iterable[Box]
) -> None:
    """Raise `NotDrawn` if the content may paint in one of the boxes what no renderer shows."""
    for box in boxes:
        page = _Painter(reader, box)
        page.read(parts, resources, _Graphics(IDENTITY, EVERYWHERE), 0)
        if page.is_written_white:
            _Painter(reader, box, is_white_paper=False).read(
                parts, resources, _Graphics(IDENTITY, EVERYWHERE), 0
            )


class _Painter:
    """Goes through the contents of a page, and raises where one paints in question."""

    def __init__(self, reader: Reader, box: Box, *, is_white_paper: bool = True) -> None:
        self.reader = reader
        self._box = box
        self.is_white_paper = is_white_paper
        self._count = 0
        self.is_written_white = False
        self._fonts: dict[Ref | int, Lettering] = {}

    def read(
        self, parts: Sequence[bytes], resources: StrictValue, graphics: _Graphics, depth: int
    ) -> None:
        if depth > FORMS_DEEP_MAX:
            raise NotDrawn
        content = _Content(self, self.reader.entries(resources), graphics, depth)
        for index, part in enumerate(parts):
            if index and not self.is_white_paper:
                content.image()
            for operation in operations(part):
                self._count += 1
                if self._count > OPERATIONS_MAX:
                    raise NotDrawn
                content.carry_out(*operation)

    def meets(self, box: Box, graphics: _Graphics) -> bool:
        """True if what is painted in a box of the page is in the later one."""
        seen = common(box, graphics.clip)
        return seen is not None and common(seen, self._box) is not None

    def paint(self, box: Box, graphics: _Graphics, colour: Colour) -> None:
        """A path or an image."""
        threshold = Colour.ODD if self.is_white_paper else Colour.PLAIN
        if (colour >= threshold or graphics.odd) and self.meets(box, graphics):
            raise NotDrawn

    def write(self, box: Box, graphics: _Graphics, colour: Colour) -> None:
        """Words."""
        # Letters that are cut by less than a part of their height are read all the same.
        part = min(box[2] - box[0], box[3] - box[1]) * _CUT_OFF
        inner = (box[0] + part, box[1] + part, box[2] - part, box[3] - part)
        if not self.meets(inner, graphics):
            return
        if colour is not Colour.WHITE or graphics.odd:
            raise NotDrawn
        self.is_written_white = True

    def font(self, value: StrictValue) -> Lettering:
        """The font that a resource refers to."""
        entries = self.reader.entries(value)
        # A lettering keeps its entries, so that no others get their identity.
        key = value if isinstance(value, Ref) else id(entries)
        if key not in self._fonts:
            self._fonts[key] = Lettering(entries, self.reader.resolved, self.reader.data)
        return self._fonts[key]

    def _of_image(self, entries: dict[str, StrictValue], fill: Colour) -> Colour:
        """As what the colours of an image count: a mask has that of a path, lists those that are listed."""
        resolved = self.reader.resolved
        if resolved(entries.get("/ImageMask")) is True:
            return fill
        space = resolved(entries.get("/ColorSpace"))
        for _ in range(_LISTED_MAX):
            family = resolved(space[0]) if isinstance(space, list) and space else space
            if family != "/Indexed" or not isinstance(space, list) or len(space) < 2:
                return Colour.PLAIN if family in _MEASURED or family is None else Colour.ODD
            space = resolved(space[1])
        return Colour.ODD

    def form(
        self, value: StrictValue, graphics: _Graphics, resources: StrictValue, depth: int
    ) -> None:
        """A form (8.10.1), or an image."""
        entries = self.reader.entries(value)
        if entries.get("/Subtype") == "/Image":
            place = transformed((0, 0, 1, 1), graphics.matrix)
            self.paint(place, graphics, self._of_image(entries, graphics.fill))
            return
        if entries.get("/Subtype") != "/Form":
            return
        inside = copy(graphics)
        matrix, box = (self.reader.numbers(entries.get(key)) for key in ("/Matrix", "/BBox"))
        if len(matrix) == 6:
            a, b, c, d, e, f = matrix
            inside.matrix = product((a, b, c, d, e, f), graphics.matrix)
        if len(box) != 4:
            raise NotDrawn
        left, right = sorted((box[0], box[2]))
        low, top = sorted((box[1], box[3]))
        whole = transformed((left, low, right, top), inside.matrix)
        clip = common(whole, graphics.clip) if left < right and low < top else graphics.clip
        if clip is None or common(clip, self._box) is None:
            return
        inside.clip = clip
        group = self.reader.entries(entries.get("/Group"))
        if group.get("/K") is True:
            raise NotDrawn
        self.read(self.reader.parts(value), entries.get("/Resources", resources), inside, depth + 1)


class _Content:
    """One content while it is read."""

    def __init__(
        self,
        painter: _Painter,
        resources: dict[str, StrictValue],
        graphics: _Graphics,
        depth: int,
    ) -> None:
        self._painter = painter
        self._resources = resources
        self._now = graphics
        self._kept: list[_Graphics] = []
        self._depth = depth
        self._routes: list[tuple[bytes, Matrix]] = []
        self._is_clip = False
        self._line: Matrix = IDENTITY
        self._text: Matrix = IDENTITY

    def image(self) -> None:
        """An inline image."""
        self._painter.paint(transformed((0, 0, 1, 1), self._now.matrix), self._now, Colour.PLAIN)

    def carry_out(self, operator: bytes, operands: bytes) -> None:
        known = _OPERATORS.get(operator)
        if known is not None:
            known(self, operands)
        elif operator in _FILLED or operator in _STROKED or operator == b"n":
            self._paint(operator)
        elif operator in _COLOURS:
            self._colour(operator, operands)
        elif operator in _TEXT_STATE:
            name, factor = _TEXT_STATE[operator]
            setattr(self._now, name, numbers(operands)[-1] * factor)
            self._now.scale = self._now.scale or 1.0  # which some readers take for no scale

    # -- state -------------------------------------------------------------------------------

    def save(self, _: bytes) -> None:
        self._kept.append(copy(self._now))

    def restore(self, _: bytes) -> None:
        if self._kept:
            self._now = self._kept.pop()

    def transform(self, operands: bytes) -> None:
        self._now.matrix = product(_matrix(operands), self._now.matrix)

    def width(self, operands: bytes) -> None:
        self._now.line = numbers(operands)[-1]

    def _resource(self, kind: str, operands: bytes) -> StrictValue:
        found = values(operands)
        name = next((one for one in found if isinstance(one, str)), "")
        return self._painter.reader.entries(self._resources.get(kind)).get(name)

    def state(self, operands: bytes) -> None:
        reader = self._painter.reader
        entries = reader.entries(self._resource("/ExtGState", operands))
        known = {key for key in entries if key in _PLAIN}
        odd = {key for key in known if reader.resolved(entries[key]) not in _PLAIN[key]}
        self._now.odd = self._now.odd - known | odd
        font = reader.resolved(entries.get("/Font"))
        if isinstance(font, list) and len(font) == 2:
            self._now.font = self._painter.font(font[0])
            size = reader.resolved(font[1])
            self._now.size = float(size) if isinstance(size, int | float) else 0.0
        line = reader.resolved(entries.get("/LW"))
        self._now.line = float(line) if isinstance(line, int | float) else self._now.line

    def _colour(self, operator: bytes, operands: bytes) -> None:
        lower = operator.lower()
        current = self._now.fill if operator == lower else self._now.stroke
        if lower == b"cs":
            colour = self._space(operands)
        elif current is Colour.ODD and lower not in _DEVICES:
            colour = current
        else:
            colour = Colour.WHITE if numbers(operands) in _WHITES else Colour.PLAIN
        if operator == lower:
            self._now.fill = colour
        else:
            self._now.stroke = colour

    def _space(self, operands: bytes) -> Colour:
        name = next((one for one in values(operands) if isinstance(one, str)), "")
        reader = self._painter.reader
        found = reader.resolved(reader.entries(self._resources.get("/ColorSpace")).get(name, name))
        family = reader.resolved(found[0]) if isinstance(found, list) and found else found
        return Colour.PLAIN if family in _MEASURED else Colour.ODD

    # -- paths -------------------------------------------------------------------------------

    def route(self, operands: bytes) -> None:
        self._routes.append((operands, self._now.matrix))

    def clip_next(self, _: bytes) -> None:
        self._is_clip = True

    def _paint(self, operator: bytes) -> None:
        now, painter = self._now, self._painter
        colour = max(
            now.fill if operator in _FILLED else Colour.WHITE,
            now.stroke if operator in _STROKED else Colour.WHITE,
        )
        is_looked_at = operator != b"n" and (
            now.odd or colour is Colour.ODD or not painter.is_white_paper
        )
        if is_looked_at or self._is_clip:
            margin = now.line * _MITER if operator in _STROKED else 0.0
            box = self._route_box(margin) if is_looked_at else None
            if box is not None:
                painter.paint(box, now, colour)
            clip = self._route_box(0.0) if self._is_clip else None
            # A path of nothing cuts everything for some readers, and nothing for others.
            if clip is not None and clip[0] < clip[2] and clip[1] < clip[3]:
                now.clip = common(clip, now.clip) or _NOWHERE
        self._routes, self._is_clip = [], False

    def _route_box(self, margin: float) -> Box | None:
        found = list[Box]()
        for route, matrix in self._routes:
            box = bounds(route)
            if box is not None:
                wide = (box[0] - margin, box[1] - margin, box[2] + margin, box[3] + margin)
                found.append(transformed(wide, matrix))
        if not found:
            return None
        left, low, right, top = zip(*found, strict=True)
        return min(left), min(low), max(right), max(top)

    def shade(self, _: bytes) -> None:
        self._painter.paint(self._now.clip, self._now, Colour.ODD)

    def draw(self, operands: bytes) -> None:
        value = self._resource("/XObject", operands)
        self._painter.form(value, self._now, self._resources, self._depth)

    # -- text --------------------------------------------------------------------------------

    def begin(self, _: bytes) -> None:
        self._line = self._text = IDENTITY

    def place(self, operands: bytes) -> None:
        self._line = self._text = _matrix(operands)

    def move(self, operands: bytes) -> None:
        x, y = numbers(operands)[-2:]
        self._line = self._text = product((1, 0, 0, 1, x, y), self._line)

    def move_and_lead(self, operands: bytes) -> None:
        self._now.leading = -numbers(operands)[-1]
        self.move(operands)

    def next_line(self, _: bytes = b"") -> None:
        self._line = self._text = product((1, 0, 0, 1, 0, -self._now.leading), self._line)

    def use_font(self, operands: bytes) -> None:
        self._now.font = self._painter.font(self._resource("/Font", operands))
        self._now.size = float(str(values(operands)[-1])) or 1.0  # as some readers have it

    def show(self, operands: bytes) -> None:
        self._show_all(values(operands)[-1])

    def show_next(self, operands: bytes) -> None:
        self.next_line()
        self.show(operands)

    def show_spaced(self, operands: bytes) -> None:
        word, letter, string = values(operands)[-3:]
        self._now.word, self._now.letter = float(str(word)), float(str(letter))
        self.next_line()
        self._show_all(string)

    def _show_all(self, shown: Value) -> None:
        now = self._now
        for item in shown if isinstance(shown, list) else [shown]:
            if isinstance(item, bytes):
                self._string(item)
            elif isinstance(item, int | float):
                self._advance(-item / 1000 * now.size)

    def _advance(self, length: float) -> None:
        now = self._now
        along = (0.0, length) if now.font is not None and now.font.is_vertical else None
        x, y = along or (length * now.scale, 0.0)
        self._text = product((1, 0, 0, 1, x, y), self._text)

    def _string(self, string: bytes) -> None:
        now, font = self._now, self._now.font
        if font is None:
            raise NotDrawn
        at, spans = 0.0, list[float]()
        for code in font.codes(string):
            width = font.width(code)
            if not font.shows_nothing(code):
                shown = width if width > _NARROWEST else 1.0
                spans += [at, at + shown * now.size]
            is_word = code == 32 and not font.is_composite
            at += width * now.size + now.letter + (now.word if is_word else 0.0)
        is_shown = now.mode != _INVISIBLE or font.is_of_contents
        if spans and is_shown:
            self._write(spans, font)
        self._advance(-len(font.codes(string)) * now.size if font.is_vertical else at)

    def _write(self, spans: list[float], font: Lettering) -> None:
        now = self._now
        low, top = (one * now.size for one in font.heights)
        before, behind = (one * now.size for one in font.overhang)
        left, right = min(spans) + before, max(spans) + behind
        if font.is_vertical:
            left, low, right = -now.size, -len(spans) * now.size, now.size
        matrix = product((now.scale, 0, 0, 1, 0, now.rise), product(self._text, now.matrix))
        box = (min(left, right), min(low, top), max(left, right), max(low, top))
        colour = now.fill if now.mode in (0, 4) else max(now.fill, now.stroke)
        if font.is_of_contents:
            colour = max(colour, Colour.PLAIN)  # its glyphs may have colours of their own (9.6.4)
        self._painter.write(transformed(box, matrix), now, colour)


def _matrix(operands: bytes) -> Matrix:
    a, b, c, d, e, f = numbers(operands)[-6:]
    return a, b, c, d, e, f


_OPERATORS: dict[bytes, Callable[[_Content, bytes], None]] = {
    b"": _Content.route,
    b"q": _Content.save,
    b"Q": _Content.restore,
    b"cm": _Content.transform,
    b"w": _Content.width,
    b"gs": _Content.state,
    b"W": _Content.clip_next,
    b"W*": _Content.clip_next,
    b"sh": _Content.shade,
    b"Do": _Content.draw,
    b"BT": _Content.begin,
    b"Tm": _Content.place,
    b"Td": _Content.move,
    b"TD": _Content.move_and_lead,
    b"T*": _Content.next_line,
    b"Tf": _Content.use_font,
    b"Tj": _Content.show,
    b"TJ": _Content.show,
    b"'": _Content.show_next,
    b'"': _Content.show_spaced,
}
