"""Attacks by a later update that the rules for later signatures let pass when they were written.

Each is the smallest that was found; `signed_by_hand` signs an update that no library would write.
"""

import asyncio
import hashlib
import io
import re
import zlib
from collections.abc import Callable, Mapping
from functools import partial

import pikepdf
import pypdfium2
from PIL import Image

from meterai.sealing import Placement
from meterai.sealing.pdf.document import open_document
from meterai.sealing.pdf.syntax import Ref
from tests.support.attacks.lab import CORNER_BOX, OVER_WORDS, Attack, Lab, changed, covered
from tests.support.pdfmaker import (
    Body,
    Row,
    Stream,
    letter,
    packed_stream,
    tail_of,
    text_of,
    update,
    whole,
    written,
)

_FIELD, _SIGNATURE, _PICTURE, _IMAGE = 200, 201, 202, 203
_RANGE = b"/ByteRange[0 AAAAAAAAAA BBBBBBBBBB CCCCCCCCCC]"
_EVIL = b"q BT /F1 60 Tf 72 400 Td (Rp 999) Tj ET Q"
_FORM = b"/Type/XObject/Subtype/Form"
_WHITE_OUT = Stream(_FORM + b"/BBox[0 0 280 60]", b"1 g 0 0 280 60 re f 0 g 10 10 20 20 re f")
_XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-'
    b'syntax-ns#"><rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/">%b'
    b"</rdf:Description></rdf:RDF>%b</x:xmpmeta>"
)
_XMP_ENTRIES = b"/Type/Metadata/Subtype/XML"

Make = Callable[[Lab], bytes]


def signature(entries: bytes = b"") -> bytes:
    """A signature dictionary to be filled in by `completed`."""
    return b"<</Type/Sig%b/Filter/Adobe.PPKLite/SubFilter/adbe.pkcs7.detached%b/Contents<%b>>>" % (
        entries,
        _RANGE,
        b"0" * 6000,
    )


def completed(lab: Lab, document: bytes) -> bytes:
    """The document with its one open signature made by the stranger."""
    start = document.rindex(b"/Contents<") + len(b"/Contents")
    stop = document.index(b">", start) + 1
    for mark, value in (
        (b"AAAAAAAAAA", start),
        (b"BBBBBBBBBB", stop),
        (b"CCCCCCCCCC", len(document) - stop),
    ):
        document = document.replace(mark, b"%-10d" % value)
    digest = hashlib.sha256(document[:start] + document[stop:]).digest()
    made = bytes(asyncio.run(lab.stranger.async_sign(digest, "sha256", use_pades=False)).dump())
    digits = made.hex().encode().ljust(stop - start - 2, b"0")
    return document[:start] + b"<" + digits + b">" + document[stop:]


def object_of(document: bytes, number: int) -> bytes:
    """The newest body of an object that is no stream."""
    start = [one.end() for one in re.finditer(rb"(?<!\d)%d 0 obj" % number, document)][-1]
    return document[start : document.index(b"endobj", start)].strip()


def with_field(document: bytes, field: int, objects: Mapping[int, Body]) -> dict[int, Body]:
    """The objects, and the form with one more field at its end."""
    objects = dict(objects)
    named = re.search(rb"/AcroForm\s*(\d+) 0 R", object_of(document, 1))
    number = int(named[1]) if named else 1
    form = text_of(objects.get(number, object_of(document, number)))
    objects[number] = re.sub(
        rb"/Fields\s*\[([^\]]*)\]", lambda found: b"/Fields[%b %d 0 R]" % (found[1], field), form
    )
    return objects


def signed_by_hand(
    lab: Lab,
    document: bytes,
    objects: Mapping[int, Body] | None = None,
    *,
    field: bytes = b"",
    page: int = 0,
    post: Callable[[bytes], bytes] = bytes,
    **style: object,
) -> bytes:
    """The document with an update that brings a signature and these objects.

    `field` are entries of its field, which hangs on the page of that object; `post` edits the file
    before it is signed.
    """
    found = with_field(document, _FIELD, objects or {})
    found[_FIELD] = b"<</FT/Sig/T(Notaris)/V %d 0 R%b>>" % (_SIGNATURE, field)
    found[_SIGNATURE] = signature()
    if page:
        found[page] = _hung(object_of(document, page), _FIELD)
    return completed(lab, post(update(document, found, **style)))  # type: ignore[arg-type]


def _hung(page: bytes, number: int) -> bytes:
    if b"/Annots" in page:
        return re.sub(rb"/Annots\s*\[([^\]]*)\]", rb"/Annots[\1 %d 0 R]" % number, page)
    return page[:-2] + b"/Annots[%d 0 R]>>" % number


