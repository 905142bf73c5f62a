"""Shadow attacks: content prepared before the seal is swapped afterwards (Mainka et al., 2021)."""

from collections.abc import Callable, Mapping

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

from tests.support.attacks.lab import EMPTY_PAPER, Attack, Lab, changed
from tests.support.attacks.signatures import widget
from tests.support.attacks.updates import with_proofs
from tests.support.pdfmaker import Body, Row, Stream, letter, update, whole

_EVIL = Stream(
    b"/Type/XObject/Subtype/Form/BBox[0 0 595 842]/Resources<</Font<</F1 3 0 R>>>>",
    b"BT /F1 60 Tf 72 500 Td (Rp 999) Tj ET",
)


def _prepared(content: bytes = b"[5 0 R 60 0 R]") -> dict[int, Body]:
    """A letter whose first page also draws object 60, which does not exist yet."""
    objects = letter(2)
    page = objects[4]
    assert isinstance(page, bytes)
    objects[4] = page.replace(b"/Contents 5 0 R", b"/Contents %b" % content)
    return objects


def _with_hidden(lab: Lab) -> bytes:
    """ "Hide": a picture over the evil words is taken away by freeing it."""
    objects = _prepared()
    objects[60] = Stream(b"", b"1 g 0 0 595 700 re f")
    return lab.raw(lab.sealed_of(objects), {}, rows={60: Row("f", 0, 1)})


def _replaced(lab: Lab) -> bytes:
    """ "Replace": a font is exchanged, so that other letters are read."""
    font = b"<</Type/Font/Subtype/Type1/BaseFont/ZapfDingbats>>"
    return lab.raw(lab.sealed, {3: font})


def _hidden_document(objects: Mapping[int, Body]) -> dict[int, Body]:
    """A letter with a second page tree, prepared but reachable from nowhere."""
    evil = Stream(_EVIL.entries, _EVIL.data)
    return {
        **objects,
        60: evil,
        61: b"<</Type/Page/Parent 62 0 R/MediaBox[0 0 595 842]/Contents 60 0 R"
        b"/Resources<</Font<</F1 3 0 R>>>>>>",
        62: b"<</Type/Pages/Kids[61 0 R]/Count 1>>",
        63: b"<</Type/Catalog/Pages 62 0 R>>",
    }


def _swapped_by_row(lab: Lab) -> bytes:
    """ "Hide and replace": a new row makes the page tree's number mean the prepared tree."""
    sealed = lab.sealed_of(_hidden_document(letter(2)))
    offset = sealed.index(b"\n62 0 obj") + 1
    return lab.raw(sealed, {}, rows={2: Row("n", offset)})


def _swapped_by_numbered_twin(lab: Lab) -> bytes:
    """The twin was prepared under the very number, in bytes that no row pointed at."""
    original = whole(letter(2))
    twin = b"\n5 0 obj\n<</Length 9>>stream\n0 g 0 g  \nendstream\nendobj\n"
    place = original.index(b"3 0 obj")
    objects = letter(2)
    hidden = whole({**objects, 60: Stream(b"", twin)})
    sealed = lab.seal(hidden)
    assert place
    return lab.raw(sealed, {}, rows={5: Row("n", sealed.index(twin) + 1)})


def _swapped_by_trailer(lab: Lab) -> bytes:
    sealed = lab.sealed_of(_hidden_document(letter(2)))
    return lab.raw(sealed, {}, trailer=b"/Root 63 0 R/ID[<00><00>]")


def _old_section_again(lab: Lab) -> bytes:
    """The pointer at the end leads to a section prepared before the seal."""
    first = whole(_hidden_document(letter(2)))
    evil = update(first, {2: b"<</Type/Pages/Kids[61 0 R]/Count 1>>"})
    start = evil.rindex(b"xref\n", 0, evil.rindex(b"startxref"))
    hidden = update(evil, {2: letter(2)[2]})
    return lab.seal(hidden) + b"startxref\n%d\n%%%%EOF\n" % start


def _dangling_by_proofs(content: bytes) -> Callable[[Lab], bytes]:
    """The missing object arrives with proofs, and one of them asks for it."""

    def make(lab: Lab) -> bytes:
        sealed = lab.sealed_of(_prepared(content))
        return with_proofs(lab, sealed, {60: _EVIL}, catalog=b"/Extensions 60 0 R")

    return make


