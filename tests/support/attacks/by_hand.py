"""Attacks written byte by byte, with a later signature that holds over them.

A library writes what it means; readers differ about what no library writes.
"""

import re
from collections.abc import Callable, Mapping
from typing import Literal

from meterai.sealing.pdf.document import open_document
from meterai.sealing.pdf.syntax import Ref
from tests.support.attacks.lab import EMPTY_PAPER, Attack, Lab, changed
from tests.support.pdfmaker import Body, Stream, letter, text_of, update, whole

FIELD, SIGNATURE, PICTURE, MORE = 160, 161, 162, 163
_HOLE = 8_000  # digits
_RANGES = b"0 %010d %010d %010d"
EMPTY_SIGNATURE = (
    b"<</Type/Sig/Filter/Adobe.PPKLite/SubFilter/adbe.pkcs7.detached/M(D:20261124080000Z)/ByteRange["
    + _RANGES % (0, 0, 0)
    + b"]/Contents <%b>>>" % (b"0" * _HOLE)
)
_WIDGET = b"<</Type/Annot/Subtype/Widget/FT/Sig/T(Notaris)/F 132/Rect[%d %d %d %d]/P 4 0 R/V 161 0 R/AP<</N 162 0 R>>%%b>>"
WIDGET = _WIDGET % EMPTY_PAPER
_PICTURE = b"/Type/XObject/Subtype/Form/BBox[0 0 150 60]"
_DRAWING = b"0 0 1 rg 10 10 100 20 re f"


def sealed_letter(lab: Lab, **objects: bytes) -> bytes:
    """A letter of two pages, sealed; `objects` replace those of that number (`o5=...`)."""
    made = letter(2)
    made |= {int(name[1:]): body for name, body in objects.items()}
    return lab.sealed_of(made)


def value_of(document: bytes, number: int) -> bytes:
    """The last body of an object of the file."""
    found = re.findall(rb"(?:^|\n)%d 0 obj\s*(.*?)\s*endobj" % number, document, re.DOTALL)
    assert found, number
    return bytes(found[-1])


def form_number(document: bytes) -> int:
    """The object of the form, however its name is spelled; 0 for a form inside the catalog."""
    form = open_document(document, bytes_max=len(document)).root.get(b"/AcroForm")
    return form.number if isinstance(form, Ref) else 0


def objects_of(document: bytes) -> dict[int, Body]:
    """What a signing program writes: a field on the first page with a picture, and a signature."""
    form = form_number(document)
    return {
        4: re.sub(rb"/Annots ?\[([^\]]*)\]", rb"/Annots[\1 160 0 R]", value_of(document, 4)),
        form: re.sub(rb"/Fields ?\[([^\]]*)\]", rb"/Fields[\1 160 0 R]", value_of(document, form)),
        FIELD: WIDGET % b"",
        SIGNATURE: EMPTY_SIGNATURE,
        PICTURE: Stream(_PICTURE, _DRAWING),
    }


def signed(lab: Lab, document: bytes, objects: Mapping[int, Body], **more: object) -> bytes:
    """The document with an update of these objects, and a signature that covers it to its end."""
    made = update(document, objects, **more)  # type: ignore[arg-type]
    gap = made.rindex(b"/Contents <") + len(b"/Contents ")
    behind = gap + _HOLE + 2
    ranges = _RANGES % (gap, behind, len(made) - behind)
    at = made.rindex(_RANGES % (0, 0, 0))
    made = made[:at] + ranges + made[at + len(ranges) :]
    held = lab.cms_over(made[:gap] + made[behind:]).hex().encode()
    return made[: gap + 1] + held.ljust(_HOLE, b"0") + made[gap + 1 + _HOLE :]


Style = Literal["table", "stream"]
Edit = Callable[[bytes], bytes]


def _with(edit: Mapping[int, Edit], **more: object) -> Callable[[Lab], bytes]:
    """An honest signature, some objects of which are edited before it is made."""

    def make(lab: Lab) -> bytes:
        is_stream = more.get("style") == "stream"
        document = lab.sealed_of(letter(2), style="stream") if is_stream else lab.sealed
        objects = objects_of(document)
        for number, change in edit.items():
            body = objects.get(number)
            if isinstance(body, Stream):
                objects[number] = Stream(change(body.entries), body.data)
            else:
                objects[number] = change(body if body is not None else b"")
        return signed(lab, document, objects, **more)

    return make


def _put(text: bytes) -> Edit:
    """Entries at the end of a dictionary."""
    return lambda body: body[: body.rindex(b">>")] + text + body[body.rindex(b">>") :]


def _in_stream(text: bytes) -> Edit:
    return lambda entries: entries + text