def _at(box: tuple[float, ...], picture: int = _PICTURE) -> bytes:
    corners = b" ".join(b"%.3f" % one for one in box)
    look = b"/AP<</N %d 0 R>>" % picture
    return b"/Type/Annot/Subtype/Widget/F 132/Rect[%b]%b" % (corners, look)


def _edited(number: int, *pairs: tuple[bytes, bytes]) -> dict[int, Body]:
    """The letter, with this replaced in one of its objects."""
    objects = letter(2)
    text = text_of(objects[number])
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    return {**objects, number: text}


# -- objects that are two things -------------------------------------------------------------


def _evidence_is_content(first: bytes, then: bytes, objects: Mapping[int, Body]) -> Make:
    """A list of certificates is the list of a page's contents; no key is needed for evidence."""

    def make(lab: Lab) -> bytes:
        prepared = _edited(6, (b"/Contents 7 0 R", b"/Contents 50 0 R"))
        store = b"<</Type/DSS/Certs 50 0 R>>"
        prepared |= {1: b"<</Type/Catalog/Pages 2 0 R/DSS 51 0 R>>", 51: store, 50: first}
        prepared[60] = Stream(b"", b"1 g 0 0 595 842 re f 0 g")
        return lab.raw(lab.sealed_of(prepared), {51: store, 50: then, **objects})

    return make


def _resources_are_those_of_a_page(lab: Lab) -> bytes:
    """/DR of the form are the resources of a page, which asks for a name they get later."""
    objects = _edited(6, (b"/Resources<</Font<</F1 3 0 R>>>>", b"/Resources 40 0 R"))
    objects[1] = b"<</Type/Catalog/Pages 2 0 R/AcroForm 30 0 R>>"
    objects |= {30: b"<</Fields[]/DR 40 0 R>>", 40: b"<</Font<</F1 3 0 R>>>>"}
    objects[7] = Stream(b"", b"BT /F1 24 Tf 72 760 Td (Rp 1) Tj ET /Evil Do")
    picture = Stream(_FORM + b"/BBox[0 0 595 842]", b"1 g 60 740 300 60 re f")
    grown = b"<</Font<</F1 3 0 R>>/XObject<</Evil 210 0 R>>>>"
    return signed_by_hand(lab, lab.sealed_of(objects), {40: grown, 210: picture})


def _fields_are_annotations(lab: Lab) -> bytes:
    """The list of fields was that of a page's annotations before sealing; as one it brings the field
    there."""
    objects = _edited(6, (b"/Parent", b"/Annots 30 0 R/Parent"))
    objects[1] = b"<</Type/Catalog/Pages 2 0 R/AcroForm 31 0 R>>"
    objects |= {30: b"[]", 31: b"<</Fields 30 0 R>>"}
    return signed_by_hand(lab, lab.sealed_of(objects), {30: b"[%d 0 R]" % _FIELD})


def _signature_is_a_graphics_state(lab: Lab) -> bytes:
    """`/V gs`: the field is the page's list of graphics states, the signature makes ink clear."""
    objects = _edited(6, (b"/Resources<<", b"/Resources<</ExtGState 32 0 R"))
    objects[1] = b"<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[32 0 R]>>>>"
    objects[32] = b"<</FT/Sig/T(Notaris)>>"
    objects[7] = Stream(b"", b"/V gs BT /F1 24 Tf 72 760 Td (Rp 1) Tj ET")
    filled = b"<</FT/Sig/T(Notaris)/V 201 0 R>>"
    made = {32: filled, _SIGNATURE: signature(b"/ca 0/CA 0")}
    return completed(lab, update(lab.sealed_of(objects), made))


def _metadata_are_content(lab: Lab) -> bytes:
    """The metadata are the contents of a page; an instruction in XML says nothing to readers of XML."""
    objects = _edited(6, (b"/Contents 7 0 R", b"/Contents[7 0 R 60 0 R]"))
    objects[1] = b"<</Type/Catalog/Pages 2 0 R/Metadata 60 0 R>>"
    objects[60] = Stream(_XMP_ENTRIES, _XMP % (b"", b""))
    drawing = Stream(_XMP_ENTRIES, _XMP % (b"", b"<?x > %b <?>" % _EVIL))
    return signed_by_hand(lab, lab.sealed_of(objects), {60: drawing})


def _metadata_are_a_graphics_state(lab: Lab) -> bytes:
    objects = _edited(6, (b"/Resources<<", b"/Resources<</ExtGState<</G 60 0 R>>"))
    objects[1] = b"<</Type/Catalog/Pages 2 0 R/Metadata 60 0 R>>"
    objects[7] = Stream(b"", b"/G gs BT /F1 24 Tf 72 760 Td (Rp 1) Tj ET")
    objects[60] = Stream(_XMP_ENTRIES, _XMP % (b"", b""))
    clear = Stream(_XMP_ENTRIES + b"/ca 0/CA 0", _XMP % (b"", b""))
    return signed_by_hand(lab, lab.sealed_of(objects), {60: clear})


