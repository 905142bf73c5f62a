"""Sealing as the platform asks for it: what was sealed is verified once before anybody gets it.

The engine promises a seal that holds.  A document that it read in another way than it will be read
later (an encryption that depends on what an update adds, a hash of other bytes) would break that promise after
somebody paid; so the whole file is opened again, from its bytes, and judged as any verifier would.
"""

from collections.abc import Sequence
from datetime import datetime

from meterai.sealing.checking.questions import Question
from meterai.sealing.checking.verification import judging
from meterai.sealing.model import (
    Delta,
    HashOfOtherBytes,
    PreparedDocument,
    Report,
    SealDoesNotHold,
    Stamp,
    Verdict,
)
from meterai.sealing.pdf.decoding import LIMITS
from meterai.sealing.sandbox.bounded import finish
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
    """`engine.seal` of a document that was looked through, and its seals verified: with the issuer's own root
    and claim key.

    Refuses with what that refuses, and with `SealDoesNotHold`; the whole file is hashed for it once.
    """
    document = original.document if isinstance(original, PreparedDocument) else original
    if not isinstance(original, PreparedDocument) or original.opened is None:
        places = [stamp.placement for stamp in stamps]
        original = engine.looked_through_here(document, places, password)
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
    report = _judged(document, delta, issuer, at, password)
    is_whole = (
        report.verdict is Verdict.GENUINE
        and report.serials == tuple(serial.text for serial in delta.serials)
        and report.sha256_original == delta.sha256_original
    )
    if not is_whole:
        if hashed is not None and hashed.sha256 != HashedDocument.of(document).sha256:
            raise HashOfOtherBytes("the hash of a document of the same length")
        raise SealDoesNotHold(report)
    return delta


def _judged(original: bytes, delta: Delta, issuer: Issuer, at: datetime, password: bytes) -> Report:
    """What a verifier says of the new seals.

    Earlier seals were judged when the document came in (`ingestion`), by whoever knows all issuers.
    """
    key = issuer.claim_key
    claim_keys = {key.id: key.public} if key is not None else None
    stamped = original + delta.data
    question = Question(
        stamped,
        [issuer.root],
        at,
        claim_keys,
        password=password,
        seal_certificates=issuer.chain[:1],
    )
    return finish(judging(question, LIMITS, behind=len(original)))
