"""Sealing: the PDF engine, which adds stamps and a seal to a PDF, and checks both.  Input and output are bytes.

Promises of this room
  * The stamped file is the original, byte for byte, followed by the delta.
  * Earlier signatures in the document stay valid.
  * Every seal is verified before delivery; none is made with an expired certificate.
  * For any input bytes, sealing returns a `Delta` or raises a `Refusal`, and `verify` returns a `CheckReport`.
  * A verdict is about the sealed bytes alone, and does not depend on the system clock or on the load.
  * A statement of the operator is sealed without a stamp, and no verdict calls it stamped.
  * The room uses no database, clock or environment variable.  Files of issuers are read (and made in development) only
    by `load_issuer`, `load_issuers` and their development counterparts.  Only `signing.network` uses the network,
    if an issuer is configured to add time-stamps or evidence.
  * Long steps, and steps that need a library which is not safe with hostile files (repairing, rendering), run in a
    process that is killed when it exceeds its limits of time and memory.  `accept`, `ingest` and `verify` wait for that
    process; a `Pool` does the same work for many clients at once.

The room has no accounts, orders or register of serials: `verification` answers whether a serial was issued, and for
which document.
"""

from meterai.sealing.checking.deltas import DeltaSeal, seal_in
from meterai.sealing.checking.questions import CheckQuestion
from meterai.sealing.checking.verification import verify, verifying
from meterai.sealing.delivery import seal, seal_statement
from meterai.sealing.ingestion import RULES, examining
from meterai.sealing.locations import StampLocation, locating
from meterai.sealing.model import (
    CHECKED_BYTES_MAX,
    DOCUMENT_BYTES_MAX,
    HEIGHT_PER_WIDTH,
    LAST_PAGE,
    MARGIN_DEFAULT,
    STAMPS_MAX,
    WIDTH_DEFAULT,
    WIDTH_MAX,
    WIDTH_MIN,
    AtCorner,
    AtText,
    ChangesForbidden,
    Check,
    CheckReport,
    Corner,
    Delta,
    DocumentBroken,
    DocumentEncrypted,
    DocumentTooLarge,
    DynamicForm,
    EncryptedWithoutIdentifier,
    ExaminationBusy,
    ExistingSealInvalid,
    HashOfOtherBytes,
    Inspection,
    IssuerUnusable,
    LeavesWhenOpened,
    NoPages,
    NotAPdf,
    NotJudged,
    PageNotDrawn,
    PageOutOfRange,
    PageSize,
    PageTooSlow,
    Placement,
    PlacementMalformed,
    PlacementOnStamp,
    PlacementOutsidePage,
    PlacementsOverlap,
    PlacementWish,
    Portfolio,
    PreparedDocument,
    RevocationUnavailable,
    SealDoesNotHold,
    SealingUnavailable,
    SignatureRangeMalformed,
    Stamp,
    StampTooSmall,
    StrayStamp,
    TextNotFound,
    TextNotSearched,
    TimeStampUnavailable,
    TooManySeals,
    Verdict,
)
from meterai.sealing.own_seals import question, verify_own
from meterai.sealing.picture import (
    PICTURE_WIDTH,
    PICTURE_WIDTH_MAX,
    THUMBNAIL_WIDTH,
    PagePicture,
    Rectangle,
    picturing,
)
from meterai.sealing.places import OCCURRENCE_MAX, TEXT_LENGTH_MAX, placing
from meterai.sealing.sandbox.bounded import NICE_OF_BUYERS, Work
from meterai.sealing.sandbox.pool import Permission, Pool, Slots
from meterai.sealing.scan import (
    LOGO_BYTES_MAX,
    PHOTO_BYTES_MAX,
    PhotoUnreadable,
    drawing_logo,
    redrawing,
    scanning,
)
from meterai.sealing.signing.development import development_issuer, development_issuers
from meterai.sealing.signing.issuer import CHAIN_FILES, CLAIM_KEY_FILE, KEY_FILE, Issuer
from meterai.sealing.signing.issuers import (
    CLAIM_PUBLIC_FILE,
    CURRENT_FILE,
    Issuers,
    KnownIssuer,
    appoint,
    appointed,
    load_issuer,
    load_issuers,
)
from meterai.sealing.signing.pkcs11 import MODULE_FILE
from meterai.sealing.signing.requests import (
    certificate_request,
    new_claim_key,
    new_seal_key,
    public_of,
)
from meterai.sealing.stamp import claim
from meterai.sealing.stamp.claim import (
    ClaimForged,
    ClaimKey,
    ClaimKeyUnknown,
    ClaimKeyUnusable,
    ClaimMalformed,
    QrClaim,
)
from meterai.sealing.stamp.operator_artwork import ArtworkUnusable
from meterai.sealing.stamp.wording import check_printable
from meterai.sealing.survey import INK_SHARE_MAX, InkSurvey
from meterai.sealing.writing.engine import (
    HashedDocument,
    accept,
    accepting,
    ingest,
    ingesting,
    inspect,
)

