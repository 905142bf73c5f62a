"""Answers of checks, for programs and pages."""

from datetime import datetime

import msgspec


class CheckView(msgspec.Struct, frozen=True):
    """One check, and in a sentence what it found."""

    name: str
    passed: bool
    detail: str


class SealedView(msgspec.Struct, frozen=True, kw_only=True):
    """The sealed revision: the first `bytes` of the file, their SHA-256, and what is stamped on them."""

    bytes: int
    sha256: str
    sealed_at: datetime
    serials: list[str]


class EarlierView(msgspec.Struct, frozen=True, kw_only=True):
    """An earlier version, the first `bytes` of the file, was stamped; something was added to it before
    the newest seal.  Its serials do not count for the document."""

    bytes: int
    sealed_at: datetime
    serials: list[str]


class LaterSignatureView(msgspec.Struct, frozen=True):
    """A signature behind the sealed revision, which nobody here has checked.

    `signer` is the name in its certificate, `at` the time that it states.
    """

    signer: str
    at: datetime | None


class VerificationView(msgspec.Struct, frozen=True, kw_only=True):
    """What checking a document found; with what it was found of, when and by whom a report.

    `sha256` and `size_bytes` are of the file as it was checked, `checked_by` is the address of the
    installation that checked it.  What is `is_specimen` is no valid stamp, whatever the verdict.
    `sealed` is the part of the file that the verdict is about, and `later_bytes` follow it: of these
    nothing is said.  Both are null unless the verdict is good.
    """

    verdict: str
    summary: str
    is_specimen: bool
    checked_at: datetime
    checked_by: str
    sha256: str
    size_bytes: int
    serials: list[str]
    sealed_at: datetime | None
    sha256_original: str | None
    checks: list[CheckView]
    sealed: SealedView | None = None
    later_bytes: int | None = None
    earlier: list[EarlierView] = []
    later_signatures: list[LaterSignatureView] = []


class StampView(msgspec.Struct, frozen=True, kw_only=True):
    """What anybody may know of a serial: nothing personal.

    A serial proves that a number was issued, never that the paper or file it was found on is the
    document it was issued for: `document_checked` is always false here.
    """

    serial: str
    state: str
    summary: str
    affixed_at: datetime | None
    sha256_original: str | None
    document_checked: bool = False


class ClaimView(msgspec.Struct, frozen=True, kw_only=True):
    """What a QR code says, proven by its signature, and what the register says of its serial.

    `sha256_original_begins` are the first 16 bytes of the SHA-256 of the one document the stamp
    was issued for.  `stamp` is null where the register has nothing.  A QR code can be copied onto
    any paper: `document_checked` is always false here.
    """

    verdict: str
    summary: str
    serial: str
    key_id: str
    sealed_at: datetime
    sha256_original_begins: str
    stamp: StampView | None
    document_checked: bool = False


class ClaimKeyView(msgspec.Struct, frozen=True, kw_only=True):
    """A public key that claims are signed with: the 32 bytes in base64, and the same in PEM."""

    id: str
    algorithm: str
    public_key: str
    pem: str
    is_current: bool


class ClaimKeysView(msgspec.Struct, frozen=True):
    """Every key whose claims can be checked."""

    keys: list[ClaimKeyView]
