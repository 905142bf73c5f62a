"""What honest programs of others append, byte for byte where no library here writes it.

Each case is what a program was seen to write behind a seal of ours; beside it stands the nearest thing that
is a change all the same.
"""

import io
import re
import zlib

import pikepdf
import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import fields, signers

from meterai.sealing import Verdict
from meterai.sealing.checking.drawn_copies import with_pictures_cut
from meterai.sealing.pdf.document import open_document
from tests.support.attacks import by_hand
from tests.support.attacks.lab import EMPTY_PAPER, Lab
from tests.support.attacks.updates import with_proofs
from tests.support.pdfmaker import Body, Stream, letter, text_of, update, whole

_IDENTIFIER = b"/ID[<31415926535897932384626433832795><31415926535897932384626433832795>]"
_LATER_VERSION = b"/Version/1.7/Extensions<</ADBE<</BaseVersion/1.7/ExtensionLevel 5>>>>"


def verdict(lab: Lab, document: bytes) -> Verdict:
    return lab.verify(document).verdict


def entry_found(lab: Lab, document: bytes) -> object:
    """The key of what was found to have changed; `None` for nothing."""
    check = next(one for one in lab.verify(document).checks if one.name == "unchanged")
    return check.facts.get("entry")


def described(inside: bytes) -> Stream:
    """Metadata that say this of a document."""
    return Stream(
        b"/Type/Metadata/Subtype/XML",
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF'
        b' xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""'
        b' xmlns:pdf="http://ns.adobe.com/pdf/1.3/" xmlns:xmp="http://ns.adobe.com/xap/1.0/"'
        b' xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:g="http://ns.adobe.com/xap/1.0/g/img/">'
        b"%b</rdf:Description></rdf:RDF></x:xmpmeta>" % inside,
    )


def sealed_with_metadata(lab: Lab, inside: bytes) -> bytes:
    made = letter(2)
    made[1] = b"<</Type/Catalog/Pages 2 0 R/Metadata 8 0 R>>"
    made[8] = described(inside)
    return lab.sealed_of(made)


def signed_with(lab: Lab, document: bytes, objects: dict[int, Body], **more: object) -> bytes:
    """The document, signed, with these objects in the update as well."""
    return by_hand.signed(lab, document, by_hand.objects_of(document) | objects, **more)


def with_metadata_in_the_clear(lab: Lab, revision: int, *, has_metadata: bool) -> bytes:
    """A sealed document that is enciphered, but for its metadata."""
    out = io.BytesIO()
    made = letter(2)
    if has_metadata:
        made[1] = b"<</Type/Catalog/Pages 2 0 R/Metadata 8 0 R>>"
        made[8] = described(b"<dc:title>Surat</dc:title>")
    kept = pikepdf.Encryption(owner="x", user="", R=revision, metadata=False)  # type: ignore[arg-type]
    with pikepdf.open(io.BytesIO(whole(made))) as opened:
        opened.save(out, encryption=kept, object_stream_mode=pikepdf.ObjectStreamMode.disable)
    return lab.seal(out.getvalue())


@pytest.mark.parametrize("revision", [4, 6])
def test_metadata_may_be_in_the_clear(lab, revision):
    """Of pyHanko, in a document that says so of them."""
    document = with_metadata_in_the_clear(lab, revision, has_metadata=False)
    made = lab.signed(document, change=lambda writer: writer.encrypt(b""))
    assert b"/Crypt" in made[len(document) :]
    assert verdict(lab, made) is Verdict.GENUINE_THEN_SIGNED


@pytest.mark.parametrize(
    "said", [b"/Filter/Crypt/DecodeParms<</Type/CryptFilterDecodeParms/Name/Identity>>", b""]
)
@pytest.mark.parametrize(
    ("title", "expected"),
    [(b"Surat", Verdict.GENUINE), (b"Lain", Verdict.CHANGED_AFTER_SEALING)],
)
def test_metadata_in_the_clear_say_what_they_said(lab, said, title, expected):
    document = with_metadata_in_the_clear(lab, 6, has_metadata=True)
    number = int(re.findall(rb"/Metadata (\d+) 0 R", document)[-1])
    written = described(b"<dc:title>%b</dc:title>" % title)
    anew = Stream(written.entries + said, written.data)
    assert verdict(lab, with_proofs(lab, document, {number: anew})) is expected