def _swap(old: bytes, new: bytes) -> Edit:
    def change(body: bytes) -> bytes:
        assert old in body, (old, body)
        return body.replace(old, new, 1)

    return change


def _annotations(order: Callable[[list[bytes]], list[bytes]]) -> Edit:
    def change(body: bytes) -> bytes:
        inside = re.findall(rb"/Annots ?\[([^\]]*)\]", body)[-1]
        refs = order(re.findall(rb"\d+ 0 R", inside))
        return body.replace(inside, b" ".join(refs))

    return change


_ELSEWHERE = b"/Contents 163 0 R"
_XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description rdf:about=""/></rdf:RDF></x:xmpmeta>'
)
_LONG = b"595.303937007874"
_WORDS = Stream(b"", b"BT /F1 30 Tf 60 700 Td (Rp 99.000.000) Tj ET")


def _twice(number: int, text: bytes) -> Attack:
    return changed(_with({number: _put(text)}), "unchanged")


def _page_with(text: bytes) -> Callable[[Lab], bytes]:
    """The page is rewritten with one more entry, and what that leads to is added."""

    def make(lab: Lab) -> bytes:
        objects = objects_of(lab.sealed) | {MORE: _WORDS}
        objects[4] = _put(text)(objects[4])  # type: ignore[arg-type]
        return signed(lab, lab.sealed, objects)

    return make


def _rewritten(page: bytes, old: bytes, new: bytes) -> Callable[[Lab], bytes]:
    """The first page has more entries, and is written again with something else in them."""

    def make(lab: Lab) -> bytes:
        first = text_of(letter(2)[4])
        document = sealed_letter(lab, o4=first[:-2] + page + b">>")
        objects = objects_of(document)
        objects[4] = _swap(old, new)(text_of(objects[4]))
        return signed(lab, document, objects)

    return make


def _moved(inside: bytes, value: bytes) -> Callable[[Lab], bytes]:
    """The first page is written again as it was, a value of it being an object of its own."""

    def make(lab: Lab) -> bytes:
        first = text_of(letter(2)[4]).replace(b"/Resources<<", b"/Resources<<" + inside % value)
        document = sealed_letter(lab, o4=first)
        objects = objects_of(document) | {MORE: value}
        objects[4] = _swap(inside % value, inside % b"%d 0 R" % MORE)(text_of(objects[4]))
        return signed(lab, document, objects)

    return make


def _with_procedures(names: bytes) -> Callable[[Lab], bytes]:
    """An honest signature, whose program gives the form resources with sets of procedures."""

    def make(lab: Lab) -> bytes:
        objects, form = objects_of(lab.sealed), form_number(lab.sealed)
        objects[form] = _put(b"/DR<</ProcSet[%b]>>" % names)(text_of(objects[form]))
        return signed(lab, lab.sealed, objects)

    return make


def _hybrid_metadata(*, are_content: bool) -> Callable[[Lab], bytes]:
    """Metadata that the table of a hybrid file hides from old readers, written again as they were.

    `are_content`: the page draws them as well, for those who find them.
    """

    def make(lab: Lab) -> bytes:
        made = letter(2)
        made[1] = b"<</Type/Catalog/Pages 2 0 R/Metadata 60 0 R>>"
        made[60] = Stream(b"/Type/Metadata/Subtype/XML", _XMP)
        if are_content:
            made[6] = text_of(made[6]).replace(b"/Contents 7 0 R", b"/Contents[7 0 R 60 0 R]")
        sealed = lab.seal(whole(made, style="hybrid", hidden=[60]))
        return signed(lab, sealed, objects_of(sealed) | {60: made[60]})

    return make


def _in_another_style(first: Style, then: Style) -> Attack:
    """A page that refers to what is not there, and a cross-reference of another kind behind the seal:
    poppler looks for objects by itself where the newest is a table, and finds none in streams."""

    def make(lab: Lab) -> bytes:
        made = letter(2)
        made[6] = text_of(made[6])[:-2] + b"/Group 30 0 R>>"
        packed = [3] if first == "stream" else []
        sealed = lab.seal(whole(made, style=first, packed=packed))
        return signed(lab, sealed, objects_of(sealed), style=then)

    return Attack(make, "could_not_be_compared", frozenset({"compared"}))


def _dangling(reference: bytes) -> Callable[[Lab], bytes]:
    """The sealed page lists a content that does not exist; the update has that object as a part of its
    picture."""

    def make(lab: Lab) -> bytes:
        made = letter(2)
        made[4] = made[4].replace(b"/Contents 5 0 R", b"/Contents 51 0 R")  # type: ignore[union-attr]
        made[51] = b"[5 0 R %b]" % reference
        document = lab.seal(whole(made))
        objects = objects_of(document)
        inside = b"/Type/XObject/Subtype/Form/BBox[0 0 9 9]"
        objects[MORE] = Stream(inside, _WORDS.data)
        objects[PICTURE] = Stream(
            _PICTURE + b"/Resources<</XObject<</X %d 0 R>>>>" % MORE, _DRAWING
        )
        return signed(lab, document, objects)

    return make


