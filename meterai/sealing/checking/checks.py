"""The checks of the verifier, each a question about the seals of a document.

The checks, in the order they are made; the number in a comment refers to this table.

   1  readable    the file is a PDF that can be opened
   2  issuer      the certificate of the seal is of a key that seals, if the verifier knows those, and
                  leads to a trusted root; each certificate on the way
                  may do what it did; the SignedData holds these certificates and no other
   3  seal        the key of that certificate made the signature, and the signed attributes name the
                  certificate (signing-certificate-v2, RFC 5035)
   4  structure   the byte range is two pieces: from byte 0 to exactly the value of the seal's own
                  /Contents, and from there to the end of its update; the value is the SignedData
                  as we lay it out, padded with zeros
   5  integrity   the covered bytes have the SHA-256 that was signed
   6  compared    what was appended later could be compared and drawn within the bounds of a task
   7  unchanged   nothing but signatures, time-stamps and evidence (DSS) was appended later
   8  as_seen     every page with a later signature looks as it was sealed, outside of its box
   9  uncovered   no later signature has a picture over something that was on the page
  10  validity    the certificates were valid at the stated time, and that time is not to come
  11  serials     reason, private dictionary, field name and annotations name the same serials
  12  original    the file before stamping has the recorded SHA-256
  13  time_stamp  the time-stamp is there exactly where the seal says so, leads to a root that the seal
                  names and the verifier trusts, holds nothing unsigned, and agrees with the stated time
  14  claim       the signed claims of the QR codes hold for these serials, time and original

6 is made if something was appended behind the seals, 7 unless its comparison did not finish, 8 and 9
if 3 and 5 hold and it was drawn, 13 if they hold, unless each seal says that it has no time-stamp and
has none, 14 if the claim keys are known; all others always.  Where the verifier trusts no root of time-stamps, those
that the seal names are believed, and the answer says so.
"""

import re
from binascii import hexlify
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise

import msgspec

from meterai.sealing.checking.gaps import Gap
from meterai.sealing.checking.questions import ClaimKeys
from meterai.sealing.checking.signatures import (
    ByteRange,
    Digests,
    Roots,
    Signature,
    digests_of,
    drawn_serials,
)
from meterai.sealing.model import Check
from meterai.sealing.pdf.decoding import TooMuchHere
from meterai.sealing.pdf.document import Document, in_letters
from meterai.sealing.pdf.linearization import is_taken_for_linearized
from meterai.sealing.sandbox.answers import Compared, Seen
from meterai.sealing.signing import cms, timestamps, trust
from meterai.sealing.signing.issuer import common_name
from meterai.sealing.stamp import claim
from meterai.sealing.stamp.identifiers import is_serial, serial_in_name

CLOCK_TOLERANCE = timedelta(minutes=5)  # between the machine that sealed and the one that checks

# The beginning of a signature dictionary whose first strings or brackets are its /Contents.
_BEFORE_PLACEHOLDER = re.compile(rb"\s*(\d+)\s+\d+\s+obj\s*<<[^<>()%\[\]]*/Contents\s*")
_TAIL = re.compile(rb"startxref\s+(\d{1,10})\s+%%EOF[\r\n ]*\Z")
_TAIL_BYTES_MAX = 64  # of the pointer at the end of an update


@dataclass(frozen=True, slots=True)
class Case:
    """All that a check may look at."""

    file: bytes
    document: Document
    sealers: trust.Sealers
    claim_keys: ClaimKeys | None
    time_stamp_roots: Roots
    password: bytes
    at: datetime
    has_gaps: bool = False  # something was appended that had to be compared
    comparison: Compared | None = None  # of that; `None` if it was not done within its bounds
    known: dict[tuple[ByteRange, int], Digests] = field(default_factory=dict)

    def digests(self, seal: Signature) -> Digests:
        """The digests about a seal, whose ranges are in order, in one pass over the file."""
        assert seal.ranges is not None
        key = seal.ranges, seal.original_length
        found = self.known.get(key)
        if found is None:
            found = self.known[key] = digests_of(self.file, *key)
        return found


_Facts = dict[str, object]
_Answer = tuple[bool, _Facts]
_Question = Callable[[Case, Sequence[Signature]], _Answer]


