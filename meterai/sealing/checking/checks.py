"""Checks of a seal, by version of its format.  Each check examines the file as it was when the seal was made.

The record is our private dictionary in the signature dictionary (`stamp.identifiers`).  The checks of version 1,
in order:

   1  readable    the file can be opened as a PDF
   2  issuer      the certificate is that of a sealing key and leads to a trusted root; each
                  certificate on the path permits its use; the SignedData holds no other certificate
   3  seal        the key of that certificate made the signature, and the signed attributes name each
                  certificate (signing-certificate-v2, RFC 5035)
   4  structure   the byte range is two pieces around the value of /Contents, which is the SignedData
                  as we lay it out, padded with zeros; the cross-reference that leads to the
                  signature is the last covered part
   5  integrity   the covered bytes have the SHA-256 that was signed
   6  validity    the certificates were valid at the stated time of sealing, which is not in the future
   7  serials     reason, record and annotations name the same serials
   8  original    the file before stamping has the recorded SHA-256
   9  time_stamp  the time-stamp is present if and only if the record says so, leads to a root that
                  the record names and the verifier trusts, holds nothing unsigned, and agrees with
                  the stated time
  10  claim       the signed claims of the QR codes hold for these serials, this time and original

The seal of an operator's statement has another kind of record.  In place of checks 7 and 10 there is:

      no_stamp    reason, record and annotations name no serial, since a statement has no stamp

Check 9 is omitted if the record states no time-stamp and the signature has none; check 10 is omitted if the verifier
has no claim keys.  All other checks are always made.  If the verifier has no roots for time-stamps, the roots that
the record names are trusted, and the answer says so.
"""

import re
from binascii import hexlify
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import cached_property

from cryptography import x509

from meterai.sealing.checking.questions import ClaimKeys
from meterai.sealing.checking.seals import Digests, Seal
from meterai.sealing.model import Check, DocumentBroken
from meterai.sealing.pdf.cross_reference import IN_FILE, OBJECT
from meterai.sealing.pdf.decoding import TooMuchHere
from meterai.sealing.pdf.document import Document, decode_text
from meterai.sealing.pdf.syntax import Dictionary, Ref
from meterai.sealing.signing import cms, timestamps, trust
from meterai.sealing.signing.issuer import common_name
from meterai.sealing.signing.timestamps import ROOTS_MAX
from meterai.sealing.stamp import claim
from meterai.sealing.stamp.identifiers import (
    SEAL_KEY,
    SIGNATURE_HEAD,
    STATEMENT_KEY,
    STATEMENT_PURPOSE,
    is_serial,
    serial_in_name,
    serials_in_reason,
)

CLOCK_TOLERANCE = timedelta(minutes=5)  # between the clocks of the sealing and the checking machine
STAMPING_OBJECTS_MAX = 1_000  # in one update of ours; twenty stamps have sixty objects

_OPENING = re.compile(rb"(?<=\n)(\d{1,10}) 0 obj\n<<%b/Contents \Z" % re.escape(SIGNATURE_HEAD))
_OPENING_BYTES_MAX = 128
_TAIL = re.compile(rb"startxref\s+(\d{1,10})\s+%%EOF[\r\n ]*\Z")
_TAIL_BYTES_MAX = 64  # of the pointer at the end of an update
_ANNOTATION = b"\n<</Type/Annot"  # beginning of an annotation of ours
_NAMED_BY = {b"/Widget": b"/T", b"/Stamp": b"/NM"}
_DATE = re.compile(r"D:(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:Z.*|([+-])(\d\d)'?(?:(\d\d)'?)?)?")

_KEY_OF_STAMPS = b"/%b" % SEAL_KEY.encode("ascii")
_KEY_OF_STATEMENTS = b"/%b" % STATEMENT_KEY.encode("ascii")

Facts = dict[str, object]
Answer = tuple[bool, Facts]


