"""Is this document as it left us?  Answered from its bytes and the roots we trust, nothing else.

The questions, in order.  The first three are about our seal as such, the others about the document:

  readable    the file is a PDF that can be opened
  issuer      the seal's certificate leads to a trusted root, and each may do what it did
  seal        the seal was made with that certificate's key, and names it (RFC 5035)
  structure   the seal covers one piece from the first byte up to exactly its own /Contents and one
              from there to the end of its update; the gap is the container, padded with zeros
  integrity   the covered bytes have the digest that was sealed
  unchanged   nothing but certificates, time-stamps and signatures was appended later
  validity    the certificates were valid when the seal says it was made, and that is not to come
  serials     reason, field and annotations name the same serials
  original    the document before stamping is the one that was recorded

Whoever fails `issuer` or `seal` while bearing our marks is a forger.  Whoever passes them holds a
container of ours; if the rest fails, the document around it was changed.
"""

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from pyhanko.pdf_utils import generic

from meterai.kit.refusal import Refusal
from meterai.sealing import cms, trust
from meterai.sealing.document import (
    Reader,
    SignatureField,
    array,
    as_document_broken,
    dictionary,
    entry,
    open_document,
    resolved,
    signature_fields,
    text,
)
from meterai.sealing.marks import SEAL_KEY, is_serial, serial_in_name, serials_in_reason
from meterai.sealing.model import CHECKED_BYTES_MAX, Check, DocumentBroken, Report, Verdict
from meterai.sealing.revisions import only_signatures_follow, stamp_annotations, stamp_name

CLOCK_TOLERANCE = timedelta(minutes=5)  # between the machine that sealed and the one that checks
SEALS_MAX = 64  # of ours in one document; more is not a document but an attack on our time

_STRAY_RANGE = re.compile(rb"/ByteRange\s*\[\s*0+\s+(\d{1,10})\s+(\d{1,10})\s+\d{1,10}\s*\]")
_HEX = re.compile(rb"<(?:[0-9A-Fa-f]{2})+>")
_BEFORE_GAP = re.compile(rb"\s*(\d+)\s+\d+\s+obj\s*<<[^<>()%\[\]]*/Contents\s*")


def verify(document: bytes, trusted_roots: Sequence[x509.Certificate], *, at: datetime) -> Report:
    """Check the seals of a document, at the time given, against the roots given.

    Never raises, whatever the bytes are.  `GENUINE` means that every check passed for every seal of
    ours.  Whether a serial was issued, and for this document, is known to those with the books.
    """
    try:
        reader = open_document(document, bytes_max=CHECKED_BYTES_MAX)
        with as_document_broken():
            return _judge(document, reader, trusted_roots, at)
    except Refusal as refusal:
        readable = Check("readable", passed=False, facts={"reason": refusal.code})
        ours = len(document) <= CHECKED_BYTES_MAX and _stray_seal(document, trusted_roots)
        verdict = Verdict.CHANGED_AFTER_SEALING if ours else Verdict.UNREADABLE
        return Report(verdict, checks=(readable,))


@dataclass(frozen=True, slots=True)
class _Seal:
    """One signature that is ours, or says so."""

    found: SignatureField
    container: cms.ReadContainer | None
    path: tuple[x509.Certificate, ...] | None
    ranges: tuple[int, int, int, int] | None
    revision: int
    sealed_at: datetime | None

    @property
    def marks(self) -> generic.DictionaryObject | None:
        return dictionary(entry(self.found.signature, SEAL_KEY))

    @property
    def serials(self) -> tuple[str, ...]:
        return serials_in_reason(text(entry(self.found.signature, "/Reason")))

    @property
    def end(self) -> int:
        return self.ranges[2] + self.ranges[3] if self.ranges else 0


@dataclass(frozen=True, slots=True)
class _Case:
    """All that a check may look at."""

    document: bytes
    reader: Reader
    roots: Sequence[x509.Certificate]
    at: datetime


def _judge(
    document: bytes, reader: Reader, roots: Sequence[x509.Certificate], at: datetime
) -> Report:
    case = _Case(document, reader, roots, at)
    signatures = [_read_seal(case, found) for found in signature_fields(reader.root)]
    seals = [seal for seal in signatures if _is_claimed(seal, roots)]
    readable = Check("readable", passed=True, facts={"bytes": len(document)})
    if len(seals) > SEALS_MAX:
        raise DocumentBroken(f"{len(seals)} seals")
    if not seals:
        # A seal that the form no longer names was taken out of a document that had one.
        if _stray_seal(document, roots):
            unchanged = Check("unchanged", passed=False, facts={"later_bytes": 0})
            return Report(Verdict.CHANGED_AFTER_SEALING, checks=(readable, unchanged))
        foreign = any(signature.container is not None for signature in signatures)
        return Report(Verdict.FOREIGN_SEAL if foreign else Verdict.NOT_SEALED, checks=(readable,))
    seals.sort(key=lambda seal: seal.end)
    checks = tuple(_check_all(case, name, question, seals) for name, question in _QUESTIONS)
    verdict = _verdict(checks)
    return _report(case, verdict, (readable, *checks), seals)


