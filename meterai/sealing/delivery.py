"""Sealing for the platform: every sealed document is verified before delivery.

The engine promises a valid seal.  But it could read a document in another way than a verifier does, for example if the
encryption depends on the update; the buyer would then find an invalid seal after paying.  So the stamped file is opened again,
and the new seals are verified independently.
"""

from collections.abc import Sequence
from datetime import datetime

from meterai.sealing.checking.questions import CheckQuestion
from meterai.sealing.checking.verification import judged
from meterai.sealing.model import (
    CheckReport,
    Delta,
    PreparedDocument,
    SealDoesNotHold,
    Stamp,
    Verdict,
)
from meterai.sealing.signing.issuer import Issuer
from meterai.sealing.writing import engine
from meterai.sealing.writing.engine import HashedDocument


def seal(  # noqa: PLR0913 - a seal depends on so much, and on nothing else
    original: bytes | PreparedDocument,
    stamps: Sequence[Stamp],
    issuer: Issuer,
    *,
    at: datetime,
    check_url: str,
    specimen: bool,
    password: bytes = b"",
    hashed: HashedDocument | None = None,
) -> Delta:
    """Seal an inspected document by `engine.seal`, and verify its new seals with the issuer's own root and claim key.

    Arguments as for `engine.seal`.  Refuses with the refusals of `engine.seal`, and with `SealDoesNotHold`.  The file
    is hashed once, or not at all if `hashed` is given.
    """
    document = original.document if isinstance(original, PreparedDocument) else original
    if not isinstance(original, PreparedDocument) or original.opened is None:
        places = [stamp.placement for stamp in stamps]
        original = engine.accept_here(document, places, password)
    hashed = hashed or HashedDocument.of(document)
    delta = engine.seal(
        original,
        stamps,
        issuer,
        at=at,
        check_url=check_url,
        specimen=specimen,
        password=password,
        hashed=hashed,
    )
    report = _judged(document, delta, issuer, at, password, hashed)
    is_whole = (
        report.verdict is Verdict.GENUINE
        and not report.is_spoilt
        and report.serials == tuple(serial.text for serial in delta.serials)
        and report.sha256_original == delta.sha256_original
        and report.sha256_sealed == delta.sha256_stamped
    )
    if not is_whole:
        raise SealDoesNotHold(report)
    return delta


def seal_statement(statement: bytes, issuer: Issuer, *, at: datetime) -> Delta:
    """Seal a statement of the operator by `engine.seal_statement`, and verify its seal.

    Refuses with the refusals of `engine.seal_statement`, and with `SealDoesNotHold`.
    """
    delta = engine.seal_statement(statement, issuer, at=at)
    report = _judged(statement, delta, issuer, at, b"", HashedDocument.of(statement))
    if report.verdict is not Verdict.STATEMENT or report.is_spoilt:
        raise SealDoesNotHold(report)
    return delta


def _judged(
    original: bytes,
    delta: Delta,
    issuer: Issuer,
    at: datetime,
    password: bytes,
    hashed: HashedDocument,
) -> CheckReport:
    """Verify the new seals of a stamped document, and return the report.

    Earlier seals are not checked here; they were verified with all issuers when the document was ingested (`ingestion`).
    """
    key = issuer.claim_key
    claim_keys = {key.id: key.public} if key is not None else None
    question = CheckQuestion(
        original + delta.data,
        [issuer.root],
        at,
        claim_keys,
        password=password,
        seal_certificates=issuer.chain[:1],
    )
    return judged(question, known=(hashed.continued(original), hashed.length))
