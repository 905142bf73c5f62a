"""Issuer: the private key of seals, and its certificates.

A directory holds one issuer:

    seal.pem, intermediate.pem, root.pem    the certificates, from the signer's to the root
    seal.key                                the private key, or in its place
    pkcs11.toml                             the location of the key in a security module (`pkcs11`)
    claim.key                               the Ed25519 key of the claims in the QR codes (optional)
    proofs.toml                             `long_term_validation` (optional)
    art.pdf                                 `stamp.operator_artwork` (optional)
    *.crl                                   lists of revoked certificates (optional), read again
                                            every `CRL_REREAD`
"""

from binascii import hexlify
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple, Protocol

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID, NameOID

from meterai.plumbing.files import read_file, read_key_file
from meterai.sealing.model import IssuerUnusable, RevocationEvidence
from meterai.sealing.signing.cms import TIME_STAMP_RESERVE_BYTES, CmsSigner
from meterai.sealing.signing.keys import SealKey, algorithm_of, load_file_key
from meterai.sealing.signing.pkcs11 import MODULE_FILE, Pkcs11Key, read_settings
from meterai.sealing.stamp.claim import ClaimKey

KEY_FILE = "seal.key"
LEAF_FILE = "seal.pem"
INTERMEDIATE_FILE = "intermediate.pem"
ROOT_FILE = "root.pem"
CHAIN_FILES = (LEAF_FILE, INTERMEDIATE_FILE, ROOT_FILE)
CLAIM_KEY_FILE = "claim.key"
LONG_TERM_FILE = "proofs.toml"

# An expired revocation list is accepted for so long.  Authorities publish a list one day before the last one expires: a
# single failed publication must not stop sealing, but a day of failures must.
CRL_GRACE = timedelta(hours=24)
CRL_REREAD = timedelta(
    minutes=5
)  # longest delay until a new revocation list of the operator takes effect
CRL_BYTES_MAX = 16 * 1024 * 1024  # of one list; the complete list of an authority seldom has 1 MiB

DOCUMENT_SIGNING = x509.ObjectIdentifier("1.3.6.1.5.5.7.3.36")  # RFC 9336
# Extended key usages that PDF readers accept for a signature.
_PURPOSES = {
    DOCUMENT_SIGNING,
    ExtendedKeyUsageOID.EMAIL_PROTECTION,
    ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,
    x509.ObjectIdentifier("1.3.6.1.4.1.311.10.3.12"),  # Microsoft, document signing
    x509.ObjectIdentifier("1.2.840.113583.1.1.5"),  # Adobe, authentic documents trust
}

# Extensions that are read here, or that do not restrict sealing (policies, further names).
_PROCESSED = {
    ExtensionOID.BASIC_CONSTRAINTS,
    ExtensionOID.KEY_USAGE,
    ExtensionOID.EXTENDED_KEY_USAGE,
    ExtensionOID.CERTIFICATE_POLICIES,
    ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
}

RevocationLists = Callable[[], Sequence[x509.CertificateRevocationList]]


class ProofSource(Protocol):
    """Source of time-stamps and revocation evidence, see `long_term_validation`."""

    time_stamp_roots: tuple[x509.Certificate, ...]
    seconds_max: float  # longest time that one seal may wait for this source

    def token(self, signature_value: bytes) -> bytes:
        """Return a time-stamp over a signature."""

    def evidence(
        self, signed_data: bytes, chain: Sequence[x509.Certificate], at: datetime
    ) -> RevocationEvidence | None:
        """Return evidence for the certificates of a SignedData; `None` if evidence is not configured."""


class _Period(NamedTuple):
    """Period in which `check_usable` has no reason to refuse."""

    start: datetime
    stop: datetime


