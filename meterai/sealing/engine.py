"""Sealing: the original bytes stay as they are, the stamps and the seal are appended.

Where no signature exists yet, one incremental update holds all stamps: the first is the widget of
the signature field, the others are locked stamp annotations, and the seal certifies the document
(DocMDP, permission 2: nothing but signing and filling forms; our own verifier allows signing
only).  Where somebody signed before, adding annotations could break their signature, adding a
signature cannot: there every stamp is a seal of its own, with a lock on the fields it found.

The updates are written with pyHanko; the container is our own (`cms`).  Metadata and dates of the
document are left alone, so a seal depends on nothing but its arguments and fresh randomness.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name, pdf_string
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.fields import SigSeedSubFilter
from pyhanko.sign.signers.pdf_byterange import PdfSignedData

from meterai.kit.serial import Serial
from meterai.sealing import appearance, cms, qr
from meterai.sealing.document import (
    Reader,
    array,
    as_document_broken,
    dictionary,
    entry,
    fields,
    open_document,
    resolved,
    signature_fields,
    top_field_names,
)
from meterai.sealing.issuer import Issuer
from meterai.sealing.marks import ANNOTATION_FLAGS, SEAL_KEY, WIDGET_FLAGS, field_name, reason
from meterai.sealing.model import (
    DOCUMENT_BYTES_MAX,
    ChangesForbidden,
    Delta,
    DocumentBroken,
    Inspection,
    Placement,
    Stamp,
    check_placements,
)
from meterai.sealing.pages import Page, count_pages, find_page
from meterai.sealing.revisions import only_signatures_follow

SPARE_BYTES = 1024  # room in /Contents beyond the longest container we can make

_NO_CHANGES, _FORMS_AND_SIGNATURES = 1, 2  # DocMDP permissions, ISO 32000-1, table 254
_EXACT_RANGE = re.compile(rb"/ByteRange \[(\d+) (\d+) (\d+) (\d+)\]")


def inspect(original: bytes, placements: Sequence[Placement]) -> Inspection:
    """The number of pages, and the visible size of the page of each placement.

    Costs a few look-ups in the file; nothing is drawn or signed.  Refuses with what `seal`
    refuses, except `IssuerUnusable`.
    """
    opened = _open(original, placements)
    return Inspection(opened.pages, tuple(page.size for page in opened.targets))


def seal(
    original: bytes,
    stamps: Sequence[Stamp],
    issuer: Issuer,
    *,
    at: datetime,
    check_url: str,
    specimen: bool,
) -> Delta:
    """Stamp a document and seal it.  The stamped file is `original` followed by the delta.

    `check_url` is the address below which a serial can be checked; it and the serial are in the
    QR code, in capitals.  `specimen` prints the word across each stamp.  `at` is the time written
    into the seal.  Refuses with `PlacementMalformed`, `DocumentTooLarge`, `NotAPdf`,
    `DocumentEncrypted`, `DocumentBroken`, `ChangesForbidden`, `NoPages`, `PageOutOfRange`,
    `PlacementOutsidePage` or `IssuerUnusable`, and raises nothing else whatever the bytes are.
    """
    issuer.check_usable(at)
    for stamp in stamps:
        qr.check_address(check_url, stamp.serial)
    opened = _open(original, [stamp.placement for stamp in stamps])
    order = _Order(original, issuer, at, check_url, specimen)
    if not opened.signed:
        stamped = _update(order, opened, stamps)
    else:
        stamped, ends = original, []
        for stamp in stamps:
            # Each seal is an update of its own, so the file is opened again for the next one.
            step = _open(stamped, [stamp.placement], bytes_max=len(stamped))
            stamped = _update(order, step, [stamp])
            ends.append(len(stamped))
        _check_seals_agree(stamped, ends)
    return Delta(
        data=stamped[len(original) :],
        sha256_original=order.sha256_original,
        sha256_stamped=hashlib.sha256(stamped).digest(),
        serials=tuple(stamp.serial for stamp in stamps),
    )


class _Order:
    """What stays the same over the updates of one request."""

    def __init__(
        self,
        original: bytes,
        issuer: Issuer,
        at: datetime,
        check_url: str,
        specimen: bool,  # noqa: FBT001
    ) -> None:
        self.issuer = issuer
        self.at = at
        self.check_url = check_url
        self.specimen = specimen
        self.original_bytes = len(original)
        self.sha256_original = hashlib.sha256(original).digest()


@dataclass(frozen=True, slots=True)
class _Opened:
    """A document that may be stamped, and the pages the placements fall on."""

    document: bytes
    reader: Reader
    pages: int
    signed: bool
    targets: tuple[Page, ...]


def _open(
    document: bytes, placements: Sequence[Placement], *, bytes_max: int = DOCUMENT_BYTES_MAX
) -> _Opened:
    check_placements(placements)
    reader = open_document(document, bytes_max=bytes_max)
    with as_document_broken():
        signatures = [found.signature for found in signature_fields(reader.root)]
        certified = dictionary(entry(dictionary(entry(reader.root, "/Perms")), "/DocMDP"))
        for signature in [*signatures, *([certified] if certified is not None else [])]:
            if _permission(signature) == _NO_CHANGES:
                raise ChangesForbidden("a signature in the document allows no changes")
        pages = count_pages(reader)
        targets = tuple(find_page(reader, placement.page, pages) for placement in placements)
        for page, placement in zip(targets, placements, strict=True):
            page.rectangle(placement)
    return _Opened(document, reader, pages, bool(signatures) or certified is not None, targets)


def _permission(signature: generic.DictionaryObject) -> int | None:
    """What a signature allows to be changed, if it says so (ISO 32000-1, section 12.8.2.2)."""
    for item in array(entry(signature, "/Reference")) or ():
        reference = dictionary(resolved(item))
        if reference is not None and entry(reference, "/TransformMethod") == "/DocMDP":
            parameters = dictionary(entry(reference, "/TransformParams"))
            permission = entry(parameters, "/P")
            return int(permission) if isinstance(permission, int) else _FORMS_AND_SIGNATURES
    return None


class _Update(IncrementalPdfFileWriter):
    """One update that adds what we add and touches nothing else."""

    IO_CHUNK_SIZE = 1024 * 1024

    def _update_meta(self) -> None:
        """The library would write its name and the machine's time into the document."""