# Evidence that nobody signed


def test_evidence_may_state_the_version_it_needs(lab):
    """Of PDFBox, `AddValidationInformation`."""
    made = with_proofs(lab, lab.sealed, {}, _LATER_VERSION)
    assert verdict(lab, made) is Verdict.GENUINE
    later = with_proofs(lab, lab.sealed, {}, b"/Version/3.0")
    assert verdict(lab, later) is Verdict.CHANGED_AFTER_SEALING


def test_the_extensions_of_another_program_may_be_left_out(lab):
    """Of PDFBox, behind a signature of pyHanko."""
    made = letter(2)
    said = b"/Extensions<</ESIC<</BaseVersion/1.7/ExtensionLevel 1>>>>"
    made[1] = b"<</Type/Catalog/Pages 2 0 R%b>>" % said
    document = lab.sealed_of(made)
    root = by_hand.value_of(document, 1)
    assert said in root
    leaf = Stream(b"", lab.issuer.chain[0].public_bytes(Encoding.DER))
    evidence: dict[int, Body] = {70: b"<</Type/DSS/Certs[71 0 R]>>", 71: leaf}
    for other, expected in (
        (b"/Extensions<</ADBE<</BaseVersion/1.7/ExtensionLevel 5>>>>", Verdict.GENUINE),
        (b"/Extensions<</ADBE<</OpenAction 4 0 R>>>>", Verdict.CHANGED_AFTER_SEALING),
    ):
        later = root.replace(said, other)[:-2] + b"/DSS 70 0 R>>"
        assert verdict(lab, update(document, {1: later} | evidence)) is expected


def test_who_appends_evidence_may_say_so_in_the_metadata(lab):
    """Of iText 5, `LtvVerification`."""
    title = b"<dc:title>Surat</dc:title>"
    before = b"<pdf:Producer>Satu</pdf:Producer>" + title
    document = sealed_with_metadata(lab, before)
    made = with_proofs(lab, document, {8: described(before.replace(b"Satu", b"Dua"))})
    assert verdict(lab, made) is Verdict.GENUINE
    other = with_proofs(lab, document, {8: described(before.replace(b"Surat", b"Lain"))})
    assert verdict(lab, other) is Verdict.CHANGED_AFTER_SEALING


@pytest.mark.parametrize(
    ("whole_list", "expected"),
    [
        (b"71 0 R 72 0 R", Verdict.GENUINE),
        (b"71 0 R", Verdict.CHANGED_AFTER_SEALING),
    ],
)
def test_evidence_of_one_signature_may_be_listed_anew_while_all_of_it_stays(
    lab, whole_list, expected
):
    """Of pyHanko, `update_archival_timestamp_chain`."""
    store = b"<</Type/DSS/Certs[%b]/VRI<</%b <</Type/VRI/Cert[%b]>>>>>>"
    name = b"0A" * 20
    leaf = lab.issuer.chain[1].public_bytes(Encoding.DER)
    both = b"71 0 R 72 0 R"
    first = with_proofs(lab, lab.sealed, {70: store % (both, name, both), 72: Stream(b"", leaf)})
    assert verdict(lab, first) is Verdict.GENUINE
    again = update(first, {70: store % (whole_list, name, b"71 0 R 73 0 R"), 73: Stream(b"", leaf)})
    assert verdict(lab, again) is expected


# What is said of a document