@dataclass(frozen=True)
class SealCheck:
    """Input of the checks: a seal, the document up to the end of the seal, and the keys and roots of the verifier.

    `signature` is the signature dictionary, and `record` our private dictionary in it; either is `None` if the
    document has none.  `at` is the time of the check.
    """

    seal: Seal
    digests: Digests
    document: Document
    signature: Dictionary | None
    record: Dictionary | None
    claim_keys: ClaimKeys | None
    time_stamp_roots: Sequence[x509.Certificate]
    at: datetime

    @cached_property
    def is_statement(self) -> bool:
        """True if the seal is over a statement of the operator: it has the record of a statement and no record of stamps."""
        signature = self.signature
        return (
            signature is not None
            and signature.get(_KEY_OF_STAMPS) is None
            and signature.get(_KEY_OF_STATEMENTS) is not None
        )

    @cached_property
    def rules(self) -> "Rules | None":
        """Rules for this kind of seal and version of the format; `None` if the version is unknown."""
        return (STATEMENT_VERSIONS if self.is_statement else VERSIONS).get(self.version)

    @cached_property
    def version(self) -> int:
        """Version of the format that the record states; 0 if it states none, as in the oldest seals."""
        stated = self.document.entry(self.record, b"/Version")
        return stated if type(stated) is int else 0

    @cached_property
    def sealed_at(self) -> datetime | None:
        """Time of sealing that the signature dictionary states (/M); `None` if it is missing or malformed."""
        return time_of(self.document.text(self.signature, b"/M"))

    @cached_property
    def serials(self) -> tuple[str, ...]:
        """Well-formed serials in the reason of the signature (/Reason)."""
        return serials_in_reason(self.document.text(self.signature, b"/Reason"))

    def length(self, key: bytes) -> int:
        """Return the length in bytes that the record states under a key; 0 if it states no positive number."""
        length = self.document.entry(self.record, key)
        return length if type(length) is int and length > 0 else 0

    def texts(self, key: bytes) -> list[str]:
        """Return the text strings in the array under a key of the record."""
        return [decode_text(one) for one in self.strings(key)]

    def strings(self, key: bytes) -> list[bytes]:
        """Return the byte strings in the array under a key of the record; empty if the array has any other item."""
        if self.record is None:
            return []
        listed = self.document.items(self.record, key)
        strings = [one for one in listed if isinstance(one, bytes)]
        if len(strings) != len(listed):
            return []
        return [self.document.decrypted(one, self.record.owner) for one in strings]


def signature_of(document: Document, seal: Seal) -> tuple[Dictionary | None, Dictionary | None]:
    """Return the signature dictionary of a seal, and the record in it; `None` for each that is missing."""
    number = _number(document, seal)
    signature = document.dictionary(Ref(number, 0)) if number else None
    if signature is None:
        return None, None
    record = document.dictionary(signature.get(_KEY_OF_STAMPS))
    if record is None:
        record = document.dictionary(signature.get(_KEY_OF_STATEMENTS))
    return signature, record


def _number(document: Document, seal: Seal) -> int:
    """Return the object number of the signature dictionary; 0 unless the newest cross-reference section leads to it."""
    start = max(0, seal.start - _OPENING_BYTES_MAX)
    opening = _OPENING.search(document.buffer, start, seal.start)
    if opening is None:
        return 0
    section, row = document.row(int(opening[1]))
    is_there = row is not None and row.kind == IN_FILE and row.where == opening.start()
    return int(opening[1]) if section == 0 and is_there else 0


def time_of(text: str) -> datetime | None:
    """Parse a PDF date (ISO 32000-2, section 7.9.4) that is complete to the second; `None` for any other text."""
    found = _DATE.fullmatch(text)
    if found is None:
        return None
    away = timedelta(hours=int(found[8] or 0), minutes=int(found[9] or 0))
    try:
        zone = timezone(-away if found[7] == "-" else away)
        return datetime(*(int(part) for part in found.groups()[:6]), tzinfo=zone)  # type: ignore[misc,arg-type]
    except ValueError:
        return None