def _of_each(question: Callable[[Case, Signature], _Answer]) -> _Question:
    """The check of every seal; the facts are those of the first that fails, else of the last."""

    def ask(case: Case, seals: Sequence[Signature]) -> _Answer:
        answer: _Answer = (False, {})
        for seal in seals:
            answer = question(case, seal)
            if not answer[0]:
                break
        return answer

    return ask


def made(case: Case, seals: Sequence[Signature]) -> tuple[Check, ...]:
    """The checks of the seals of a document, in the order of the table above."""
    return tuple(_ask(case, name, seals) for name in _QUESTIONS if _is_asked(case, name, seals))


def _is_asked(case: Case, name: str, seals: Sequence[Signature]) -> bool:
    if name == "claim":
        return case.claim_keys is not None
    if name == "time_stamp":
        is_one = any(_token(seal) is not None or seal.time_stamp_roots != () for seal in seals)
        return is_one and hold(case, seals)
    if name == "compared":
        return case.has_gaps
    if name == "unchanged":
        return not case.has_gaps or case.comparison is not None
    if name in ("as_seen", "uncovered"):
        return _is_drawn(case) and hold(case, seals)
    return True


def _is_drawn(case: Case) -> bool:
    """True if there was nothing to draw, or it was drawn."""
    if not case.has_gaps:
        return True
    found = case.comparison
    return found is not None and found.change is None and not _is_seen(case, "not_drawn")


def _is_seen(case: Case, *kinds: str) -> Seen | None:
    seen = case.comparison.seen if case.comparison is not None else None
    return seen if seen is not None and seen.kind in kinds else None


def _ask(case: Case, name: str, seals: Sequence[Signature]) -> Check:
    """Ask one question about the seals."""
    question, facts = _QUESTIONS[name]
    try:
        passed, facts = question(case, seals)
    except TooMuchHere:
        raise
    # A seal that cannot be examined fails this check; it must not hide the answers to others.
    except Exception:
        return Check(name, passed=False, facts=facts)
    return Check(name, passed, facts)


def _token(seal: Signature) -> bytes | None:
    return seal.signed_data.time_stamp if seal.signed_data is not None else None


def _issuer(case: Case, seal: Signature) -> _Answer:
    """2: does a sealer's certificate lead to a trusted root, and may each on the way do what it did?"""
    if seal.path is None:
        return False, {"signer": common_name(seal.signed_data.leaf) if seal.signed_data else "-"}
    # The signature does not cover the certificates.  We put in exactly those of the path, so one
    # more or one less was added or taken out later.
    signed_data = seal.signed_data
    is_whole = signed_data is not None and {signed_data.leaf, *signed_data.others} == set(seal.path)
    return is_whole and trust.usages_fit(seal.path), {"signer": common_name(seal.path[0])}


def _sealed(case: Case, seal: Signature) -> _Answer:
    """3: did the key of the certificate sign, and do the signed attributes name the certificate?"""
    signed_data = seal.signed_data
    return signed_data is not None and signed_data.names_all and signed_data.signature_holds, {}


def _structure(case: Case, seal: Signature) -> _Answer:
    """4: does the seal cover everything up to the end of its update but its own /Contents?"""
    facts: _Facts = {"covered_bytes": seal.end, "bytes": len(case.file)}
    if seal.ranges is None or seal.found.ref is None:
        return False, facts
    first, placeholder_start, placeholder_end, length = seal.ranges
    # (1) Two ranges, from the first byte, in order, within the file, with one placeholder.
    if (
        first != 0
        or not 0 < placeholder_start < placeholder_end
        or length <= 0
        or seal.end > len(case.file)
    ):
        return False, facts
    # (2) The placeholder is the value of /Contents of this dictionary, not of one elsewhere.
    if seal.offset < 0:
        return False, facts
    before = _BEFORE_PLACEHOLDER.fullmatch(case.file, seal.offset, placeholder_start)
    if before is None or int(before[1]) != seal.found.ref.number:
        return False, facts
    # (3) It holds our SignedData and zeros, in lower-case digits as we write them: nothing else
    # fits in, and not even the case of a digit can differ.
    placeholder = case.file[placeholder_start:placeholder_end]
    padded = seal.contents
    if placeholder != b"<%b>" % hexlify(padded) or not seal.signed_data:
        return False, facts
    length_used = cms.der_length(padded)
    if padded[length_used:].strip(b"\0"):
        return False, facts
    if not seal.signed_data.is_laid_out_as_ours(padded[:length_used]):
        return False, facts
    # (4) No reader begins elsewhere.  (5) The cross-reference section that leads here is the last thing
    # covered.
    if is_taken_for_linearized(case.file):
        return False, facts
    section = case.document.sections[seal.section]
    tail = _TAIL.search(case.file, max(section.start, seal.end - _TAIL_BYTES_MAX), seal.end)
    is_last = tail is not None and int(tail[1]) + case.document.shift == section.start
    return is_last and placeholder_end < section.start, facts