@pytest.mark.parametrize("ended", [b"<FEFF00530075007200610074>", rb"(Surat\255)", rb"(Surat\000)"])
def test_what_ends_a_text_in_memory_is_no_part_of_it(lab, ended):
    """Of pyHanko, which encodes U+0000 at the end of a title as a code of no character."""
    trailer = b"/Root 1 0 R/Info 8 0 R" + _IDENTIFIER
    title = b"<</Title<FEFF005300750072006100740000>>>"
    document = lab.seal(whole(letter(2) | {8: title}, trailer=b"/Info 8 0 R" + _IDENTIFIER))
    made = signed_with(lab, document, {8: b"<</Title%b>>" % ended}, trailer=trailer)
    assert verdict(lab, made) is Verdict.GENUINE_THEN_SIGNED
    other = signed_with(lab, document, {8: rb"<</Title(Sura\255t)>>"}, trailer=trailer)
    assert entry_found(lab, other) == "/Title"


def test_information_that_was_sealed_may_be_of_any_kind(lab):
    """What a program did not write, it did not change: a producer in an object of its own, say."""
    trailer = b"/Info 8 0 R" + _IDENTIFIER
    document = lab.seal(
        whole(letter(2) | {8: b"<</Producer 9 0 R>>", 9: b"(Quartz)"}, trailer=trailer)
    )
    made = signed_with(lab, document, {}, trailer=b"/Root 1 0 R" + trailer)
    assert verdict(lab, made) is Verdict.GENUINE_THEN_SIGNED


_AS_A_RESOURCE = (
    b'<xmp:Thumbnails><rdf:Alt><rdf:li rdf:parseType="Resource"><g:format>JPEG</g:format>'
    b"<g:width>256</g:width></rdf:li></rdf:Alt></xmp:Thumbnails>"
)
_AS_A_DESCRIPTION = (
    b'<xmp:Thumbnails><rdf:Alt><rdf:li><rdf:Description g:width="256" g:format="JPEG "/></rdf:li>'
    b"</rdf:Alt></xmp:Thumbnails>"
)
_AS_ATTRIBUTES = (
    b'<xmp:Thumbnails><rdf:Alt><rdf:li g:format="JPEG" g:width="256"/></rdf:Alt></xmp:Thumbnails>'
)


@pytest.mark.parametrize("after", [_AS_A_RESOURCE, _AS_A_DESCRIPTION, _AS_ATTRIBUTES])
@pytest.mark.parametrize("before", [_AS_A_RESOURCE, _AS_A_DESCRIPTION, _AS_ATTRIBUTES])
def test_a_structure_of_metadata_may_be_written_another_way(lab, before, after):
    """Of pyHanko, which writes descriptions for resources."""
    document = sealed_with_metadata(lab, before)
    assert verdict(lab, signed_with(lab, document, {8: described(after)})) is (
        Verdict.GENUINE_THEN_SIGNED
    )
    for old, new in ((b"256", b"257"), (b"width", b"height"), (b"JPEG", b"")):
        other = signed_with(lab, document, {8: described(after.replace(old, new))})
        assert verdict(lab, other) is Verdict.CHANGED_AFTER_SEALING


# Fields and pages


def of_poppler(lab: Lab, document: bytes, flags: int = 148, **other: Body) -> bytes:
    """A signature as Poppler (Okular, Evince) writes it: upright, a border beside the picture, and the pictures
    that it drew first left behind."""
    objects = by_hand.objects_of(document)
    field = text_of(objects[by_hand.FIELD]).replace(b"/F 132", b"/F %d" % flags)
    objects[by_hand.FIELD] = field[:-2] + b"/AS/N/Border[0 0 1]/DA(/F1 6 Tf)>>"
    picture = objects[by_hand.PICTURE]
    objects |= {200: picture, 201: Stream(b"/Subtype/Form/BBox[0 0 0 0]", b"")}
    for name, body in other.items():
        objects[int(name[1:])] = body
    return by_hand.signed(lab, document, objects, generations={200: 1, 201: 1})


def test_pictures_that_were_drawn_first_may_stay_behind(lab):
    assert verdict(lab, of_poppler(lab, lab.sealed, 132)) is Verdict.GENUINE_THEN_SIGNED
    stray = of_poppler(lab, lab.sealed, 132, o201=b"<</Stray true>>")
    assert verdict(lab, stray) is Verdict.CHANGED_AFTER_SEALING
    borrowing = Stream(b"/Subtype/Form/BBox[0 0 9 9]/Resources<</Font<</F1 3 0 R>>>>", b"n")
    assert verdict(lab, of_poppler(lab, lab.sealed, 132, o201=borrowing)) is (
        Verdict.CHANGED_AFTER_SEALING
    )