def integrity(seal: Seal, digests: Digests) -> bool:
    """True if the covered bytes have the digest that was signed (check 5)."""
    signed_data = seal.signed_data
    return signed_data.digest_name == "sha256" and digests.covered == signed_data.message_digest


def _issuer(case: SealCheck) -> Answer:
    # The signature does not cover the certificates, so their set is compared: none may be added or removed.
    signed_data, path = case.seal.signed_data, case.seal.path
    is_whole = {signed_data.leaf, *signed_data.others} == set(path)
    return is_whole and trust.usages_fit(path), {"signer": common_name(path[0])}


def _sealed(case: SealCheck) -> Answer:
    return case.seal.signed_data.names_all and case.seal.signed_data.signature_holds, {}


def _structure(case: SealCheck) -> Answer:
    seal, file = case.seal, case.document.buffer
    facts: Facts = {"covered_bytes": seal.end}
    if case.signature is None or not seal.is_in_place:
        return False, facts
    # The gap must hold exactly the lower-case hexadecimal digits that we write.
    if file[seal.start : seal.stop] != b"<%b>" % hexlify(seal.contents):
        return False, facts
    used = cms.der_length(seal.contents)
    if seal.contents[used:].strip(b"\0"):
        return False, facts
    if not seal.signed_data.is_laid_out_as_ours(seal.contents[:used]):
        return False, facts
    section = case.document.sections[0]
    tail = _TAIL.search(file, max(section.start, seal.end - _TAIL_BYTES_MAX), seal.end)
    is_last = tail is not None and int(tail[1]) == section.start
    return is_last and seal.stop < section.start, facts


def _integrity(case: SealCheck) -> Answer:
    return integrity(case.seal, case.digests), {}


def _validity(case: SealCheck) -> Answer:
    if case.sealed_at is None:
        return False, {"sealed_at": "-"}
    is_past = case.sealed_at <= case.at + CLOCK_TOLERANCE
    return is_past and trust.valid_at(case.seal.path, case.sealed_at), {"sealed_at": case.sealed_at}


def _serials(case: SealCheck) -> Answer:
    stated, drawn = case.serials, _drawn(case.document)
    facts: Facts = {"serials": ", ".join(stated) or "-"}
    agree = stated == tuple(case.texts(b"/Serials")) == tuple(drawn)
    return bool(stated) and agree and all(map(is_serial, stated)), facts


def _no_stamp(case: SealCheck) -> Answer:
    record, reason = case.record, case.document.text(case.signature, b"/Reason")
    is_bare = record is not None and b"/Serials" not in record and b"/Claims" not in record
    return is_bare and reason == STATEMENT_PURPOSE and not _drawn(case.document), {}


def _drawn(document: Document) -> list[str]:
    """Return the serials of the stamps that the newest update wrote, in the order of their objects."""
    section = document.sections[0]
    if section.rows > STAMPING_OBJECTS_MAX:
        raise DocumentBroken("the update has more objects than a stamping writes")
    serials = []
    for number, offset, generation in zip(*section.in_file(), strict=True):
        header = OBJECT.match(document.buffer, offset)
        if header is None or int(header[1]) != number:
            raise DocumentBroken("an object is at an unexpected position")
        if not document.buffer.startswith(_ANNOTATION, header.end()):
            continue
        entries = Dictionary(document.buffer, header.end(), Ref(number, generation))
        key = _NAMED_BY.get(entries.raw(b"/Subtype") or b"")
        serial = serial_in_name(document.text(entries, key)) if key is not None else None
        if serial is not None:
            serials.append(serial)
    return serials


def _original(case: SealCheck) -> Answer:
    length = case.length(b"/OriginalLength")
    is_before = length == case.seal.original_length and 0 < length < case.seal.start
    recorded = case.document.octets(case.record, b"/OriginalSHA256")
    digest = case.digests.original
    return is_before and recorded == digest, {"sha256": digest.hex()}


