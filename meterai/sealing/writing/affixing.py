"""Content of one update: stamps on their pages, the field of the seal, the signature dictionary.

In an unsigned document one update holds all stamps: the first stamp is the widget of the signature field, the others are locked
stamp annotations.  The seal certifies the document with permission 2 of DocMDP, which allows only signing and filling forms;
our own verifier allows only signing.  In a signed document a new annotation could invalidate the earlier signature, but a new
signature cannot.  So each stamp there is a separate seal, with a lock (FieldMDP) on the existing fields.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import ceil, log10

from meterai.kit.serial import Serial
from meterai.sealing.model import Stamp
from meterai.sealing.pdf.document import Document
from meterai.sealing.pdf.forms import top_field_names
from meterai.sealing.pdf.pages import PdfPage
from meterai.sealing.pdf.serialization import Stream, numbers, text_octets
from meterai.sealing.pdf.syntax import Ref
from meterai.sealing.pdf.tagging import Tagged, structure_tree
from meterai.sealing.pdf.update import PdfUpdate, Sealed
from meterai.sealing.stamp import appearance, artwork, claim, qr
from meterai.sealing.stamp.claim import ClaimKey
from meterai.sealing.stamp.identifiers import (
    ANNOTATION_FLAGS,
    FORMAT_VERSION,
    SEAL_KEY,
    SIGNATURE_HEAD,
    STATEMENT_KEY,
    STATEMENT_PREFIX,
    STATEMENT_PURPOSE,
    STATEMENT_VERSION,
    WIDGET_FLAGS,
    alt_text,
    field_name,
    reason,
)
from meterai.sealing.stamp.wording import Wording, wording

NUMBERS_SKIPPED_MAX = (
    20_000  # object numbers left unused before ours; each costs readers some memory
)
# qpdf treats a cross-reference as damaged if it has more object numbers than a third of the bytes of the file.
BYTES_PER_NUMBER = 4
STAMPING_BYTES = 15_000  # minimum that sealing adds to a file
_CERTIFICATION = (  # permission 2: signing and form filling (ISO 32000-2, table 257)
    b"/Reference[<</Type/SigRef/DigestMethod/SHA256/TransformMethod/DocMDP"
    b"/TransformParams<</Type/TransformParams/V/1.2/P 2>>>>]"
)
_APPEND_ONLY = b"3"  # /SigFlags: signatures exist, append only (table 225)

Placed = Sequence[tuple[Stamp, PdfPage]]


@dataclass(frozen=True, slots=True)
class AffixingTerms:
    """Values that are the same in all updates of one request.

    `placeholder_bytes` is the length of the value of /Contents in hexadecimal, angle brackets included.
    """

    issuer_name: str
    claim_key: ClaimKey
    at: datetime  # with a time zone
    check_url: str
    specimen: bool
    operator_artwork: bytes | None
    original_bytes: int
    sha256_original: bytes
    time_stamp_roots: tuple[bytes, ...]  # the SHA-256 of each; empty without a time-stamp
    placeholder_bytes: int

    @property
    def wording(self) -> Wording:
        """Words on each stamp."""
        return wording(self.at, self.check_url)

    @property
    def written_time(self) -> str:
        """Time of sealing in the date format of PDF (ISO 32000-2, section 7.9.4)."""
        at = self.at.astimezone(UTC)
        day = f"D:{at.year:04}{at.month:02}{at.day:02}"
        return f"{day}{at.hour:02}{at.minute:02}{at.second:02}+00'00'"


def affix(terms: AffixingTerms, document: Document, placed: Placed, *, certify: bool) -> Sealed:
    """Return an update with these stamps and room for their seal.

    With `certify` the seal certifies the document; otherwise it locks the existing fields (see the module).
    """
    update = PdfUpdate(document, _first_number(document, placed))
    # In a signed document, elements in the structure tree could invalidate the signature.
    tree = structure_tree(document) if certify else None
    shared = appearance.shared(specimen=terms.specimen, operator_artwork=terms.operator_artwork)
    first_shared = update.reserve(shared.count)
    annotations = update.reserve(len(placed))
    signature = update.reserve()
    for number, body in enumerate(shared.objects(first_shared), start=first_shared):
        update.add(number, body)
    claims = [
        claim.make(stamp.serial, terms.at, terms.sha256_original, terms.claim_key)
        for stamp, _ in placed
    ]
    for index, (stamp, page) in enumerate(placed):
        number, stream = annotations + index, update.reserve()
        update.add(stream, _appearance_stream(terms, stamp, page, claims[index], first_shared))
        words = update.string(number, text_octets(alt_text(stamp.serial, terms.wording)))
        entries = _annotation(stamp, page, stream) + b"/Contents" + words
        if index:
            entries += _stamp(update, number, stamp)
        else:
            entries += _field(update, number, stamp, signature) + b"/TU" + words
        if tree is not None:
            entries += b"/StructParent %d" % (tree.next_key + index)
        update.add(number, b"<<%b>>" % entries)
    pages = [page for _, page in placed]
    _list_on_pages(update, pages, annotations, is_tagged=tree is not None)
    _add_field(update, document, annotations)
    if tree is not None:
        tree.write(update, _tagged(terms.wording, placed, annotations))
    serials = [stamp.serial for stamp, _ in placed]
    tail = _signature(terms, update, signature, serials, claims)
    if certify:
        _certify(update, document, signature)
        tail += _CERTIFICATION
    else:
        tail += _field_lock(update, document, signature, serials[0])
    return update.sealed(signature, SIGNATURE_HEAD, tail, terms.placeholder_bytes)


def state(terms: AffixingTerms, document: Document, page: PdfPage) -> Sealed:
    """Return an update with room for a seal over a statement of the operator: an invisible field on `page`, and no stamp.

    The record of the seal is stored under another key and has no serials, so that no verifier mistakes it for the record of a
    stamp.
    """
    update = PdfUpdate(document)
    field, signature = update.reserve(), update.reserve()

    def text(number: int, value: str) -> bytes:
        return update.string(number, text_octets(value))

    name = text(field, STATEMENT_PREFIX + terms.sha256_original.hex()[:16])
    entries = b"/Type/Annot/Subtype/Widget/FT/Sig/Rect[0 0 0 0]/F %d/P %d %d R/T%b/V %d 0 R"
    update.add(field, b"<<%b>>" % (entries % (WIDGET_FLAGS, *page.ref, name, signature)))
    _list_on_pages(update, [page], field, is_tagged=False)
    _add_field(update, document, field)
    _certify(update, document, signature)
    tail = b"/M%b/Name%b/Reason%b/%b<</Version %d%b>>" % (
        text(signature, terms.written_time),
        text(signature, terms.issuer_name),
        text(signature, STATEMENT_PURPOSE),
        STATEMENT_KEY.encode("ascii"),
        STATEMENT_VERSION,
        _before(terms, update, signature),
    )
    return update.sealed(signature, SIGNATURE_HEAD, tail + _CERTIFICATION, terms.placeholder_bytes)


def _first_number(document: Document, placed: Placed) -> int:
    """Return an unpredictable first number for our objects, derived from the random serial.

    If the number were predictable, a malicious document could already refer to our object, and so show our stamp once more on
    another page.
    """
    room = (len(document.buffer) + STAMPING_BYTES) // BYTES_PER_NUMBER - document.size
    skipped_max = max(1, min(room, NUMBERS_SKIPPED_MAX))
    digest = hashlib.sha256(placed[0][0].serial.text.encode("ascii")).digest()
    return document.size + int.from_bytes(digest[:4], "big") % skipped_max


def dry_run(document: Document, pages: Sequence[PdfPage], *, certify: bool) -> None:
    """Make the changes that `affix` would make to existing objects, and discard the result.

    Refuses with `DocumentBroken` if an object cannot be changed, so that nobody pays for a stamp on such a document.
    """
    update = PdfUpdate(document)
    tree = structure_tree(document) if certify else None
    first = update.reserve(len(pages))
    _list_on_pages(update, pages, first, is_tagged=tree is not None)
    _add_field(update, document, first)
    if certify:
        _certify(update, document, first)
    if tree is not None:
        tree.write(update, [Tagged(first, page.ref, b"/Form", "") for page in pages])
    update.written()


def _appearance_stream(
    terms: AffixingTerms, stamp: Stamp, page: PdfPage, text: str, first_shared: int
) -> Stream:
    address = qr.address_before_serial(terms.check_url)
    scanned = f"{address}{stamp.serial.text}/{text}"
    code = qr.encoder_for(len(scanned), address).draw(scanned)
    says = artwork.serial_and_words(stamp.serial, terms.wording)
    return appearance.appearance_stream(
        says, code, stamp.placement.width, page.quarter_turns, first_shared
    )


def _annotation(stamp: Stamp, page: PdfPage, stream: int) -> bytes:
    """Return the entries that the annotation of every stamp has, the widget of a seal included."""
    # Coordinates are in units of the page, which may be many points each (ISO 32000-2, /UserUnit); they are rounded to
    # a ten-thousandth of a point.
    places = 4 + max(0, ceil(log10(page.unit)))
    corners = numbers(*page.rectangle(stamp.placement), places=places)
    return b"/Type/Annot/Rect[%b]/P %d %d R/AP<</N %d 0 R>>" % (corners, *page.ref, stream)


def _field(update: PdfUpdate, number: int, stamp: Stamp, signature: int) -> bytes:
    """Return the entries of the signature field, whose widget is the first stamp."""
    name = update.string(number, text_octets(field_name(stamp.serial)))
    return b"/Subtype/Widget/FT/Sig/F %d/T%b/V %d 0 R" % (WIDGET_FLAGS, name, signature)


def _stamp(update: PdfUpdate, number: int, stamp: Stamp) -> bytes:
    """Return the entries of the annotation of a further stamp under the same seal."""
    name = update.string(number, text_octets(field_name(stamp.serial)))
    return b"/Subtype/Stamp/Name/Meterai/F %d/NM%b" % (ANNOTATION_FLAGS, name)


def _list_on_pages(
    update: PdfUpdate, pages: Sequence[PdfPage], first: int, *, is_tagged: bool
) -> None:
    """Add the annotations, numbered from `first`, to the lists of their pages; `pages` has the page of each annotation."""
    found: dict[Ref, tuple[PdfPage, list[bytes]]] = {}
    for number, page in enumerate(pages, start=first):
        found.setdefault(page.ref, (page, []))[1].append(b"%d 0 R" % number)
    for ref, (page, annotations) in found.items():
        items = b" ".join(annotations)
        # The page gets its own list, since one list may be that of two pages, or also the fields of the form.
        update.append_own(ref, page.entries, b"/Annots", items)
        if is_tagged and b"/Tabs" not in page.entries:
            # PDF/UA-1, section 7.18.3: the order of annotations follows the structure.
            update.insert(ref, page.entries, b"/Tabs/S")


def _tagged(words: Wording, placed: Placed, first: int) -> list[Tagged]:
    return [
        Tagged(
            first + index,
            page.ref,
            b"/Annot" if index else b"/Form",
            alt_text(stamp.serial, words),
        )
        for index, (stamp, page) in enumerate(placed)
    ]


def _add_field(update: PdfUpdate, document: Document, field: int) -> None:
    root, root_ref = document.root, document.root_ref
    found = root.get(b"/AcroForm")
    form = document.dictionary(found)
    if form is None:
        # The form must be an indirect object with this exact spelling, since @signpdf, which may sign after us, searches the
        # file for it.
        own = update.reserve()
        update.add(
            own,
            b"<<\n/Type /AcroForm\n/SigFlags %b\n/Fields [%d 0 R]\n>>" % (_APPEND_ONLY, field),
        )
        update.put(root_ref, root, b"/AcroForm", b"%d 0 R" % own)
        return
    home = found if isinstance(found, Ref) else root_ref
    update.append_own(home, form, b"/Fields", b"%d 0 R" % field)
    if form.raw(b"/SigFlags") != _APPEND_ONLY:
        update.put(home, form, b"/SigFlags", _APPEND_ONLY)
    # /NeedAppearances is kept, since without it viewers may not show the values of filled fields.


def _certify(update: PdfUpdate, document: Document, signature: int) -> None:
    """Write a reference to the certifying signature into the catalog (/Perms; ISO 32000-2, table 263)."""
    root, root_ref = document.root, document.root_ref
    found = root.get(b"/Perms")
    permissions = document.dictionary(found)
    if permissions is None:
        update.put(root_ref, root, b"/Perms", b"<</DocMDP %d 0 R>>" % signature)
    else:
        home = found if isinstance(found, Ref) else root_ref
        update.put(home, permissions, b"/DocMDP", b"%d 0 R" % signature)


def _signature(
    terms: AffixingTerms,
    update: PdfUpdate,
    number: int,
    serials: Sequence[Serial],
    claims: Sequence[str],
) -> bytes:
    """Return the entries of the signature dictionary that follow its byte range, the record of the seal included."""

    def text(value: str) -> bytes:
        return update.string(number, text_octets(value))

    record = b"/Version %d/Serials[%b]/Claims[%b]%b" % (
        FORMAT_VERSION,
        b"".join([text(str(serial)) for serial in serials]),
        b"".join([text(one) for one in claims]),
        _before(terms, update, number),
    )
    return b"/M%b/Name%b/Reason%b/%b<<%b>>" % (
        text(terms.written_time),
        text(terms.issuer_name),
        text(reason(serials)),
        SEAL_KEY.encode("ascii"),
        record,
    )


def _before(terms: AffixingTerms, update: PdfUpdate, number: int) -> bytes:
    """Return the entries of a seal's record about the file before the seal, the original, and the time-stamp.

    They state the length of the file before the seal, the length and digest of the original, and the digests of the roots
    that the time-stamp may lead to.
    """
    roots = b"".join([update.string(number, digest) for digest in terms.time_stamp_roots])
    return b"/PreviousLength %d/OriginalLength %d/OriginalSHA256%b/TimeStampRoots[%b]" % (
        update.start,
        terms.original_bytes,
        update.string(number, terms.sha256_original),
        roots,
    )


def _field_lock(update: PdfUpdate, document: Document, number: int, serial: Serial) -> bytes:
    """Return a lock on the existing fields and the seal's field; a lock on all fields would forbid later signatures."""
    names = [*top_field_names(document), text_octets(field_name(serial))]
    locked = b"".join([update.string(number, name) for name in dict.fromkeys(names)])
    return (
        b"/Reference[<</Type/SigRef/DigestMethod/SHA256/TransformMethod/FieldMDP/Data %d %d R/TransformParams"
        b"<</Type/TransformParams/V/1.2/Action/Include/Fields[%b]>>>>]"
        % (*document.root_ref, locked)
    )