def _integrity(case: Case, seal: Signature) -> _Answer:
    """5: have the covered bytes the digest that was signed?"""
    if not seal.is_in_order or seal.signed_data is None:
        return False, {}
    is_sha256 = seal.signed_data.digest_name == "sha256"
    return is_sha256 and case.digests(seal).covered == seal.signed_data.message_digest, {}


def _compared(case: Case, _: Sequence[Signature]) -> _Answer:
    """6: could what follows the seals be compared, and what is seen of it?"""
    return case.comparison is not None and not _is_seen(case, "not_drawn"), {}


def _unchanged(case: Case, seals: Sequence[Signature]) -> _Answer:
    """7: does nothing follow the seals but signatures, time-stamps and evidence?"""
    facts: _Facts = {"later_bytes": max(0, len(case.file) - seals[-1].end)}
    if case.comparison is None:
        return not gaps_behind(case, seals), facts
    change = case.comparison.change
    if change is None:
        return True, facts
    return False, {
        **facts,
        "what": change.kind,
        "object": change.number,
        "on_page": change.page,
        "entry": change.key or "-",
    }


def _as_seen(case: Case, _: Sequence[Signature]) -> _Answer:
    """8: does every page look as it was sealed, but for the boxes of later signatures?"""
    return _of_look(_is_seen(case, "different", "copied"))


def _uncovered(case: Case, _: Sequence[Signature]) -> _Answer:
    """9: does no later signature have a picture over something that was on the page?"""
    return _of_look(_is_seen(case, "covered"))


def _of_look(seen: Seen | None) -> _Answer:
    return seen is None, msgspec.structs.asdict(seen) if seen is not None else {}


def hold(case: Case, seals: Sequence[Signature]) -> bool:
    """True if all seals are ours and whole.

    What follows a seal is compared and drawn at some expense, which a forger must not cause.
    """
    return all(
        seal.path is not None and _sealed(case, seal)[0] and _integrity(case, seal)[0]
        for seal in seals
    )


def gaps_behind(case: Case, seals: Sequence[Signature]) -> list[Gap]:
    """What was appended behind the seals and is not ours.

    A seal notes the length it found, and covers all from there to its end: that is one update of
    ours.  What is before it, back to the seal before, is somebody else's, and so is what follows the
    last.  A seal that contradicts itself leaves all that follows the first to be compared.
    """
    gaps = []
    for seal, following in pairwise(seals):
        if not seal.end <= following.previous_length < following.end:
            return [Gap(seals[0].end, len(case.file))]
        if seal.end < following.previous_length or following.section != seal.section - 1:
            gaps.append(Gap(seal.end, following.previous_length))
    if seals[-1].end != len(case.file) or seals[-1].section:
        gaps.append(Gap(seals[-1].end, len(case.file)))
    return gaps


def _validity(case: Case, seal: Signature) -> _Answer:
    """10: were the certificates valid at the time the seal states?"""
    if seal.sealed_at is None or seal.path is None:
        return False, {"sealed_at": "-"}
    not_to_come = seal.sealed_at <= case.at + CLOCK_TOLERANCE
    facts: _Facts = {"sealed_at": seal.sealed_at}
    return not_to_come and trust.valid_at(seal.path, seal.sealed_at), facts


