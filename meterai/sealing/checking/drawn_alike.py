"""Whether a sealed page is made of nothing but what all readers draw alike.

A later signature may lie on blank paper.  Two renderers say whether it is blank, but other readers draw
what neither of them does, so a page that holds any of the following is not comparable where a later
signature is seen on it.  Each was found by drawing the same pages with four renderers.

| what | who draws it |
|---|---|
| a key twice, an odd token (`pdf.strict`) | each reader what it takes |
| the short keys of inline images (ISO 32000-2, table 91) in any other stream | poppler, MuPDF |
| `/F`, data in another file (7.3.8.2), taken for a short filter | poppler, MuPDF |
| a filter that is none of the standard (table 6) | MuPDF, the data as they are |
| an XObject that is neither an image nor a form; a form without a box (8.10.2) | some |
| an image without its size, depth or colour space (table 87), or of a pattern; masked by reals | poppler, MuPDF |
| a picture in JPEG or JPEG 2000 that is damaged, or of another size than it says | MuPDF, black |
| a colour of more or fewer numbers than its space has, a space that is none, or the one that paints nothing | poppler, MuPDF |
| data of an image that are fewer than its size asks for, or damaged, in any filter (`checking/image_data`) | MuPDF, pdf.js |
| a picture's colours decoded in fewer or more pairs, or out of a list in another order; a mask that is none | MuPDF, Ghostscript |
| a profile with an alternative of another kind | poppler, MuPDF |
| forms in forms, more than twelve deep | poppler, MuPDF |
| a form that ends more, or less, than it begins (`q`, `BT`, `BMC`) | pdf.js, outside of its box |
| a form, or a pattern, in a box that is nearly nothing, or with a matrix that makes it so | all but PDFium |
| an image with another for printing; a form in place of a page elsewhere, or with a program | Ghostscript |
| a layer by an expression, or for what is off (8.11.2.2) | MuPDF, Ghostscript |
| a space in place of the device's that is none of its kind; a white, a curve or primaries of no screen | poppler, Ghostscript |
| a soft mask but the plain ones (`checking/soft_masks`) | poppler, Ghostscript, no mask |
| a number of more than 32 bits, a box far away (`checking/measures`) | each where it likes |
| a page painted in gray as a whole, as soon as a later picture is blended (11.4.7) | Ghostscript |
| a way of blending but the plain ones, an opacity that is no number | poppler, MuPDF |
| letters of a font that is damaged, in a later picture | pdf.js; others take another font |
| signs without a font that is there: Symbol as TrueType, glyphs by number | some |
| a reference of another generation | poppler |
| a pattern without a box or steps (table 74); a shading from a point to itself | poppler |
| a shading with a background, painted by `sh` (table 77); a glyph beyond its box of nothing | MuPDF |
| data longer or shorter than their `/Length` | each reader to another end |
| a content with tokens that are not of the standard (`pdf.content`) | each reader some |
| a token that goes on in the next of a page's contents (7.7.3.3) | pdf.js; others see white space there |
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from meterai.sealing.checking import colour_spaces, image_data, plain_entries, samples
from meterai.sealing.checking.colour_spaces import DEFAULTS, PATTERN, stands_in
from meterai.sealing.checking.graphics import Reader
from meterai.sealing.checking.later_state import State, entries_of
from meterai.sealing.checking.measures import NUMBER_MAX, has_room
from meterai.sealing.checking.painted import refuse_if_painted, refuse_if_painted_apart
from meterai.sealing.checking.updates import Found, Written
from meterai.sealing.model import DocumentBroken
from meterai.sealing.pdf import content, decoding
from meterai.sealing.pdf.content_operators import Colours, closes_what_it_opens, xobjects
from meterai.sealing.pdf.document import Document
from meterai.sealing.pdf.operations import EVERYWHERE
from meterai.sealing.pdf.pages import Box, Page
from meterai.sealing.pdf.strict import StrictValue
from meterai.sealing.pdf.syntax import Dictionary, Ref
from meterai.sealing.sandbox.rendering import NotDrawn
from meterai.sealing.sandbox.scanning import font_is_whole

T = TypeVar("T")

OBJECTS_MAX = (
    20_000  # that the pages of one document are drawn with; a catalogue of goods has 3,000
)
CONTENT_BYTES_MAX = 16 * 1024 * 1024  # of all contents; ten bytes of a map cost a microsecond
IMAGE_BYTES_MAX = 64 * 1024 * 1024  # of all images, inflated; a scanned page in colour has 26 MB
FORMS_DEEP_MAX = 12  # forms in forms; honest ones are four deep, renderers stop at 32 and more

_SHORT = {
    "/BPC",
    "/CS",
    "/D",
    "/DP",
    "/F",
    "/FDecodeParms",
    "/FFilter",
    "/H",
    "/I",
    "/IM",
    "/L",
    "/W",
}
_FILTERS = {
    *("/FlateDecode", "/DCTDecode", "/ASCII85Decode", "/ASCIIHexDecode", "/RunLengthDecode"),
    *("/CCITTFaxDecode", "/LZWDecode", "/JPXDecode", "/JBIG2Decode"),
}
_OF_LIGHT = (3, 4)  # numbers of a colour, in spaces that have all colours
_DEPTHS = {1, 2, 4, 8, 16}
# What leads from a stream elsewhere in the document, or to what is not drawn; a resource may be called so.
_ELSEWHERE = {"/Parent", "/P", "/PieceInfo", "/Metadata", "/OC", "/OCGs", "/StructParent", "/AF"}
# The programs of fonts (table 124), and with which bytes they begin: Type 1, TrueType, CFF or OpenType.
_BEGINNINGS = {
    "/FontFile": (b"%!", b"\x80\x01"),
    "/FontFile2": (b"\0\1\0\0", b"true"),
    "/FontFile3": (b"\1\0", b"OTTO", b"\0\1\0\0"),
}
_FONT_FILES = _BEGINNINGS.keys()
# What some readers draw in place of an image or a form: tables 87 (8.9.5.4), 93 (8.10.4) and 358.
_IN_PLACE = {"/Alternates", "/OPI", "/Ref", "/PS"}
_END = re.compile(rb"(?:\r\n|\r|\n)?+endstream")
_GLYPH_BOX = re.compile(rb"[\0\t\n\f\r ]*+((?:[-+.\d]++[\0\t\n\f\r ]++){6})d1\b")


def refuse_if_drawn_differently(
    sealed: Document, pages: Iterable[tuple[Page, Sequence[Box]]]
) -> None:
    """Raise `NotDrawn` if readers may draw one of these pages in different ways, in its boxes above all."""
    _each(_Drawn(sealed).page, pages)


def refuse_if_pictures_differ(now: Document, widgets: Iterable[tuple[int, Page]]) -> None:
    """Raise `NotDrawn` if readers may draw the pictures of these later signatures in different ways: one
    would show what the others hide, or their pages otherwise."""
    _each(_Drawn(now).later_picture, widgets)


def refuse_if_drawn_before(sealed: Document, widgets: Iterable[int]) -> None:
    """Raise `NotDrawn` if some reader may have drawn these fields while they waited for a signature."""
    _each(_Drawn(sealed).waiting_field, widgets)


def _each(check: Callable[[T], None], things: Iterable[T]) -> None:
    """Check each; what cannot be read as all readers read it is not drawn alike."""
    try:
        for one in things:
            check(one)
    except (Found, DocumentBroken) as cause:
        raise NotDrawn from cause


class _Drawn:
    """What pages are drawn with, each object once."""

    def __init__(self, sealed: Document) -> None:
        self._sealed = sealed
        self._state = State(sealed)
        self._seen: set[int] = set()
        self._content_bytes = 0
        self._image_bytes = 0
        self._draws: dict[int, set[int]] = {}  # the forms that a content draws, by their numbers
        self._depths: dict[int, int] = {}
        self._parts: dict[int, list[bytes]] = {}  # of contents
        self._named: dict[int, StrictValue] = {}  # the resources of each
        self._looked_at: set[int] = set()  # the contents of later pictures
        self._is_blended = self._is_in_a_box = self._is_later = False
        self._reader = Reader(self._resolved, self._parts_of, self._data_of)

    def page(self, place: tuple[Page, Sequence[Box]]) -> None:
        page, boxes = place
        written = self._object(page.ref)
        entries = entries_of(written.value, page.ref.number)
        above = self._state.above(page.ref.number) if "/Resources" not in entries else {}
        self._walk(entries.get("/Resources", above.get("/Resources")))
        parts = [self._part(one) for one in self._contents(entries.get("/Contents"))]
        if not content.is_divided_between_tokens(parts):
            raise NotDrawn
        resources = entries.get("/Resources", above.get("/Resources"))
        self._annotations(entries.get("/Annots"))
        self._check_content(page.ref.number, b"\n".join(parts), resources, known=1)
        self._deep(page.ref.number, 0)
        refuse_if_painted(self._reader, self._parts[page.ref.number], resources, boxes)

    def _annotations(self, value: StrictValue) -> None:
        """The pictures of what was sealed on a page: each stays in its box."""
        self._is_in_a_box = True
        for one in self._items(value):
            self._walk(self._entries(one).get("/AP"))
        self._is_in_a_box = False

    def later_picture(self, widget: tuple[int, Page]) -> None:
        """The picture of a later signature, in each of its states; and whether its page stays as it was."""
        number, page = widget
        self._is_later = True
        drawings = self._pictures(number)
        contents = {one: self._named[one] for one in self._named.keys() - self._looked_at}
        self._looked_at |= contents.keys()
        refuse_if_painted_apart(self._reader, drawings, contents)
        group = self._entries(entries_of(self._object(page.ref).value, number).get("/Group"))
        space = group.get("/CS")
        # Where anything is blended, some readers paint all of the page in this space.
        if self._is_blended and space is not None and self._components(space) not in _OF_LIGHT:
            raise NotDrawn

    def waiting_field(self, number: int) -> None:
        """A field that waited for its signature: nobody draws anything of it."""
        drawings = self._pictures(number)
        for one in drawings:
            refuse_if_painted(
                self._reader, self._parts_of(one), self._named[one.number], [EVERYWHERE]
            )
        written = self._state.object(number)
        coloured = self._entries(entries_of(written.value, number).get("/MK")) if written else {}
        # Without a picture some readers make one of these (table 192).
        if not drawings and any(self._items(coloured.get(key)) for key in ("/BG", "/BC")):
            raise NotDrawn

    def _pictures(self, number: int) -> list[Ref]:
        """The contents of the picture of an annotation, in each of its states, looked through."""
        written = self._state.object(number)
        if written is None:
            raise NotDrawn
        picture = entries_of(written.value, number).get("/AP")
        self._walk(picture)
        for number in list(self._draws):
            self._deep(number, 0)
        shown = self._entries(picture).values()
        states = [
            one
            for value in shown
            for one in ([value] if self._is_content(value) else self._entries(value).values())
        ]
        return [one for one in states if isinstance(one, Ref) and self._is_content(one)]

    def _is_content(self, value: StrictValue) -> bool:
        return isinstance(value, Ref) and value.number in self._parts

    def _deep(self, number: int, above: int) -> int:
        """How many forms in forms a content draws, itself one.  More than all renderers follow, or a
        circle, is refused."""
        if above > FORMS_DEEP_MAX:
            raise NotDrawn
        if number not in self._depths:
            inside = [self._deep(one, above + 1) for one in self._draws.get(number, ())]
            self._depths[number] = 1 + max(inside, default=0)
        if above + self._depths[number] > FORMS_DEEP_MAX:
            raise NotDrawn
        return self._depths[number]

    def _object(self, ref: Ref) -> Written:
        written = self._state.object(ref.number)
        if written is None or written.ref != ref:
            raise NotDrawn
        return written

    def _contents(self, value: StrictValue) -> Iterator[Ref]:
        """The streams of a page's content (section 7.7.3.3)."""
        if isinstance(value, Ref) and self._object(value).stream is None:
            value = self._object(value).value
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, Ref):
                yield one
            elif one is not None:
                raise NotDrawn

    def _part(self, ref: Ref) -> bytes:
        written = self._object(ref)
        if written.stream is None:
            raise NotDrawn
        self._stream(written)
        return self._content(written)

    def _walk(self, value: StrictValue) -> None:
        waiting = [value]
        while waiting:
            item = waiting.pop()
            if isinstance(item, list):
                waiting += item
            elif isinstance(item, dict):
                self._dictionary(item)
                waiting += item.values()
            elif isinstance(item, int | float) and abs(item) > NUMBER_MAX:
                raise NotDrawn
            elif isinstance(item, Ref) and item.number not in self._seen:
                self._seen.add(item.number)
                if len(self._seen) > OBJECTS_MAX:
                    raise NotDrawn
                written = self._state.object(item.number)
                # A reference to nothing is null, for every reader; one of another generation is not.
                if written is not None and written.ref != item:
                    raise NotDrawn
                if written is not None and written.stream is not None:
                    self._stream(written)
                    self._drawing(written)
                    waiting.append(_drawn_with(entries_of(written.value, item.number)))
                elif written is not None:
                    waiting.append(written.value)

    def _dictionary(self, entries: dict[str, StrictValue]) -> None:
        """What any dictionary among the resources may not hold."""
        plain_entries.refuse_shading(entries, self._resolved)
        for one in self._entries(entries.get("/XObject")).values():
            written = self._object(one) if isinstance(one, Ref) else None
            kind = written and entries_of(written.value, 0).get("/Subtype")
            if one is not None and kind not in ("/Image", "/Form"):
                raise NotDrawn
            if written is not None and written.stream is None:
                raise NotDrawn
        glyphs = (
            self._entries(entries.get("/CharProcs")) if entries.get("/Subtype") == "/Type3" else {}
        )
        for one in glyphs.values():
            if isinstance(one, Ref):
                glyph = self._part(one)
                self._check_content(one.number, glyph, entries.get("/Resources"))
                if _is_beyond_its_box(glyph):
                    raise NotDrawn
        plain_entries.refuse_font(entries, self._resolved)
        for key in _FONT_FILES & entries.keys() if self._is_later else ():
            self._refuse_if_not_opened(entries[key], _BEGINNINGS[key])
        plain_entries.refuse_state(entries, self._resolved)
        plain_entries.refuse_layer(entries, self._resolved)
        self._is_blended = self._is_blended or plain_entries.is_blended(entries, self._resolved)
        for name, space in self._entries(entries.get("/ColorSpace")).items():
            is_alike = name not in DEFAULTS or stands_in(name, space, self._resolved)
            if self._components(space) is None or not is_alike:
                raise NotDrawn

    def _refuse_if_not_opened(self, value: StrictValue, beginnings: tuple[bytes, ...]) -> None:
        """A font that only some readers open has other letters for these: one of them may be a stamp."""
        program = self._content(self._object(value)) if isinstance(value, Ref) else b""
        if not program.startswith(beginnings) or not font_is_whole(program):
            raise NotDrawn

    def _components(self, space: StrictValue) -> int | None:
        return colour_spaces.components(space, self._resolved)

    def _items(self, value: StrictValue) -> list[StrictValue]:
        value = self._resolved(value)
        return value if isinstance(value, list) else []

    def _entries(self, value: StrictValue) -> dict[str, StrictValue]:
        value = self._resolved(value)
        return value if isinstance(value, dict) else {}

    def _resolved(self, value: StrictValue) -> StrictValue:
        if not isinstance(value, Ref):
            return value
        written = self._state.object(value.number)
        return written.value if written is not None and written.ref == value else None

    # -- streams -----------------------------------------------------------------------------

    def _stream(self, written: Written) -> None:
        """What holds for every stream: no short keys, filters of the standard, its length."""
        entries = entries_of(written.value, written.ref.number)
        if entries.keys() & _SHORT or not _FILTERS.issuperset(self._filters(entries)):
            raise NotDrawn
        location = self._sealed.locate(written.ref.number)
        assert location is not None
        assert written.stream is not None
        stop = Dictionary(location.buffer, location.start).end
        keyword = decoding.STREAM.match(location.buffer, stop)
        assert keyword is not None
        if _END.match(location.buffer, keyword.end() + len(written.stream)) is None:
            raise NotDrawn

    def _filters(self, entries: dict[str, StrictValue]) -> list[StrictValue]:
        found = self._resolved(entries.get("/Filter"))
        named = found if isinstance(found, list) else [] if found is None else [found]
        return [self._resolved(one) for one in named]

    def _drawing(self, written: Written) -> None:
        entries = entries_of(written.value, written.ref.number)
        kind = entries.get("/Subtype")
        plain_entries.refuse_layer(self._entries(entries.get("/OC")), self._resolved)
        if entries.keys() & _IN_PLACE:
            raise NotDrawn
        if kind == "/Image":
            self._image(entries, written)
        elif kind == "/Form":
            box = self._resolved(entries.get("/BBox"))
            if not isinstance(box, list) or len(box) != 4:
                raise NotDrawn
            self._check_form(written, entries)
        elif "/PatternType" in entries:
            plain_entries.refuse_tiles(entries, self._resolved)
            self._check_form(written, entries)

    def _check_form(self, written: Written, entries: dict[str, StrictValue]) -> None:
        number, text = written.ref.number, self._content(written)
        box = self._resolved(entries.get("/BBox"))
        if text.strip() and not has_room(box, entries.get("/Matrix"), self._resolved):
            raise NotDrawn
        self._check_content(number, text, entries.get("/Resources"))
        if not closes_what_it_opens(self._parts[number]):
            raise NotDrawn

    def _image(self, entries: dict[str, StrictValue], written: Written) -> None:
        wide, high, depth, space = (
            self._resolved(entries.get(key))
            for key in ("/Width", "/Height", "/BitsPerComponent", "/ColorSpace")
        )
        if any(type(one) is not int or one <= 0 for one in (wide, high)):
            raise NotDrawn
        filters = self._filters(entries)
        is_mask = self._resolved(entries.get("/ImageMask")) is True
        count = 1 if is_mask else self._components(space)
        is_known = depth in _DEPTHS and type(depth) is int and 0 < (count or 0) < PATTERN
        is_jpx = "/JPXDecode" in filters
        if not is_mask and not is_jpx and not is_known:
            raise NotDrawn
        samples.refuse_if_decoded_differently(
            entries, None if is_jpx else count, depth, self._resolved
        )
        if is_mask and depth not in (None, 1):
            raise NotDrawn
        bits = 1 if is_mask or is_jpx else int(str(depth)) * (count or 1)
        stated = self._resolved(entries.get("/DecodeParms"))
        last = stated[-1] if isinstance(stated, list) and stated else stated
        parameters = {key: self._resolved(one) for key, one in self._entries(last).items()}
        image = image_data.Image(int(str(wide)), int(str(high)), bits, filters, parameters)
        self._refuse_if_damaged(image, written, None if space is None and is_jpx else count)

    def _refuse_if_damaged(
        self, image: image_data.Image, written: Written, count: int | None
    ) -> None:
        """The data of an image fill it: what is not there is black for some."""
        data = image_data.within(image, self._state.stream(written) or b"")
        if data is None:
            raise NotDrawn
        if image_data.is_picture(image):
            bands = image_data.bands_of(image, data)
            if bands is None or ("/JPXDecode" not in image.filters and bands != count):
                raise NotDrawn
            if "/JPXDecode" in image.filters:
                samples.refuse_bands(bands, count)
            return
        self._image_bytes += image.rows_bytes
        if self._image_bytes > IMAGE_BYTES_MAX or not image_data.is_whole(image, data):
            raise NotDrawn

    # -- contents ----------------------------------------------------------------------------

    def _content(self, written: Written) -> bytes:
        entries = entries_of(written.value, written.ref.number)
        parameters = self._resolved(entries.get("/DecodeParms"))
        # Readers differ in predictors for contents; stating that there is none is no predictor.
        if any(
            self._entries(one) not in ({}, {"/Predictor": 1})
            for one in (parameters if isinstance(parameters, list) else [parameters])
        ):
            raise NotDrawn
        found = content.decoded(self._state.stream(written) or b"", self._filters(entries))
        if found is None:
            raise NotDrawn
        return found

    def _check_content(
        self, number: int, text: bytes, resources: StrictValue, known: int | None = None
    ) -> None:
        self._content_bytes += len(text)
        apart = content.taken_apart(text) if self._content_bytes <= CONTENT_BYTES_MAX else None
        parts, images = apart or (None, [])
        # Pictures by LibreOffice have three numbers before `Td`; their boxes are looked at as a whole.
        if parts is None and self._is_in_a_box:
            parts = content.tokens_alone(text)
        if parts is None:
            raise NotDrawn
        self._parts[number], self._named[number] = parts, resources
        named = self._entries(resources)
        spaces, drawn = (self._entries(named.get(key)) for key in ("/ColorSpace", "/XObject"))
        colours = Colours(
            lambda name: self._components(spaces.get(name, name)), PATTERN, known=known
        )
        for one in images:
            self._refuse_if_inline_damaged(one, spaces)
        called = self._draws.setdefault(number, set())
        for part in parts:
            if not colours.fit(part):
                raise NotDrawn
            found = (drawn.get(name) for name in xobjects(part))
            called.update(one.number for one in found if isinstance(one, Ref))

    def _refuse_if_inline_damaged(
        self, inline: content.InlineImage, spaces: dict[str, StrictValue]
    ) -> None:
        image = image_data.of_inline(inline, lambda name: self._components(spaces.get(name, name)))
        self._image_bytes += image.rows_bytes if image is not None else 0
        is_within = self._image_bytes <= IMAGE_BYTES_MAX
        if image is None or not is_within or not image_data.is_inline_whole(image, inline.data):
            raise NotDrawn

    def _parts_of(self, value: StrictValue) -> list[bytes]:
        """A content that was checked."""
        if not isinstance(value, Ref) or value.number not in self._parts:
            raise NotDrawn
        return self._parts[value.number]

    def _data_of(self, value: StrictValue) -> bytes:
        """A stream that is read, and not drawn; nothing where readers may read something else."""
        try:
            return self._content(self._object(value)) if isinstance(value, Ref) else b""
        except NotDrawn:
            return b""


def _drawn_with(entries: dict[str, StrictValue]) -> dict[str, StrictValue]:
    """The entries of a stream that say how it is drawn."""
    return {key: one for key, one in entries.items() if key not in _ELSEWHERE}


def _is_beyond_its_box(glyph: bytes) -> bool:
    """True for a glyph that says that it is empty (`d1`, table 111), and draws."""
    stated = _GLYPH_BOX.match(glyph)
    if stated is None or not glyph[stated.end() :].strip():
        return False
    _, _, left, low, right, top = map(float, stated[1].split())
    return not (left < right and low < top)