def _update(order: _Order, opened: _Opened, stamps: Sequence[Stamp]) -> bytes:
    """The document with one sealed update behind it."""
    with as_document_broken():
        stream = opened.reader.stream
        if not opened.document.endswith((b"\n", b"\r")):
            stream.seek(0, 2)
            stream.write(b"\n")
        update = _Update.from_reader(opened.reader)
        placed = list(zip(stamps, opened.targets, strict=True))
        art = update.add_object(appearance.art(specimen=order.specimen))
        widget = _annotation(update, order, art, *placed[0])
        signature = _signature(update, order, opened, stamps)
        _make_field(widget, stamps[0].serial, signature)
        _add_to_form(update, widget)
        for stamp, page in placed[1:]:
            _make_stamp(_annotation(update, order, art, stamp, page), stamp.serial)
        name = field_name(stamps[0].serial)
        return _write(update, signature.get_object(), order, opened.document, name)


def _annotation(
    update: _Update, order: _Order, art: generic.IndirectObject, stamp: Stamp, page: Page
) -> generic.IndirectObject:
    """An annotation that shows the stamp, added to its page."""
    code = qr.draw(order.check_url, stamp.serial)
    form = appearance.face(stamp.serial, code, art, stamp.placement.width, page.quarter_turns)
    annotation = update.add_object(
        generic.DictionaryObject(
            {
                pdf_name("/Type"): pdf_name("/Annot"),
                pdf_name("/Rect"): appearance.numbers(page.rectangle(stamp.placement)),
                pdf_name("/AP"): generic.DictionaryObject(
                    {pdf_name("/N"): update.add_object(form)}
                ),
                pdf_name("/P"): page.reference,
                pdf_name("/Contents"): pdf_string(f"Meterai elektronik Rp10.000, {stamp.serial}"),
            }
        )
    )
    _append(update, page.reference.get_object(), "/Annots", annotation)
    return annotation


