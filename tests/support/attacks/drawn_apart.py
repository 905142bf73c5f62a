"""Later signatures over what some readers draw and others do not: no blank paper for everybody.

What is prepared here PDFium and pdf_oxide do not draw; poppler or MuPDF does.
"""

import zlib

from tests.support.attacks.lab import Attack, Lab, covered
from tests.support.attacks.later import over, signed_with_picture
from tests.support.pdfmaker import Body, Stream, letter, text_of

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


def _note(kind: bytes, entries: bytes, place: bytes = b"[20 200 22 202]", flags: int = 4) -> Attack:
    """An annotation in another place, which readers draw under the later box."""
    note = b"<</Type/Annot/F %d/C[1 0 0]/Rect%b/Subtype/%b%b>>" % (flags, place, kind, entries)
    picture = Stream(_FORM + b"/BBox[0 0 9 9]", b"")
    return covered(over({61: note, 62: picture}, Annots=b"[61 0 R]"))


def _layer(membership: bytes, settings: bytes = b"") -> Attack:
    """Words that are hidden as the layers are at first, and with all of them."""
    objects: dict[int, Body] = {
        1: b"<</Type/Catalog/Pages 2 0 R/OCProperties<</OCGs[50 0 R 51 0 R]/D<<%b>>>>>>" % settings,
        7: Stream(b"", b"/OC /P BDC BT /F1 24 Tf 60 750 Td (Rahasia) Tj ET EMC"),
        50: b"<</Type/OCG/Name(A)>>",
        51: b"<</Type/OCG/Name(B)>>",
        60: b"<</Type/OCMD%b>>" % membership,
    }
    return _apart(objects, Properties=b"<</P 60 0 R>>")


def _coloured(colour: bytes, space: bytes) -> Attack:
    return _apart({7: Stream(b"", colour + _AREA)}, ColorSpace=b"<<%b>>" % space)


def _beyond_the_crop_box(lab: Lab) -> bytes:
    """A box over words that a reader sees who shows the whole medium."""
    made: dict[int, Body] = dict(letter(2))
    made[6] = text_of(made[6])[:-2] + b"/CropBox[0 0 595 600]>>"
    box = (50, 735, 345, 805)
    return signed_with_picture(lab, lab.sealed_of(made), 0, 6, box, b"1 g 0 0 100 100 re f")


def _image(entries: bytes, data: bytes = _BLACK, kind: bytes = _IMAGE) -> Attack:
    objects: dict[int, Body] = {7: Stream(b"", _PAINT), 60: Stream(kind + entries, data)}
    return _apart(objects, XObject=_NAMED)


def _content(body: Body) -> Attack:
    return _apart({7: body})