def _prepared_annotation(lab: Lab) -> bytes:
    """An annotation that was sealed and hangs nowhere is hung with the field of the signature."""
    made = letter(2)
    made[50] = (
        b"<</Type/Annot/Subtype/FreeText/Rect[60 600 400 640]/DA(/F1 20 Tf)/Contents(Rp 99)>>"
    )
    document = lab.seal(whole(made))
    objects = objects_of(document)
    objects[4] = _swap(b" 160 0 R]", b" 50 0 R 160 0 R]")(objects[4])  # type: ignore[arg-type]
    return signed(lab, document, objects)


def _annotation_of_another_page(lab: Lab) -> bytes:
    made = letter(2)
    made[50] = b"<</Type/Annot/Subtype/Square/Rect[60 700 400 800]/IC[1 1 1]/F 4>>"
    made[6] = made[6][:-2] + b"/Annots[50 0 R]>>"  # type: ignore[operator]
    document = lab.seal(whole(made))
    objects = objects_of(document)
    objects[4] = _swap(b" 160 0 R]", b" 160 0 R 50 0 R]")(objects[4])  # type: ignore[arg-type]
    return signed(lab, document, objects)


def _zeros(lab: Lab) -> bytes:
    """Called a signature, and nothing but zeros."""
    objects = objects_of(lab.sealed)
    return update(lab.sealed, objects)


def _of_other_bytes(lab: Lab) -> bytes:
    """A signature that held for other bytes: one is different behind its range."""
    made = signed(lab, lab.sealed, objects_of(lab.sealed))
    return made.replace(b"10 10 100 20 re f", b"10 10 100 29 re f")


CASES: dict[str, Attack] = {
    "by-hand-zeros": changed(_zeros, "unchanged"),
    "by-hand-over-other-bytes": changed(_of_other_bytes, "unchanged"),
    # 2: keys twice
    "twice-contents": changed(_page_with(b"/Contents 5 0 R" + _ELSEWHERE), "unchanged"),
    "twice-contents-escaped": changed(_page_with(b"/Con#74ents 163 0 R"), "unchanged"),
    "twice-contents-behind-a-comment": changed(_page_with(b"%x\n/Contents 163 0 R"), "unchanged"),
    "twice-media-box": _twice(4, b"/MediaBox[0 0 100 100]"),
    "twice-in-the-widget": _twice(FIELD, b"/AP<</N 5 0 R>>"),
    "twice-rectangle": _twice(FIELD, b"/Rect[60 740 340 800]"),
    "twice-in-the-picture": changed(
        _with({PICTURE: _in_stream(b"/BBox[-500 -500 900 900]")}), "unchanged"
    ),
    "twice-byte-range": _twice(SIGNATURE, b"/ByteRange[0 1 2 3]"),
    # 3: the order of annotations
    "annotations-in-another-order": changed(
        _with({4: _annotations(lambda refs: refs[::-1])}), "unchanged"
    ),
    "annotations-repeated": changed(
        _with({4: _annotations(lambda refs: [*refs, refs[0]])}), "unchanged"
    ),
    "annotations-field-first": changed(
        _with({4: _annotations(lambda refs: [refs[-1], *refs[:-1]])}), "unchanged"
    ),
    "annotations-field-twice": changed(
        _with({4: _annotations(lambda refs: [*refs, refs[-1]])}), "unchanged"
    ),
    "annotations-emptied": changed(_with({4: _annotations(lambda refs: refs[-1:])}), "unchanged"),
    # 4: prepared
    "annotation-prepared": changed(_prepared_annotation, "unchanged"),
    "annotation-of-another-page": changed(_annotation_of_another_page, "unchanged"),
    # 5: references to nothing
    **{
        f"waits-for-{name}": changed(_dangling(written), "unchanged")
        for name, written in {
            "plain": b"163 0 R",
            "leading-zeros": b"000163 0 R",
            "eleven-digits": b"000000000163 0 R",
            "beyond-32-bits": b"4294967459 0 R",
            "vertical-tab": b"163\x0b0 R",
            "fraction": b"163.0 0 R",
            "comment": b"163 %x\n0 R",
        }.items()
    },
    # 6: pictures and widgets
    "picture-without-a-box": changed(
        _with({PICTURE: _swap(b"/BBox[0 0 150 60]", b"")}), "unchanged"
    ),
    "picture-with-an-empty-box": changed(
        _with({PICTURE: _swap(b"[0 0 150 60]", b"[0 0 0 0]")}), "unchanged"
    ),
    "picture-skewed": changed(_with({PICTURE: _in_stream(b"/Matrix[1 .5 .5 1 0 0]")}), "unchanged"),
    "picture-of-a-layer": changed(_with({PICTURE: _in_stream(b"/OC 5 0 R")}), "unchanged"),
    "picture-that-borrows": changed(
        _with({PICTURE: _in_stream(b"/Resources<</Font<</F1 3 0 R>>>>")}), "unchanged"
    ),
    "picture-by-reference": changed(
        _with({PICTURE: _in_stream(b"/Ref<</F(x.pdf)/Page 0>>")}), "unchanged"
    ),
    **{
        f"widget-with-{name}": _twice(FIELD, entry)
        for name, entry in {
            "a-parent": b"/Parent 4 0 R",
            "a-layer": b"/OC 5 0 R",
            "colours": b"/MK<</BG[1 1 1]>>",
            "an-action": b"/A<</S/URI/URI(https://x.example)>>",
            "more-actions": b"/AA<</E<</S/Hide/T(Notaris)>>>>",
            "a-popup": b"/Popup 4 0 R",
            "a-destination": b"/Dest[4 0 R/Fit]",
            "a-border": b"/Border[0 0 90]",
            "a-style": b"/BS<</W 90>>",
            "other-looks": b"/AS/Off",
        }.items()
    },
}