def _metadata_swapped(lab: Lab) -> bytes:
    """Title and description change places: every text is known, but not as what it is."""

    def said(title: bytes, words: bytes) -> Stream:
        item = b'<dc:%b><rdf:Alt><rdf:li xml:lang="x-default">%b</rdf:li></rdf:Alt></dc:%b>'
        both = item % (b"title", title, b"title") + item % (b"description", words, b"description")
        return Stream(_XMP_ENTRIES, _XMP % (both, b""))

    objects = letter(2)
    shown = b"/ViewerPreferences<</DisplayDocTitle true>>"
    objects[1] = b"<</Type/Catalog/Pages 2 0 R/Metadata 60 0 R%b>>" % shown
    objects[60] = said(b"BELUM LUNAS", b"LUNAS")
    return signed_by_hand(lab, lab.sealed_of(objects), {60: said(b"LUNAS", b"BELUM LUNAS")})


# -- widgets that nobody draws ---------------------------------------------------------------


def _unsigned_beside(lab: Lab) -> bytes:
    """An unsigned field with a picture over the words, beside a signature that is not seen."""
    objects = with_field(lab.sealed, 210, {6: _hung(object_of(lab.sealed, 6), 210)})
    objects[210] = b"<</FT/Sig/T(Lain)/P 6 0 R%b>>" % _at(OVER_WORDS)
    return signed_by_hand(lab, lab.sealed, {**objects, _PICTURE: _WHITE_OUT})


def _waiting(
    annotation: bytes, field: bytes = b"", pages: tuple[int, ...] = (6,)
) -> dict[int, Body]:
    """A letter with an empty signature field (32) and its widget (33, or the field itself)."""
    objects = letter(2)
    objects[1] = b"<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[32 0 R]>>>>"
    shown = 33 if field else 32
    objects[32] = b"<</FT/Sig/T(Notaris)%b>>" % (field or annotation)
    if field:
        objects[33] = b"<<%b/Parent 32 0 R>>" % annotation
    for page in pages:
        objects[page] = text_of(objects[page])[:-2] + b"/Annots[%d 0 R]>>" % shown
    return objects


def _picture_of_an_unsigned_widget(lab: Lab) -> bytes:
    """A field that was sealed empty stays so, but its widget gets a picture."""
    place = b"/Type/Annot/Subtype/Widget/F 4/Rect[60 740 340 800]"
    sealed = lab.sealed_of(_waiting(place, b"/Kids[33 0 R]"))
    shown = b"<<%b/Parent 32 0 R/AP<</N 202 0 R>>>>" % place
    return signed_by_hand(lab, sealed, {33: shown, _PICTURE: _WHITE_OUT})


def _empty_field_on_two_pages(lab: Lab) -> bytes:
    """A sealed widget hangs on two pages: on the first it covers nothing."""
    objects = _waiting(b"/Type/Annot/Subtype/Widget/F 4/Rect[60 740 340 800]", pages=(4, 6))
    objects[5] = Stream(b"", b"")
    return lab.signed(lab.sealed_of(objects))


def _without_room(lab: Lab) -> bytes:
    """A rectangle without room and a picture without a box: PDFium draws it in its own size."""
    place = _at((60, 740, 60, 740)) + b"/P 6 0 R"
    picture = Stream(_FORM, _WHITE_OUT.data)
    return signed_by_hand(lab, lab.sealed, {_PICTURE: picture}, field=place, page=6)


# -- fields that are drawn anew --------------------------------------------------------------


def _form_with(form: bytes, field: bytes, old: bytes, new: bytes, *, is_listed: bool) -> Make:
    """A text field without a picture, drawn by viewers as the form says; the form says it anew."""

    def make(lab: Lab) -> bytes:
        objects = letter(2)
        listed = b"31 0 R" if is_listed else b""
        objects[1] = b"<</Type/Catalog/Pages 2 0 R/AcroForm 30 0 R>>"
        objects[30] = b"<</Fields[%b]%b>>" % (listed, form)
        shown = b"/Type/Annot/Subtype/Widget/F 4/Rect[300 500 400 520]/P 6 0 R"
        objects[31] = b"<<%b/FT/Tx/T(Harga)/V(Rp99999999)%b>>" % (shown, field)
        objects[6] = text_of(objects[6])[:-2] + b"/Annots[31 0 R]>>"
        sealed = lab.sealed_of(objects)
        grown = object_of(sealed, 30)
        assert old in grown
        font = b"<</Type/Font/Subtype/Type1/BaseFont/ZapfDingbats>>"
        more: dict[int, Body] = {30: grown.replace(old, new)}
        if b"210 0 R" in new:
            more[210] = font
        return signed_by_hand(lab, sealed, more)

    return make


