"""One incremental update: stamps on their pages, a signature field, a seal over the whole file.

Written with pyHanko's incremental writer; the container is our own (`cms`).  Metadata and dates of
the document are left alone, so an update depends on nothing but its arguments and fresh
randomness.  What was written is read back before anyone gets it.
"""

import hashlib
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.fields import SigSeedSubFilter
from pyhanko.sign.signers.pdf_byterange import PdfSignedData

from meterai.kit.serial import Serial
from meterai.sealing import appearance, cms, qr
from meterai.sealing.document import Reader, fields, open_document, top_field_names
from meterai.sealing.issuer import Issuer
from meterai.sealing.marks import ANNOTATION_FLAGS, SEAL_KEY, WIDGET_FLAGS, field_name, reason
from meterai.sealing.model import DocumentBroken, Stamp
from meterai.sealing.objects import (
    Dictionary,
    Value,
    array,
    dictionary,
    entry,
    integer,
    key,
    named,
    new_array,
    new_dictionary,
    octets,
    raw,
    reals,
    reference,
    string,
)
from meterai.sealing.pages import Page

SPARE_BYTES = 1024  # room in /Contents beyond the longest container we can make

_SIGNING_ALLOWED = 2  # DocMDP permission, ISO 32000-1, table 254
_APPEND_ONLY = 3  # signatures exist, and the file may only be appended to (table 219)
_EXACT_RANGE = re.compile(rb"/ByteRange \[(\d+) (\d+) (\d+) (\d+)\]")

Indirect = generic.IndirectObject


@dataclass(frozen=True, slots=True)
class Order:
    """What stays the same over the updates of one request."""

    issuer: Issuer
    at: datetime
    check_url: str
    specimen: bool
    original_bytes: int
    sha256_original: bytes


class _Writer(IncrementalPdfFileWriter):
    """A writer that adds what we add and touches nothing else."""

    IO_CHUNK_SIZE = 1024 * 1024

    def _update_meta(self) -> None:
        """The library would write its name and the machine's time into the document."""


def append_update(
    order: Order,
    document: bytes,
    reader: Reader,
    placed: Sequence[tuple[Stamp, Page]],
    *,
    certify: bool,
) -> bytes:
    """The document with one sealed update behind it; `reader` is used up.

    `certify` forbids all changes but signatures; else the fields that exist are locked.
    """
    if not document.endswith((b"\n", b"\r")):
        reader.stream.seek(0, os.SEEK_END)
        reader.stream.write(b"\n")
    writer = _Writer(reader.stream, prev=reader)
    art = writer.add_object(appearance.art(specimen=order.specimen))
    serials = [stamp.serial for stamp, _ in placed]
    signature = _signature(order, serials)
    signature_place = writer.add_object(signature)
    for number, (stamp, page) in enumerate(placed):
        annotation = _annotation(order, writer, art, stamp, page)
        place = writer.add_object(annotation)
        if number:
            _make_stamp(annotation, stamp.serial)
        else:
            _make_field(annotation, stamp.serial, signature_place)
            _add_to_form(writer, place)
        _append(writer, page.entries, "Annots", place)
    limit = _certification(writer, signature_place) if certify else _field_lock(writer, serials[0])
    signature[key("Reference")] = new_array([limit])
    return _write(order, writer, signature, document, field_name(serials[0]))


def _annotation(
    order: Order, writer: _Writer, art: Indirect, stamp: Stamp, page: Page
) -> Dictionary:
    """What shows a stamp, before it is told whether it is a field or an annotation."""
    code = qr.draw(order.check_url, stamp.serial)
    form = appearance.face(stamp.serial, code, art, stamp.placement.width, page.quarter_turns)
    return new_dictionary(
        {
            "Type": key("Annot"),
            "Rect": reals(page.rectangle(stamp.placement)),
            "AP": new_dictionary({"N": writer.add_object(form)}),
            "P": page.reference,
            "Contents": string(f"Meterai elektronik Rp10.000, {stamp.serial}"),
        }
    )


def _make_field(annotation: Dictionary, serial: Serial, signature: Indirect) -> None:
    entries = {
        "Subtype": key("Widget"),
        "FT": key("Sig"),
        "F": integer(WIDGET_FLAGS),
        "T": string(field_name(serial)),
        "TU": string(f"Meterai elektronik {serial.grouped()}"),
        "V": signature,
    }
    annotation.update(named(entries))


def _make_stamp(annotation: Dictionary, serial: Serial) -> None:
    entries = {
        "Subtype": key("Stamp"),
        "Name": key("Meterai"),
        "F": integer(ANNOTATION_FLAGS),
        "NM": string(field_name(serial)),
    }
    annotation.update(named(entries))


def _append(writer: _Writer, container: Dictionary, name: str, item: Indirect) -> None:
    """Add to the array under the name, making it if there is none."""
    present = entry(container, f"/{name}")
    found = array(present)
    if found is not None:
        writer.update_container(found)
        found.append(item)
    elif present is None:
        container[key(name)] = new_array([item])
        writer.update_container(container)
    else:
        raise DocumentBroken(f"{name} is not an array")