def _time_stamp(case: Case, seals: Sequence[Signature]) -> _Answer:
    """13: are there the time-stamps that the seals name, do they hold, and agree with the times?"""
    facts = _NO_TIME_STAMP
    for seal in seals:
        token = _token(seal)
        if seal.signed_data is None or seal.time_stamp_roots is None or seal.sealed_at is None:
            return False, _NO_TIME_STAMP
        if (token is None) != (not seal.time_stamp_roots):
            return False, _NO_TIME_STAMP
        if token is None:
            continue
        try:
            found = timestamps.check(token, seal.signed_data.signature, seal.time_stamp_roots)
        except timestamps.TokenRefused:
            return False, _NO_TIME_STAMP
        is_trusted = found.chain[-1] in case.time_stamp_roots
        facts = {
            "at": found.at,
            "authority": common_name(found.chain[0]),
            "is_trusted": is_trusted,
        }
        if case.time_stamp_roots and not is_trusted:
            return False, facts
        if abs(found.at - seal.sealed_at) > CLOCK_TOLERANCE:
            return False, facts
    return True, facts


def _serials(case: Case, seal: Signature) -> _Answer:
    """11: do reason, private dictionary, field name and annotations name the same serials?"""
    stated = seal.serials
    recorded = tuple(_texts(case, seal, b"/Serials"))
    drawn = drawn_serials(case.document, seal)
    facts: _Facts = {"serials": ", ".join(stated) or "-"}
    agree = stated == recorded and sorted(stated) == sorted(drawn) and all(map(is_serial, stated))
    return bool(stated) and agree and serial_in_name(seal.found.name) == stated[0], facts


def _original(case: Case, seal: Signature) -> _Answer:
    """12: has the file before stamping the recorded digest?"""
    if not seal.is_in_order or seal.ranges is None:
        return False, {"sha256": "-"}
    digest = case.digests(seal).original
    is_before = 0 < seal.original_length < seal.ranges[1]
    recorded = case.document.octets(seal.record, b"/OriginalSHA256")
    return is_before and recorded == digest, {"sha256": digest.hex()}


def _claim(case: Case, seal: Signature) -> _Answer:
    """14: do the claims in the QR codes hold, and say the same as the seal?"""
    claims = _texts(case, seal, b"/Claims")
    if case.claim_keys is None or seal.sealed_at is None or len(claims) != len(seal.serials):
        return False, {}
    recorded = case.document.octets(seal.record, b"/OriginalSHA256") or b""
    return all(
        read.at == seal.sealed_at and claim.matches(read, recorded)
        for read in (
            claim.read(f"{serial}/{text}", case.claim_keys)
            for serial, text in zip(seal.serials, claims, strict=True)
        )
    ), {}


def _texts(case: Case, seal: Signature, key: bytes) -> list[str]:
    """The text strings that the record of a seal lists under a key."""
    if seal.record is None:
        return []
    owner = seal.record.owner
    return [
        in_letters(case.document.decrypted(item, owner))
        for item in case.document.items(seal.record, key)
        if isinstance(item, bytes)
    ]


_NO_TIME_STAMP: _Facts = {"at": "-", "authority": "-", "is_trusted": False}
_NOWHERE: _Facts = {"page": 0, "x": 0, "y": 0, "width": 0, "height": 0}
# In the order of the table above, each with the facts of its sentence where the check raised.
_QUESTIONS: dict[str, tuple[_Question, _Facts]] = {
    "issuer": (_of_each(_issuer), {"signer": "-"}),
    "seal": (_of_each(_sealed), {}),
    "structure": (_of_each(_structure), {"covered_bytes": 0, "bytes": 0}),
    "integrity": (_of_each(_integrity), {}),
    "compared": (_compared, {}),
    "unchanged": (_unchanged, {"later_bytes": 0}),
    "as_seen": (_as_seen, _NOWHERE),
    "uncovered": (_uncovered, _NOWHERE),
    "validity": (_of_each(_validity), {"sealed_at": "-"}),
    "serials": (_of_each(_serials), {"serials": "-"}),
    "original": (_of_each(_original), {"sha256": "-"}),
    "time_stamp": (_time_stamp, _NO_TIME_STAMP),
    "claim": (_of_each(_claim), {}),
}
SOMETIMES_MADE = frozenset({"compared", "as_seen", "uncovered", "time_stamp", "claim"})
ALWAYS_MADE = frozenset({"readable", *_QUESTIONS}) - SOMETIMES_MADE