def _check_all(case: _Case, name: str, question: "_Question", seals: Sequence[_Seal]) -> Check:
    """Ask one question about every seal; the facts are those of the first no, else of the last yes."""
    for seal in seals:
        try:
            passed, facts = question(case, seal)
        # One seal that cannot be examined fails this check; it must not hide the other checks.
        except Exception:
            passed, facts = False, question(case, None)[1]
        if not passed:
            break
    return Check(name, passed, facts)


def _verdict(checks: Sequence[Check]) -> Verdict:
    failed = {check.name for check in checks if not check.passed}
    if not failed:
        return Verdict.GENUINE
    if failed & {"issuer", "seal"}:
        return Verdict.FORGED
    if failed & {"structure", "integrity", "unchanged"}:
        return Verdict.CHANGED_AFTER_SEALING
    return Verdict.FORGED


def _report(
    case: _Case, verdict: Verdict, checks: tuple[Check, ...], seals: Sequence[_Seal]
) -> Report:
    last = seals[-1]
    serials = tuple(dict.fromkeys(serial for seal in seals for serial in seal.serials))
    original, stamped = None, None
    if verdict is Verdict.GENUINE:
        original = hashlib.sha256(memoryview(case.document)[: _original_length(last)]).digest()
        stamped = hashlib.sha256(memoryview(case.document)[: last.end]).digest()
    return Report(verdict, serials, checks, last.sealed_at, original, stamped)


# Reading a signature


def _read_seal(case: _Case, found: SignatureField) -> _Seal:
    container = path = None
    contents = found.signature.get("/Contents")
    if isinstance(contents, generic.ByteStringObject | generic.TextStringObject):
        container = _container(contents.original_bytes)
    if container is not None:
        path = trust.path_to_root(container, case.roots)
    revision = -1
    if found.reference is not None:
        revision = case.reader.xrefs.get_last_change(found.reference)
    return _Seal(
        found,
        container,
        path,
        _ranges(found.signature),
        revision,
        _time(text(entry(found.signature, "/M"))),
    )


def _container(padded: bytes) -> cms.ReadContainer | None:
    try:
        return cms.read(padded[: cms.der_length(padded)])
    except cms.ContainerUnreadable:
        return None


def _ranges(signature: generic.DictionaryObject) -> tuple[int, int, int, int] | None:
    numbers = [resolved(item) for item in array(entry(signature, "/ByteRange")) or ()]
    match [int(number) for number in numbers if isinstance(number, int)]:
        case [first, second, third, fourth] if len(numbers) == 4:
            return first, second, third, fourth
    return None


def _time(stated: str) -> datetime | None:
    try:
        time = generic.parse_pdf_date(stated)
    # The library lets a few ValueErrors of its own parsing through.
    except Exception:
        return None
    return time if time.tzinfo is not None else time.replace(tzinfo=UTC)


def _is_claimed(seal: _Seal, roots: Sequence[x509.Certificate]) -> bool:
    """True if the signature is ours or bears one of our marks."""
    name = serial_in_name(seal.found.name)
    container = seal.container
    return (
        seal.path is not None
        or seal.marks is not None
        or name is not None
        or bool(seal.serials)
        or (container is not None and trust.uses_names_of(container, roots))
    )


def _stray_seal(document: bytes, roots: Sequence[x509.Certificate]) -> bool:
    """True if a container of ours lies in the bytes, wherever the document hides it."""
    for number, found in enumerate(_STRAY_RANGE.finditer(document)):
        gap = document[int(found[1]) : int(found[2])]
        if number == SEALS_MAX:
            break
        if not _HEX.fullmatch(gap):
            continue
        container = _container(bytes.fromhex(gap[1:-1].decode("ascii")))
        if (
            container is not None
            and container.signature_holds()
            and trust.path_to_root(container, roots) is not None
        ):
            return True
    return False


# The questions, each answered for one seal; asked without a seal they give the facts of a failure.

_Answer = tuple[bool, dict[str, object]]
_Question = Callable[[_Case, _Seal | None], _Answer]


def _issuer(case: _Case, seal: _Seal | None) -> _Answer:
    if seal is None or seal.path is None:
        leaf = seal.container.leaf if seal and seal.container else None
        return False, {"signer": _common_name(leaf)}
    return trust.usages_fit(seal.path), {"signer": _common_name(seal.path[0])}


def _seal(case: _Case, seal: _Seal | None) -> _Answer:
    container = seal.container if seal else None
    if container is None:
        return False, {}
    return container.names_leaf and container.signature_holds(), {}


