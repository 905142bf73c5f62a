"""Later signatures over what some readers draw and others do not: no blank paper for everybody.

What is prepared here PDFium and pdf_oxide do not draw; poppler or MuPDF does.
"""

import zlib

from tests.support.attacks.lab import Attack
from tests.support.attacks.later import over
from tests.support.pdfmaker import Body, Stream

_IMAGE = b"/Type/XObject/Subtype/Image"
_FORM = b"/Type/XObject/Subtype/Form"
_SIZES = b"/Width 8/Height 8/BitsPerComponent 8/ColorSpace/DeviceGray"
_NAMED = b"<</I 60 0 R>>"
_BLACK = bytes(64)
_PAINT = b"q 280 0 0 60 60 740 cm /I Do Q"
_TILE = b"/PatternType 1/PaintType 1/TilingType 1/BBox[0 0 10 10]/Resources<<>>"
_DAMAGED = b"\xff\xd8\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0\xff\xd9"
_AREA = b"60 740 280 60 re f"


def _apart(objects: dict[int, Body], **resources: bytes) -> Attack:
    make = over(objects, **resources)
    return Attack(make, "could_not_be_compared", frozenset({"compared"}))


def _image(entries: bytes, data: bytes = _BLACK, kind: bytes = _IMAGE) -> Attack:
    objects: dict[int, Body] = {7: Stream(b"", _PAINT), 60: Stream(kind + entries, data)}
    return _apart(objects, XObject=_NAMED)


def _content(body: Body) -> Attack:
    return _apart({7: body})


def _in_parts(*parts: Body) -> Attack:
    """Parts of a form that another form draws."""
    objects: dict[int, Body] = {61 + index: one for index, one in enumerate(parts)}
    outer = Stream(_FORM + b"/BBox[0 0 1 1]/Resources<</XObject<</I 61 0 R>>>>", b"/I Do")
    return _apart({7: Stream(b"", _PAINT), 60: outer, **objects}, XObject=_NAMED)


def _in_forms(deep: int) -> Attack:
    box = b"/BBox[0 0 595 842]"
    objects: dict[int, Body] = {
        100 + one: Stream(
            _FORM + box + b"/Resources<</XObject<</I %d 0 R>>>>" % (101 + one), b"/I Do"
        )
        for one in range(deep)
    }
    last = Stream(_FORM + box, _AREA)
    return _apart(
        {7: Stream(b"", b"/I Do"), **objects, 100 + deep: last}, XObject=b"<</I 100 0 R>>"
    )


