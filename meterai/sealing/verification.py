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
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509

from meterai.kit.refusal import Refusal
from meterai.sealing import cms, trust
from meterai.sealing.document import Reader, as_document_broken, open_document, signature_fields
from meterai.sealing.issuer import common_name
from meterai.sealing.marks import is_serial, serial_in_name
from meterai.sealing.model import CHECKED_BYTES_MAX, Check, DocumentBroken, Report, Verdict
from meterai.sealing.objects import entry, items, octets_of, text
from meterai.sealing.revisions import only_signatures_follow, stamp_annotations, stamp_name
from meterai.sealing.seals import (
    HEX_STRING,
    Roots,
    Seal,
    has_stray_seal,
    is_claimed,
    read_seal,
)

CLOCK_TOLERANCE = timedelta(minutes=5)  # between the machine that sealed and the one that checks
SEALS_MAX = 64  # of ours in one document; more is not a document but an attack on our time

# The beginning of a signature dictionary whose first strings or brackets are its /Contents.
_BEFORE_GAP = re.compile(rb"\s*(\d+)\s+\d+\s+obj\s*<<[^<>()%\[\]]*/Contents\s*")


def verify(document: bytes, trusted_roots: Sequence[x509.Certificate], *, at: datetime) -> Report:
    """Check the seals of a document, at the time given, against the roots given.

    Never raises, whatever the bytes are.  `GENUINE` means that every check passed for every seal
    of ours.  Whether a serial was issued, and for this document, is known to those with the books.
    """
    try:
        reader = open_document(document, bytes_max=CHECKED_BYTES_MAX)
        with as_document_broken():
            return _judge(_Case(document, reader, trusted_roots, at))
    except Refusal as refusal:
        readable = Check("readable", passed=False, facts={"reason": refusal.code})
        is_ours = len(document) <= CHECKED_BYTES_MAX and has_stray_seal(document, trusted_roots)
        verdict = Verdict.CHANGED_AFTER_SEALING if is_ours else Verdict.UNREADABLE
        return Report(verdict, checks=(readable,))


@dataclass(frozen=True, slots=True)
class _Case:
    """All that a question may look at."""

    document: bytes
    reader: Reader
    roots: Roots
    at: datetime


_Facts = dict[str, object]
_Answer = tuple[bool, _Facts]
_Question = Callable[[_Case, Seal], _Answer]


def _judge(case: _Case) -> Report:
    found = signature_fields(case.reader.root)
    signatures = [read_seal(case.reader, signature, case.roots) for signature in found]
    seals = [signature for signature in signatures if is_claimed(signature, case.roots)]
    readable = Check("readable", passed=True, facts={"bytes": len(case.document)})
    if len(seals) > SEALS_MAX:
        raise DocumentBroken(f"{len(seals)} seals")
    if not seals:
        # A seal that the form no longer names was taken out of a document that had one.
        if has_stray_seal(case.document, case.roots):
            unchanged = Check("unchanged", passed=False, facts={"later_bytes": 0})
            return Report(Verdict.CHANGED_AFTER_SEALING, checks=(readable, unchanged))
        is_foreign = any(signature.container is not None for signature in signatures)
        return Report(
            Verdict.FOREIGN_SEAL if is_foreign else Verdict.NOT_SEALED, checks=(readable,)
        )
    seals.sort(key=lambda seal: seal.end)
    checks = tuple(
        # What follows the first seal includes what follows the others.
        _ask(case, name, seals[:1] if name == "unchanged" else seals)
        for name in _QUESTIONS
    )
    return _report(case, _verdict(checks), (readable, *checks), seals)


def _ask(case: _Case, name: str, seals: Sequence[Seal]) -> Check:
    """Ask one question about every seal; the facts are those of the first no, else of the last yes."""
    question, facts = _QUESTIONS[name]
    passed = False
    for seal in seals:
        try:
            passed, facts = question(case, seal)
        # A seal that cannot be examined fails this check; it must not hide the answers to others.
        except Exception:
            return Check(name, passed=False, facts=_QUESTIONS[name][1])
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
    case: _Case, verdict: Verdict, checks: tuple[Check, ...], seals: Sequence[Seal]
) -> Report:
    last = seals[-1]
    serials = tuple(dict.fromkeys(serial for seal in seals for serial in seal.serials))
    if verdict is not Verdict.GENUINE:
        return Report(verdict, serials, checks, last.sealed_at)
    view = memoryview(case.document)
    # A document may have been stamped more than once: each serial has an original of its own.
    originals = {
        serial: hashlib.sha256(view[: seal.original_length]).digest()
        for seal in seals
        for serial in seal.serials
    }
    stamped = hashlib.sha256(view[: last.end]).digest()
    return Report(
        verdict,
        serials,
        checks,
        last.sealed_at,
        originals[last.serials[-1]],
        stamped,
        tuple(originals[serial] for serial in serials),
    )


def _issuer(case: _Case, seal: Seal) -> _Answer:
    """Does the certificate lead to a trusted root, and may each on the way do what it did?"""
    if seal.path is None:
        return False, {"signer": common_name(seal.container.leaf) if seal.container else "-"}
    # Certificates are not under the signature; one that is not on the way was put there later.
    strays = seal.container is not None and set(seal.container.others) - set(seal.path)
    return not strays and trust.usages_fit(seal.path), {"signer": common_name(seal.path[0])}


