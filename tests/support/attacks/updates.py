"""Attacks by a later update: annotations, forms, pages, cross-references, proofs."""

from collections.abc import Callable

from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name, pdf_string
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.fields import SigFieldSpec, append_signature_field

from tests.support.attacks.lab import Attack, Change, Lab, changed
from tests.support.attacks.replacing import widget_of
from tests.support.pdfmaker import Body, Row, Stream, letter, tail_of, update

_RECTANGLE = b"/Rect[60 740 340 800]"


def by_library(change: Change) -> Callable[[Lab], bytes]:
    """The change as one more update."""
    return lambda lab: lab.updated(lab.sealed, change)


def page_of(lab: Lab) -> bytes:
    """The first page's dictionary as the seal left it."""
    start = lab.sealed.rindex(b"\n4 0 obj")
    return lab.sealed[lab.sealed.index(b"<<", start) : lab.sealed.index(b"endobj", start)].strip()


def _with_annotation(lab: Lab, annotation: bytes) -> dict[int, Body]:
    """The first page with one more annotation, object 90."""
    page = page_of(lab).replace(b"/Annots [", b"/Annots [90 0 R ")
    assert b"90 0 R" in page
    return {4: page, 90: b"<</Type/Annot%b>>" % annotation}


def _evil(annotation: bytes) -> Callable[[Lab], bytes]:
    """An annotation whose appearance lies over the words."""
    look = Stream(b"/Type/XObject/Subtype/Form/BBox[0 0 280 60]", b"1 g 0 0 280 60 re f")
    entries = annotation + _RECTANGLE + b"/F 4/AP<</N 91 0 R>>"
    return lambda lab: lab.raw(lab.sealed, {**_with_annotation(lab, entries), 91: look})


def _annotation_inline(lab: Lab) -> bytes:
    page = page_of(lab).replace(b"/Annots [", b"/Annots [<</Subtype/FreeText/Rect[9 9 99 99]>> ")
    return lab.raw(lab.sealed, {4: page})


def _rotate(writer: IncrementalPdfFileWriter) -> None:
    page = writer.root["/Pages"]["/Kids"].raw_get(0)
    page.get_object()["/Rotate"] = generic.NumberObject(180)
    writer.mark_update(page)


def _swap_pages(writer: IncrementalPdfFileWriter) -> None:
    kids = writer.root["/Pages"]["/Kids"]
    kids.reverse()
    writer.update_container(kids)


def _drop_form(writer: IncrementalPdfFileWriter) -> None:
    del writer.root["/AcroForm"]
    writer.update_root()


def _empty_form(writer: IncrementalPdfFileWriter) -> None:
    writer.root["/AcroForm"]["/Fields"] = generic.ArrayObject()
    writer.update_container(writer.root["/AcroForm"])


def _reason(writer: IncrementalPdfFileWriter) -> None:
    signature = writer.root["/AcroForm"]["/Fields"][0].get_object().raw_get("/V")
    signature.get_object()["/Reason"] = pdf_string("[0000000000000000000000]")
    writer.mark_update(signature)


def title(writer: IncrementalPdfFileWriter) -> None:
    """Another title for the document."""
    information = generic.DictionaryObject({pdf_name("/Title"): pdf_string("Lain")})
    writer.set_info(writer.add_object(information))


def form_letter() -> dict[int, Body]:
    """A letter with a text field."""
    objects = letter(2)
    objects[1] = b"<</Type/Catalog/Pages 2 0 R/AcroForm 30 0 R>>"
    objects[30] = b"<</Fields[31 0 R]/DA(/F1 12 Tf 0 g)/DR<</Font<</F1 3 0 R>>>>>>"
    objects[31] = (
        b"<</Type/Annot/Subtype/Widget/FT/Tx/T(Harga)/V(Rp10)/Rect[300 500 400 520]/P 4 0 R"
        b"/AP<</N 32 0 R>>/F 4>>"
    )
    objects[32] = Stream(
        b"/Type/XObject/Subtype/Form/BBox[0 0 100 20]/Resources<</Font<</F1 3 0 R>>>>",
        b"/Tx BMC BT /F1 12 Tf 2 5 Td (Rp10) Tj ET EMC",
    )
    objects[4] = objects[4][:-2] + b"/Annots[31 0 R]>>"  # type: ignore[operator]
    return objects


