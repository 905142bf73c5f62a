"""Generation of keys for an issuer, and of certificate requests for them (RFC 2986)."""

from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

from meterai.sealing.signing.issuer import DOCUMENT_SIGNING
from meterai.sealing.signing.keys import PrivateKey

Algorithm = Literal["p256", "rsa2048", "rsa3072"]


def new_key(algorithm: Algorithm) -> PrivateKey:
    """Generate a private key for this algorithm."""
    if algorithm == "p256":
        return ec.generate_private_key(ec.SECP256R1())
    bits = int(algorithm.removeprefix("rsa"))
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def new_seal_key(algorithm: Algorithm) -> bytes:
    """Generate a private key for seals; return it in PEM."""
    return private_pem(new_key(algorithm))


def new_claim_key() -> bytes:
    """Generate a private key for claims; return it in PEM."""
    return private_pem(Ed25519PrivateKey.generate())


def private_pem(key: PrivateKey | Ed25519PrivateKey) -> bytes:
    """Encode a private key in PEM, without a password."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def public_of(private: bytes) -> bytes:
    """Return the public key in PEM of a private key in PEM.  Raises `ValueError` if the key cannot be read."""
    key = load_pem_private_key(private, None)
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    """Return the key usage extension for an authority if `signs_certificates`, otherwise that for a sealing key."""
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def certificate_request(private: bytes, name: str) -> bytes:
    """Return a certificate request, in PEM, for a key that signs documents.  Raises `ValueError` for an unusable key.

    `private` is the private key in PEM, and `name` the requested common name.  The authority may write another name and
    other usages into the certificate.
    """
    key = load_pem_private_key(private, None)
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise ValueError("neither RSA nor on an elliptic curve")
    draft = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .add_extension(key_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([DOCUMENT_SIGNING]), critical=False)
    )
    return draft.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)
