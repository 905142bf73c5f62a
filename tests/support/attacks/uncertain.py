"""Later signatures where readers do not agree what is painted, or where: on the sealed page, in a field that
waited, in the picture itself.

PDFium and pdf_oxide, by which pages are compared, show nothing of most of them.
"""

import zlib
from collections.abc import Mapping

import pypdfium2

from tests.support.attacks.by_hand import (
    EMPTY_SIGNATURE,
    PICTURE,
    SIGNATURE,
    objects_of,
    signed,
    value_of,
)
from tests.support.attacks.lab import CORNER_BOX, Attack, Lab, changed, covered
from tests.support.attacks.later import over
from tests.support.pdfmaker import Body, Stream, letter, text_of

_FORM = b"/Type/XObject/Subtype/Form"
_PAGE = b"/BBox[0 0 595 842]"
_AREA = b" 0 g 60 740 280 60 re f "
_DOWN, _UP = b".000001 0 0 .000001 0 0 cm " * 8, b"1000000 0 0 1000000 0 0 cm " * 8
_BOX = b"/Rect[300 300 450 360]"
_GROUP = b"/Group<</S/Transparency/CS%b>>"
_FAR = b"/BBox[-9999999999 -9999999999 9999999999 9999999999]"
_OF_THE_FIELD = _FORM + b"/BBox[0 0 150 60]"
_NOT_COMPARED = ("could_not_be_compared", frozenset({"compared"}))


def _content(data: bytes, objects: Mapping[int, Body] | None = None, **resources: bytes) -> Attack:
    """A page whose content only some readers paint under the later box."""
    return Attack(over({7: Stream(b"", data), **(objects or {})}, **resources), *_NOT_COMPARED)


def _masked(group: bytes, data: bytes = b"", more: bytes = b"") -> Attack:
    """A page that is painted through a soft mask."""
    return _content(
        b"q /G gs" + _AREA + b"Q",
        {60: Stream(_FORM + _PAGE + group, data)},
        ExtGState=b"<</G<</SMask<</S/Luminosity/G 60 0 R%b>>>>>>" % more,
    )


def _picture(
    data: bytes, entries: bytes = b"", objects: Mapping[int, Body] | None = None, page: bytes = b""
) -> Attack:
    """A later picture on blank paper."""

    def make(lab: Lab) -> bytes:
        made = letter(2)
        document = lab.sealed_of({**made, 4: text_of(made[4])[:-2] + page + b">>"})
        picture = Stream(_FORM + b"/BBox[0 0 150 60]" + entries, data)
        return signed(lab, document, {**objects_of(document), PICTURE: picture, **(objects or {})})

    return Attack(make, *_NOT_COMPARED)


def _with_form(form: bytes, data: bytes = b"0 0 1 rg 10 10 100 20 re f") -> Attack:
    """A later picture that is a form in a form."""
    return _picture(b"/X Do", b"/Resources<</XObject<</X 163 0 R>>>>", {163: Stream(form, data)})


def _copied_beyond(lab: Lab) -> bytes:
    """A copy of the stamp in a form in a box beyond 32 bits, where PDFium draws nothing."""
    drawn = pypdfium2.PdfDocument(lab.sealed)
    drawn.init_forms()
    left, low, right, top = (8 * one for one in CORNER_BOX)
    page = drawn[0].render(scale=8).to_pil().convert("RGB")
    stamp = page.crop((round(left), 8 * 842 - round(top), round(right), 8 * 842 - round(low)))
    wide, high = (one / 8 for one in stamp.size)
    sizes = b"/Width %d/Height %d/BitsPerComponent 8/ColorSpace/DeviceRGB" % stamp.size
    objects = objects_of(lab.sealed)
    within = b"/BBox[0 0 %g %g]/Resources<</XObject<</X 163 0 R>>>>" % (wide, high)
    field = text_of(objects[160])
    objects[160] = field.replace(_BOX, b"/Rect[300 300 %g %g]" % (300 + wide, 300 + high))
    objects[PICTURE] = Stream(_FORM + within, b"/X Do")
    beyond = _FORM + _FAR + b"/Resources<</XObject<</I 164 0 R>>>>"
    objects[163] = Stream(beyond, b"%g 0 0 %g 0 0 cm /I Do" % (wide, high))
    image = b"/Type/XObject/Subtype/Image/Filter/FlateDecode" + sizes
    objects[164] = Stream(image, zlib.compress(stamp.tobytes()))
    return signed(lab, lab.sealed, objects)


def _placed(box: bytes) -> Attack:
    def make(lab: Lab) -> bytes:
        objects = objects_of(lab.sealed)
        field = text_of(objects[160]).replace(_BOX, b"/Rect" + box)
        return signed(lab, lab.sealed, {**objects, 160: field})

    return Attack(make, *_NOT_COMPARED)


