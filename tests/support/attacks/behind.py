"""Attacks that append something behind the seal and leave the sealed bytes unchanged."""

import io
from collections.abc import Callable

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name, pdf_string
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import signers
from pyhanko.sign.fields import SigFieldSpec, append_signature_field
from pyhanko.sign.timestamps import DummyTimeStamper
from pyhanko_certvalidator.registry import SimpleCertificateStore

from meterai.sealing import development_issuer
from meterai.sealing.checking.seals import SEALS_MAX
from tests.support.attacks.lab import (
    AT,
    OVER_WORDS,
    Attack,
    Change,
    Lab,
    altered,
    extended,
)
from tests.support.attacks.octets import RANGE, ranges_of
from tests.support.attacks.replacing import widget_of
from tests.support.attacks.restamped import false_ranges
from tests.support.pdfmaker import Body, Row, Stream, letter, tail_of, text_of, update

_EMPTY = Stream(b"", b"0 g")


def _appended(more: bytes) -> Attack:
    return extended(lambda lab: lab.sealed + more)


def _updated(change: Change) -> Attack:
    """An attack that changes the document with a PDF library, as one more incremental update."""
    return extended(lambda lab: lab.updated(lab.sealed, change))


def _old_pointer(lab: Lab) -> bytes:
    return lab.sealed + lab.original[lab.original.rindex(b"startxref") :]


def _pages_swapped(writer: IncrementalPdfFileWriter) -> None:
    kids = writer.root["/Pages"]["/Kids"]
    kids.reverse()
    writer.update_container(kids)


def _form_emptied(writer: IncrementalPdfFileWriter) -> None:
    writer.root["/AcroForm"]["/Fields"] = generic.ArrayObject()
    writer.update_container(writer.root["/AcroForm"])


def _opening_action(writer: IncrementalPdfFileWriter) -> None:
    writer.root["/OpenAction"] = generic.DictionaryObject(
        {pdf_name("/S"): pdf_name("/URI"), pdf_name("/URI"): pdf_string("https://lain.example")}
    )
    writer.update_root()


def _title(writer: IncrementalPdfFileWriter) -> None:
    information = generic.DictionaryObject({pdf_name("/Title"): pdf_string("Lain")})
    writer.set_info(writer.add_object(information))


def _empty_field(writer: IncrementalPdfFileWriter) -> None:
    append_signature_field(writer, SigFieldSpec("Notaris", on_page=0, box=OVER_WORDS))


def _words_covered(lab: Lab) -> bytes:
    """An annotation that covers the words of the first page."""
    start = lab.sealed.rindex(b"\n4 0 obj")
    page = lab.sealed[lab.sealed.index(b"<<", start) : lab.sealed.index(b"endobj", start)]
    note = b"<</Type/Annot/Subtype/Stamp/F 4/Rect[60 740 340 800]/AP<</N 91 0 R>>>>"
    look = Stream(b"/Type/XObject/Subtype/Form/BBox[0 0 280 60]", b"1 g 0 0 280 60 re f")
    listed = page.replace(b"/Annots[", b"/Annots[90 0 R ").replace(
        b"/Annots [", b"/Annots [90 0 R "
    )
    assert b"90 0 R" in listed
    return lab.raw(lab.sealed, {4: listed, 90: note, 91: look})


def _another_catalog(lab: Lab) -> bytes:
    objects: dict[int, Body] = {80: b"<</Type/Catalog/Pages 81 0 R>>", 81: text_of(letter(2)[2])}
    _, _, kept = tail_of(lab.sealed)
    return lab.raw(lab.sealed, objects, trailer=kept.replace(b"/Root 1", b"/Root 80"))


def _seal_skipped(lab: Lab) -> bytes:
    """An incremental update whose /Prev points to the original, so that PDF readers do not find the seal."""
    start, _, _ = tail_of(lab.original)
    return lab.raw(lab.sealed, {5: _EMPTY}, previous=start)


def _encryption_added(lab: Lab) -> bytes:
    """A trailer that names an encryption, so that PDF readers garble or refuse the strings."""
    _, _, kept = tail_of(lab.sealed)
    handler = b"<</Filter/Standard/V 1/R 2/P -4/O<%b>/U<%b>>>" % (b"00" * 32, b"00" * 32)
    return lab.raw(lab.sealed, {60: handler}, trailer=kept + b"/Encrypt 60 0 R")


def _stamp_freed(lab: Lab) -> bytes:
    return lab.raw(lab.sealed, {}, rows={widget_of(lab.sealed): Row("f", 0, 1)})


def _packed_page_tree(style: str) -> Callable[[Lab], bytes]:
    """The pages in another order, by an object in an object stream that only some PDF readers find."""
    swapped = text_of(letter(2)[2]).replace(b"4 0 R 6 0 R", b"6 0 R 4 0 R")
    return lambda lab: lab.raw(lab.sealed, {2: swapped}, style=style, packed=[2])


