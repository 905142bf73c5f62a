"""Private key of seals: its interface, and the implementation for a key file.

Two algorithms are supported: RSA of 2,048 bits or more (PKCS #1 v1.5) and ECDSA on P-256, both with
SHA-256.  Both are in ETSI TS 119 312, and every PDF reader supports them.
"""

from pathlib import Path
from typing import Literal, Protocol

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from meterai.plumbing.files import read_key_file
from meterai.sealing.model import IssuerUnusable
from meterai.sealing.signing.ecdsa import lowered

RSA_BITS_MIN = 2048  # minimum of ETSI TS 119 312

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey
KeyAlgorithm = Literal["rsa", "p256"]

_PKCS1 = padding.PKCS1v15()
_SHA256 = hashes.SHA256()
_ECDSA = ec.ECDSA(_SHA256)


class SealKey(Protocol):
    """A private key in a file or a security module.  Safe to use from several threads at once."""

    @property
    def algorithm(self) -> KeyAlgorithm:
        """Algorithm of the signatures of this key."""

    def public_key(self) -> PublicKey:
        """Return the public key."""

    def sign(self, message: bytes) -> bytes:
        """Return the signature over SHA-256 of the message: PKCS #1 v1.5, or ECDSA in DER with the lower s.

        Refuses with `IssuerUnusable` if the key cannot be used now.
        """


class FileKey:
    """Key from a file, parsed once and kept in memory, since parsing an RSA key takes a hundred times as long as using it.

    Refuses with `IssuerUnusable` a key that is neither P-256 nor RSA of 2,048 bits or more.
    """

    def __init__(self, private: PrivateKey) -> None:
        self._private = private
        self._public = private.public_key()
        self.algorithm = algorithm_of(self._public)

    def public_key(self) -> PublicKey:
        """Return the public key."""
        return self._public

    def sign(self, message: bytes) -> bytes:
        """Return the signature over SHA-256 of the message, in the form that `SealKey.sign` describes."""
        if isinstance(self._private, rsa.RSAPrivateKey):
            return self._private.sign(message, _PKCS1, _SHA256)
        return lowered(self._private.sign(message, _ECDSA), self._private.curve)


def load_file_key(path: Path) -> FileKey:
    """Load the key in a PEM file without a password; refuses with `IssuerUnusable`."""
    try:
        private = load_pem_private_key(read_key_file(path), password=None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as cause:
        raise IssuerUnusable(f"{path.name} is missing or holds no private key") from cause
    if not isinstance(private, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise IssuerUnusable(f"{path.name} is neither RSA nor on an elliptic curve")
    return FileKey(private)


def algorithm_of(key: object) -> KeyAlgorithm:
    """Return the algorithm of a public key; refuses with `IssuerUnusable` an unsupported one."""
    match key:
        case rsa.RSAPublicKey() if key.key_size >= RSA_BITS_MIN:
            return "rsa"
        case ec.EllipticCurvePublicKey() if isinstance(key.curve, ec.SECP256R1):
            return "p256"
    raise IssuerUnusable("the key is neither P-256 nor RSA of 2,048 bits or more")