def _structure(case: _Case, seal: _Seal | None) -> _Answer:
    facts: dict[str, object] = {
        "covered_bytes": seal.end if seal else 0,
        "bytes": len(case.document),
    }
    if seal is None or seal.ranges is None or seal.found.reference is None:
        return False, facts
    first, gap_start, gap_end, length = seal.ranges
    # (1) Two ranges, from the first byte, in order, within the file, with one gap.
    if first != 0 or not 0 < gap_start < gap_end or length <= 0 or seal.end > len(case.document):
        return False, facts
    # (2) The gap is the value of /Contents of this very dictionary, not of one prepared elsewhere.
    offset = case.reader.xrefs[seal.found.reference]
    before = (
        _BEFORE_GAP.fullmatch(case.document, offset, gap_start) if isinstance(offset, int) else None
    )
    if before is None or int(before[1]) != seal.found.reference.idnum:
        return False, facts
    # (3) The gap is the container and zeros: nothing else can hide in it.
    gap = case.document[gap_start:gap_end]
    if not _HEX.fullmatch(gap):
        return False, facts
    padded = bytes.fromhex(gap[1:-1].decode("ascii"))
    if padded[cms.der_length(padded) :].strip(b"\0") or padded != _contents(seal):
        return False, facts
    # (4) The cross-reference section that leads here is itself within what is covered.
    section = case.reader.xrefs.get_xref_container_info(seal.revision)
    return gap_end < section.start_location < seal.end, facts


def _contents(seal: _Seal) -> bytes:
    contents: bytes = seal.found.signature.raw_get("/Contents").original_bytes
    return contents


def _integrity(case: _Case, seal: _Seal | None) -> _Answer:
    if seal is None or seal.ranges is None or seal.container is None:
        return False, {}
    _, gap_start, gap_end, length = seal.ranges
    if not 0 <= gap_start <= gap_end or length < 0:
        return False, {}
    view = memoryview(case.document)
    digest = hashlib.sha256(view[:gap_start])
    digest.update(view[gap_end : gap_end + length])
    is_sha256 = seal.container.digest_name == "sha256"
    return is_sha256 and digest.digest() == seal.container.message_digest, {}


def _unchanged(case: _Case, seal: _Seal | None) -> _Answer:
    end = seal.end if seal else 0
    facts: dict[str, object] = {"later_bytes": max(0, len(case.document) - end)}
    if seal is None or seal.revision < 0:
        return False, facts
    return only_signatures_follow(case.document, case.reader, seal.revision, end), facts


def _validity(case: _Case, seal: _Seal | None) -> _Answer:
    sealed_at = seal.sealed_at if seal else None
    facts: dict[str, object] = {"sealed_at": sealed_at.isoformat() if sealed_at else "-"}
    if seal is None or sealed_at is None or seal.path is None:
        return False, facts
    not_to_come = sealed_at <= case.at + CLOCK_TOLERANCE
    return not_to_come and trust.valid_at(seal.path, sealed_at), facts


def _serials(case: _Case, seal: _Seal | None) -> _Answer:
    if seal is None:
        return False, {"serials": "-"}
    named = seal.serials
    facts: dict[str, object] = {"serials": ", ".join(named) or "-"}
    marked = tuple(text(item) for item in array(entry(seal.marks, "/Serials")) or ())
    drawn = tuple(_drawn_serials(case, seal))
    agree = named == marked and sorted(named) == sorted(drawn) and all(map(is_serial, named))
    return bool(named) and agree and serial_in_name(seal.found.name) == named[0], facts


def _drawn_serials(case: _Case, seal: _Seal) -> Iterator[str]:
    for annotation in stamp_annotations(case.reader, seal.revision):
        serial = stamp_name(annotation)
        if serial is not None:
            yield serial


def _original(case: _Case, seal: _Seal | None) -> _Answer:
    if seal is None or seal.ranges is None:
        return False, {"sha256": "-"}
    length = _original_length(seal)
    digest = hashlib.sha256(memoryview(case.document)[:length])
    recorded = entry(seal.marks, "/OriginalSHA256")
    written = (
        recorded.original_bytes
        if isinstance(recorded, generic.ByteStringObject | generic.TextStringObject)
        else b""
    )
    return 0 < length < seal.ranges[1] and written == digest.digest(), {
        "sha256": digest.hexdigest()
    }


def _original_length(seal: _Seal) -> int:
    length = entry(seal.marks, "/OriginalLength")
    return max(0, int(length)) if isinstance(length, int) else 0


def _common_name(certificate: x509.Certificate | None) -> str:
    if certificate is None:
        return "-"
    names = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return str(names[0].value) if names else certificate.subject.rfc4514_string()


_QUESTIONS: tuple[tuple[str, _Question], ...] = (
    ("issuer", _issuer),
    ("seal", _seal),
    ("structure", _structure),
    ("integrity", _integrity),
    ("unchanged", _unchanged),
    ("validity", _validity),
    ("serials", _serials),
    ("original", _original),
)