def _filled(lab: Lab) -> bytes:
    objects = form_letter()
    field = objects[31].replace(b"(Rp10)", b"(Rp99)")  # type: ignore[union-attr]
    look = objects[32]
    assert isinstance(look, Stream)
    shown = Stream(look.entries, look.data.replace(b"Rp10", b"Rp99"))
    return lab.raw(lab.sealed_of(objects), {31: field, 32: shown})


def _looks_replaced(lab: Lab) -> bytes:
    objects = form_letter()
    look = objects[32]
    assert isinstance(look, Stream)
    shown = Stream(look.entries, look.data.replace(b"Rp10", b"Rp99"))
    return lab.raw(lab.sealed_of(objects), {32: shown})


def _appearances_anew(lab: Lab) -> bytes:
    """The words a field shows are not its value; a viewer told to draw it anew shows the value."""
    objects = form_letter()
    objects[31] = objects[31].replace(b"(Rp10)", b"(Rp99)")  # type: ignore[union-attr]
    sealed = lab.sealed_of(objects)
    form = sealed[sealed.rindex(b"\n30 0 obj") :]
    form = form[form.index(b"<<") : form.index(b"endobj")].strip()
    return lab.raw(sealed, {30: form[:-2] + b"/NeedAppearances true>>"})


def _freed(lab: Lab) -> bytes:
    return lab.raw(lab.sealed, {}, rows={widget_of(lab.sealed): Row("f", 0, 1)})


def _freed_page_content(lab: Lab) -> bytes:
    return lab.raw(lab.sealed, {}, rows={5: Row("f", 0, 1)})


def _pointed_elsewhere(lab: Lab) -> bytes:
    """A row that makes the first page show what the second does; no new object at all."""
    offset = lab.sealed.index(b"\n7 0 obj") + 1
    return lab.raw(lab.sealed, {}, rows={5: Row("n", offset)})


def _hybrid(lab: Lab) -> bytes:
    packed = letter(2)[2]
    assert isinstance(packed, bytes)
    swapped = packed.replace(b"4 0 R 6 0 R", b"6 0 R 4 0 R")
    return lab.raw(lab.sealed, {2: swapped}, style="hybrid", packed=[2])


def _in_later_stream(lab: Lab) -> bytes:
    sealed = lab.sealed_of(letter(2), style="stream", packed=[1, 2, 3])
    packed = letter(2)[2]
    assert isinstance(packed, bytes)
    swapped = packed.replace(b"4 0 R 6 0 R", b"6 0 R 4 0 R")
    return lab.raw(sealed, {2: swapped}, style="stream", packed=[2])


def _other_generation(lab: Lab) -> bytes:
    return lab.raw(lab.sealed, {5: Stream(b"", b"0 g")}, generations={5: 1})


def _seal_skipped(lab: Lab) -> bytes:
    """An update whose predecessor is the original: for viewers, there never was a seal."""
    start, _, _ = tail_of(lab.original)
    return lab.raw(lab.sealed, {5: Stream(b"", b"0 g")}, previous=start)


def _another_catalog(lab: Lab) -> bytes:
    objects: dict[int, Body] = {80: b"<</Type/Catalog/Pages 81 0 R>>", 81: letter(2)[2]}
    _, _, kept = tail_of(lab.sealed)
    return lab.raw(lab.sealed, objects, trailer=kept.replace(b"/Root 1", b"/Root 80"))


def _encryption_added(lab: Lab) -> bytes:
    """The trailer suddenly names an encryption, so that readers garble or refuse the strings."""
    _, _, kept = tail_of(lab.sealed)
    handler = b"<</Filter/Standard/V 1/R 2/P -4/O<%b>/U<%b>>>" % (b"00" * 32, b"00" * 32)
    return lab.raw(lab.sealed, {60: handler}, trailer=kept + b"/Encrypt 60 0 R")


def _empty_update(lab: Lab) -> bytes:
    return lab.raw(lab.sealed, {})


def _proofs_with(objects: dict[int, Body], *, catalog: bytes = b"") -> Callable[[Lab], bytes]:
    """Proofs (DSS) with something smuggled in beside them."""

    def make(lab: Lab) -> bytes:
        return with_proofs(lab, lab.sealed, objects, catalog)

    return make


