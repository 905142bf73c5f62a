"""The verifier: is this document as our seal left it?  From its bytes and the roots given alone.

The checks are numbered in `checks`.  A file with our identifiers that fails 2 or 3 is forged.  One
that passes them has a signature of ours: where 4, 5, 7, 8 or 13 fails, the document around it was
changed; else it is forged where 10, 11, 12 or 14 fails (`_verdict`).

A seal with nothing behind it is checked in the calling process, in about a millisecond.  What was
appended later is compared and rendered in tasks (`sandbox.bounded`), and so is what takes long to
read.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from cryptography import x509

from meterai.kit.refusal import Refusal
from meterai.sealing.checking.checks import (
    ALWAYS_MADE,
    SOMETIMES_MADE,
    Case,
    gaps_behind,
    hold,
    made,
)
from meterai.sealing.checking.gaps import comparing
from meterai.sealing.checking.questions import ClaimKeys, Question, parameters_of, read_report
from meterai.sealing.checking.signatures import (
    Signature,
    is_claimed,
    read_signature,
    stray_seals,
)
from meterai.sealing.model import (
    CHECKED_BYTES_MAX,
    Check,
    DocumentBroken,
    DocumentEncrypted,
    LaterSignature,
    Report,
    Verdict,
)
from meterai.sealing.pdf.decoding import FIRST_LOOK, Limits, TooMuchHere
from meterai.sealing.pdf.document import as_document_broken, open_document
from meterai.sealing.pdf.forms import signature_fields
from meterai.sealing.sandbox import answers
from meterai.sealing.sandbox.answers import Compared, NotAnswered, Verified
from meterai.sealing.sandbox.bounded import Task, Work, finish
from meterai.sealing.signing.trust import Sealers

SEALS_MAX = 64  # of ours in one document; more is not a document but an attack on our time


def verify(
    document: bytes,
    trusted_roots: Sequence[x509.Certificate],
    *,
    at: datetime,
    claim_keys: ClaimKeys | None = None,
    time_stamp_roots: Sequence[x509.Certificate] = (),
    password: bytes = b"",
    seal_certificates: Sequence[x509.Certificate] = (),
) -> Report:
    """Check the seals of a document at a time, against roots.

    `claim_keys`, by the id a claim names, are for the claims in the QR codes, which the seal notes
    too; without them check 14 is not made.  `time_stamp_roots` are what the time-stamps in
    seals may lead to; without them those are taken that the seals name.  `password` opens an
    encrypted document.  `seal_certificates` are those of the keys that seal: without them everyone is
    believed to whom a root leads, which is right only for roots that sign for nobody else.

    Never raises, whatever the bytes are.  `GENUINE` means that every check passed for every seal of
    ours.  Whether a serial was issued, and for this document, the platform knows, not this
    function.
    """
    return finish(
        verifying(
            Question(
                document,
                trusted_roots,
                at,
                claim_keys,
                time_stamp_roots,
                password,
                seal_certificates,
            )
        )
    )


def verifying(question: Question) -> Work[Report]:
    """`verify` as a work."""
    try:
        return (yield from judging(question, FIRST_LOOK))
    except TooMuchHere:
        answer = yield Task("verify", question.document, parameters_of(question))
    try:
        return read_report(answers.read(answer, Verified), ALWAYS_MADE, SOMETIMES_MADE)
    except (NotAnswered, Refusal):
        compared = Check("compared", passed=False)
        return Report(Verdict.COULD_NOT_BE_COMPARED, checks=(compared,))


def judging(question: Question, limits: Limits, *, behind: int = 0) -> Work[Report]:
    """The work of one reader; with the limits of a first look it may raise `TooMuchHere`.

    `behind` so many bytes begins what is judged: seals before that are not asked about.
    """
    document, sealers = question.document, question.sealers
    try:
        opened = open_document(
            document, bytes_max=CHECKED_BYTES_MAX, password=question.password, limits=limits
        )
        with as_document_broken():
            return (
                yield from _judge(
                    Case(
                        document,
                        opened,
                        sealers,
                        question.claim_keys,
                        question.time_stamp_roots,
                        question.password,
                        question.at,
                    ),
                    behind,
                )
            )
    except Refusal as refusal:
        readable = Check("readable", passed=False, facts={"reason": refusal.code})
        return Report(_verdict_unread(document, sealers, refusal), checks=(readable,))


def _verdict_unread(document: bytes, sealers: Sealers, refusal: Refusal) -> Verdict:
    """The verdict on what cannot be read: with a seal of ours in it, somebody changed it.

    Unless a password is missing, for which the file asked when it was sealed: what follows the seal may be
    honest, and nobody can tell.
    """
    if len(document) > CHECKED_BYTES_MAX:
        return Verdict.UNREADABLE
    ends = list(stray_seals(document, sealers))
    if not ends:
        return Verdict.UNREADABLE
    if isinstance(refusal, DocumentEncrypted):
        if len(document) in ends:
            return (
                Verdict.UNREADABLE
            )  # it may well be as we sealed it: who has the password can tell
        if any(_asks_for_password(document[:end]) for end in ends if end < len(document)):
            return Verdict.COULD_NOT_BE_COMPARED
    return Verdict.CHANGED_AFTER_SEALING


def _asks_for_password(document: bytes) -> bool:
    try:
        open_document(document, bytes_max=CHECKED_BYTES_MAX, limits=FIRST_LOOK)
    except DocumentEncrypted:
        return True
    except (Refusal, TooMuchHere):
        return False
    return False


def _judge(case: Case, behind: int) -> Work[Report]:
    found = signature_fields(case.document)
    signatures = [read_signature(case.document, signature, case.sealers) for signature in found]
    asked = [one for one in signatures if not behind or one.end > behind]
    seals = [one for one in asked if is_claimed(one, case.sealers)]
    readable = Check("readable", passed=True, facts={"bytes": len(case.file)})
    if len(seals) > SEALS_MAX:
        raise DocumentBroken(f"{len(seals)} seals")
    if not seals:
        # A seal that the form no longer names was taken out of a document that had one.
        if any(True for _ in stray_seals(case.file, case.sealers)):
            unchanged = Check("unchanged", passed=False, facts={"later_bytes": 0})
            return Report(Verdict.CHANGED_AFTER_SEALING, checks=(readable, unchanged))
        is_foreign = any(signature.contents.strip(b"\0") for signature in signatures)
        return Report(
            Verdict.FOREIGN_SEAL if is_foreign else Verdict.NOT_SEALED, checks=(readable,)
        )
    seals.sort(key=lambda seal: seal.end)
    case = yield from _comparing(case, seals)
    checks = made(case, seals)
    return _report(case, _verdict(checks, case.comparison), (readable, *checks), seals)


def _comparing(case: Case, seals: Sequence[Signature]) -> Work[Case]:
    """Have compared and drawn what others appended behind the seals, where there is something.

    That costs something, which a forger must not cause: it is done behind seals of ours only.
    """
    gaps = gaps_behind(case, seals)
    if not gaps or not hold(case, seals):
        return case
    found = yield from comparing(case.file, gaps, case.password)
    return replace(case, has_gaps=True, comparison=found)


def _verdict(checks: Sequence[Check], comparison: Compared | None) -> Verdict:
    failed = {check.name for check in checks if not check.passed}
    if failed & {"issuer", "seal"}:
        return Verdict.FORGED
    if failed & {"structure", "integrity", "unchanged", "as_seen", "time_stamp"}:
        return Verdict.CHANGED_AFTER_SEALING
    if failed - {"compared", "uncovered"}:
        return Verdict.FORGED
    if "compared" in failed:
        return Verdict.COULD_NOT_BE_COMPARED
    if failed:
        return Verdict.COVERED_AFTER_SEALING
    later = comparison.signatures if comparison is not None else []
    if any(one.page or not one.is_time_stamp for one in later):
        return Verdict.GENUINE_THEN_SIGNED
    return Verdict.GENUINE


def _report(
    case: Case, verdict: Verdict, checks: tuple[Check, ...], seals: Sequence[Signature]
) -> Report:
    last = seals[-1]
    serials = tuple(dict.fromkeys(serial for seal in seals for serial in seal.serials))
    if not verdict.is_good:
        return Report(verdict, serials, checks, last.sealed_at)
    # A document may have been stamped more than once: each serial has an original of its own.
    originals = {serial: case.digests(seal).original for seal in seals for serial in seal.serials}
    return Report(
        verdict,
        serials,
        checks,
        last.sealed_at,
        originals[last.serials[-1]],
        case.digests(last).stamped,
        tuple(originals[serial] for serial in serials),
        _later(case.comparison),
        gaps[0].end if (gaps := gaps_behind(case, seals)) else None,
    )


def _later(comparison: Compared | None) -> tuple[LaterSignature, ...]:
    """The signatures behind the seals, as a report has them."""
    found = comparison.signatures if comparison is not None else []
    return tuple(LaterSignature(one.signer, one.at, one.page, one.is_time_stamp) for one in found)