def _time_stamp(case: SealCheck) -> Answer:
    token, named = case.seal.signed_data.time_stamp, time_stamp_roots(case)
    if named is None or case.sealed_at is None or token is None or not named:
        return False, _NO_TIME_STAMP
    try:
        found = timestamps.check(token, case.seal.signed_data.signature, named)
    except timestamps.TokenRefused:
        return False, _NO_TIME_STAMP
    is_trusted = found.chain[-1] in case.time_stamp_roots
    facts: Facts = {
        "at": found.at,
        "authority": common_name(found.chain[0]),
        "is_trusted": is_trusted,
    }
    is_believed = is_trusted or not case.time_stamp_roots
    return is_believed and abs(found.at - case.sealed_at) <= CLOCK_TOLERANCE, facts


def time_stamp_roots(case: SealCheck) -> list[bytes] | None:
    """Return the digests of the time-stamp's roots that the record lists; `None` if it has no valid list."""
    listed = case.document.entry(case.record, b"/TimeStampRoots")
    named = case.strings(b"/TimeStampRoots")
    is_said = isinstance(listed, list) and len(named) == len(listed) <= ROOTS_MAX
    return named if is_said else None


def _claim(case: SealCheck) -> Answer:
    claims = case.texts(b"/Claims")
    if case.claim_keys is None or case.sealed_at is None or len(claims) != len(case.serials):
        return False, {}
    recorded = case.document.octets(case.record, b"/OriginalSHA256") or b""
    read = [
        claim.read(f"{serial}/{text}", case.claim_keys)
        for serial, text in zip(case.serials, claims, strict=True)
    ]
    return all(one.at == case.sealed_at and claim.matches(one, recorded) for one in read), {}


_NO_TIME_STAMP: Facts = {"at": "-", "authority": "-", "is_trusted": False}
# For each check its function, and the facts of its sentence if the function raises.
Rules = Mapping[str, tuple[Callable[[SealCheck], Answer], Facts]]
_VERSION_1: Rules = {
    "issuer": (_issuer, {"signer": "-"}),
    "seal": (_sealed, {}),
    "structure": (_structure, {"covered_bytes": 0}),
    "integrity": (_integrity, {}),
    "validity": (_validity, {"sealed_at": "-"}),
    "serials": (_serials, {"serials": "-"}),
    "original": (_original, {"sha256": "-"}),
    "time_stamp": (_time_stamp, _NO_TIME_STAMP),
    "claim": (_claim, {}),
}
# Rules of each released version of the format.  A version and its rules are never removed.
VERSIONS = {1: _VERSION_1}
_STATEMENT_1: Rules = {
    name: rule for name, rule in _VERSION_1.items() if name not in ("serials", "claim")
} | {"no_stamp": (_no_stamp, {})}
STATEMENT_VERSIONS = {1: _STATEMENT_1}
SOMETIMES_MADE = frozenset({"version", "time_stamp", "claim", "no_stamp"})
ALWAYS_MADE = frozenset({"readable", *_VERSION_1}) - SOMETIMES_MADE


def made(case: SealCheck) -> tuple[Check, ...]:
    """Carry out the checks of a seal by the rules of its kind and version; `case.rules` must not be `None`."""
    rules = case.rules
    assert rules is not None
    return tuple(_ask(case, name, *rules[name]) for name in rules if _applies(case, name))


def _applies(case: SealCheck, name: str) -> bool:
    if name == "claim":
        return case.claim_keys is not None
    if name == "time_stamp":
        return case.seal.signed_data.time_stamp is not None or time_stamp_roots(case) != []
    return True


def _ask(
    case: SealCheck, name: str, question: Callable[[SealCheck], Answer], facts: Facts
) -> Check:
    try:
        passed, facts = question(case)
    except TooMuchHere:
        raise
    # A check that raises counts as failed; it must not prevent the other checks.
    except Exception:
        return Check(name, passed=False, facts=facts)
    return Check(name, passed, facts)
