"""Verification: checks whether a PDF, serial or QR code is genuine, unaltered and used once.

Promises of this room
  * Anybody may check without signing in, and gets one verdict, and the result of each check as a sentence.
  * A good verdict is about the sealed revision, the first bytes of the file, which can be downloaded.
    No verdict is about later bytes; only the unchecked names of later signatures are shown.
  * The answer about a serial has no personal data.
  * Checked documents, photos and the results for many files are not stored.
  * A valid QR code is never called a genuine document, since it can be printed on any paper.
  * The public keys of QR codes are published, so that a code can be checked without us.

Calls sealing, stamps, stamping.  Its pages use `pages`.
"""

from meterai.verification.model import ClaimVerdict, FinalVerdict
from meterai.verification.service import VerificationService, sentence
from meterai.verification.service.kinds import FileKind, kind_of
from meterai.verification.service.pictures import MarkedPage
from meterai.verification.service.views import (
    CheckView,
    ClaimKeysView,
    ClaimKeyView,
    ClaimView,
    EarlierView,
    LaterSignatureView,
    SealedView,
    StampView,
    VerificationView,
)

__all__ = [
    "CheckView",
    "ClaimKeyView",
    "ClaimKeysView",
    "ClaimVerdict",
    "ClaimView",
    "EarlierView",
    "FileKind",
    "FinalVerdict",
    "LaterSignatureView",
    "MarkedPage",
    "SealedView",
    "StampView",
    "VerificationService",
    "VerificationView",
    "kind_of",
    "sentence",
]
