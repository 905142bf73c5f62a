"""The signatures of a document, read: what each says, whose it is, where it lies.

Nothing here is a verdict; `verification` asks the questions.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography import x509
from pyhanko.pdf_utils import generic

from meterai.sealing import cms, trust
from meterai.sealing.document import Reader, SignatureField
from meterai.sealing.marks import SEAL_KEY, serial_in_name, serials_in_reason
from meterai.sealing.objects import Dictionary, dictionary, entry, items, number, octets_of, text

STRAYS_MAX = 64  # places looked at for a hidden seal; a bound on the time a hostile file costs

HEX_STRING = re.compile(rb"<(?:[0-9A-Fa-f]{2})+>")
_ANY_RANGE = re.compile(rb"/ByteRange\s*\[\s*0+\s+(\d{1,10})\s+(\d{1,10})\s+\d{1,10}\s*\]")
_ABSENT = -1

ByteRange = tuple[int, int, int, int]
Roots = Sequence[x509.Certificate]


@dataclass(frozen=True, slots=True)
class Seal:
    """One signature of a document.

    `path` leads from its certificate to a trusted root, `None` if there is no way; `ranges` are
    the four numbers of its byte range; `revision` counts updates of the file from 0.
    """

    found: SignatureField
    container: cms.ReadContainer | None
    path: tuple[x509.Certificate, ...] | None
    ranges: ByteRange | None
    revision: int
    sealed_at: datetime | None

    @property
    def record(self) -> Dictionary | None:
        """What a seal of ours notes about itself."""
        return dictionary(entry(self.found.signature, f"/{SEAL_KEY}"))

    @property
    def contents(self) -> bytes:
        """The container as it stands in the file, with its padding."""
        return octets_of(entry(self.found.signature, "/Contents")) or b""

    @property
    def serials(self) -> tuple[str, ...]:
        """The well-formed serials in the reason."""
        return serials_in_reason(text(entry(self.found.signature, "/Reason")))

    @property
    def end(self) -> int:
        """Where the covered bytes end."""
        return self.ranges[2] + self.ranges[3] if self.ranges else 0

    @property
    def original_length(self) -> int:
        """The length of the document before stamping, by its own account."""
        length = number(entry(self.record, "/OriginalLength"))
        return max(0, int(length)) if length is not None else 0


def read_seal(reader: Reader, found: SignatureField, roots: Roots) -> Seal:
    """Read one signature, of whatever kind."""
    container = read_container(octets_of(entry(found.signature, "/Contents")) or b"")
    path = trust.path_to_root(container, roots) if container is not None else None
    place = found.reference
    revision = int(reader.xrefs.get_last_change(place)) if place is not None else _ABSENT
    ranges = _ranges(found.signature)
    return Seal(found, container, path, ranges, revision, _time(found.signature))


def is_claimed(seal: Seal, roots: Roots) -> bool:
    """True if the signature is ours or bears one of our marks."""
    container = seal.container
    return (
        seal.path is not None
        or seal.record is not None
        or serial_in_name(seal.found.name) is not None
        or bool(seal.serials)
        or (container is not None and trust.uses_names_of(container, roots))
    )


def has_stray_seal(document: bytes, roots: Roots) -> bool:
    """True if a container of ours lies in the bytes, wherever the document hides it."""
    for count, found in enumerate(_ANY_RANGE.finditer(document)):
        if count == STRAYS_MAX:
            return False
        gap = document[int(found[1]) : int(found[2])]
        if not HEX_STRING.fullmatch(gap):
            continue
        container = read_container(bytes.fromhex(gap[1:-1].decode("ascii")))
        if container is None or not container.signature_holds():
            continue
        if trust.path_to_root(container, roots) is not None:
            return True
    return False


def read_container(padded: bytes) -> cms.ReadContainer | None:
    """The container at the start of the bytes, if there is one that can be read."""
    try:
        return cms.read(padded[: cms.der_length(padded)])
    except cms.ContainerUnreadable:
        return None


def _ranges(signature: Dictionary) -> ByteRange | None:
    numbers = [number(item) for item in items(signature, "/ByteRange")]
    match [int(value) for value in numbers if value is not None and value.is_integer()]:
        case [first, second, third, fourth] if len(numbers) == 4:
            return first, second, third, fourth
    return None


def _time(signature: Dictionary) -> datetime | None:
    try:
        time = generic.parse_pdf_date(text(entry(signature, "/M")))
    # The library lets a few errors of its own parsing through beside the one it documents.
    except Exception:
        return None
    return time if time.tzinfo is not None else time.replace(tzinfo=UTC)
