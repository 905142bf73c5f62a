"""Sealing: the original bytes stay as they are, the stamps and the seal are appended.

Where no signature exists yet, one update holds all stamps: the first is the widget of the
signature field, the others are locked stamp annotations, and the seal certifies the document
(DocMDP, permission 2: nothing but signing and filling forms; our own verifier allows signing
only).  Where somebody signed before, adding annotations could break their signature, adding a
signature cannot: there every stamp is a seal of its own, with a lock on the fields it found.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from meterai.sealing import qr
from meterai.sealing.document import Reader, as_document_broken, open_document, signature_fields
from meterai.sealing.issuer import Issuer
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
from meterai.sealing.objects import Dictionary, dictionary, entry, items, name, number
from meterai.sealing.pages import Page, count_pages, find_page
from meterai.sealing.revisions import only_signatures_follow
from meterai.sealing.update import Order, append_update

_NO_CHANGES = 1  # DocMDP permission, ISO 32000-1, table 254
_DEFAULT_PERMISSION = 2


def inspect(original: bytes, placements: Sequence[Placement]) -> Inspection:
    """The number of pages and signatures, and the visible size of the page of each placement.

    Costs a few look-ups in the file; nothing is drawn or signed.  Refuses with what `seal`
    refuses, except `IssuerUnusable`.
    """
    opened = _open(original, placements, bytes_max=DOCUMENT_BYTES_MAX)
    sizes = tuple(page.size for page in opened.targets)
    return Inspection(opened.pages, sizes, opened.signatures)


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
    QR code, in capitals.  `specimen` prints the word on each stamp.  `at` (with a time zone) is
    the time written into the seal.  Refuses with `PlacementMalformed`, `DocumentTooLarge`,
    `NotAPdf`, `DocumentEncrypted`, `DocumentBroken`, `ChangesForbidden`, `NoPages`,
    `PageOutOfRange`, `PlacementOutsidePage` or `IssuerUnusable`, and raises nothing else whatever
    the bytes are; a serial given twice, or a `check_url` too long for the code, is a `ValueError`.
    """
    issuer.check_usable(at)
    if len({stamp.serial for stamp in stamps}) < len(stamps):
        raise ValueError("a serial is on one stamp only")
    for stamp in stamps:
        qr.check_address(check_url, stamp.serial)
    placements = [stamp.placement for stamp in stamps]
    opened = _open(original, placements, bytes_max=DOCUMENT_BYTES_MAX)
    sha256_original = hashlib.sha256(original).digest()
    order = Order(issuer, at, check_url, specimen, len(original), sha256_original)
    if opened.signatures:
        stamped = _seal_each(order, opened, stamps)
    else:
        placed = list(zip(stamps, opened.targets, strict=True))
        with as_document_broken():
            stamped = append_update(order, original, opened.reader, placed, certify=True)
    return Delta(
        data=stamped[len(original) :],
        sha256_original=sha256_original,
        sha256_stamped=hashlib.sha256(stamped).digest(),
        serials=tuple(stamp.serial for stamp in stamps),
    )


@dataclass(frozen=True, slots=True)
class _Opened:
    """A document that may be stamped, and the pages the placements fall on."""

    document: bytes
    reader: Reader
    pages: int
    signatures: int
    targets: tuple[Page, ...]


def _open(document: bytes, placements: Sequence[Placement], *, bytes_max: int) -> _Opened:
    check_placements(placements)
    reader = open_document(document, bytes_max=bytes_max)
    with as_document_broken():
        signatures = [found.signature for found in signature_fields(reader.root)]
        certified = dictionary(entry(dictionary(entry(reader.root, "/Perms")), "/DocMDP"))
        if certified is not None and certified not in signatures:
            signatures.append(certified)
        if any(_permission(signature) == _NO_CHANGES for signature in signatures):
            raise ChangesForbidden("a signature in the document allows no changes")
        pages = count_pages(reader)
        targets = tuple(find_page(reader, placement.page, pages) for placement in placements)
        for page, placement in zip(targets, placements, strict=True):
            page.rectangle(placement)
    return _Opened(document, reader, pages, len(signatures), targets)


def _permission(signature: Dictionary) -> int | None:
    """What a signature allows to be changed, if it says so (ISO 32000-1, section 12.8.2.2)."""
    for item in items(signature, "/Reference"):
        limit = dictionary(item)
        if name(entry(limit, "/TransformMethod")) == "/DocMDP":
            permission = number(entry(dictionary(entry(limit, "/TransformParams")), "/P"))
            return int(permission) if permission is not None else _DEFAULT_PERMISSION
    return None


def _seal_each(order: Order, opened: _Opened, stamps: Sequence[Stamp]) -> bytes:
    """One seal after the other, each over all that came before."""
    stamped, step = opened.document, opened
    ends: list[int] = []
    for stamp, page in zip(stamps, opened.targets, strict=True):
        if ends:
            step = _open(stamped, [stamp.placement], bytes_max=len(stamped))
        placed = [(stamp, step.targets[0] if ends else page)]
        with as_document_broken():
            stamped = append_update(order, stamped, step.reader, placed, certify=False)
        ends.append(len(stamped))
    if len(ends) > 1:
        _check_seals_agree(stamped, ends)
    return stamped


def _check_seals_agree(stamped: bytes, ends: Sequence[int]) -> None:
    """Each seal must allow those that follow, in our own verifier's eyes.

    It compares whole revisions, so it needs more of the document to be readable than one seal
    does: what cannot be verified is refused here and not at the committee's desk.
    """
    reader = open_document(stamped, bytes_max=len(stamped))
    with as_document_broken():
        first = reader.xrefs.total_revisions - len(ends)
        if not only_signatures_follow(stamped, reader, first, ends[0]):
            raise DocumentBroken("the document does not bear several seals")