class Issuer:
    """A sealing key and its certificate chain: the key's certificate, the intermediate authority, and the pinned root.

    `name` is the common name of the key's certificate.  `revocation_lists` returns the current lists, and is called every
    `CRL_REREAD`.  With `long_term_validation` every seal gets a time-stamp, and evidence if that is configured.
    `operator_artwork` is a PDF that is shown in place of our artwork.  Raises `IssuerUnusable` if the key does not belong to
    its certificate, or if a certificate is not signed by the next one.
    """

    def __init__(
        self,
        key: SealKey,
        chain: tuple[x509.Certificate, ...],
        *,
        claim_key: ClaimKey | None = None,
        revocation_lists: RevocationLists = tuple,
        long_term_validation: ProofSource | None = None,
        operator_artwork: bytes | None = None,
    ) -> None:
        if not chain or chain[0].public_key() != key.public_key():
            raise IssuerUnusable("the key does not belong to the certificate")
        check_chain(chain)
        self.chain = chain
        self.claim_key = claim_key
        self.long_term_validation = long_term_validation
        self.operator_artwork = operator_artwork
        self.name = common_name(chain[0])
        self._signer = CmsSigner(key, chain)
        self._revocation_lists = revocation_lists
        self._period: _Period | None = None

    @property
    def root(self) -> x509.Certificate:
        """Root certificate, which a verifier must trust."""
        return self.chain[-1]

    @property
    def signed_data_bytes_max(self) -> int:
        """Upper bound of the length in bytes of a SignedData from `signed_data_hex`, before the hexadecimal encoding."""
        return (
            self._signer.bytes_max
            if self.long_term_validation is None
            else self.timed_signed_data_bytes_max
        )

    @property
    def timed_signed_data_bytes_max(self) -> int:
        """Upper bound of the length in bytes of a SignedData from `sign_with_time`."""
        return self._signer.bytes_max + TIME_STAMP_RESERVE_BYTES

    def signed_data_hex(self, digest: bytes) -> bytes:
        """Return the SignedData over a document with this SHA-256 digest, in lower-case hexadecimal, as a PDF holds it.

        The SignedData has a time-stamp if the issuer is configured to add time-stamps.  Refuses with `TimeStampUnavailable` if
        a needed time-stamp is unavailable.
        """
        if self.long_term_validation is None:
            return self._signer.sign_hex(digest)
        return hexlify(self.sign_with_time(digest, self.long_term_validation.token))

    def sign(self, digest: bytes) -> bytes:
        """Return the SignedData over a document with this SHA-256 digest, without a time-stamp."""
        return self._signer.sign(digest)

    def sign_with_time(self, digest: bytes, token_over: Callable[[bytes], bytes]) -> bytes:
        """Return the SignedData over this digest, with a time-stamp that `token_over` returns for its signature (PAdES B-T)."""
        return self._signer.sign_with_time(digest, token_over)

    def check_usable(self, at: datetime) -> None:
        """Refuse with `IssuerUnusable` if a verifier would reject a seal made at this time.

        Called for each seal; a positive result is cached for the period in which it cannot change.  A seal made with an expired
        certificate is void.  The national system made such seals for twelve days before anybody noticed.
        """
        period = self._period
        if period is None or not period.start <= at <= period.stop:
            self._period = self._usable_around(at)

    def _usable_around(self, at: datetime) -> _Period:
        stop = at + CRL_REREAD
        for certificate in self.chain:
            subject = certificate.subject.rfc4514_string()
            if at < certificate.not_valid_before_utc:
                raise IssuerUnusable(f"{subject} is not valid yet at {at}")
            if at > certificate.not_valid_after_utc:
                raise IssuerUnusable(f"{subject} expired before {at}")
            stop = min(stop, certificate.not_valid_after_utc)
        if not may_sign_documents(self.chain[0]):
            raise IssuerUnusable("the certificate's key usage does not allow signing documents")
        if not all(may_sign_certificates(authority) for authority in self.chain[1:]):
            raise IssuerUnusable("an authority's key usage does not allow signing certificates")
        for revocations in self._revocation_lists():
            stop = min(stop, _check_not_revoked(self.chain, revocations, at))
        return _Period(at, stop)


def load_key(directory: Path, certificate: x509.Certificate) -> SealKey:
    """Load the sealing key, from a file of the directory or from a security module.  Refuses with `IssuerUnusable`."""
    if (directory / KEY_FILE).exists() or not (directory / MODULE_FILE).exists():
        return load_file_key(directory / KEY_FILE)
    public = certificate.public_key()
    algorithm_of(public)
    assert isinstance(public, rsa.RSAPublicKey | ec.EllipticCurvePublicKey)
    return Pkcs11Key(read_settings(directory / MODULE_FILE), public)


def load_chain(directory: Path) -> tuple[x509.Certificate, ...]:
    """Load the certificates of the directory, the signer's first; refuses with `IssuerUnusable`."""
    try:
        return tuple(
            x509.load_pem_x509_certificate(read_key_file(directory / name)) for name in CHAIN_FILES
        )
    except (OSError, ValueError) as cause:
        raise IssuerUnusable("the issuer's certificates are missing or cannot be read") from cause


def load_revocation_lists(directory: Path) -> tuple[x509.CertificateRevocationList, ...]:
    """Load the revocation lists from the files `*.crl` of the directory, in PEM or DER.  Refuses with `IssuerUnusable`."""
    return tuple(_load_revocation_list(path) for path in sorted(directory.glob("*.crl")))


def _load_revocation_list(path: Path) -> x509.CertificateRevocationList:
    try:
        encoded = read_file(path, CRL_BYTES_MAX)
        if encoded.startswith(b"-----BEGIN"):
            return x509.load_pem_x509_crl(encoded)
        return x509.load_der_x509_crl(encoded)
    except (OSError, ValueError) as cause:
        raise IssuerUnusable(f"{path.name} is no list of revoked certificates") from cause


