"""Check of a document for seals of our own issuers."""

from datetime import datetime

from meterai.sealing.checking.questions import CheckQuestion
from meterai.sealing.checking.verification import verifying
from meterai.sealing.model import CheckReport
from meterai.sealing.sandbox.bounded import finish
from meterai.sealing.signing.issuers import Issuers


def question(
    document: bytes, issuers: Issuers, at: datetime, password: bytes = b""
) -> CheckQuestion:
    """Return the arguments of a check that trusts all our issuers: their roots, keys, claim keys and time-stamp roots."""
    return CheckQuestion(
        document,
        issuers.roots,
        at,
        issuers.claim_keys,
        issuers.time_stamp_roots,
        password,
        issuers.seal_certificates,
    )


def verify_own(
    document: bytes, issuers: Issuers, *, at: datetime, password: bytes = b""
) -> CheckReport:
    """Verify the seals of a document with the keys of all our issuers.  Returns a report for any bytes."""
    return finish(verifying(question(document, issuers, at, password)))