# -- what readers read differently -----------------------------------------------------------


def _page_again(prepared: bytes, later: bytes, *, tree: bytes = b"", above: bytes = b"") -> Make:
    """The second page, with other entries that are called the same.

    `tree` are entries of the page tree, `above` those of a node that only /Parent leads to.
    """

    def make(lab: Lab) -> bytes:
        objects = letter(2)
        page = text_of(objects[6])
        for key in (b"/MediaBox[0 0 595 842]", b"/Resources<</Font<</F1 3 0 R>>>>"):
            if key.partition(b"[")[0].partition(b"<")[0] in tree + above:
                page = page.replace(key, b"")
        objects[2] = text_of(objects[2])[:-2] + tree + b">>"
        if above:
            page = page.replace(b"/Parent 2 0 R", b"/Parent 60 0 R")
            objects[60] = b"<</Type/Pages/Kids[]/Count 0%b>>" % above
        objects[6] = page[:-2] + prepared + b">>"
        return signed_by_hand(lab, lab.sealed_of(objects), {6: page[:-2] + later + b">>"})

    return make


def _image_again(lab: Lab) -> bytes:
    """An image as it was, but for a number that has a point now: poppler does not draw it."""
    head = b"/Type/XObject/Subtype/Image/Width 8/Height 8/ColorSpace/DeviceGray"
    objects = _edited(6, (b"/Resources<<", b"/Resources<</XObject<</I 60 0 R>>"))
    objects[7] = Stream(b"", b"q 200 0 0 200 100 300 cm /I Do Q")
    objects[60] = Stream(head + b"/BitsPerComponent 8", bytes(64))
    again = Stream(head + b"/BitsPerComponent 8.", bytes(64))
    return signed_by_hand(lab, lab.sealed_of(objects), {60: again})


def _waited_for(reference: bytes) -> Make:
    """A reference that some readers see, and that evidence fills."""

    def make(lab: Lab) -> bytes:
        objects = _edited(6, (b"/Contents 7 0 R", b"/Contents[7 0 R %b]" % reference))
        sealed = lab.sealed_of(objects)
        root = object_of(sealed, 1)[:-2] + b"/DSS 90 0 R>>"
        store = b"<</Type/DSS/Certs[60 0 R]>>"
        return lab.raw(sealed, {1: root, 90: store, 60: Stream(b"", _EVIL)})

    return make


def _stream_of_its_length(lab: Lab) -> bytes:
    """A stream longer than it says is shown whole; written again, it ends where it says."""
    words = b"BT /F1 24 Tf 72 760 Td (Rp 1) Tj ET\n"
    more = b"BT /F1 24 Tf 72 700 Td (tidak berlaku) Tj ET"
    objects = letter(2)
    objects[7] = b"<</Length %d>>stream\n%b\nendstream" % (len(words), words + more)
    return signed_by_hand(lab, lab.sealed_of(objects), {7: Stream(b"", words)})


def _hidden_from_readers(lab: Lab) -> bytes:
    """An array that readers do not find, for the table calls it free; written again, they do."""
    objects = _edited(6, (b"/Contents 7 0 R", b"/Contents 50 0 R"))
    objects[50] = b"[7 0 R]"
    document = whole(objects, style="hybrid", packed=[50])
    start = document.rindex(b"trailer")
    free = b"50 1\n0000000000 65535 f \n"
    sealed = lab.seal(document[:start] + free + document[start:])
    return signed_by_hand(lab, sealed, {50: b"[7 0 R]"})


def _enciphered(*, is_plain: bool) -> Make:
    """A stream whose length is none that AES has is empty for us, and so is any other such stream.

    `is_plain`: its crypt filter says that it is not enciphered at all.
    """

    def make(lab: Lab) -> bytes:
        out = io.BytesIO()
        with pikepdf.open(io.BytesIO(lab.original)) as opened:
            opened.save(out, encryption=pikepdf.Encryption(owner="", user="", R=6))
        document = out.getvalue()
        number = int(re.findall(rb"/Contents (\d+) 0 R", document)[-1])
        cipher = open_document(document, bytes_max=len(document)).cipher
        assert cipher is not None
        entries = b"/Filter/Crypt/DecodeParms<</Name/Identity>>" if is_plain else b""
        bodies: list[Body] = []
        for words in (b"Rp 1.000", b"Rp 999.999.999"):
            drawn = b"BT /F1 24 Tf 72 760 Td (%b) Tj ET" % words
            data = drawn + b" " * (17 - len(drawn) % 16)
            if not is_plain:
                data = cipher.encrypt_stream(Ref(number, 0), drawn) + b"x"
            bodies.append(Stream(entries, data))
        sealed = lab.seal(update(document, {number: bodies[0]}))
        return signed_by_hand(lab, sealed, {number: bodies[1]})

    return make