def _signed_over_something_else(lab: Lab) -> bytes:
    """A later signature whose /Contents holds the SignedData of another file."""
    signed, other = lab.signed(lab.sealed), lab.signed(lab.other)
    start = signed.rindex(b"/Contents <")
    start, end = start + 10, signed.index(b">", start) + 1
    theirs = other.rindex(b"/Contents <") + 10
    return signed[:start] + other[theirs : theirs + end - start] + signed[end:]


def _signed_then_changed(lab: Lab) -> bytes:
    return update(lab.signed(lab.sealed), {5: _EMPTY})


def _time_stamped(lab: Lab) -> bytes:
    """A document time-stamp by a foreign authority over the whole document."""
    keys = lab.directory / "authority"
    development_issuer(keys, algorithm="rsa2048", at=AT)
    authority = signers.SimpleSigner.load(str(keys / "seal.key"), str(keys / "seal.pem"))
    stamper = DummyTimeStamper(
        authority.signing_cert, authority.signing_key, certs_to_embed=SimpleCertificateStore()
    )
    writer = IncrementalPdfFileWriter(io.BytesIO(lab.sealed))
    return bytes(signers.PdfTimeStamper(stamper).timestamp_pdf(writer, "sha256").getvalue())


def _seal_of_other_appended(lab: Lab) -> bytes:
    """Another sealed document, appended as a whole."""
    return lab.sealed + lab.other


def _seal_moved(lab: Lab) -> bytes:
    """Our own seal once more, with a byte range that names its new position."""
    start, end, rest = ranges_of(lab.sealed)
    moved = len(lab.sealed) + start - len(lab.original)
    delta = lab.sealed[len(lab.original) :]
    found = RANGE.search(delta)
    assert found is not None
    room = len(found[0]) - 1
    new = b"/ByteRange[0 %d %d %d" % (moved, moved + end - start, rest)
    return lab.sealed + delta.replace(found[0], new.ljust(room) + b"]")


def _false_ranges(lab: Lab) -> bytes:
    """More signature gaps than the verifier examines."""
    return lab.sealed + false_ranges(SEALS_MAX, len(lab.sealed))


CASES: dict[str, Attack] = {
    "line-feed-appended": _appended(b"\n"),
    "end-of-file-twice": _appended(b"%%EOF\n"),
    "object-appended": _appended(b"99 0 obj\n<</Type/Page>>\nendobj\n%%EOF\n"),
    "half-a-catalog-appended": _appended(b"\n1 0 obj\n<</Type/Catalog>>\nendobj\nstartxref\n9\n"),
    "file-of-somebody-appended": extended(lambda lab: lab.sealed + lab.original),
    "old-pointer-appended": extended(_old_pointer),
    "empty-update": extended(lambda lab: lab.raw(lab.sealed, {})),
    "another-catalog": extended(_another_catalog),
    "pages-swapped": _updated(_pages_swapped),
    "pages-swapped-in-an-object-stream": extended(_packed_page_tree("stream")),
    "pages-swapped-beside-a-table": extended(_packed_page_tree("hybrid")),
    "content-freed": extended(lambda lab: lab.raw(lab.sealed, {}, rows={5: Row("f", 0, 1)})),
    "words-covered": extended(_words_covered),
    "form-emptied": _updated(_form_emptied),
    "stamp-freed": extended(_stamp_freed),
    "seal-skipped-by-the-chain": extended(_seal_skipped),
    "encryption-added": extended(_encryption_added),
    "opening-action-added": _updated(_opening_action),
    "empty-field-added": _updated(_empty_field),
    "signed-with-a-title": extended(lambda lab: lab.signed(lab.sealed, change=_title)),
    "signed-over-the-words": extended(
        lambda lab: lab.signed(lab.sealed, on_page=0, box=OVER_WORDS)
    ),
    "signed-over-something-else": extended(_signed_over_something_else),
    "signed-then-changed": extended(_signed_then_changed),
    "signed-with-our-reason": extended(
        lambda lab: lab.signed(lab.sealed, reason=f"[{lab.serial()}] Meterai elektronik Rp10.000")
    ),
    "time-stamped-by-somebody": extended(_time_stamped),
    "self-made-seal-upon-ours": extended(lambda lab: lab.seal(lab.sealed, issuer=lab.forger)),
    "seal-of-another-file-appended": extended(_seal_of_other_appended),
    "seal-twice": extended(lambda lab: lab.sealed + lab.sealed[len(lab.original) :]),
    # The last update claims to contain the newest seal, so its failed check decides the verdict.
    "seal-twice-with-another-range": altered(_seal_moved, "integrity"),
    "false-ranges-behind-a-seal": Attack(_false_ranges, "unreadable", frozenset({"readable"})),
}