__all__ = [
    "CHAIN_FILES",
    "CHECKED_BYTES_MAX",
    "CLAIM_KEY_FILE",
    "CLAIM_PUBLIC_FILE",
    "CURRENT_FILE",
    "DOCUMENT_BYTES_MAX",
    "HEIGHT_PER_WIDTH",
    "INK_SHARE_MAX",
    "KEY_FILE",
    "LAST_PAGE",
    "LOGO_BYTES_MAX",
    "MARGIN_DEFAULT",
    "MODULE_FILE",
    "NICE_OF_BUYERS",
    "OCCURRENCE_MAX",
    "PHOTO_BYTES_MAX",
    "PICTURE_WIDTH",
    "PICTURE_WIDTH_MAX",
    "RULES",
    "STAMPS_MAX",
    "TEXT_LENGTH_MAX",
    "THUMBNAIL_WIDTH",
    "WIDTH_DEFAULT",
    "WIDTH_MAX",
    "WIDTH_MIN",
    "ArtworkUnusable",
    "AtCorner",
    "AtText",
    "ChangesForbidden",
    "Check",
    "CheckQuestion",
    "CheckReport",
    "ClaimForged",
    "ClaimKey",
    "ClaimKeyUnknown",
    "ClaimKeyUnusable",
    "ClaimMalformed",
    "Corner",
    "Delta",
    "DeltaSeal",
    "DocumentBroken",
    "DocumentEncrypted",
    "DocumentTooLarge",
    "DynamicForm",
    "EncryptedWithoutIdentifier",
    "ExaminationBusy",
    "ExistingSealInvalid",
    "HashOfOtherBytes",
    "HashedDocument",
    "InkSurvey",
    "Inspection",
    "Issuer",
    "IssuerUnusable",
    "Issuers",
    "KnownIssuer",
    "LeavesWhenOpened",
    "NoPages",
    "NotAPdf",
    "NotJudged",
    "PageNotDrawn",
    "PageOutOfRange",
    "PagePicture",
    "PageSize",
    "PageTooSlow",
    "Permission",
    "PhotoUnreadable",
    "Placement",
    "PlacementMalformed",
    "PlacementOnStamp",
    "PlacementOutsidePage",
    "PlacementWish",
    "PlacementsOverlap",
    "Pool",
    "Portfolio",
    "PreparedDocument",
    "QrClaim",
    "Rectangle",
    "RevocationUnavailable",
    "SealDoesNotHold",
    "SealingUnavailable",
    "SignatureRangeMalformed",
    "Slots",
    "Stamp",
    "StampLocation",
    "StampTooSmall",
    "StrayStamp",
    "TextNotFound",
    "TextNotSearched",
    "TimeStampUnavailable",
    "TooManySeals",
    "Verdict",
    "Work",
    "accept",
    "accepting",
    "appoint",
    "appointed",
    "certificate_request",
    "check_printable",
    "claim",
    "development_issuer",
    "development_issuers",
    "drawing_logo",
    "examining",
    "ingest",
    "ingesting",
    "inspect",
    "load_issuer",
    "load_issuers",
    "locating",
    "new_claim_key",
    "new_seal_key",
    "picturing",
    "placing",
    "public_of",
    "question",
    "redrawing",
    "scanning",
    "seal",
    "seal_in",
    "seal_statement",
    "verify",
    "verify_own",
    "verifying",
]
