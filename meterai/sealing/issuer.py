"""Who seals: one private key and the certificates that vouch for it.

A directory holds one issuer: `seal.key`, `seal.pem`, `intermediate.pem`, `root.pem` (and, made for
development, the keys of the two authorities).  The key is read once and kept parsed, because
parsing an RSA key costs a hundred times more than signing with it.
"""

from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.oid import NameOID

from meterai.sealing.cms import Container, PrivateKey
from meterai.sealing.model import IssuerUnusable

RSA_BITS_MIN = 2048

KEY_FILE = "seal.key"
LEAF_FILE = "seal.pem"
INTERMEDIATE_FILE = "intermediate.pem"
ROOT_FILE = "root.pem"


class Issuer:
    """A key, its certificate, the intermediate authority and the root that verifiers pin.

    Raises `IssuerUnusable` if the key is neither P-256 nor RSA of 2,048 bits or more, or does not
    belong to the first certificate, or the certificates do not sign each other in order.
    """

    def __init__(self, key: PrivateKey, chain: tuple[x509.Certificate, ...]) -> None:
        _check_key(key)
        if not chain or chain[0].public_key() != key.public_key():
            raise IssuerUnusable("the key does not belong to the certificate")
        for certificate, signer in zip(chain, (*chain[1:], chain[-1]), strict=True):
            _check_signed(certificate, signer)
        self.chain = chain
        self._container = Container(key, chain)

    @property
    def name(self) -> str:
        """The common name of the certificate we seal with."""
        return common_name(self.chain[0])

    @property
    def root(self) -> x509.Certificate:
        """The certificate a verifier must trust."""
        return self.chain[-1]

    @property
    def container_bytes_max(self) -> int:
        """No container that `sign` makes is longer."""
        return self._container.bytes_max

    def sign(self, digest: bytes) -> bytes:
        """The CMS container over a document with this SHA-256 digest."""
        return self._container.sign(digest)

    def check_usable(self, at: datetime) -> None:
        """Refuse with `IssuerUnusable` if a verifier would reject a seal made at this time.

        The operator of the real system went on sealing for twelve days with an expired
        certificate; every one of those stamps is void.
        """
        for certificate in self.chain:
            subject = certificate.subject.rfc4514_string()
            if at < certificate.not_valid_before_utc:
                raise IssuerUnusable(f"{subject} is not valid yet at {at}")
            if at > certificate.not_valid_after_utc:
                raise IssuerUnusable(f"{subject} expired before {at}")
        if not may_sign_documents(self.chain[0]):
            raise IssuerUnusable("the certificate's key usage does not allow signing documents")
        if not all(may_sign_certificates(authority) for authority in self.chain[1:]):
            raise IssuerUnusable("an authority's key usage does not allow signing certificates")


def load_issuer(directory: Path) -> Issuer:
    """The issuer whose files are in the directory; refuses with `IssuerUnusable`."""
    try:
        key = load_pem_private_key((directory / KEY_FILE).read_bytes(), password=None)
        chain = tuple(
            x509.load_pem_x509_certificate((directory / name).read_bytes())
            for name in (LEAF_FILE, INTERMEDIATE_FILE, ROOT_FILE)
        )
    except (OSError, ValueError, TypeError) as cause:
        raise IssuerUnusable("the issuer's files are missing or cannot be read") from cause
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise IssuerUnusable("the key is neither RSA nor on an elliptic curve")
    return Issuer(key, chain)


def common_name(certificate: x509.Certificate) -> str:
    """The common name of the certificate's subject; all of the name where it has none."""
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[0].value) if names else certificate.subject.rfc4514_string()


def may_sign_documents(certificate: x509.Certificate) -> bool:
    """True for an end certificate whose key usage is signing (RFC 5280, section 4.2.1.3)."""
    try:
        extensions = certificate.extensions
        usage = extensions.get_extension_for_class(x509.KeyUsage).value
    except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError):
        return False
    try:
        is_authority = extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        is_authority = False
    return (usage.digital_signature or usage.content_commitment) and not is_authority


def may_sign_certificates(certificate: x509.Certificate) -> bool:
    """True for an authority (RFC 5280, sections 4.2.1.3 and 4.2.1.9)."""
    try:
        extensions = certificate.extensions
        usage = extensions.get_extension_for_class(x509.KeyUsage).value
        constraints = extensions.get_extension_for_class(x509.BasicConstraints).value
    except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError):
        return False
    return usage.key_cert_sign and constraints.ca


def _check_key(key: PrivateKey) -> None:
    match key:
        case rsa.RSAPrivateKey() if key.key_size >= RSA_BITS_MIN:
            return
        case ec.EllipticCurvePrivateKey() if isinstance(key.curve, ec.SECP256R1):
            return
    raise IssuerUnusable("the key is neither P-256 nor RSA of 2,048 bits or more")


def _check_signed(certificate: x509.Certificate, signer: x509.Certificate) -> None:
    try:
        certificate.verify_directly_issued_by(signer)
    # cryptography documents three kinds of exception for one answer: no.
    except Exception as cause:
        subject = certificate.subject.rfc4514_string()
        raise IssuerUnusable(f"{subject} is not signed by the next certificate") from cause