def _make_field(
    widget: generic.IndirectObject, serial: Serial, signature: generic.IndirectObject
) -> None:
    widget.get_object().update(
        {
            pdf_name("/Subtype"): pdf_name("/Widget"),
            pdf_name("/FT"): pdf_name("/Sig"),
            pdf_name("/F"): generic.NumberObject(WIDGET_FLAGS),
            pdf_name("/T"): pdf_string(field_name(serial)),
            pdf_name("/TU"): pdf_string(f"Meterai elektronik {serial.grouped()}"),
            pdf_name("/V"): signature,
        }
    )


def _make_stamp(annotation: generic.IndirectObject, serial: Serial) -> None:
    annotation.get_object().update(
        {
            pdf_name("/Subtype"): pdf_name("/Stamp"),
            pdf_name("/Name"): pdf_name("/Meterai"),
            pdf_name("/F"): generic.NumberObject(ANNOTATION_FLAGS),
            pdf_name("/NM"): pdf_string(field_name(serial)),
        }
    )


def _append(
    update: _Update, container: generic.DictionaryObject, key: str, item: generic.IndirectObject
) -> None:
    """Add to the array under the key, making it if there is none."""
    present = entry(container, key)
    items = array(present)
    if items is None:
        if present is not None:
            raise DocumentBroken(f"{key} is not an array")
        items = generic.ArrayObject()
        container[pdf_name(key)] = items
        update.update_container(container)
    else:
        update.update_container(items)
    items.append(item)


def _add_to_form(update: _Update, widget: generic.IndirectObject) -> None:
    form = dictionary(entry(update.root, "/AcroForm"))
    if form is None:
        form = generic.DictionaryObject()
        update.root[pdf_name("/AcroForm")] = update.add_object(form)
        update.update_root()
    _append(update, form, "/Fields", widget)
    # Signatures exist, and the file may only be appended to (ISO 32000-1, table 219).
    form[pdf_name("/SigFlags")] = generic.NumberObject(3)
    # A viewer asked to draw appearances anew would replace ours.
    form.pop("/NeedAppearances", None)
    update.update_container(form)


def _signature(
    update: _Update, order: _Order, opened: _Opened, stamps: Sequence[Stamp]
) -> generic.IndirectObject:
    """The signature dictionary, its container still empty."""
    reserved = 2 * (order.issuer.container_bytes_max + SPARE_BYTES)
    signature = PdfSignedData(
        pdf_name("/Sig"), SigSeedSubFilter.PADES, timestamp=order.at, bytes_reserved=reserved
    )
    serials = [stamp.serial for stamp in stamps]
    signature.update(
        {
            pdf_name("/Name"): pdf_string(order.issuer.name),
            pdf_name("/Reason"): pdf_string(reason(serials)),
            pdf_name(SEAL_KEY): generic.DictionaryObject(
                {
                    pdf_name("/Serials"): generic.ArrayObject(
                        pdf_string(str(serial)) for serial in serials
                    ),
                    pdf_name("/OriginalLength"): generic.NumberObject(order.original_bytes),
                    pdf_name("/OriginalSHA256"): generic.ByteStringObject(order.sha256_original),
                }
            ),
        }
    )
    added = update.add_object(signature)
    if opened.signed:
        signature[pdf_name("/Reference")] = generic.ArrayObject([_field_lock(update, serials[0])])
    else:
        signature[pdf_name("/Reference")] = generic.ArrayObject([_certification()])
        permissions = dictionary(entry(update.root, "/Perms"))
        if permissions is None:
            permissions = update.root[pdf_name("/Perms")] = generic.DictionaryObject()
            update.update_root()
        permissions[pdf_name("/DocMDP")] = added
        update.update_container(permissions)
    return added


