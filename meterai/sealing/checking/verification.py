"""The verifier.  It judges the sealed revision only, not the bytes behind it.

Our seals are found by their bytes.  For each seal the file is cut at the end of the covered bytes, and that part is judged
alone.  The verdict is that of the newest seal.  If it is valid, and only our own evidence follows, the file is `genuine`; if
other bytes follow, it is `genuine_then_extended`.  The serials of an earlier seal count too if the next update of ours begins
exactly where the revision of the earlier seal ends.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from cryptography import x509

from meterai.kit.refusal import Refusal
from meterai.sealing.checking.checks import (
    ALWAYS_MADE,
    SOMETIMES_MADE,
    SealCheck,
    integrity,
    made,
    signature_of,
    time_stamp_roots,
)
from meterai.sealing.checking.evidence import own_evidence_end
from meterai.sealing.checking.questions import CheckQuestion, ClaimKeys, parameters_of, read_report
from meterai.sealing.checking.seals import Digests, Seal, digests_of, seals_in
from meterai.sealing.checking.signatures import Signature, later_signatures, signatures_in
from meterai.sealing.model import (
    CHECKED_BYTES_MAX,
    Check,
    CheckReport,
    EarlierSeal,
    LaterSignature,
    NotJudged,
    TooManySeals,
    Verdict,
)
from meterai.sealing.pdf.decoding import FIRST_LOOK, LIMITS, ReadLimits, TooMuchHere
from meterai.sealing.pdf.document import Document, as_document_broken, open_document
from meterai.sealing.sandbox import answers
from meterai.sealing.sandbox.answers import NotAnswered, Verified
from meterai.sealing.sandbox.bounded import Task, Work, finish
from meterai.sealing.signing.issuer import common_name
from meterai.sealing.writing.engine import HashState


def verify(
    document: bytes,
    trusted_roots: Sequence[x509.Certificate],
    *,
    at: datetime,
    claim_keys: ClaimKeys | None = None,
    time_stamp_roots: Sequence[x509.Certificate] = (),
    password: bytes = b"",
    seal_certificates: Sequence[x509.Certificate] = (),
) -> CheckReport:
    """Check the seals of a document against trusted root certificates.

    `at` is the time of the check.  `claim_keys`, by key id, verify the claims of the QR codes, which the seal records
    too; without them that check is omitted.  `time_stamp_roots` are the roots that time-stamps in seals may lead to;
    without them the roots that the seals name are used.  `password` opens an encrypted document.  `seal_certificates`
    are the certificates of the sealing keys; without them every certificate below a root is accepted, which is
    right only for roots that certify nobody else.

    Returns a report for any bytes.  Refuses with `NotJudged` if the machine is too busy.  Whether a serial was
    issued, and for which document, is not checked here; the room `verification` does that.
    """
    question = CheckQuestion(
        document, trusted_roots, at, claim_keys, time_stamp_roots, password, seal_certificates
    )
    return finish(verifying(question))


def verifying(question: CheckQuestion) -> Work[CheckReport]:
    """Return `verify` as a `Work`.  If a document is too costly for this process, a task in another process checks it."""
    try:
        return judged(question, FIRST_LOOK)
    except TooMuchHere:
        answer = yield Task("verify", question.document, parameters_of(question))
    try:
        return read_report(
            answers.read(answer, Verified), ALWAYS_MADE, SOMETIMES_MADE, len(question.document)
        )
    except (NotAnswered, Refusal):
        raise NotJudged("the check did not end within the bounds of a task") from None


def judged(
    question: CheckQuestion,
    limits: ReadLimits = LIMITS,
    *,
    known: tuple[HashState, int] | None = None,
) -> CheckReport:
    """Check a document in this process, within `limits`.

    With `FIRST_LOOK`, the low limits for a web process, it may raise `TooMuchHere`.  `known` is a SHA-256 state and the number
    of bytes at the beginning of the document that it covers.  Seals within these bytes are not checked, and the bytes are not
    hashed again.
    """
    try:
        if len(question.document) > CHECKED_BYTES_MAX:
            return _unread("document_too_large")
        behind = known[1] if known is not None else 0
        seals = seals_in(question.document, question.sealers, behind=behind)
    except TooManySeals as refusal:
        return _unread(refusal.code, is_spoilt=True)
    if not seals:
        return _without_seal(question, limits)
    return _Judging(question, limits, known).report(seals)


def _unread(reason: str, *, is_spoilt: bool = False) -> CheckReport:
    readable = Check("readable", passed=False, facts={"reason": reason})
    return CheckReport(Verdict.UNREADABLE, checks=(readable,), is_spoilt=is_spoilt)


def _open(question: CheckQuestion, end: int, limits: ReadLimits) -> Document:
    return open_document(
        question.document[:end], bytes_max=end, password=question.password, limits=limits
    )


def _without_seal(question: CheckQuestion, limits: ReadLimits) -> CheckReport:
    """Return the report on a file in which `seals_in` found no seal."""
    try:
        document = _open(question, len(question.document), limits)
        with as_document_broken():
            found = list(signatures_in(document, question.sealers))
    except Refusal as refusal:
        return _unread(refusal.code)
    readable = Check("readable", passed=True, facts={"bytes": len(question.document)})
    claimed = [one for one in found if one.is_claimed(question.sealers)]
    if not claimed:
        is_foreign = any(one.has_contents for one in found)
        verdict = Verdict.FOREIGN_SEAL if is_foreign else Verdict.NOT_SEALED
        return CheckReport(verdict, checks=(readable,))
    serials = tuple(dict.fromkeys(serial for one in claimed for serial in one.serials))
    verdict, failed = _claimed_by(claimed)
    return CheckReport(verdict, serials, (readable, failed), is_spoilt=True)


def _claimed_by(claimed: Sequence[Signature]) -> tuple[Verdict, Check]:
    """Return verdict and failed check for signatures that claim to be ours, although `seals_in` found no seal."""
    for one in claimed:
        if one.path is not None and one.signed_data is not None:
            if one.signed_data.signature_holds:
                return Verdict.ALTERED, Check("structure", passed=False, facts={"covered_bytes": 0})
            return Verdict.FORGED, Check("seal", passed=False)
    return Verdict.FORGED, Check("issuer", passed=False, facts={"signer": _name(claimed[0])})


def _name(signature: Signature) -> str:
    return common_name(signature.signed_data.leaf) if signature.signed_data is not None else "-"


@dataclass(frozen=True, slots=True)
class _JudgedSeal:
    """One seal, judged by the part of the file that it covers.

    `end` is the length of the sealed revision, our evidence included.  `previous_length` is the length of the file before the
    update with this seal.  Both are in bytes, and meaningful with a good verdict only.  The opened document is not kept, to
    save memory: a file may have twenty seals.
    """

    seal: Seal
    digests: Digests | None
    verdict: Verdict
    checks: tuple[Check, ...]
    serials: tuple[str, ...] = ()
    sealed_at: datetime | None = None
    end: int = 0
    previous_length: int = 0

    @property
    def sha256_original(self) -> bytes:
        """SHA-256 of the file before the stamping; meaningful with a good verdict only."""
        assert self.digests is not None
        return self.digests.original


class _Judging:
    """One check of a file that has at least one of our seals."""

    def __init__(
        self, question: CheckQuestion, limits: ReadLimits, known: tuple[HashState, int] | None
    ) -> None:
        self._question, self._limits, self._known = question, limits, known

    def report(self, seals: Sequence[Seal]) -> CheckReport:
        """Return the report on the file; `seals` are all seals in it, in file order."""
        found = digests_of(self._question.document, seals, self._known)
        each = [self._judge(seal, digests) for seal, digests in zip(seals, found, strict=True)]
        newest, before = each[-1], each[:-1]
        is_spoilt = not all(one.verdict.holds for one in each)
        if newest.verdict is Verdict.STATEMENT:
            return self._stated(newest, is_spoilt=is_spoilt)
        if not newest.verdict.is_good:
            return CheckReport(
                newest.verdict, newest.serials, newest.checks, newest.sealed_at, is_spoilt=is_spoilt
            )
        chain = [newest]
        while before and _is_directly_before(before[-1], chain[0]):
            chain.insert(0, before.pop())
        # Maps each serial to the digest of the document that it was affixed to.
        originals = {serial: one.sha256_original for one in chain for serial in one.serials}
        file = self._question.document
        is_whole = newest.end == len(file)
        return CheckReport(
            Verdict.GENUINE if is_whole else Verdict.GENUINE_THEN_EXTENDED,
            tuple(originals),
            newest.checks,
            newest.sealed_at,
            newest.end,
            _sha256_sealed(file, newest),
            newest.sha256_original,
            tuple(originals.values()),
            tuple(_earlier(one) for one in before if one.verdict.is_good),
            () if is_whole else self._later(newest.end),
            is_spoilt,
        )

    def _stated(self, newest: _JudgedSeal, *, is_spoilt: bool) -> CheckReport:
        """Return the report on a sealed statement of the operator.

        Bytes behind its seal make the verdict `altered`, since a part of a statement could mislead.
        """
        is_whole = newest.end == len(self._question.document)
        checks = tuple(
            one if is_whole or one.name != "structure" else replace(one, passed=False)
            for one in newest.checks
        )
        verdict = Verdict.STATEMENT if is_whole else Verdict.ALTERED
        return CheckReport(verdict, (), checks, newest.sealed_at, is_spoilt=is_spoilt)

    def _judge(self, seal: Seal, digests: Digests | None) -> _JudgedSeal:
        if digests is None:
            cut = Check("structure", passed=False, facts={"covered_bytes": seal.end})
            return _JudgedSeal(seal, digests, Verdict.ALTERED, (cut,))
        if not integrity(seal, digests):
            changed = Check("integrity", passed=False)
            return _JudgedSeal(seal, digests, Verdict.ALTERED, (changed,))
        try:
            document = _open(self._question, seal.end, self._limits)
            with as_document_broken():
                return self._judge_opened(seal, digests, document)
        except Refusal as refusal:
            readable = Check("readable", passed=False, facts={"reason": refusal.code})
            return _JudgedSeal(seal, digests, Verdict.UNREADABLE, (readable,))

    def _judge_opened(self, seal: Seal, digests: Digests, document: Document) -> _JudgedSeal:
        question = self._question
        case = SealCheck(
            seal,
            digests,
            document,
            *signature_of(document, seal),
            question.claim_keys,
            question.time_stamp_roots,
            question.at,
        )
        verdict, checks = _asked(case, len(question.document))
        end = seal.end
        if verdict.holds and case.sealed_at is not None:
            roots = time_stamp_roots(case) or []
            end = own_evidence_end(question.document, document, seal, roots, case.sealed_at)
        previous = case.length(b"/PreviousLength")
        return _JudgedSeal(
            seal, digests, verdict, checks, case.serials, case.sealed_at, end, previous
        )

    def _later(self, sealed_bytes: int) -> tuple[LaterSignature, ...]:
        """Return the signatures appended behind the sealed bytes.

        Empty if they cannot be read within `FIRST_LOOK`, the low limits for a web process; the verdict does not depend on them.
        """
        try:
            document = _open(self._question, len(self._question.document), FIRST_LOOK)
            with as_document_broken():
                return later_signatures(document, sealed_bytes)
        except (Refusal, TooMuchHere):
            return ()


def _asked(case: SealCheck, size_bytes: int) -> tuple[Verdict, tuple[Check, ...]]:
    """Return verdict and checks of a seal whose covered bytes have the signed digest."""
    readable = Check("readable", passed=True, facts={"bytes": size_bytes})
    if case.rules is None:
        known = Check("version", passed=False, facts={"version": case.version})
        return Verdict.UNKNOWN_VERSION, (readable, known)
    checks = (readable, *made(case))
    failed = {check.name for check in checks if not check.passed}
    if failed & {"structure", "integrity", "time_stamp"}:
        return Verdict.ALTERED, checks
    if failed:
        return Verdict.FORGED, checks
    return Verdict.STATEMENT if case.is_statement else Verdict.GENUINE, checks


def _is_directly_before(seal: _JudgedSeal, following: _JudgedSeal) -> bool:
    return seal.verdict.is_good and seal.end == following.previous_length


def _sha256_sealed(file: bytes, newest: _JudgedSeal) -> bytes:
    assert newest.digests is not None
    state, end = newest.digests.sealed, newest.seal.end
    if newest.end > end:
        state = state.copy()
        state.update(file[end : newest.end])
    return state.digest()


def _earlier(seal: _JudgedSeal) -> EarlierSeal:
    assert seal.sealed_at is not None
    return EarlierSeal(seal.end, seal.sealed_at, seal.serials)
