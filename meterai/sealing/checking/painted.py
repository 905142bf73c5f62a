"""Whether a sealed page paints under a later box what a reader may see although no renderer of ours shows it.

Renderers tell what is seen.  What they do not show may be there all the same: words in a font that they have
not, or do not open; a colour that they take for white and others do not.  So every operation of the page
that paints in one of these ways is looked at, by a box that holds all that it may paint:

| what | where |
|---|---|
| words, whatever their font, unless they are white or shown by no reader (9.3.6) | the boxes of their glyphs, without blanks |
| a path filled or stroked in a space of inks, of a list, of a pattern or in Lab (8.6) | the box of its points |
| any path or words while blending, a transfer, overprint or a soft mask are on (8.4.5, 11.6.4.3) | the same |
| a shading (8.7.4), a group that knocks out (11.4.6) | all of the clipping path |
| anything while readers do not agree where one paints (`checking/graphics`) | the same; all of the page, if some have lost the place |
| a path that some readers do not paint (`checking/shapes`) | the box of its points |

Other images, and paths in other colours, all readers show, or `drawn_alike` refuses them.  The picture of a later
signature may be made of any of this but what the last two rows say: who signs says what is in it, and a picture that
only some readers show may be a copied stamp.  White words are nothing on white
paper; where anything else is painted there they count as well.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import copy

from meterai.sealing.checking.graphics import (
    NOWHERE,
    PRODUCT_MIN,
    Colour,
    Graphics,
    Reader,
    colour_of_image,
    colour_of_space,
    is_kept,
)
from meterai.sealing.checking.lettering import Lettering
from meterai.sealing.checking.shapes import POINT, has_area, has_point, is_narrow, reaches_far
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
_INVISIBLE, _CLIPPED = (
    3,
    4,
)  # the text rendering modes: invisible; from here on added to the clipping path
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


def refuse_if_painted(
    reader: Reader, parts: Sequence[bytes], resources: StrictValue, boxes: Iterable[Box]
) -> None:
    """Raise `NotDrawn` if the content may paint in one of the boxes what no renderer shows."""
    for box in boxes:
        page = _Painter(reader, box)
        page.read(parts, resources, Graphics(IDENTITY, EVERYWHERE), 0)
        if page.is_written_white:
            _Painter(reader, box, is_white_paper=False).read(
                parts, resources, Graphics(IDENTITY, EVERYWHERE), 0
            )


def refuse_if_painted_apart(
    reader: Reader, drawings: Sequence[Ref], contents: Mapping[int, StrictValue]
) -> None:
    """Raise `NotDrawn` if readers do not agree where one of these pictures paints.

    `contents` are the resources of all that they are drawn with, by the numbers of the contents: glyphs and tiles
    are looked at by themselves.
    """
    painter = _Painter(reader, None)
    for ref in drawings:
        painter.form(ref, Graphics(IDENTITY, EVERYWHERE), None, 0)
    for number, resources in contents.items():
        if number not in painter.entered:
            parts = reader.parts(Ref(number, 0))
            painter.read(parts, resources, Graphics(IDENTITY, EVERYWHERE), 0)


class _Painter:
    """Goes through the contents of a page, and raises where one paints in question.  Without a box it is a picture
    that is looked at: all that readers do not agree about is in question."""

    def __init__(self, reader: Reader, box: Box | None, *, is_white_paper: bool = True) -> None:
        self.reader = reader
        self._box = box
        self.entered: set[int] = set()  # the forms that were read
        self.is_white_paper = is_white_paper
        self._count = 0
        self.is_written_white = False
        self._fonts: dict[Ref | int, Lettering] = {}

    def read(
        self, parts: Sequence[bytes], resources: StrictValue, graphics: Graphics, depth: int
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

    def meets(self, box: Box, graphics: Graphics) -> bool:
        """True if what is painted in a box of the page is in the later one."""
        if self._box is None:
            return True
        seen = common(box, graphics.clip)
        return seen is not None and common(seen, self._box) is not None

    def is_in_question(self, graphics: Graphics, colour: Colour) -> bool:
        """True if a path or an image of this colour is looked at."""
        threshold = Colour.ODD if self.is_white_paper else Colour.PLAIN
        is_odd = self._box is not None and (colour >= threshold or bool(graphics.odd))
        return is_odd or graphics.is_doubtful

    def paint(self, box: Box, graphics: Graphics) -> None:
        """A path or an image that is in question."""
        if graphics.is_beyond or self.meets(box, graphics):
            raise NotDrawn

    def write(self, box: Box, graphics: Graphics, colour: Colour) -> None:
        """Words."""
        if graphics.is_beyond:
            raise NotDrawn
        if self._box is None:
            if graphics.unsure:
                raise NotDrawn
            return
        # Letters that are cut by less than a part of their height are read all the same.
        part = min(box[2] - box[0], box[3] - box[1]) * _CUT_OFF
        if not self.meets((box[0] + part, box[1] + part, box[2] - part, box[3] - part), graphics):
            return
        if colour is not Colour.WHITE or graphics.odd or graphics.unsure:
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

    def form(
        self, value: StrictValue, graphics: Graphics, resources: StrictValue, depth: int
    ) -> None:
        """A form (8.10.1), or an image."""
        entries = self.reader.entries(value)
        if entries.get("/Subtype") == "/Image":
            if self.is_in_question(graphics, colour_of_image(entries, graphics.fill, self.reader)):
                self.paint(transformed((0, 0, 1, 1), graphics.matrix), graphics)
            return
        if entries.get("/Subtype") != "/Form":
            return
        if isinstance(value, Ref):
            self.entered.add(value.number)
        inside = self._inside(entries, graphics)
        if self._box is not None:
            if not inside.is_beyond and common(inside.clip, self._box) is None:
                return
            if self.reader.entries(entries.get("/Group")).get("/K") is True:
                raise NotDrawn
        self.read(self.reader.parts(value), entries.get("/Resources", resources), inside, depth + 1)

    def _inside(self, entries: dict[str, StrictValue], graphics: Graphics) -> Graphics:
        """The state in which a form is drawn: in its matrix, cut to its box."""
        inside = copy(graphics)
        if graphics.is_clear:
            inside.unsure |= {"Do"}
        matrix, box = (self.reader.numbers(entries.get(key)) for key in ("/Matrix", "/BBox"))
        if len(matrix) == 6:
            a, b, c, d, e, f = matrix
            inside.transform((a, b, c, d, e, f))
        if len(box) != 4:
            raise NotDrawn
        left, right = sorted((box[0], box[2]))
        low, top = sorted((box[1], box[3]))
        if left < right and low < top:
            whole = transformed((left, low, right, top), inside.matrix)
            inside.clip = common(whole, graphics.clip) or NOWHERE
        return inside


class _Content:
    """One content while it is read."""

    def __init__(
        self,
        painter: _Painter,
        resources: dict[str, StrictValue],
        graphics: Graphics,
        depth: int,
    ) -> None:
        self._painter = painter
        self._resources = resources
        self._now = graphics
        self._kept: list[Graphics] = []
        self._depth = depth
        self._routes: list[tuple[bytes, Matrix]] = []
        self._is_clip = False
        self._line: Matrix = IDENTITY
        self._text: Matrix = IDENTITY

    def image(self) -> None:
        """An inline image."""
        if self._painter.is_in_question(self._now, Colour.PLAIN):
            self._painter.paint(transformed((0, 0, 1, 1), self._now.matrix), self._now)

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
        self._now.transform(_matrix(operands))

    def width(self, operands: bytes) -> None:
        self._now.line = numbers(operands)[-1]

    def cap(self, operands: bytes) -> None:
        self._now.cap = numbers(operands)[-1]

    def dash(self, operands: bytes) -> None:
        found = values(operands)[0]
        items = found if isinstance(found, list) else []
        self._now.dashes = tuple(float(one) for one in items if isinstance(one, int | float))

    def _resource(self, kind: str, operands: bytes) -> StrictValue:
        found = values(operands)
        name = next((one for one in found if isinstance(one, str)), "")
        return self._painter.reader.entries(self._resources.get(kind)).get(name)

    def state(self, operands: bytes) -> None:
        reader = self._painter.reader
        entries = reader.entries(self._resource("/ExtGState", operands))
        self._now.take(entries, reader)
        font = reader.resolved(entries.get("/Font"))
        if isinstance(font, list) and len(font) == 2:
            self._now.font = self._painter.font(font[0])
            size = reader.resolved(font[1])
            self._now.size = float(size) if isinstance(size, int | float) else 0.0

    def _colour(self, operator: bytes, operands: bytes) -> None:
        lower = operator.lower()
        current = self._now.fill if operator == lower else self._now.stroke
        if lower == b"cs":
            name = next((one for one in values(operands) if isinstance(one, str)), "")
            spaces = self._painter.reader.entries(self._resources.get("/ColorSpace"))
            colour = colour_of_space(spaces.get(name, name), self._painter.reader)
        elif current is Colour.ODD and lower not in _DEVICES:
            colour = current
        else:
            colour = Colour.WHITE if numbers(operands) in _WHITES else Colour.PLAIN
        if operator == lower:
            self._now.fill = colour
        else:
            self._now.stroke = colour

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
        is_painted, is_stroked = operator != b"n", operator in _STROKED
        if is_painted and (
            painter.is_in_question(now, colour) or self._is_doubtful(is_stroked=is_stroked)
        ):
            margin = abs(now.line) * _MITER if is_stroked else 0.0
            box = self._route_box(margin)
            if box is not None:
                painter.paint(box, now)
        if self._is_clip:
            self._cut()
        self._routes, self._is_clip = [], False

    def _is_doubtful(self, *, is_stroked: bool) -> bool:
        """True for a path that some readers do not paint: far from the page, or strokes without length."""
        now = self._now
        if is_stroked and now.has_doubtful_lines():
            return True
        for route, matrix in self._routes:
            if is_stroked and has_point(route, POINT / max(now.factor, PRODUCT_MIN)):
                return True
            if reaches_far(route, matrix):
                return True
        return False

    def _cut(self) -> None:
        """The clipping path, for what follows.  One of nothing cuts everything for some readers, for others
        nothing, and leaves a row of pixels for the next."""
        now = self._now
        box = self._route_box(0.0)
        clip = common(box, now.clip) if box is not None else now.clip
        is_thin = box is None or is_narrow(box) or (clip is not None and is_narrow(clip))
        is_thin = is_thin or not any(has_area(*one) for one in self._routes)
        if is_thin or any(reaches_far(*one) for one in self._routes):
            now.unsure |= {"W"}
        else:
            now.clip = clip or NOWHERE

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
        if self._painter.is_in_question(self._now, Colour.ODD):
            self._painter.paint(self._now.clip, self._now)

    def draw(self, operands: bytes) -> None:
        value = self._resource("/XObject", operands)
        self._painter.form(value, self._now, self._resources, self._depth)

    # -- text --------------------------------------------------------------------------------

    def begin(self, _: bytes) -> None:
        self._line = self._text = IDENTITY

    def end(self, _: bytes) -> None:
        if self._now.mode >= _CLIPPED:
            self._now.unsure |= {"Tr"}

    def place(self, operands: bytes) -> None:
        self._line = self._text = _matrix(operands)
        if not is_kept(self._text):
            self._now.is_beyond = True

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
        self.end(b"")
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
    b"J": _Content.cap,
    b"d": _Content.dash,
    b"gs": _Content.state,
    b"W": _Content.clip_next,
    b"W*": _Content.clip_next,
    b"sh": _Content.shade,
    b"Do": _Content.draw,
    b"BT": _Content.begin,
    b"ET": _Content.end,
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