def _add_to_form(writer: _Writer, field: Indirect) -> None:
    form = dictionary(entry(writer.root, "/AcroForm"))
    if form is None:
        form = new_dictionary({})
        writer.root[key("AcroForm")] = writer.add_object(form)
        writer.update_root()  # type: ignore[no-untyped-call]
    _append(writer, form, "Fields", field)
    form[key("SigFlags")] = integer(_APPEND_ONLY)
    # A viewer asked to draw appearances anew would replace ours.
    form.pop("/NeedAppearances", None)
    writer.update_container(form)


def _signature(order: Order, serials: Sequence[Serial]) -> PdfSignedData:
    """The signature dictionary, its container still empty."""
    reserved = 2 * (order.issuer.container_bytes_max + SPARE_BYTES)
    signature = PdfSignedData(
        key("Sig"), SigSeedSubFilter.PADES, timestamp=order.at, bytes_reserved=reserved
    )
    record = {
        "Serials": new_array(string(str(serial)) for serial in serials),
        "OriginalLength": integer(order.original_bytes),
        "OriginalSHA256": octets(order.sha256_original),
    }
    entries = {
        "Name": string(order.issuer.name),
        "Reason": string(reason(serials)),
        SEAL_KEY: new_dictionary(record),
    }
    signature.update(named(entries))
    return signature


def _certification(writer: _Writer, signature: Indirect) -> Dictionary:
    """The reference that makes a seal a certification, and its mention in the catalog."""
    permissions = dictionary(entry(writer.root, "/Perms"))
    if permissions is None:
        permissions = new_dictionary({})
        writer.root[key("Perms")] = permissions
        writer.update_root()  # type: ignore[no-untyped-call]
    permissions[key("DocMDP")] = signature
    writer.update_container(permissions)
    return _limit("DocMDP", {"P": integer(_SIGNING_ALLOWED)})


def _field_lock(writer: _Writer, serial: Serial) -> Dictionary:
    """A lock on the fields that exist now; one on all fields would forbid later signatures."""
    names = [*top_field_names(writer.root), field_name(serial)]
    fields_locked = new_array(string(name) for name in dict.fromkeys(names))
    lock = _limit("FieldMDP", {"Action": key("Include"), "Fields": fields_locked})
    root = writer.root_ref
    lock[key("Data")] = Indirect(root.idnum, root.generation, writer)  # type: ignore[no-untyped-call]
    return lock


def _limit(method: str, parameters: dict[str, Value]) -> Dictionary:
    """A signature reference dictionary (ISO 32000-1, section 12.8.1)."""
    return new_dictionary(
        {
            "Type": key("SigRef"),
            "TransformMethod": key(method),
            "TransformParams": new_dictionary(
                {"Type": key("TransformParams"), "V": key("1.2"), **parameters}
            ),
        }
    )


def _write(
    order: Order, writer: _Writer, signature: PdfSignedData, document: bytes, field: str
) -> bytes:
    """Write the update behind the document, seal it, and look at the result once more."""
    filling = signature.fill(writer, "sha256", in_place=True)
    prepared, stream = next(filling)
    container = order.issuer.sign(prepared.document_digest)
    filling.send(container)
    stamped: bytes = stream.getvalue()
    _check_written(stamped, document, container, prepared.reserved_region_start)
    _check_found(stamped, len(document), prepared.reserved_region_start, field)
    return stamped


def _check_written(stamped: bytes, document: bytes, container: bytes, gap_start: int) -> None:
    """A wrong seal never leaves this room: read back what was written, and verify it."""
    if not stamped.startswith(document):
        raise DocumentBroken("the update changed the original")
    gap_end = stamped.index(b">", gap_start) + 1
    ranges = _EXACT_RANGE.search(stamped, gap_end)
    expected = (0, gap_start, gap_end, len(stamped) - gap_end)
    if ranges is None or tuple(map(int, ranges.groups())) != expected:
        raise DocumentBroken("the seal does not cover the file")
    written = bytes.fromhex(stamped[gap_start + 1 : gap_end - 1].decode("ascii"))
    if not written.startswith(container) or written[len(container) :].strip(b"\0"):
        raise DocumentBroken("the seal was not written")
    read = cms.read(container)
    digest = hashlib.sha256(memoryview(stamped)[:gap_start])
    digest.update(memoryview(stamped)[gap_end:])
    if read.message_digest != digest.digest() or not read.signature_holds():
        raise DocumentBroken("the seal does not verify")


def _check_found(stamped: bytes, original_bytes: int, gap_start: int, field: str) -> None:
    """A reader that starts from the end of the file must find this very seal."""
    reader = open_document(stamped, bytes_max=len(stamped))
    found = [raw(node.entries, "/V") for node in fields(reader.root) if node.name == field]
    place = reference(found[0]) if len(found) == 1 else None
    offset = reader.xrefs[place] if place is not None else None
    if not isinstance(offset, int) or not original_bytes <= offset < gap_start:
        raise DocumentBroken("the seal cannot be found again")
