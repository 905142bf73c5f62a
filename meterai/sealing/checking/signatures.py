"""The signatures of a document: what each states, whose certificate it has, where it is.

Nothing is judged here; `verification` makes the checks.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from itertools import islice
from typing import NamedTuple

from cryptography import x509

from meterai.sealing.model import DocumentBroken
from meterai.sealing.pdf.cross_reference import IN_FILE, OBJECT
from meterai.sealing.pdf.document import Document
from meterai.sealing.pdf.forms import SignatureField
from meterai.sealing.pdf.syntax import Dictionary, Ref
from meterai.sealing.signing import cms, trust
from meterai.sealing.signing.timestamps import ROOTS_MAX
from meterai.sealing.stamp.identifiers import SEAL_KEY, serial_in_name, serials_in_reason

STRAYS_MAX = 64  # places looked at for a hidden seal; a bound on the time a hostile file costs

_ANY_RANGE = re.compile(rb"/ByteRange\s*\[\s*0+\s+(\d{1,10})\s+(\d{1,10})\s+(\d{1,10})\s*\]")
_CONTENTS = re.compile(rb"<((?:[0-9A-Fa-f]{2}){500,65536}+)>")
_WINDOW_MAX = 2 * 65_536 + 200  # bytes searched for one seal
# A SignedData that is not as ours goes to a general parser, which takes so many times as long.
_PARSED_PER_DIGIT = 2
_MOVED_MAX = 64  # bytes put in or taken out before a seal that is still found
_DATE = re.compile(r"D:(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:Z.*|([+-])(\d\d)'?(?:(\d\d)'?)?)?")
STAMPING_OBJECTS_MAX = 1_000  # of one update of ours: twenty stamps have sixty

_ANNOTATION = b"\n<</Type/Annot"  # how an annotation of ours begins
_NAMED_BY = {b"/Widget": b"/T", b"/Stamp": b"/NM"}

ByteRange = tuple[int, int, int, int]
Roots = Sequence[x509.Certificate]


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature of a document.

    `path` leads from its certificate, if it is a sealer's, to a trusted root, `None` if there is no way; `ranges` are
    the four numbers of its byte range; `section` is the cross-reference section that leads to it,
    0 the newest; `offset` is where its object begins, -1 if it is no object of its own.
    """

    found: SignatureField
    signed_data: cms.SignedData | None
    path: tuple[x509.Certificate, ...] | None
    ranges: ByteRange | None
    section: int
    offset: int
    sealed_at: datetime | None
    record: Dictionary | None  # what a seal of ours notes about itself
    contents: bytes  # the SignedData as it stands in the file, with its padding
    serials: tuple[str, ...]  # the well-formed serials in the reason
    original_length: int  # of the document before stamping, by its own account
    previous_length: int  # of the document that its update was appended to, by its own account
    # The digests of the roots that its time-stamp leads to, by its own account: none where none
    # belongs into it, `None` where it does not say.
    time_stamp_roots: tuple[bytes, ...] | None

    @property
    def end(self) -> int:
        """Where the covered bytes end."""
        return self.ranges[2] + self.ranges[3] if self.ranges else 0

    @property
    def is_in_order(self) -> bool:
        """True if the four numbers could be two ranges around a placeholder."""
        if self.ranges is None:
            return False
        _, placeholder_start, placeholder_end, length = self.ranges
        return 0 <= placeholder_start <= placeholder_end and length >= 0


def read_signature(document: Document, found: SignatureField, sealers: trust.Sealers) -> Signature:
    """Read one signature, of whatever kind."""
    signature = found.signature
    contents = _contents(document, signature)
    signed_data = read_signed_data(contents)
    record = document.dictionary(signature.get(b"/%b" % SEAL_KEY.encode("ascii")))
    section, offset = len(document.sections), -1
    if found.ref is not None:
        section, row = document.row(found.ref.number)
        if row is not None and row.kind == IN_FILE:
            offset = row.where + document.shift
    return Signature(
        found,
        signed_data,
        trust.path_to_root(signed_data, sealers) if signed_data is not None else None,
        _ranges(document, signature),
        section,
        offset,
        _time(document.text(signature, b"/M")),
        record,
        contents,
        serials_in_reason(document.text(signature, b"/Reason")),
        _length(document, record, b"/OriginalLength"),
        _length(document, record, b"/PreviousLength"),
        _time_stamp_roots(document, record),
    )


def _length(document: Document, record: Dictionary | None, key: bytes) -> int:
    length = document.entry(record, key)
    return length if isinstance(length, int) and length > 0 else 0


def _time_stamp_roots(document: Document, record: Dictionary | None) -> tuple[bytes, ...] | None:
    named = document.entry(record, b"/TimeStampRoots")
    if record is None or not isinstance(named, list) or len(named) > ROOTS_MAX:
        return None
    digests = [one for one in named if isinstance(one, bytes)]
    if len(digests) != len(named):
        return None
    return tuple(document.decrypted(one, record.owner) for one in digests)