CASES |= {
    "page-made-wider-by-a-thousandth": changed(
        _rewritten(b"/ArtBox[0 0 %b 842]" % _LONG, _LONG, b"595.304937"), "unchanged"
    ),
    "page-with-other-private-data": changed(
        _rewritten(b"/PieceInfo<</X<</Private(a)>>>>", b"Private(a)", b"Private(b)"), "unchanged"
    ),
    "page-with-more-private-data": changed(
        _rewritten(b"/PieceInfo<</X<</Private(a)>>>>", b"(a)", b"(a)/OC 5 0 R"), "unchanged"
    ),
    "table-behind-streams": _in_another_style("stream", "table"),
    "stream-behind-tables": _in_another_style("table", "stream"),
    "metadata-that-are-content-of-a-hybrid-file": changed(
        _hybrid_metadata(are_content=True), "unchanged"
    ),
}

CASES |= {
    f"signature-called-{name}": changed(
        _with({SIGNATURE: _swap(b"/adbe.pkcs7.detached", kind)}), "unchanged"
    )
    for name, kind in {
        "a-time-stamp": b"/ETSI.RFC3161",
        "one-of-a-digest": b"/adbe.pkcs7.sha1",
        "one-of-a-bare-key": b"/adbe.x509.rsa_sha1",
        "what-nobody-knows": b"/apa.saja",
    }.items()
}

CASES |= {
    "value-of-a-font-moved": changed(
        _moved(b"/ExtGState<</G<</Font[3 0 R %b]>>>>", b"24"), "unchanged"
    ),
    "way-of-blending-moved": changed(
        _moved(b"/ExtGState<</G<</BM[%b/Normal]>>>>", b"/Multiply"), "unchanged"
    ),
    "dashes-moved": changed(_moved(b"/ExtGState<</G<</D[%b 0]>>>>", b"[3 5]"), "unchanged"),
    "picture-in-a-box-of-nearly-nothing": changed(
        _with(
            {PICTURE: lambda text: re.sub(rb"/BBox ?\[[^\]]*\]", b"/BBox[0 0 .0001 .0001]", text)}
        ),
        "unchanged",
    ),
    "procedures-of-no-standard": changed(_with_procedures(b"/PDF/Rahasia"), "unchanged"),
}

HONEST: dict[str, Attack] = {
    "by-hand-names-of-procedures": Attack(
        _with_procedures(b"/PDF/Text/ImageB/ImageC/ImageI"), "genuine_then_signed"
    ),
    "by-hand-rounded": Attack(
        _rewritten(b"/ArtBox[0 0 %b 842]" % _LONG, _LONG, b"595.303937"), "genuine_then_signed"
    ),
    "by-hand-private-data-encoded-anew": Attack(
        _rewritten(b"/PieceInfo<</X<</Private<FEFF0061>>>>>", b"<FEFF0061>", b"(a)"),
        "genuine_then_signed",
    ),
    "by-hand-metadata-of-a-hybrid-file": Attack(
        _hybrid_metadata(are_content=False), "genuine_then_signed"
    ),
    "by-hand-honest": Attack(_with({}), "genuine_then_signed"),
    "by-hand-honest-stream": Attack(_with({}, style="stream"), "genuine_then_signed"),
}
