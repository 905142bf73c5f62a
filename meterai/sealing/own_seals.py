"""Seals of our own issuers: the question whether a document bears them, and its answer."""

from datetime import datetime

from meterai.sealing.checking.questions import CheckQuestion
from meterai.sealing.checking.verification import verifying
from meterai.sealing.model import CheckReport
from meterai.sealing.sandbox.bounded import finish
from meterai.sealing.signing.issuers import Issuers


def question(
    document: bytes, issuers: Issuers, at: datetime, password: bytes = b""
) -> CheckQuestion:
    """What a verifier is asked who knows every issuer of ours, its key, its claim keys and its time-stamps."""
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
    """`verify` against these issuers.  Never raises, whatever the bytes are."""
    return finish(verifying(question(document, issuers, at, password)))