def _certification() -> generic.DictionaryObject:
    return _transform("/DocMDP", {"/P": generic.NumberObject(_FORMS_AND_SIGNATURES)})


def _field_lock(update: _Update, serial: Serial) -> generic.DictionaryObject:
    """A lock on the fields that exist now; one on all fields would forbid later signatures."""
    names = [*top_field_names(update.root), field_name(serial)]
    lock = _transform(
        "/FieldMDP",
        {
            "/Action": pdf_name("/Include"),
            "/Fields": generic.ArrayObject(pdf_string(name) for name in names),
        },
    )
    lock[pdf_name("/Data")] = generic.IndirectObject(
        update.root_ref.idnum, update.root_ref.generation, update
    )
    return lock


def _transform(method: str, parameters: dict[str, generic.PdfObject]) -> generic.DictionaryObject:
    return generic.DictionaryObject(
        {
            pdf_name("/Type"): pdf_name("/SigRef"),
            pdf_name("/TransformMethod"): pdf_name(method),
            pdf_name("/TransformParams"): generic.DictionaryObject(
                {
                    pdf_name("/Type"): pdf_name("/TransformParams"),
                    pdf_name("/V"): pdf_name("/1.2"),
                    **{pdf_name(key): value for key, value in parameters.items()},
                }
            ),
        }
    )


def _write(
    update: _Update, signature: PdfSignedData, order: _Order, document: bytes, name: str
) -> bytes:
    """Write the update behind the document, seal it, and look at the result once more."""
    filling = signature.fill(update, "sha256", in_place=True)
    prepared, stream = next(filling)
    container = order.issuer.sign(prepared.document_digest)
    filling.send(container)
    stamped: bytes = stream.getvalue()
    gap_start = prepared.reserved_region_start
    _check_written(stamped, document, container, gap_start)
    _check_found(stamped, len(document), gap_start, name)
    return stamped


def _check_seals_agree(stamped: bytes, ends: Sequence[int]) -> None:
    """Several seals in a row must each allow those that follow, in our own verifier's eyes.

    It compares whole revisions, so it needs more of the document to be readable than one seal does.
    """
    if len(ends) == 1:
        return
    reader = open_document(stamped, bytes_max=len(stamped))
    with as_document_broken():
        first = reader.xrefs.total_revisions - len(ends)
        if not only_signatures_follow(stamped, reader, first, ends[0]):
            raise DocumentBroken("the document does not bear several seals")


def _check_written(stamped: bytes, document: bytes, container: bytes, gap_start: int) -> None:
    """A wrong seal never leaves this room: read back what was written, and verify it."""
    if not stamped.startswith(document):
        raise DocumentBroken("the update changed the original")
    gap_end = stamped.index(b">", gap_start) + 1
    written = bytes.fromhex(stamped[gap_start + 1 : gap_end - 1].decode("ascii"))
    ranges = _EXACT_RANGE.search(stamped, gap_end)
    expected = (0, gap_start, gap_end, len(stamped) - gap_end)
    if ranges is None or tuple(map(int, ranges.groups())) != expected:
        raise DocumentBroken("the seal does not cover the file")
    if not written.startswith(container) or written[len(container) :].strip(b"\0"):
        raise DocumentBroken("the seal was not written")
    read = cms.read(container)
    digest = hashlib.sha256(memoryview(stamped)[:gap_start])
    digest.update(memoryview(stamped)[gap_end:])
    if read.message_digest != digest.digest() or not read.signature_holds():
        raise DocumentBroken("the seal does not verify")


def _check_found(stamped: bytes, original_bytes: int, gap_start: int, name: str) -> None:
    """A reader that starts from the end of the file must find this very seal."""
    reader = open_document(stamped, bytes_max=len(stamped))
    found = [field.entries.raw_get("/V") for field in fields(reader.root) if field.name == name]
    offset = reader.xrefs[found[0].reference] if len(found) == 1 else None
    if not isinstance(offset, int) or not original_bytes <= offset < gap_start:
        raise DocumentBroken("the seal cannot be found again")