# -- cross-references, and files that readers repair -----------------------------------------


def _twin() -> bytes:
    """Another content for the second page, to be found by who looks for objects in all bytes."""
    return b"\n" + written(7, Stream(b"", _EVIL))


def _sealed_twin(lab: Lab) -> bytes:
    return lab.sealed_of({**letter(2), 60: Stream(b"", _twin())})


def _repaired(old: bytes, new: bytes) -> Make:
    """A file that our reader reads and another repairs."""

    def make(lab: Lab) -> bytes:
        def post(document: bytes) -> bytes:
            start = document.rindex(old)
            return document[:start] + new + document[start + len(old) :]

        return signed_by_hand(lab, _sealed_twin(lab), post=post)

    return make


def _wide_rows(lab: Lab) -> bytes:
    """Rows of a cross-reference stream with a first field of eight bytes."""

    def post(document: bytes) -> bytes:
        start = document.rindex(b"/Type/XRef")
        body = document[start:]
        length = int(re.search(rb"/Length (\d+)", body)[1])  # type: ignore[index]
        data = body.index(b"stream\n") + len(b"stream\n")
        rows = zlib.decompress(body[data : data + length])
        wide = b"".join(bytes(7) + rows[at : at + 7] for at in range(0, len(rows), 7))
        packed = zlib.compress(wide)
        head = body[:data].replace(b"/W[1 4 2]", b"/W[8 4 2]")
        head = head.replace(b"/Length %d" % length, b"/Length %d" % len(packed))
        return document[:start] + head + packed + body[data + length :]

    return signed_by_hand(lab, _sealed_twin(lab), post=post, style="stream")


def _previous_real(lab: Lab) -> bytes:
    def post(document: bytes) -> bytes:
        start = document.rindex(b"/Prev ")
        return document[:start] + re.sub(rb"/Prev (\d+)", rb"/Prev \1.", document[start:])

    return signed_by_hand(lab, lab.sealed, post=post)


def _rows_beside(entry: bytes, style: str) -> Make:
    """A prepared cross-reference stream that only some readers take for part of the update."""

    def make(lab: Lab) -> bytes:
        base = whole(letter(2))
        holder = written(60, Stream(b"", _twin()))
        offset = len(base) + holder.index(_twin()) + 1
        row = b"\1" + offset.to_bytes(4, "big") + bytes(2)
        rows = Stream(b"/Type/XRef/W[1 4 2]/Index[7 1]/Size 100", row)
        prepared = update(base, {60: Stream(b"", _twin()), 61: rows})
        sealed = lab.seal(prepared)
        trailer = tail_of(sealed)[2] + entry % (len(base) + len(holder))
        return signed_by_hand(lab, sealed, trailer=trailer, style=style)

    return make


def _page_in_a_stream_elsewhere(lab: Lab) -> bytes:
    """An object stream whose data, for MuPDF, are in another file (/F)."""
    page = object_of(lab.sealed, 6)
    stream = packed_stream({6: page}, b"/F(x)")
    rows = {6: Row("s", 220, 0)}
    return signed_by_hand(lab, lab.sealed, {220: stream}, rows=rows, style="stream")


def _linearized(lab: Lab, said: bytes = b"/Linearized 1/L %010d") -> bytes:
    """A file that says it is linearized and as long as it will be with a later signature.

    Poppler and pdf.js then read the first section, before the one that showed the letter.
    """
    head = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"
    objects = letter(2, "Rp 999")
    bodies = {number: written(number, body) for number, body in objects.items()}

    def whole_of(length: int) -> bytes:
        first = b"20 0 obj\n<<%b/H[9 9]/O 4/E 9/N 2/T 9>>\nendobj\n" % (said % length)
        start = len(head) + len(first)
        entries = b"trailer\n<</Root 1 0 R/Size 21/ID[<00><00>]>>\nstartxref\n0\n%%EOF\n"
        table = len(b"xref\n0 8\n20 1\n") + 20 * 9 + len(entries)
        offsets, at = {}, start + table
        for number, body in sorted(bodies.items()):
            offsets[number], at = at, at + len(body)
        rows = b"".join(b"%010d 00000 n \n" % offsets[number] for number in sorted(offsets))
        section = b"xref\n0 8\n0000000000 65535 f \n%b20 1\n%010d 00000 n \n%b" % (
            rows,
            len(head),
            entries,
        )
        everything = b"".join(bodies[number] for number in sorted(bodies))
        base = head + first + section + everything + b"startxref\n%d\n%%%%EOF\n" % start
        return lab.seal(update(base, letter(2)))

    # An ECDSA value varies by a byte or two, a stamp by some 350 (`artwork.code`); the file does not.
    length = len(signed_by_hand(lab, whole_of(0))) + 512
    made = signed_by_hand(lab, whole_of(length))
    return made + b"\n" * (length - len(made))