def _filled(field: bytes, *objects: Body) -> Attack:
    """A field that waited for its signature, drawn by some readers until then."""

    def make(lab: Lab) -> bytes:
        made: dict[int, Body] = dict(letter(2))
        made[1] = b"<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[30 0 R]>>>>"
        made[4] = text_of(made[4])[:-2] + b"/Annots[30 0 R]>>"
        made[30] = b"<</Type/Annot/FT/Sig/T(Saksi)/P 4 0 R/F 4%b>>" % field
        document = lab.sealed_of(made | {31 + at: one for at, one in enumerate(objects)})
        waiting = value_of(document, 30).replace(b"/AP<</N 31 0 R>>", b"")
        look = b"/AP<</N %d 0 R>>/V %d 0 R>>" % (PICTURE, SIGNATURE)
        written: dict[int, Body] = {
            30: waiting[: waiting.rindex(b">>")] + look,
            SIGNATURE: EMPTY_SIGNATURE,
            PICTURE: Stream(_OF_THE_FIELD, b"0 0 1 rg 10 10 100 20 re f"),
        }
        return signed(lab, document, written)

    return Attack(make, *_NOT_COMPARED)


def _sealed_note(entries: bytes, *objects: Body) -> dict[int, Body]:
    note = b"<</Type/Annot/F 4%b>>" % entries
    return {61: note, **{62 + at: one for at, one in enumerate(objects)}}


def _drawn_by_points(entries: bytes) -> Attack:
    """An annotation without a rectangle, which some readers draw by its points."""
    return covered(over(_sealed_note(entries), Annots=b"[61 0 R]"))


def _image(entries: bytes, data: bytes, sizes: bytes = b"/Width 8/Height 8") -> Attack:
    """An image that only some readers decode."""
    image = Stream(b"/Type/XObject/Subtype/Image" + sizes + entries, data)
    return _content(_PUT % b"/I Do", {60: image}, XObject=b"<</I 60 0 R>>")


def _inline(entries: bytes, data: bytes) -> Attack:
    return _content(_PUT % (b"BI/W 8/H 8%b ID %b EI" % (entries, data)))