def with_proofs(lab: Lab, document: bytes, objects: dict[int, Body], catalog: bytes = b"") -> bytes:
    """The document with an update of proofs, and these objects in it."""
    start = document.rindex(b"\n1 0 obj")
    root = document[document.index(b"<<", start) : document.index(b"endobj", start)].strip()
    leaf = lab.issuer.chain[0].public_bytes(Encoding.DER)
    proofs: dict[int, Body] = {
        1: root[:-2] + b"/DSS 70 0 R%b>>" % catalog,
        70: b"<</Type/DSS/Certs[71 0 R]>>",
        71: Stream(b"", leaf),
    }
    return update(document, proofs | objects)


def proofs_and(change: Change) -> Callable[[Lab], bytes]:
    """Proofs, written by a library, and in the same update another change."""

    def make(lab: Lab) -> bytes:
        def both(writer: IncrementalPdfFileWriter) -> None:
            leaf = generic.StreamObject(stream_data=lab.issuer.chain[0].public_bytes(Encoding.DER))
            certificates = generic.ArrayObject([writer.add_object(leaf)])
            store = {pdf_name("/Type"): pdf_name("/DSS"), pdf_name("/Certs"): certificates}
            writer.root["/DSS"] = writer.add_object(generic.DictionaryObject(store))
            writer.update_root()
            change(writer)

        return lab.updated(lab.sealed, both)

    return make


def _empty_field(writer: IncrementalPdfFileWriter) -> None:
    """A place for a signature, with a picture, which nobody signed."""
    spec = SigFieldSpec("Kosong", on_page=0, box=(300, 300, 450, 360))
    append_signature_field(writer, spec)


CASES: dict[str, Attack] = {
    "proofs-with-a-title": changed(proofs_and(title), "unchanged"),
    "proofs-with-an-empty-field": changed(proofs_and(_empty_field), "unchanged"),
    "evil-free-text": changed(_evil(b"/Subtype/FreeText/Contents(Rp99)/DA(/F1 12 Tf)")),
    "evil-stamp": changed(_evil(b"/Subtype/Stamp/Name/Approved")),
    "evil-redaction": changed(_evil(b"/Subtype/Redact")),
    "evil-widget": changed(_evil(b"/Subtype/Widget/FT/Btn/T(Tombol)")),
    "evil-inline-annotation": changed(_annotation_inline),
    "page-rotated": changed(by_library(_rotate), "unchanged"),
    "pages-swapped": changed(by_library(_swap_pages), "unchanged"),
    "form-dropped": changed(by_library(_drop_form)),
    "form-emptied": changed(by_library(_empty_form)),
    "reason-replaced": changed(by_library(_reason)),
    "title-replaced": changed(by_library(title), "unchanged"),
    "form-filled": changed(_filled, "unchanged"),
    "form-looks-replaced": changed(_looks_replaced, "unchanged"),
    "form-to-be-drawn-anew": changed(_appearances_anew, "unchanged"),
    "stamp-freed": changed(_freed),
    "content-freed": changed(_freed_page_content, "unchanged"),
    "content-pointed-elsewhere": changed(_pointed_elsewhere, "unchanged"),
    "shadowed-by-a-hybrid-section": changed(_hybrid, "unchanged"),
    "shadowed-by-a-later-object-stream": changed(_in_later_stream, "unchanged"),
    "content-in-another-generation": changed(_other_generation, "unchanged"),
    "seal-skipped-by-the-chain": changed(_seal_skipped),
    "another-catalog": changed(_another_catalog),
    "encryption-added": Attack(_encryption_added, "changed_after_sealing"),
    "empty-update": changed(_empty_update, "unchanged"),
    "proofs-with-a-page": changed(_proofs_with({5: Stream(b"", b"0 g")}), "unchanged"),
    "proofs-with-a-stray-object": changed(_proofs_with({77: b"<</Stray true>>"}), "unchanged"),
    "proofs-with-an-action": changed(
        _proofs_with({}, catalog=b"/OpenAction<</S/JavaScript/JS(app.alert\\(1\\))>>"),
        "unchanged",
    ),
}