# -- what is seen ----------------------------------------------------------------------------


def _boxes(
    content: bytes, paint: bytes, *boxes: tuple[float, ...], media: bytes = b"", pages: int = 2
) -> Make:
    """Signatures over parts of what the second page shows, and one on each further page."""

    def make(lab: Lab) -> bytes:
        objects = letter(pages)
        if media:
            for number in range(4, 4 + 2 * pages, 2):
                page = text_of(objects[number])
                objects[number] = page.replace(b"[0 0 595 842]", media)
        objects[7] = Stream(b"", content)
        document = lab.seal(whole(objects), Placement(1, 20, 20, 65))
        places = [(6, box) for box in boxes]
        places += [(8 + 2 * index, (500, 10, 502, 12)) for index in range(pages - 2)]
        for index, (number, box) in enumerate(places):
            document = signed_with_picture(lab, document, index, number, box, paint)
        return document

    return make


def signed_with_picture(
    lab: Lab,
    document: bytes,
    index: int,
    page: int,
    box: tuple[float, ...],
    paint: bytes,
    inside: bytes = b"",
) -> bytes:
    """The document with one more signature, seen in a box of the page of this number; `paint` is its
    picture in a hundred units across and up, `inside` more entries of that."""
    first = 300 + 10 * index
    picture = Stream(_FORM + b"/BBox[0 0 100 100]" + inside, paint)
    objects = with_field(document, first, {page: _hung(object_of(document, page), first)})
    named = b"/FT/Sig/T(N%d)/V %d 0 R/P %d 0 R" % (index, first + 1, page)
    objects[first] = b"<<%b%b>>" % (named, _at(box, first + 2))
    return completed(lab, update(document, {**objects, first + 1: signature(), first + 2: picture}))


def over(objects: Mapping[int, Body], **entries: bytes) -> Make:
    """A signature over what PDFium and pdf_oxide do not draw, and other readers do.

    `entries` are of the second page, which has no words.
    """

    def make(lab: Lab) -> bytes:
        prepared: dict[int, Body] = {**letter(2), 7: Stream(b"", b""), **objects}
        more = b"".join(b"/%b %b" % (key.encode(), value) for key, value in entries.items())
        page = text_of(prepared[6]).replace(b"/Resources<<", b"/Resources<<" + more)
        if "Annots" in entries:
            page = text_of(prepared[6])[:-2] + more + b">>"
        document = lab.sealed_of({**prepared, 6: page})
        return signed_with_picture(
            lab, document, 0, 6, (50, 735, 345, 805), b"1 g 0 0 100 100 re f"
        )

    return make


def _drawn_by_few(kind: bytes, entries: bytes) -> Make:
    """An annotation without a picture of its own."""
    place = b"/Type/Annot/F 4/Rect[60 740 340 800]/Subtype/"
    return over({61: b"<<%b%b%b>>" % (place, kind, entries)}, Annots=b"[61 0 R]")