def _pieces(first: bytes, second: bytes) -> Attack:
    """A page whose content is in two pieces."""
    page = text_of(letter(2)[6]).replace(b"/Contents 7 0 R", b"/Contents[70 0 R 71 0 R]")
    return _apart({6: page, 70: Stream(b"", first), 71: Stream(b"", second)})


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
    "content-in-pieces-of-a-number": _pieces(
        b"BT 0 g /F1 24 Tf 60 750 Td 0 0 0", b"0 k (Rahasia) Tj ET"
    ),
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
    "line-beside-its-rectangle": _note(b"Line", b"/L[60 750 340 790]"),
    "polygon-beside-its-rectangle": _note(b"Polygon", b"/Vertices[60 750 340 790 200 745]"),
    "ink-beside-its-rectangle": _note(b"Ink", b"/InkList[[60 750 340 790]]"),
    "callout-beside-its-rectangle": _note(b"FreeText", b"/CL[60 750 340 790]/DA(0 g)"),
    "redaction-beside-its-rectangle": _note(
        b"Redact", b"/QuadPoints[60 790 340 790 60 750 340 750]/OverlayText(Rp 1)/DA(/Helv 9 Tf)"
    ),
    "highlight-beside-its-picture": _note(
        b"Highlight", b"/QuadPoints[60 790 340 790 60 750 340 750]/AP<</N 62 0 R>>"
    ),
    "square-larger-than-its-rectangle": _note(b"Square", b"/RD[-330 -540 -300 -600]"),
    "border-wider-than-its-link": _note(b"Link", b"/Border[0 0 1200]/AP<</N 62 0 R>>"),
    "border-wider-than-its-circle": _note(b"Circle", b"/BS<</W 1200>>"),
    "leader-longer-than-its-line": _note(b"Line", b"/L[20 200 22 200]/LLE 600/LL 300"),
    "icon-larger-than-its-rectangle": _note(b"Text", b"", b"[100 806 101 807]"),
    "stamp-without-a-size": _note(b"Stamp", b"/Name/Approved", b"[100 900 100 900]"),
    "note-that-keeps-its-size": _note(b"FreeText", b"/AP<</N 62 0 R>>", b"[60 810 100 830]", 12),
    "layer-by-an-expression": _layer(b"/VE[/Not 50 0 R]"),
    "layer-by-an-expression-of-two": _layer(
        b"/VE[/And 50 0 R[/Not 51 0 R]]", b"/OFF[50 0 R 51 0 R]"
    ),
    "layer-while-all-are-off": _layer(b"/OCGs[50 0 R]/P/AllOff"),
    "layer-while-one-is-off": _layer(b"/OCGs[50 0 R 51 0 R]/P/AnyOff"),
    "image-with-another-for-printing": _image(
        _SIZES + b"/Alternates[<</Image 61 0 R/DefaultForPrinting true>>]", b"\xff" * 64
    ),
    "form-of-a-page-elsewhere": _image(b"/BBox[0 0 1 1]/Ref<</F(a.pdf)/Page 0>>", b"", _FORM),
    "form-with-a-program": _image(b"/BBox[0 0 1 1]/PS 61 0 R", b"", _FORM),
    "colour-of-another-space": _coloured(
        b"1 1 1 rg ", b"/DefaultRGB[/Lab<</WhitePoint[.95 1 1.08]>>]"
    ),
    "gray-of-a-steep-curve": _coloured(
        b"/C cs .98 scn ", b"/C[/CalGray<</WhitePoint[.95 1 1.08]/Gamma 99>>]"
    ),
    "words-beyond-the-crop-box": Attack(
        _beyond_the_crop_box, "could_not_be_compared", frozenset({"compared"})
    ),
    "words-of-codes-without-letters": _content(
        Stream(b"", b"BT /F1 24 Tf 60 750 Td <8081828384858687888990> Tj ET")
    ),
    "profile-with-another-space": _apart(
        {
            7: Stream(b"", b"/C cs 0 0 0 0 scn " + _AREA),
            60: Stream(b"/N 4/Alternate/DeviceRGB", b"x"),
        },
        ColorSpace=b"<</C[/ICCBased 60 0 R]>>",
    ),
    "image-of-a-list-decoded-otherwise": _image(
        _SIZES.replace(b"/DeviceGray", b"[/Indexed/DeviceGray 255<00%b>]" % (b"ff" * 255))
        + b"/Decode[0 1]",
        b"\xff" * 64,
    ),
    "image-that-is-its-own-mask": _image(_SIZES + b"/Mask 60 0 R"),
    "ink-that-is-called-black": _coloured(
        b"/C cs 1 scn ",
        b"/C[/Separation/Black/DeviceGray<</FunctionType 2/Domain[0 1]/C0[1]/C1[1]/N 1>>]",
    ),
    "black-that-white-is-printed-over": _apart(
        {7: Stream(b"", b"0 0 0 1 k %b /G gs /C cs 0 scn %b" % (_AREA, _AREA))},
        ExtGState=b"<</G<</op true/OP true>>>>",
        ColorSpace=b"<</C[/Separation/Gold/DeviceGray<</FunctionType 2/Domain[0 1]/C0[1]/C1[0]/N 1>>]>>",
    ),
}