def load_claim_key(path: Path) -> ClaimKey | None:
    """Load the key that signs claims; `None` if the file does not exist.  Refuses with `IssuerUnusable`."""
    if not path.exists():
        return None
    try:
        key = load_pem_private_key(read_key_file(path), password=None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as cause:
        raise IssuerUnusable(f"{path.name} cannot be read") from cause
    if not isinstance(key, Ed25519PrivateKey):
        raise IssuerUnusable(f"{path.name} is not an Ed25519 key")
    return ClaimKey(key)


def check_chain(chain: Sequence[x509.Certificate]) -> None:
    """Refuse with `IssuerUnusable` a chain unless each certificate is signed by the next, and the last by itself."""
    for certificate, signer in zip(chain, (*chain[1:], chain[-1]), strict=True):
        try:
            certificate.verify_directly_issued_by(signer)
        # cryptography documents three kinds of exception for a failed check.
        except Exception as cause:
            subject = certificate.subject.rfc4514_string()
            raise IssuerUnusable(f"{subject} is not signed by the next certificate") from cause


def common_name(certificate: x509.Certificate) -> str:
    """Return the common name of the certificate's subject, or the whole name of a subject without a common name.

    Control characters are removed: a foreign name could reverse the text around it or begin a line.
    """
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    name = str(names[0].value) if names else certificate.subject.rfc4514_string()
    return "".join(one for one in name if one.isprintable())


def may_sign_documents(certificate: x509.Certificate) -> bool:
    """True for an end certificate that may sign documents (RFC 5280, sections 4.2.1.3 and .12).

    Its key usage must include signing; its extended key usages, if any, must allow documents.
    """
    try:
        extensions = certificate.extensions
        usage = extensions.get_extension_for_class(x509.KeyUsage).value
    except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError):
        return False
    try:
        is_authority = extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        is_authority = False
    try:
        purposes = set(extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
    except x509.ExtensionNotFound:
        purposes = _PURPOSES
    signs = usage.digital_signature or usage.content_commitment
    return (
        signs
        and not is_authority
        and bool(purposes & _PURPOSES)
        and not _restricts_otherwise(extensions)
    )


def may_sign_certificates(certificate: x509.Certificate) -> bool:
    """True for the certificate of an authority that may sign certificates (RFC 5280, sections 4.2.1.3 and 4.2.1.9)."""
    try:
        extensions = certificate.extensions
        usage = extensions.get_extension_for_class(x509.KeyUsage).value
        constraints = extensions.get_extension_for_class(x509.BasicConstraints).value
    except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError):
        return False
    return usage.key_cert_sign and constraints.ca and not _restricts_otherwise(extensions)


def _restricts_otherwise(extensions: x509.Extensions) -> bool:
    """True if a critical extension is not processed here, so that the certificate must be rejected (RFC 5280, 4.2)."""
    return any(one.critical and one.oid not in _PROCESSED for one in extensions)


def _check_not_revoked(
    chain: Sequence[x509.Certificate], revocations: x509.CertificateRevocationList, at: datetime
) -> datetime:
    """Return the time until which the list is accepted; refuses with `IssuerUnusable` if a certificate of `chain` is on it.

    A list that none of our authorities signed is refused too.  The operator placed the list in the directory, so it is there by
    mistake or forged, and the operator has to learn of that.
    """
    authority = next((one for one in chain[1:] if one.subject == revocations.issuer), None)
    if authority is None or not signs_list(authority, revocations):
        name = revocations.issuer.rfc4514_string()
        raise IssuerUnusable(f"a list of revoked certificates in the name of {name} is not theirs")
    if revocations.next_update_utc is None:
        raise IssuerUnusable("a list of revoked certificates does not say how long it counts")
    stop = revocations.next_update_utc + CRL_GRACE
    if at > stop:
        raise IssuerUnusable(f"a list of revoked certificates should have been renewed by {stop}")
    for certificate in chain:
        if certificate.issuer != revocations.issuer:
            continue
        found = revocations.get_revoked_certificate_by_serial_number(certificate.serial_number)
        if found is not None:
            raise IssuerUnusable(f"{certificate.subject.rfc4514_string()} was revoked")
    return stop


def signs_list(authority: x509.Certificate, revocations: x509.CertificateRevocationList) -> bool:
    """True if the authority made the list and may make lists (RFC 5280, section 6.3.3 (f), (g))."""
    key = authority.public_key()
    if not isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
        return False
    try:
        usage = authority.extensions.get_extension_for_class(x509.KeyUsage).value
        return usage.crl_sign and revocations.is_signature_valid(key)
    except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError, UnsupportedAlgorithm):
        return False