CASES: dict[str, Attack] = {
    "image-of-short-keys": _image(b"/W 8/H 8/BPC 8/CS/DeviceGray"),
    "image-of-one-short-key": _image(_SIZES.replace(b"/Width", b"/W")),
    "image-of-long-and-short-keys": _image(_SIZES + b"/D[1 0]", b"\xff" * 64),
    "image-of-short-keys-in-a-form": _in_parts(Stream(_IMAGE + b"/W 8/H 8/BPC 8/CS/G", _BLACK)),
    "image-of-a-pattern": _image(_SIZES.replace(b"/DeviceGray", b"/Pattern")),
    "image-of-an-unknown-filter": _image(_SIZES + b"/Filter/Blank"),
    "image-cut-off": _image(_SIZES + b"/Filter/DCTDecode", b"\xff\xd8\xff\xe0"),
    "image-in-jpeg-2000-without-sizes": _image(b"/Filter/JPXDecode", b""),
    "image-that-is-a-form-as-well": _image(
        _SIZES, kind=b"/Type/XObject/Subtype/Image/Subtype/Form"
    ),
    "image-of-no-kind": _image(_SIZES, kind=b"/Type/XObject"),
    "image-longer-than-it-says": _apart(
        {
            7: Stream(b"", _PAINT),
            60: b"<<%b%b/Length 0>>stream\n%b\nendstream" % (_IMAGE, _SIZES, _BLACK),
        },
        XObject=_NAMED,
    ),
    "image-called-like-a-key": _apart(
        {
            7: Stream(b"", _PAINT.replace(b"/I", b"/P")),
            60: Stream(_IMAGE + b"/W 8/H 8/BPC 8/CS/G", _BLACK),
        },
        XObject=b"<</P 60 0 R>>",
    ),
    "image-masked-by-reals": _image(_SIZES + b"/Mask[0. 0.]", _BLACK[1:]),
    "image-damaged": _image(_SIZES + b"/Filter/DCTDecode", _DAMAGED),
    "image-of-a-profile-of-no-colours": _in_parts(
        Stream(_IMAGE + _SIZES.replace(b"/DeviceGray", b"[/ICCBased 62 0 R]"), _BLACK),
        Stream(b"", b"x"),
    ),
    "image-of-another-generation": _apart(
        {
            7: Stream(b"", _PAINT),
            60: Stream(_IMAGE + _SIZES + b"/SMask 61 7 R", b"\xff" * 64),
            61: Stream(_IMAGE + _SIZES, _BLACK),
        },
        XObject=_NAMED,
    ),
    "image-without-data": _image(_SIZES, b""),
    "forms-in-forms": _in_forms(45),
    "colour-of-too-few-numbers": _content(Stream(b"", b"1 g /DeviceCMYK cs 1 sc " + _AREA)),
    "colour-of-too-many-numbers": _content(Stream(b"", b"/DeviceGray cs 1 1 sc " + _AREA)),
    "colour-of-no-space": _content(Stream(b"", b"/Zip cs 1 1 1 sc " + _AREA)),
    "colour-that-paints-nothing": _apart(
        {7: Stream(b"", b"/C cs 1 scn " + _AREA)},
        ColorSpace=b"<</C[/Separation/None/DeviceGray<</FunctionType 2/Domain[0 1]/N 1>>]>>",
    ),
    "blended-by-luminosity": _apart(
        {7: Stream(b"", b"0 g %b /G gs 1 g %b" % (_AREA, _AREA))},
        ExtGState=b"<</G<</BM/Luminosity>>>>",
    ),
    "letters-of-a-font-of-signs": _apart(
        {
            7: Stream(b"", b"/I Do"),
            60: Stream(
                _FORM + b"/BBox[0 0 595 842]/Resources<</Font<</S"
                b"<</Type/Font/Subtype/TrueType/BaseFont/Symbol>>>>>>",
                b"1 g BT /S 20 Tf 60 750 Td (abc) Tj ET",
            ),
        },
        XObject=_NAMED,
    ),
    "pattern-without-steps": _apart(
        {
            7: Stream(b"", b"/Pattern cs /P scn 60 740 280 60 re f"),
            60: Stream(_TILE, b"1 g 0 0 10 10 re f"),
        },
        Pattern=b"<</P 60 0 R>>",
    ),
    "content-with-a-name-among-numbers": _content(
        Stream(b"", b"400 0 /D 0 400 0 0 cm 0 0 1 1 re f")
    ),
    "content-of-a-short-filter": _content(Stream(b"/F/FlateDecode", zlib.compress(_AREA))),
    "content-with-an-image-of-two-ends": _content(
        Stream(b"", b"q 280 0 0 60 60 740 cm BI/W 8/H 8/BPC 8/CS/G ID %b0 EI Q" % (b" EI Q " * 9))
    ),
    "content-with-a-key-twice": _content(
        Stream(b"", b"BI/W 8/Width 0/H 8/BPC 8/CS/G ID %b EI" % _BLACK)
    ),
    "content-with-two-signs": _content(Stream(b"", b"400 740 --60 60 re f")),
    "content-beyond-all-numbers": _content(Stream(b"", b"9999999999 740 -9999999900 60 re f")),
    "content-of-words-of-its-own": _content(Stream(b"", b"60 740 280 60 re paint")),
    "annotation-of-five-corners": _apart(
        {61: b"<</Type/Annot/Subtype/Square/F 4/Rect[60 740 340 800 0]/C[1 0 0]>>"},
        Annots=b"[61 0 R]",
    ),
    "shading-with-a-background": _apart(
        {
            7: Stream(b"", b"60 740 280 60 re W n /S sh"),
            60: b"<</ShadingType 2/ColorSpace/DeviceGray/Coords[0 0 5 5]/Background[0]"
            b"/Function<</FunctionType 2/Domain[0 1]/N 1/C0[0]/C1[0]>>>>",
        },
        Shading=b"<</S 60 0 R>>",
    ),
}