def _sealed(case: _Case, seal: Seal) -> _Answer:
    """Did the certificate's key make the seal, and does the seal name the certificate?"""
    container = seal.container
    return container is not None and container.names_leaf and container.signature_holds(), {}


def _structure(case: _Case, seal: Seal) -> _Answer:
    """Does the seal cover everything up to its end but its own container?"""
    facts: _Facts = {"covered_bytes": seal.end, "bytes": len(case.document)}
    if seal.ranges is None or seal.found.reference is None:
        return False, facts
    first, gap_start, gap_end, length = seal.ranges
    # (1) Two ranges, from the first byte, in order, within the file, with one gap.
    if first != 0 or not 0 < gap_start < gap_end or length <= 0 or seal.end > len(case.document):
        return False, facts
    # (2) The gap is the value of /Contents of this very dictionary, not of one prepared elsewhere.
    offset = case.reader.xrefs[seal.found.reference]
    if not isinstance(offset, int):
        return False, facts
    before = _BEFORE_GAP.fullmatch(case.document, offset, gap_start)
    if before is None or int(before[1]) != seal.found.reference.idnum:
        return False, facts
    # (3) The gap is our container and zeros: nothing else can hide in it.
    gap = case.document[gap_start:gap_end]
    if not HEX_STRING.fullmatch(gap) or not seal.container:
        return False, facts
    padded = bytes.fromhex(gap[1:-1].decode("ascii"))
    length_used = cms.der_length(padded)
    if padded[length_used:].strip(b"\0") or padded != seal.contents:
        return False, facts
    if not seal.container.is_laid_out_as_ours(padded[:length_used]):
        return False, facts
    # (4) The cross-reference section that leads here is itself within what is covered.
    section = case.reader.xrefs.get_xref_container_info(seal.revision)
    return gap_end < section.start_location < seal.end, facts


def _integrity(case: _Case, seal: Seal) -> _Answer:
    """Have the covered bytes the digest that was sealed?"""
    if seal.ranges is None or seal.container is None:
        return False, {}
    _, gap_start, gap_end, length = seal.ranges
    if not 0 <= gap_start <= gap_end or length < 0:
        return False, {}
    view = memoryview(case.document)
    digest = hashlib.sha256(view[:gap_start])
    digest.update(view[gap_end : gap_end + length])
    is_sha256 = seal.container.digest_name == "sha256"
    return is_sha256 and digest.digest() == seal.container.message_digest, {}


def _unchanged(case: _Case, seal: Seal) -> _Answer:
    """Does nothing follow but what keeps signatures alive, or other signatures?"""
    facts: _Facts = {"later_bytes": max(0, len(case.document) - seal.end)}
    if seal.revision < 0:
        return False, facts
    return only_signatures_follow(case.document, case.reader, seal.revision, seal.end), facts


def _validity(case: _Case, seal: Seal) -> _Answer:
    """Were the certificates valid when the seal says it was made?"""
    if seal.sealed_at is None or seal.path is None:
        return False, {"sealed_at": "-"}
    not_to_come = seal.sealed_at <= case.at + CLOCK_TOLERANCE
    facts: _Facts = {"sealed_at": seal.sealed_at}
    return not_to_come and trust.valid_at(seal.path, seal.sealed_at), facts


def _serials(case: _Case, seal: Seal) -> _Answer:
    """Do reason, record, field and drawn stamps name the same serials?"""
    stated = seal.serials
    recorded = tuple(text(item) for item in items(seal.record, "/Serials"))
    drawn = [stamp_name(stamp) or "" for stamp in stamp_annotations(case.reader, seal.revision)]
    facts: _Facts = {"serials": ", ".join(stated) or "-"}
    agree = stated == recorded and sorted(stated) == sorted(drawn) and all(map(is_serial, stated))
    return bool(stated) and agree and serial_in_name(seal.found.name) == stated[0], facts


def _original(case: _Case, seal: Seal) -> _Answer:
    """Is the document before stamping the one that was recorded?"""
    digest = hashlib.sha256(memoryview(case.document)[: seal.original_length])
    is_before = seal.ranges is not None and 0 < seal.original_length < seal.ranges[1]
    recorded = octets_of(entry(seal.record, "/OriginalSHA256"))
    return is_before and recorded == digest.digest(), {"sha256": digest.hexdigest()}


# In the order they are asked, each with the facts its sentence gets where asking failed.
_QUESTIONS: dict[str, tuple[_Question, _Facts]] = {
    "issuer": (_issuer, {"signer": "-"}),
    "seal": (_sealed, {}),
    "structure": (_structure, {"covered_bytes": 0, "bytes": 0}),
    "integrity": (_integrity, {}),
    "unchanged": (_unchanged, {"later_bytes": 0}),
    "validity": (_validity, {"sealed_at": "-"}),
    "serials": (_serials, {"serials": "-"}),
    "original": (_original, {"sha256": "-"}),
}