def _dangling_in_a_stream(lab: Lab) -> bytes:
    """The same where the page that asks for it is in an object stream."""
    sealed = lab.sealed_of(_prepared(), style="stream", packed=[1, 2, 3, 4])
    return with_proofs(lab, sealed, {60: _EVIL, 61: b"[60 0 R]"}, catalog=b"/Extensions 61 0 R")


def _dangling_as_proof(lab: Lab) -> bytes:
    """The missing object is itself one of the proofs."""
    sealed = lab.sealed_of(_prepared())
    document = with_proofs(lab, sealed, {60: _EVIL})
    return document.replace(b"/Certs[71 0 R]", b"/Certs[60 0 R]")


def _dangling_by_signature(prepared: bytes, generation: int = 0) -> Callable[[Lab], bytes]:
    """The missing object arrives as the picture of an honest-looking signature."""

    def make(lab: Lab) -> bytes:
        sealed = lab.sealed_of(_prepared(prepared))
        signed = lab.signed(sealed, change=_picture_is_60)
        assert b"60 %d obj" % generation in signed[len(sealed) :]
        return signed

    return make


def _picture_is_60(writer: IncrementalPdfFileWriter) -> None:
    look = generic.StreamObject(
        {
            pdf_name("/Type"): pdf_name("/XObject"),
            pdf_name("/Subtype"): pdf_name("/Form"),
            pdf_name("/BBox"): generic.ArrayObject(map(generic.NumberObject, (0, 0, 595, 842))),
        },
        stream_data=b"0 g 0 0 300 300 re f",
    )
    # A number of one's own choice, which no library offers.
    writer.objects[(0, 60)] = look
    look.container_ref = generic.Reference(60, 0, writer)
    picture = generic.IndirectObject(60, 0, writer)
    made = widget(
        writer,
        MK=generic.DictionaryObject({pdf_name("/I"): picture}),
        Rect=generic.ArrayObject(map(generic.NumberObject, EMPTY_PAPER)),
    )
    writer.register_annotation(writer.root["/Pages"]["/Kids"].raw_get(0), made)


def _dangling_font_file(lab: Lab) -> bytes:
    """Resources that were missing: the page names a font that arrives later."""
    objects = letter(2)
    page = objects[4]
    assert isinstance(page, bytes)
    objects[4] = page.replace(b"/F1 3 0 R", b"/F1 60 0 R")
    return with_proofs(lab, lab.sealed_of(objects), {60: letter()[3]})


def _length_of_a_stream(lab: Lab) -> bytes:
    """The length of the page's content is an object of its own, and grows later."""
    objects = letter(2)
    text = b"BT /F1 24 Tf 72 760 Td (Rp 1) Tj ET\nBT /F1 24 Tf 72 700 Td (Rp 999) Tj ET"
    objects[5] = b"<</Length 60 0 R>>stream\n%b\nendstream" % text
    objects[60] = b"%d" % text.index(b"\n")
    return lab.raw(lab.sealed_of(objects), {60: b"%d" % len(text)})


CASES: dict[str, Attack] = {
    "shadow-hide": changed(_with_hidden, "unchanged"),
    "shadow-replace-the-font": changed(_replaced, "unchanged"),
    "shadow-hide-and-replace-by-a-row": changed(_swapped_by_row, "unchanged"),
    "shadow-hide-and-replace-by-a-twin": changed(_swapped_by_numbered_twin, "unchanged"),
    "shadow-hide-and-replace-by-the-trailer": changed(_swapped_by_trailer),
    "shadow-old-section-again": changed(_old_section_again),
    "shadow-missing-object-beside-proofs": changed(
        _dangling_by_proofs(b"[5 0 R 60 0 R]"), "unchanged"
    ),
    "shadow-missing-object-as-a-proof": changed(_dangling_as_proof, "unchanged"),
    "shadow-missing-object-as-a-picture": changed(
        _dangling_by_signature(b"[5 0 R 60 0 R]"), "unchanged"
    ),
    "shadow-missing-object-with-a-comment": changed(
        _dangling_by_proofs(b"[5 0 R 60 %\n0 R]"), "unchanged"
    ),
    "shadow-missing-object-of-another-generation": changed(
        _dangling_by_signature(b"[5 0 R 60 7 R]"), "unchanged"
    ),
    "shadow-missing-object-in-an-object-stream": changed(_dangling_in_a_stream, "unchanged"),
    "shadow-missing-font": changed(_dangling_font_file, "unchanged"),
    "shadow-length-of-the-content": changed(_length_of_a_stream, "unchanged"),
}