def _contents(document: Document, signature: Dictionary) -> bytes:
    """The SignedData, which is never enciphered (ISO 32000-2, section 7.6.2)."""
    start, stop = signature.spans.get(b"/Contents", (0, 0))
    # Many fields may show the same signature, and each time its SignedData is taken apart.
    document.note_parsed(_PARSED_PER_DIGIT * (stop - start))
    found = document.resolve(signature.get(b"/Contents"))
    return found if isinstance(found, bytes) else b""


def drawn_serials(document: Document, seal: Signature) -> list[str]:
    """The serials of the stamps in the update of a seal: its own widget, and further annotations.

    They are read where that update wrote them, whatever came later.
    """
    section = document.sections[seal.section]
    if section.rows > STAMPING_OBJECTS_MAX:
        raise DocumentBroken("more objects than a stamping writes")
    serials = []
    for number, row in section.entries():
        if row.kind != IN_FILE:
            continue
        header = OBJECT.match(document.buffer, row.where + document.shift)
        if header is None or int(header[1]) != number:
            raise DocumentBroken("an object is not where it should be")
        if not document.buffer.startswith(_ANNOTATION, header.end()):
            continue
        entries = Dictionary(document.buffer, header.end(), Ref(number, row.extra))
        serial = _serial_of(document, entries)
        if serial is not None:
            serials.append(serial)
    return serials


def _serial_of(document: Document, annotation: Dictionary) -> str | None:
    key = _NAMED_BY.get(annotation.raw(b"/Subtype") or b"")
    return serial_in_name(document.text(annotation, key)) if key is not None else None


def is_claimed(seal: Signature, sealers: trust.Sealers) -> bool:
    """True if the signature is ours or has one of our identifiers."""
    signed_data = seal.signed_data
    return (
        seal.path is not None
        or seal.record is not None
        or serial_in_name(seal.found.name) is not None
        or bool(seal.serials)
        or (signed_data is not None and trust.uses_names_of(signed_data, sealers))
    )


def stray_seals(document: bytes, sealers: trust.Sealers) -> Iterator[int]:
    """The end of what each seal of ours in the bytes covers, whether or not the form leads to it.

    It is looked for where its byte range says, and a few bytes around: something may have been put in
    or taken out before it.  One that is elsewhere belongs to another file, such as an attachment.
    """
    looked_at: set[int] = set()
    for found in islice(_ANY_RANGE.finditer(document), STRAYS_MAX):
        start, end = max(0, int(found[1]) - _MOVED_MAX), int(found[2]) + _MOVED_MAX
        if not 0 < end - start <= _WINDOW_MAX:
            continue
        placeholder = _CONTENTS.search(document, start, min(end, len(document)))
        # Many ranges may be around one place; what is no seal of ours by one of them is none by another.
        if placeholder is None or placeholder.start() in looked_at:
            continue
        try:
            signed_data = cms.read_own(bytes.fromhex(placeholder[1].decode("ascii")))
        except cms.SignedDataUnreadable:
            looked_at.add(placeholder.start())
            continue
        # In this order: a key that no root vouches for is not used.
        if trust.path_to_root(signed_data, sealers) is None or not signed_data.signature_holds:
            looked_at.add(placeholder.start())
        else:
            yield int(found[2]) + int(found[3])


def read_signed_data(padded: bytes) -> cms.SignedData | None:
    """The SignedData at the start of the bytes, if there is one that can be read."""
    try:
        return cms.read(padded[: cms.der_length(padded)])
    except cms.SignedDataUnreadable:
        return None


def _ranges(document: Document, signature: Dictionary) -> ByteRange | None:
    numbers = document.items(signature, b"/ByteRange")
    match [one for one in numbers if isinstance(one, int)]:
        case [first, second, third, fourth] if len(numbers) == 4:
            return first, second, third, fourth
        case _:
            return None


def _time(text: str) -> datetime | None:
    """A date (ISO 32000-2, section 7.9.4), complete to the second, as ours are."""
    found = _DATE.fullmatch(text)
    if found is None:
        return None
    away = timedelta(hours=int(found[8] or 0), minutes=int(found[9] or 0))
    try:
        zone = timezone(-away if found[7] == "-" else away)
        return datetime(*(int(part) for part in found.groups()[:6]), tzinfo=zone)  # type: ignore[misc,arg-type]
    except ValueError:
        return None


class Digests(NamedTuple):
    """SHA-256 of the file before the stamping, of what the seal covers, and of the sealed file."""

    original: bytes
    covered: bytes
    stamped: bytes


def digests_of(file: bytes, ranges: ByteRange, original_length: int) -> Digests:
    """The digests about a seal whose ranges are in order, in one pass over the file."""
    _, placeholder_start, placeholder_end, length = ranges
    view, prefix = memoryview(file), min(original_length, placeholder_start)
    original = hashlib.sha256(view[:prefix])
    covered = original.copy()
    covered.update(view[prefix:placeholder_start])
    stamped = covered.copy()
    covered.update(view[placeholder_end : placeholder_end + length])
    stamped.update(view[placeholder_start : placeholder_end + length])
    return Digests(original.digest(), covered.digest(), stamped.digest())