def test_a_signature_that_stays_upright_may_lie_on_nothing_when_the_page_is_turned(lab):
    """It is turned around its upper left corner then (ISO 32000-2, section 12.5.3)."""
    assert verdict(lab, of_poppler(lab, lab.sealed)) is Verdict.GENUINE_THEN_SIGNED
    made = letter(2)
    left, _, _, top = EMPTY_PAPER
    words = b"BT /F1 12 Tf %d %d Td (Rp) Tj ET" % (left + 20, top + 60)
    made[5] = Stream(b"", made[5].data + b" " + words)  # type: ignore[union-attr]
    document = lab.sealed_of(made)
    assert verdict(lab, of_poppler(lab, document, 132)) is Verdict.GENUINE_THEN_SIGNED
    assert verdict(lab, of_poppler(lab, document)) is Verdict.COVERED_AFTER_SEALING


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (b"/MediaBox[0 0 595.275591 842]", b"/MediaBox[0 0 595.2756 842]", None),
        (b"/MediaBox[0 0 595.275591 842]", b"/MediaBox[0 0 595.2766 842]", "/MediaBox"),
        (b"/MediaBox[0 0 595 842]/PZ 1.0", b"/MediaBox[0 0 595 842]/PZ 1", None),
        (b"/MediaBox[0 0 595 842]/PZ 1.0", b"/MediaBox[0 0 595 842]/PZ 2", "/PZ"),
    ],
)
def test_numbers_of_a_page_may_be_written_another_way(lab, before, after, expected):
    """Of pdfsigner, which writes four decimals, and of Poppler."""
    first = text_of(letter(2)[4]).replace(b"/MediaBox[0 0 595 842]", before)
    document = by_hand.sealed_letter(lab, o4=first)
    body = text_of(by_hand.objects_of(document)[4])
    assert before in body
    made = signed_with(lab, document, {4: body.replace(before, after)})
    assert entry_found(lab, made) == expected


def test_contents_may_state_that_they_have_no_predictor(lab):
    """Of AutoCAD."""
    made = letter(2)
    data = made[5].data  # type: ignore[union-attr]
    made[5] = Stream(b"/Filter/FlateDecode/DecodeParms<</Predictor 1>>", zlib.compress(data))
    signed = lab.signed(lab.sealed_of(made), on_page=0, box=EMPTY_PAPER)
    assert verdict(lab, signed) is Verdict.GENUINE_THEN_SIGNED


def test_a_picture_is_cut_to_its_box_in_an_encrypted_document_too(lab):
    """Of PDFBox: words that are too long for their box; one renderer draws them beyond it."""
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(lab.original)) as opened:
        opened.save(out, encryption=pikepdf.Encryption(owner="rahasia", user="", R=4))
    writer = IncrementalPdfFileWriter(io.BytesIO(lab.seal(out.getvalue())), strict=False)
    writer.encrypt(b"")
    meta = signers.PdfSignatureMetadata(field_name="Notaris")
    place = fields.SigFieldSpec("Notaris", on_page=0, box=EMPTY_PAPER)
    signer = signers.PdfSigner(meta, lab.stranger, new_field_spec=place)
    made = bytes(signer.sign_pdf(writer).getvalue())
    with pikepdf.open(io.BytesIO(made)) as opened:
        widget = opened.pages[0].Annots[-1]
        number, drawn = widget.objgen[0], widget.AP.N.read_bytes()
    copy = with_pictures_cut(open_document(made, bytes_max=len(made)), [number])
    with pikepdf.open(io.BytesIO(copy)) as opened:
        picture = opened.pages[0].Annots[-1].AP.N
        assert picture.read_bytes().endswith(b"re W n /X Do Q")
        assert picture.Resources.XObject.X.read_bytes() == drawn