_PUT = b"q 280 0 0 60 60 740 cm %b Q"
_GRAY = b"/ColorSpace/DeviceGray/BitsPerComponent 8"
_MASK = b"/ImageMask true"
_FAX = b"/Filter/CCITTFaxDecode/DecodeParms<</K -1/Columns %d>>"
_DOT = b"1 J 20 w 40 30 %b S"
_WAITING = b"/Subtype/Widget" + _BOX
CASES: dict[str, Attack] = {
    "painted-in-numbers-too-small": _content(b"q " + _DOWN + _UP + _AREA + b"Q"),
    "painted-in-numbers-too-large": _content(b"q " + _UP + _DOWN + _AREA + b"Q"),
    "painted-in-a-clip-of-words-without-a-font": _content(
        b"q BT 7 Tr /Nope 10 Tf 10 10 Td (x) Tj ET" + _AREA + b"Q"
    ),
    "painted-in-a-clip-of-no-height": _content(b"q 60 750 280 0 re W n" + _AREA + b"Q"),
    "painted-in-a-clip-of-a-line": _content(b"q 60 750 m 340 790 l 60 750 l W n" + _AREA + b"Q"),
    "painted-without-an-area": _content(b"q 1 .5 1 .5 0 600 cm 20 w 100 100 m 150 150 l S Q"),
    "painted-in-a-form-without-opacity": _content(
        b"/G gs /X Do",
        {60: Stream(_FORM + _PAGE, _AREA)},
        XObject=b"<</X 60 0 R>>",
        ExtGState=b"<</G<</ca 0>>>>",
    ),
    "masked-by-no-group": _masked(b"", b"0 g 0 0 595 842 re f"),
    "masked-by-a-ground-of-a-list": _masked(
        _GROUP % b"[/Indexed/DeviceGray 0<ff>]", more=b"/BC[0]"
    ),
    "masked-by-a-ground-in-ink": _masked(
        _GROUP % b"[/Separation/Gold/DeviceGray<</FunctionType 2/N 1/Domain[0 1]/C0[1]/C1[0]>>]",
        more=b"/BC[0]",
    ),
    "image-of-junk-in-jbig2": _image(
        _GRAY.replace(b"8", b"1") + b"/Filter/JBIG2Decode", b"junkjunkjunk"
    ),
    "image-of-nothing-in-jpeg-in-digits": _image(
        _GRAY + b"/Filter[/ASCIIHexDecode/DCTDecode]", b"FF>"
    ),
    "image-of-too-few-runs": _image(_GRAY + b"/Filter/RunLengthDecode", b"\0\xff\x80"),
    "image-of-a-damaged-fax": _image(_MASK + _FAX % 8, b"\1\2\3\4"),
    "image-of-a-fax-of-other-lines": _image(_MASK + _FAX % 16, b"\x80" * 8),
    "image-that-is-a-mask-of-eight-bits": _image(_MASK + b"/BitsPerComponent 8", b"\xff" * 64),
    "inline-image-of-too-few-runs": _inline(b"/CS/G/BPC 8/F/RL", b"\0\xff\x80"),
    "inline-image-of-junk-in-jpeg": _inline(b"/CS/G/BPC 8/F/DCT", b"junk"),
    "inline-image-of-a-damaged-fax": _inline(b"/IM true/F/CCF/DP<</K -1/Columns 8>>", b"\1\2\3"),
    "inline-image-with-too-few-data": _inline(b"/IM true/D[1 0]/F/Fl", zlib.compress(b"\0")),
    "inline-image-of-a-pattern": _inline(b"/CS/Pattern/BPC 8/F/Fl", zlib.compress(bytes(64))),
    "picture-of-points": _picture(_DOT % b"0 0 re"),
    "picture-of-curves-without-length": _picture(_DOT % b"m 40 30 40 30 40 30 c"),
    "picture-in-numbers-too-small": _picture(b"q " + _DOWN + _UP + b"10 10 100 20 re f Q"),
    "picture-in-a-box-beyond-32-bits": changed(_with_form(_FORM + _FAR).make, "unchanged"),
    "copied-stamp-in-a-box-beyond-32-bits": changed(_copied_beyond, "unchanged"),
    "picture-moved-beyond-32-bits": changed(
        _with_form(_FORM + b"/BBox[0 0 150 60]/Matrix[1 0 0 1 4294967296.0 0]").make, "unchanged"
    ),
    "picture-masked-by-no-group": _picture(
        b"/G gs 10 10 100 20 re f",
        b"/Resources<</ExtGState<</G<</SMask<</S/Luminosity/G 163 0 R>>>>>>>>",
        {163: Stream(_FORM + b"/BBox[0 0 150 60]", b"0 g 0 0 150 60 re f")},
    ),
    "picture-of-glyphs-of-points": _picture(
        b"BT /T 1 Tf (a) Tj ET",
        b"/Resources<</Font<</T<</Type/Font/Subtype/Type3/FontBBox[0 0 150 60]/FontMatrix[1 0 0 1 0 0]"
        b"/FirstChar 97/LastChar 97/Widths[150]/Encoding<</Differences[97/a]>>"
        b"/CharProcs<</a 163 0 R>>/Resources<<>>>>>>>>",
        {163: Stream(b"", b"150 0 d0 " + _DOT % b"0 0 re")},
    ),
    "picture-in-a-font-that-is-damaged": _picture(
        b"BT /F 40 Tf 10 10 Td ( ) Tj ET",
        b"/Resources<</Font<</F<</Type/Font/Subtype/Type1/BaseFont/Abc/FirstChar 32/LastChar 32"
        b"/Widths[1000]/FontDescriptor<</Type/FontDescriptor/FontName/Abc/Flags 4/FontFile3 163 0 R>>"
        b">>>>>>",
        {163: Stream(b"/Subtype/Type1C", b"\1\0\4\2\0\1\1\1\4Abc")},
    ),
    "picture-that-blends-on-a-page-of-gray": _picture(
        b"/G gs 0 0 1 rg 10 10 100 20 re f",
        b"/Resources<</ExtGState<</G<</ca .5>>>>>>",
        page=b"/Group<</S/Transparency/CS/DeviceGray>>",
    ),
    "placed-beyond-32-bits": changed(
        _placed(b"[4294967356.0 740 4294967636.0 800]").make, "unchanged"
    ),
    "field-that-is-a-line-until-it-is-signed": changed(
        _filled(b"/Subtype/Line/L[60 768 340 768]/C[1 0 0]/BS<</W 6>>/Rect[0 0 0 0]").make,
        "unchanged",
    ),
    "field-of-a-picture-that-leaves-its-box": _filled(
        _WAITING + b"/AP<</N 31 0 R>>", Stream(_OF_THE_FIELD, b"Q Q Q 60 740 280 60 re f")
    ),
    "field-of-a-picture-in-numbers-too-small": _filled(
        _WAITING + b"/AP<</N 31 0 R>>",
        Stream(_OF_THE_FIELD, b"q " + _DOWN + _UP + b"10 10 100 20 re f Q"),
    ),
    "field-with-a-colour-and-no-picture": _filled(_WAITING + b"/MK<</BG[1 0 0]/BC[0 0 1]>>"),
    "line-without-a-rectangle": _drawn_by_points(
        b"/Subtype/Line/L[60 750 340 790]/C[1 0 0]/BS<</W 9>>"
    ),
    "ink-without-a-rectangle": _drawn_by_points(b"/Subtype/Ink/InkList[[60 770 340 770]]/C[1 0 0]"),
    "annotation-that-leaves-its-box": Attack(
        over(
            _sealed_note(
                b"/Subtype/Stamp/Rect[20 200 22 202]/AP<</N 62 0 R>>",
                Stream(_FORM + b"/BBox[0 0 20 20]", b"Q Q Q Q 60 740 280 60 re f"),
            ),
            Annots=b"[61 0 R]",
        ),
        *_NOT_COMPARED,
    ),
    "annotation-beyond-32-bits": Attack(
        over(
            _sealed_note(b"/Subtype/Square/C[1 0 0]/Rect[4294967356.0 740 4294967636.0 800]"),
            Annots=b"[61 0 R]",
        ),
        *_NOT_COMPARED,
    ),
}
