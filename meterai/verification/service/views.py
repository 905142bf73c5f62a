"""Results of checks, in their form for the API and for pages."""

from datetime import datetime

import msgspec


class CheckView(msgspec.Struct, frozen=True):
    """One check, whether it passed, and its result as a sentence."""

    name: str
    passed: bool
    detail: str


class SealedView(msgspec.Struct, frozen=True, kw_only=True):
    """The sealed revision: the first `bytes` of the file, their SHA-256, and the time and serials of the stamps in them."""

    bytes: int
    sha256: str
    sealed_at: datetime
    serials: list[str]


class EarlierView(msgspec.Struct, frozen=True, kw_only=True):
    """An earlier stamped version: the first `bytes` of the file.  Other bytes follow it, added before the newest seal.

    Its serials do not count for the document.
    """

    bytes: int
    sealed_at: datetime
    serials: list[str]


class LaterSignatureView(msgspec.Struct, frozen=True):
    """A signature behind the sealed revision, which was not checked.

    `signer` is the name in its certificate, `at` the time that it states.
    """

    signer: str
    at: datetime | None


class VerificationView(msgspec.Struct, frozen=True, kw_only=True):
    """Result of the check of a document.

    `sha256` and `size_bytes` are those of the checked file, `checked_by` is the address of the installation that checked
    it.  If `is_specimen` is true, the stamps are not valid, whatever the verdict.  `sealed` is the part of the file that
    the verdict is about; `later_bytes` is the number of bytes behind it, about which the verdict says nothing.  Both are
    null unless the verdict is good.
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
    """Public facts of a serial, without personal data.

    A serial proves that a number was issued.  It does not prove that the paper or file with this number is the document
    that it was issued for, so `document_checked` is always false.
    """

    serial: str
    state: str
    summary: str
    affixed_at: datetime | None
    sha256_original: str | None
    document_checked: bool = False


class ClaimView(msgspec.Struct, frozen=True, kw_only=True):
    """Content of a QR code with a valid signature, and the facts of its serial in the register.

    `sha256_original_begins` are the first 16 bytes of the SHA-256 of the document that the stamp was issued for.
    `stamp` is null if the register does not contain the serial.  A QR code can be copied onto any paper, so
    `document_checked` is always false.
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
    """A public key that verifies claims: its 32 bytes in base64, and the same key in PEM."""

    id: str
    algorithm: str
    public_key: str
    pem: str
    is_current: bool


class ClaimKeysView(msgspec.Struct, frozen=True):
    """All public keys whose claims can be verified."""

    keys: list[ClaimKeyView]
