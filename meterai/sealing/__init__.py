"""Sealing: a PDF gets its stamps and one seal, and anyone can check both.  Bytes in, bytes out.

Promises this room keeps
  * The stamped file is the original, byte for byte, followed by the delta.
  * A signature somebody made earlier stays valid.
  * A seal that would not verify is never handed out, nor one made with an expired certificate.
  * Whatever bytes come in, the answer is a `Delta` or a `Refusal`, and from `verify` a `Report`.
  * Nothing is read from or written to anywhere: no database, network, clock or environment; only
    `load_issuer` and `development_issuer` read (and make) the files of the issuer.  What needs a
    library that was written for files that mean well (mending, drawing) has a process of its own.

Knows no accounts, orders or other serials: whether a serial was issued, and for this document, is
for `verification` to say.
"""

from meterai.sealing import claim
from meterai.sealing.claim import (
    Claim,
    ClaimForged,
    ClaimKey,
    ClaimKeyUnknown,
    ClaimKeyUnusable,
    ClaimMalformed,
)
from meterai.sealing.development import development_issuer, development_keyring
from meterai.sealing.engine import HashState, accept, inspect, seal, take_in
from meterai.sealing.issuer import Issuer
from meterai.sealing.keyring import Keyring, KnownIssuer, appoint, load_issuer, load_keyring
from meterai.sealing.model import (
    CHECKED_BYTES_MAX,
    DOCUMENT_BYTES_MAX,
    HEIGHT_PER_WIDTH,
    LAST_PAGE,
    STAMPS_MAX,
    WIDTH_MAX,
    WIDTH_MIN,
    ChangesForbidden,
    Check,
    Delta,
    DocumentBroken,
    DocumentEncrypted,
    DocumentTooLarge,
    Inspection,
    Intake,
    IssuerUnusable,
    NoPages,
    NotAPdf,
    PageOutOfRange,
    PageSize,
    Placement,
    PlacementMalformed,
    PlacementOutsidePage,
    Report,
    SealingUnavailable,
    Stamp,
    Verdict,
)
from meterai.sealing.official import ArtUnusable
from meterai.sealing.revocation import RevocationUnavailable
from meterai.sealing.timestamps import TimeStampUnavailable
from meterai.sealing.verification import verify

__all__ = [
    "CHECKED_BYTES_MAX",
    "DOCUMENT_BYTES_MAX",
    "HEIGHT_PER_WIDTH",
    "LAST_PAGE",
    "STAMPS_MAX",
    "WIDTH_MAX",
    "WIDTH_MIN",
    "ArtUnusable",
    "ChangesForbidden",
    "Check",
    "Claim",
    "ClaimForged",
    "ClaimKey",
    "ClaimKeyUnknown",
    "ClaimKeyUnusable",
    "ClaimMalformed",
    "Delta",
    "DocumentBroken",
    "DocumentEncrypted",
    "DocumentTooLarge",
    "HashState",
    "Inspection",
    "Intake",
    "Issuer",
    "IssuerUnusable",
    "Keyring",
    "KnownIssuer",
    "NoPages",
    "NotAPdf",
    "PageOutOfRange",
    "PageSize",
    "Placement",
    "PlacementMalformed",
    "PlacementOutsidePage",
    "Report",
    "RevocationUnavailable",
    "SealingUnavailable",
    "Stamp",
    "TimeStampUnavailable",
    "Verdict",
    "accept",
    "appoint",
    "claim",
    "development_issuer",
    "development_keyring",
    "inspect",
    "load_issuer",
    "load_keyring",
    "seal",
    "take_in",
    "verify",
]