def _without_code(stamp: Image.Image) -> Image.Image:
    wide, high = stamp.size
    stamp.paste("white", (wide // 20, high // 4, wide * 19 // 20, high * 19 // 20))
    return stamp


def _turned(stamp: Image.Image) -> Image.Image:
    return _without_code(stamp).transpose(Image.Transpose.ROTATE_90)


def _copies(
    *boxes: tuple[float, ...],
    matrix: bytes = b"",
    change: Callable[[Image.Image], Image.Image] = Image.Image.copy,
) -> Make:
    """The picture of our stamp, changed, and cut into as many pieces as there are boxes."""

    def make(lab: Lab) -> bytes:
        document = lab.sealed
        drawn = pypdfium2.PdfDocument(document)
        drawn.init_forms()
        page = drawn[0].render(scale=8).to_pil().convert("RGB")
        left, low, right, top = CORNER_BOX
        edges = (left, 842 - top, right, 842 - low)
        stamp = change(page.crop(tuple(round(8 * edge) for edge in edges)))
        wide = stamp.width // len(boxes)
        for index, box in enumerate(boxes):
            part = stamp.crop((wide * index, 0, wide * (index + 1), stamp.height))
            first = 300 + 10 * index
            head = b"/Type/XObject/Subtype/Image/BitsPerComponent 8/ColorSpace/DeviceRGB"
            sizes = b"/Width %d/Height %d/Filter/FlateDecode" % part.size
            image = Stream(head + sizes, zlib.compress(part.tobytes()))
            inside = b"/BBox[0 0 100 100]/Resources<</XObject<</I %d 0 R>>>>" % (first + 3)
            picture = Stream(_FORM + inside + matrix, b"100 0 0 100 0 0 cm /I Do")
            objects = with_field(document, first, {6: _hung(object_of(document, 6), first)})
            named = b"/FT/Sig/T(N%d)/V %d 0 R/P 6 0 R" % (index, first + 1)
            objects[first] = b"<<%b%b>>" % (named, _at(box, first + 2))
            more: dict[int, Body] = {first + 1: signature(), first + 2: picture, first + 3: image}
            document = completed(lab, update(document, {**objects, **more}))
        return document

    return make


def many_ranges() -> bytes:
    """No seal, 32 MB: what looks like byte ranges has it searched for hidden seals 64 times."""
    size = 32 * 1024 * 1024 - 100
    ranges = b"/ByteRange[0 0 %010d 1]\n" % (size - 1000) * 64
    return (b"%PDF-1.4\n" + ranges + (b"<" + b"a" * 131_000 + b"x") * 256)[:size]


_SUM = b"BT /F1 %d Tf 72 700 Td (Rp 1%b000) Tj ET"
_WHITE, _GREEN = b"1 g 0 0 100 100 re f", b"0 0.39 0 rg 0 0 100 100 re f"
_RED_ON_GREEN = (
    b"0 0.39 0 rg 60 600 400 200 re f BT 0.75 0 0 rg /F1 40 Tf 72 700 Td (Rp 1.000) Tj ET"
)
_HELVETICA = b"/DR<</Font<</F1 3 0 R>>>>"
_LOOKS = b"/DA(/F1 9 Tf 0 g)"
_WITH_DINGBATS = b"/DR<</Font<</F1 3 0 R/Ev 210 0 R>>>>"
_DINGBATS = b"/Resources<</Font<</F1<</Type/Font/Subtype/Type1/BaseFont/ZapfDingbats>>>>>>"
_FONTS = b"/Resources<</Font<</F1 3 0 R>>>>"

_LINEARIZED = {
    "escapes": b"/Linearize#64 1/L %010d",
    "an-escaped-length": b"/Linearized 1/#4c %010d",
    "a-comment": b"/Linearized 1/L%%x\n%010d",
    "white-space": b" " * 3_000 + b"/Linearized 1/L %010d",
    "much-white-space": b"\n" * 2_000_000 + b"/Linearized 1/L %010d",
}

CASES: dict[str, Attack] = {
    "evidence-list-that-is-a-pages-content": changed(
        _evidence_is_content(b"[7 0 R]", b"[7 0 R 80 0 R]", {80: Stream(b"", _EVIL)})
    ),
    "evidence-list-that-is-a-pages-content-rearranged": changed(
        _evidence_is_content(b"[60 0 R 7 0 R]", b"[7 0 R 60 0 R 90 0 R]", {90: Stream(b"", b" ")})
    ),
    "form-resources-that-are-a-pages": changed(_resources_are_those_of_a_page),
    "list-of-fields-that-is-of-annotations": changed(_fields_are_annotations),
    "signature-that-is-a-graphics-state": changed(_signature_is_a_graphics_state),
    "metadata-that-are-content": changed(_metadata_are_content),
    "metadata-that-are-a-graphics-state": changed(_metadata_are_a_graphics_state),
    "metadata-swapped": changed(_metadata_swapped),
    "unsigned-field-beside-a-signature": changed(_unsigned_beside),
    "picture-of-an-unsigned-widget": covered(_picture_of_an_unsigned_widget),
    "empty-field-on-two-pages": changed(_empty_field_on_two_pages),
    "widget-without-room": changed(_without_room),
    "form-says-how-fields-look": changed(
        _form_with(_HELVETICA, b"", _HELVETICA, _HELVETICA + b"/DA(/F1 9 Tf 0 g)", is_listed=True)
    ),
    "form-gets-a-font": changed(
        _form_with(_HELVETICA, b"/DA(/Ev 12 Tf 0 g)", _HELVETICA, _WITH_DINGBATS, is_listed=True)
    ),
    **{
        f"form-says-how-{name}-looks": changed(
            _form_with(_HELVETICA, entries, _HELVETICA, _HELVETICA + _LOOKS, is_listed=is_listed)
        )
        for name, entries, is_listed in (
            ("a-field-of-two-kinds", b"/FT/Sig", True),
            ("an-unlisted-field-of-two-kinds", b"/FT/Sig", False),
            ("a-field-of-a-kind-in-escapes", b"/F#54/Sig", True),
            ("an-annotation-of-two-kinds", b"/Subtype/Square/Contents(Rp)", False),
        )
    },
    "form-says-how-unlisted-fields-look": changed(
        _form_with(
            b"/NeedAppearances true/DA(/F1 1 Tf 1 g)" + _HELVETICA,
            b"",
            b"/F1 1 Tf 1 g",
            b"/F1 9 Tf 0 g",
            is_listed=False,
        )
    ),
    "page-turned-by-a-real": changed(_page_again(b"/Rotate 90", b"/Rotate 90.")),
    "page-inherits-from-another": changed(_page_again(b"", b"/Rotate 90", above=b"/Rotate 90")),
    "page-inherits-fonts-from-another": changed(
        _page_again(b"", _DINGBATS, tree=_FONTS, above=_DINGBATS)
    ),
    "page-with-a-null": changed(
        _page_again(b"", b"/MediaBox null", tree=b"/MediaBox[0 0 595 842]")
    ),
    "image-of-a-real-depth": changed(_image_again),
    "reference-without-white-space": changed(_waited_for(b"60 0R")),
    "reference-with-a-sign": changed(_waited_for(b"60+0 R")),
    "rows-wider-than-readers-take": changed(_wide_rows),
    "subsection-beyond-all-numbers": changed(_repaired(b"trailer\n", b"9999999999 0\ntrailer\n")),
    "white-space-without-end": changed(
        lambda lab: signed_by_hand(lab, _sealed_twin(lab)) + b" " * 100_000
    ),
    "previous-section-at-a-real": changed(_previous_real),
    "rows-beside-at-a-real": changed(_rows_beside(b"/XRefStm %d.", "table")),
    "rows-beside-a-stream": changed(_rows_beside(b"/XRefStm %d", "stream")),
    "page-in-a-stream-elsewhere": changed(_page_in_a_stream_elsewhere),
    "linearized-at-its-final-length": changed(_linearized),
    **{
        f"linearized-in-{name}": changed(partial(_linearized, said=said))
        for name, said in _LINEARIZED.items()
    },
    "words-of-the-lightness-of-the-paper": covered(
        _boxes(_RED_ON_GREEN, _GREEN, (70, 690, 290, 735))
    ),
    "ink-that-fills-its-box": covered(
        _boxes(b"0 g 72 700 40 20 re f", _WHITE, (72.5, 700.5, 111.5, 719.5))
    ),
    "a-point-in-small-print": covered(
        _boxes(_SUM % (8, b"."), _WHITE, (89.436, 699.9, 90.596, 700.98))
    ),
    "a-comma-on-one-of-many-pages": covered(
        _boxes(_SUM % (12, b","), _WHITE, (98.204, 698.1, 99.844, 701.42), pages=8)
    ),
    "a-digit-on-a-large-page": Attack(
        _boxes(
            _SUM % (12, b"."), _WHITE, (91.37, 699.5, 95.61, 709.02), media=b"[0 0 14400 14400]"
        ),
        "could_not_be_compared",
        frozenset({"compared"}),
    ),
    "stream-longer-than-it-says": changed(_stream_of_its_length),
    "array-hidden-by-a-free-row": changed(_hidden_from_readers),
    "free-text-drawn-by-few": covered(
        _drawn_by_few(b"FreeText", b"/Contents(Rp 1.000.000)/DA(/Helv 24 Tf 0 g)")
    ),
    "line-drawn-by-few": covered(
        _drawn_by_few(b"Line", b"/L[60 750 340 790]/C[1 0 0]/BS<</W 10>>")
    ),
    "polygon-drawn-by-few": covered(
        _drawn_by_few(b"Polygon", b"/Vertices[60 750 340 790 200 745]/C[1 0 0]/BS<</W 10>>")
    ),
    "border-of-a-link-drawn-by-few": covered(_drawn_by_few(b"Link", b"/C[1 0 0]/Border[0 0 10]")),
    "named-stamp-drawn-by-few": covered(_drawn_by_few(b"Stamp", b"/Name/Approved")),
    "enciphered-at-an-odd-length": changed(_enciphered(is_plain=False)),
    "enciphered-in-name-only": changed(_enciphered(is_plain=True)),
    "copied-stamp-in-two-boxes": changed(
        _copies((300, 300, 332.5, 401.4), (332.5, 300, 365, 401.4))
    ),
    "copied-stamp-half-as-wide": changed(_copies((300, 300, 332.5, 401.4))),
    "copied-stamp-half-as-high": changed(_copies((300, 300, 365, 350.7))),
    "copied-stamp-without-its-code": changed(_copies((300, 300, 365, 401.4), change=_without_code)),
    "copied-stamp-without-its-code-turned": changed(_copies((300, 300, 401, 365), change=_turned)),
    "copied-stamp-of-a-tiny-matrix": changed(
        _copies((300, 300, 365, 401.4), matrix=b"/Matrix[.0000001 0 0 .0000001 0 0]")
    ),
}
