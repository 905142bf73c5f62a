"""Small documents, sealed by us and signed later, that ask whoever draws or reads them for much.

Each is by name in `HEAVY`.  What is said of one is either that it could not be compared, or what a
reader says who does not follow it: never is a bound passed, and never is a page taken as seen that
nobody saw.
"""

import zlib
from collections.abc import Callable, Iterable

from tests.support.attacks import by_hand
from tests.support.attacks.lab import Attack, Lab
from tests.support.pdfmaker import Body, Stream, letter, text_of

_PAGE, _CONTENT = 4, 5
_FORM = b"/Type/XObject/Subtype/Form/BBox[0 0 595 842]"
_MILLION = 1_000_000

Objects = dict[int, Body]


def _deflated(data: bytes, entries: bytes = b"") -> Stream:
    return Stream(entries + b"/Filter/FlateDecode", zlib.compress(data, 9))


def _deflated_zeros(count: int) -> bytes:
    """A deflated stream of so many zeros, made without holding them."""
    engine = zlib.compressobj(9)
    chunk = bytes(_MILLION)
    made = [engine.compress(chunk) for _ in range(count // _MILLION)]
    return b"".join([*made, engine.flush()])


def _drawing(content: Stream, resources: bytes = b"", **more: Body) -> Objects:
    """A letter whose first page has this content and these resources."""
    objects = letter(2)
    objects[_CONTENT] = content
    page = text_of(objects[_PAGE])
    objects[_PAGE] = page.replace(b"/Font<</F1 3 0 R>>", resources)
    return objects | {int(name[1:]): body for name, body in more.items()}


def _content(data: bytes, resources: bytes = b"", **more: Body) -> Objects:
    return _drawing(_deflated(data), resources, **more)


def _filters(names: bytes, data: bytes) -> Objects:
    return _drawing(Stream(b"/Filter[%b]" % names, data))


def _lzw_of_zeros(codes: int) -> bytes:
    """LZW (ISO 32000-2, section 7.4.4) of a run: each code stands for one byte more."""
    bits, count, width, following = 0, 0, 9, 258
    out = bytearray()

    def put(code: int) -> None:
        nonlocal bits, count
        bits, count = bits << width | code, count + width
        while count >= 8:
            count -= 8
            out.append(bits >> count & 0xFF)
        bits &= (1 << count) - 1

    put(256)
    put(0)
    for _ in range(codes):
        put(following)
        following += 1
        width = 9 + (following >= 511) + (following >= 1023) + (following >= 2047)
        if following == 4_094:
            put(256)
            width, following = 9, 258
            put(0)
    put(257)
    out.append(bits << 8 - count & 0xFF)
    return bytes(out)


def _predicted() -> Objects:
    entries = (
        b"/Filter/FlateDecode/DecodeParms<</Predictor 15/Colors 32/BitsPerComponent 16/Columns %d>>"
    )
    return _drawing(Stream(entries % 2_000_000_000, _deflated_zeros(50 * _MILLION)))


def _image(entries: bytes, data: bytes) -> Objects:
    image = Stream(b"/Type/XObject/Subtype/Image" + entries, data)
    return _content(b"q 500 0 0 500 50 50 cm /Im Do Q", b"/XObject<</Im 100 0 R>>", o100=image)


def _image_of(side: int, colours: bytes, bits: int, sample_bytes: float) -> Objects:
    data = _deflated_zeros(min(int(side * side * sample_bytes), 600 * _MILLION))
    entries = b"/Width %d/Height %d/ColorSpace%b/BitsPerComponent %d/Filter/FlateDecode"
    return _image(entries % (side, side, colours, bits), data)


def _jpeg_of(side: int) -> bytes:
    """The head of a JPEG of that size, and nothing behind."""
    sizes = side.to_bytes(2, "big") * 2
    frame = b"\xff\xc2\0\x11\x08" + sizes + b"\3\1\x22\0\2\x11\0\3\x11\0"
    return b"\xff\xd8" + frame + b"\xff\xda\0\x0c\3\1\0\2\0\3\0\0\0\0" + bytes(4_000) + b"\xff\xd9"


def _nested(levels: int, entries: bytes, each: bytes, last: bytes) -> Objects:
    """Forms that draw the next one, `each` times."""
    forms: dict[str, Body] = {
        f"o{20 + level}": Stream(
            _FORM + b"/Resources<</XObject<</X %d 0 R>>>>" % (21 + level) + entries, each
        )
        for level in range(levels)
    }
    forms[f"o{20 + levels}"] = Stream(_FORM + entries, last)
    return _content(b"/X Do", b"/XObject<</X 20 0 R>>", **forms)


def _masks() -> Objects:
    """Soft masks in soft masks: a bitmap of the page for each."""
    forms: dict[str, Body] = {}
    for level in range(50):
        following = 21 + level
        mask = b"/ExtGState<</G<</SMask<</S/Luminosity/G %d 0 R>>>>>>/XObject<</X %d 0 R>>"
        forms[f"o{20 + level}"] = Stream(
            _FORM
            + b"/Group<</S/Transparency/CS/DeviceRGB>>/Resources<<%b>>"
            % (mask % (following, following)),
            b"/G gs /X Do 1 0 0 rg 0 0 595 842 re f",
        )
    forms["o70"] = Stream(_FORM + b"/Group<</S/Transparency/CS/DeviceRGB>>", b"0 0 9 9 re f")
    return _content(b"/X Do", b"/XObject<</X 20 0 R>>", **forms)


def _pattern(step: float) -> Objects:
    cell = b"/Type/Pattern/PatternType 1/PaintType 1/TilingType 1/BBox[0 0 500 500]"
    body = cell + b"/XStep %f/YStep %f/Resources<<>>" % (step, step)
    return _content(
        b"/Pattern cs /P scn 0 0 595 842 re f",
        b"/Pattern<</P 100 0 R>>",
        o100=Stream(body, b"1 0 0 rg 0 0 400 400 re f " * 50),
    )


def _shading(entries: bytes, data: bytes = b"") -> Objects:
    shading: Body = Stream(entries, data) if data else b"<<%b>>" % entries
    return _content(b"/S sh " * 200, b"/Shading<</S 100 0 R>>", o100=shading)


def _by_function() -> Objects:
    """A colour for each point, by a program of many steps."""
    program = b"{" + b"dup mul sin cos exch " * 3_000 + b"dup dup}"
    objects = _shading(b"/ShadingType 1/ColorSpace/DeviceRGB/Domain[0 600 0 900]/Function 101 0 R")
    function = b"/FunctionType 4/Domain[0 600 0 900]/Range[0 1 0 1 0 1]"
    return objects | {101: Stream(function, program)}


def _mesh() -> Objects:
    entries = (
        b"/ShadingType 4/ColorSpace/DeviceRGB/BitsPerCoordinate 8/BitsPerComponent 8/BitsPerFlag 8"
        b"/Decode[0 595 0 842 0 1 0 1 0 1]/Filter/FlateDecode"
    )
    corners = b"\0\0\0\1\2\3\0\xff\0\1\2\3\0\0\xff\1\2\3"
    return _shading(entries, zlib.compress(corners * 400_000, 9))


def _annotations(count: int, picture: bytes) -> Objects:
    objects = letter(2)
    page = text_of(objects[_PAGE])
    refs = b"100 0 R " * count
    objects[_PAGE] = page[: page.rindex(b">>")] + b"/Annots[%b]>>" % refs
    objects[100] = b"<</Type/Annot/Subtype/Square/F 4/Rect[10 10 500 700]/AP<</N 101 0 R>>>>"
    objects[101] = Stream(b"/Type/XObject/Subtype/Form/BBox[0 0 490 690]", picture)
    return objects


def _layers(count: int) -> Objects:
    objects = letter(2)
    refs = b" ".join(b"%d 0 R" % number for number in range(1_000, 1_000 + count))
    objects[1] = b"<</Type/Catalog/Pages 2 0 R/OCProperties<</OCGs[%b]/D<</Order[%b]/OFF[%b]>>>>>>" % (
        refs, refs, refs,
    )  # fmt: skip
    return objects | dict.fromkeys(range(1_000, 1_000 + count), b"<</Type/OCG/Name(L)>>")


def _glyphs() -> Objects:
    """A font whose glyph is text in the same font."""
    font = (
        b"<</Type/Font/Subtype/Type3/FontBBox[0 0 9 9]/FontMatrix[.1 0 0 .1 0 0]/FirstChar 65/LastChar 65"
        b"/Widths[9]/Encoding<</Differences[65/a]>>/CharProcs<</a 101 0 R>>/Resources<</Font<</T 100 0 R>>>>>>"
    )
    text = b"9 0 d0 BT /T 9 Tf (AAAAAAAA) Tj ET"
    shown = b"BT /T 9 Tf (AAAAAAAA) Tj ET"
    return _content(shown, b"/Font<</T 100 0 R>>", o100=font, o101=Stream(b"", text))


def _paths(count: int) -> Objects:
    turns: Iterable[bytes] = (b"%d %d l" % (n * 7919 % 595, n * 104729 % 842) for n in range(count))
    return _content(b"0 0 m\n" + b"\n".join(turns) + b"\nf*")


_ARRAYS = b"[" * 200_000 + b"]" * 200_000

OBJECTS: dict[str, Callable[[], Objects]] = {
    "deflate-of-a-gigabyte": lambda: _drawing(
        Stream(b"/Filter/FlateDecode", _deflated_zeros(1_000 * _MILLION))
    ),
    "deflate-in-deflate": lambda: _filters(
        b"/FlateDecode/FlateDecode", zlib.compress(_deflated_zeros(1_000 * _MILLION), 9)
    ),
    "deflated-run-lengths": lambda: _filters(
        b"/FlateDecode/RunLengthDecode", zlib.compress(b"\x81 " * 5 * _MILLION, 9)
    ),
    "deflated-lzw": lambda: _filters(
        b"/FlateDecode/LZWDecode", zlib.compress(_lzw_of_zeros(300_000), 9)
    ),
    "filters-by-the-hundred": lambda: _filters(b"/ASCIIHexDecode" * 400, b"00" * 1_000),
    "predictor-of-huge-rows": _predicted,
    "image-of-one-bit": lambda: _image_of(60_000, b"/DeviceGray", 1, 1 / 8),
    "image-of-sixteen-bits": lambda: _image_of(20_000, b"/DeviceRGB", 16, 6),
    "image-of-four-colours": lambda: _image_of(16_000, b"/DeviceCMYK", 8, 4),
    "image-of-a-jpeg": lambda: _image(
        b"/Width 65500/Height 65500/ColorSpace/DeviceRGB/BitsPerComponent 8/Filter/DCTDecode",
        _jpeg_of(65_500),
    ),
    "forms-twice-each": lambda: _nested(40, b"", b"/X Do /X Do", b"0 0 9 9 re f"),
    "groups-in-groups": lambda: _nested(
        50, b"/Group<</S/Transparency/I true/K true>>", b"/X Do", b"0 0 9 9 re f"
    ),
    "masks-in-masks": _masks,
    "pattern-of-tiny-steps": lambda: _pattern(0.01),
    "shading-by-a-long-program": _by_function,
    "shading-of-a-mesh": _mesh,
    "shading-of-a-hundred-circles": lambda: _shading(
        b"/ShadingType 3/ColorSpace/DeviceRGB/Coords[0 0 0 595 842 9999]/Extend[true true]"
        b"/Function<</FunctionType 2/Domain[0 1]/C0[0 0 0]/C1[1 1 1]/N 1>>"
    ),
    "annotations-by-the-thousand": lambda: _annotations(
        19_000, b"1 0 0 RG 0 0 m 490 690 l S " * 20
    ),
    "annotations-by-the-hundred-thousand": lambda: _annotations(100_000, b"0 0 1 1 re f"),
    "layers-by-the-ten-thousand": lambda: _layers(10_000),
    "glyphs-of-glyphs": _glyphs,
    "path-of-a-hundred-thousand-turns": lambda: _paths(100_000),
    "states-by-the-million": lambda: _content(b"q " * _MILLION + b"0 0 9 9 re f"),
    "arrays-in-the-content": lambda: _content(_ARRAYS + b" TJ"),
    "numbers-by-the-ten-million": lambda: _content(b"1 " * 10 * _MILLION + b"0 0 9 9 re f"),
}


def signed_over(objects: Objects) -> Callable[[Lab], bytes]:
    """Sealed, and signed later in a visible place on the first page."""

    def make(lab: Lab) -> bytes:
        sealed = lab.sealed_of(objects)
        return by_hand.signed(lab, sealed, by_hand.objects_of(sealed))

    return make


def _made(objects: Callable[[], Objects]) -> Callable[[Lab], bytes]:
    return lambda lab: signed_over(objects())(lab)


HEAVY: dict[str, Callable[[Lab], bytes]] = {name: _made(make) for name, make in OBJECTS.items()}

# These ask for more memory than a task may have, on any machine and long before their time is over.
CASES: dict[str, Attack] = {
    name: Attack(HEAVY[name], "could_not_be_compared", frozenset({"compared"}))
    for name in ("deflate-in-deflate", "states-by-the-million", "forms-twice-each")
}
