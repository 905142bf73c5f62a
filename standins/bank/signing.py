"""SNAP BI signatures: the signed text, signing and verification.

  token request        SHA256withRSA   clientId|X-TIMESTAMP
  call with a token    HMAC-SHA512     METHOD:target:token:lowerhex(sha256(body)):X-TIMESTAMP
  call without a token SHA256withRSA   METHOD:target:lowerhex(sha256(body)):X-TIMESTAMP

`target` is path and query as they were sent.  The body is hashed as received and, if that does not match, again without the
white space between tokens: some partners sign the minified body but send it with white space. The body is never parsed and
serialized again, because numbers, key order and escapes would change. Signatures are base64; hexadecimal is accepted too,
since the standard names no encoding.
"""

import base64
import binascii
import hashlib
import hmac
import os
import re
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

RSA_BITS = 2048  # the minimum of SNAP BI
KEY_FILE = "bank.key.pem"
PUBLIC_KEY_FILE = "bank.pub.pem"

# A string (closed or not, so that a malicious body costs linear time), or white space between tokens.
_TOKEN_OR_SPACE = re.compile(rb'"(?:[^"\\]|\\.)*+"?+|[ \t\r\n]++', re.DOTALL)


def minify(body: bytes) -> bytes:
    """Return the body without white space between its tokens; tokens are unchanged."""
    return _TOKEN_OR_SPACE.sub(lambda found: found[0] if found[0][:1] == b'"' else b"", body)


def symmetric_text(method: str, target: str, token: str, body: bytes, timestamp: str) -> bytes:
    """Return the text to sign for a call with a token."""
    return f"{method}:{target}:{token}:{hashlib.sha256(body).hexdigest()}:{timestamp}".encode()


def asymmetric_text(method: str, target: str, body: bytes, timestamp: str) -> bytes:
    """Return the text to sign for a call without a token."""
    return f"{method}:{target}:{hashlib.sha256(body).hexdigest()}:{timestamp}".encode()


def hmac_sha512(secret: str, text: bytes) -> bytes:
    """Return the symmetric signature as bytes."""
    return hmac.digest(secret.encode(), text, "sha512")


def read_signature(text: str, length: int) -> bytes:
    """Return the bytes of a signature in base64 or hexadecimal; empty if it is neither, or not `length` bytes long."""
    try:
        if len(text) == 2 * length:
            return bytes.fromhex(text)
        return base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        return b""


def encoded(signature: bytes) -> str:
    """Return a signature in base64."""
    return base64.b64encode(signature).decode()


class PublicKey:
    """Verifies SHA256withRSA signatures of one party. Raises `ValueError` if the key is not an RSA key."""

    def __init__(self, pem: bytes) -> None:
        key = serialization.load_pem_public_key(pem)
        if not isinstance(key, rsa.RSAPublicKey) or key.key_size < RSA_BITS:
            raise ValueError(f"SNAP BI takes an RSA key of at least {RSA_BITS} bits")
        self._key = key

    def is_signed(self, signature: str, text: bytes) -> bool:
        """True if this party signed this text."""
        raw = read_signature(signature, self._key.key_size // 8)
        try:
            self._key.verify(raw, text, padding.PKCS1v15(), hashes.SHA256())
        except InvalidSignature:
            return False
        return True


class PrivateKey:
    """The private key of the bank."""

    def __init__(self, pem: bytes) -> None:
        key = serialization.load_pem_private_key(pem, password=None)
        if not isinstance(key, rsa.RSAPrivateKey):
            raise ValueError("the bank's key is not an RSA key")
        self._key = key

    @classmethod
    def new(cls) -> "PrivateKey":
        """Return a new key."""
        return cls(_pem(rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS)))

    def sign(self, text: bytes) -> str:
        """Return the SHA256withRSA signature of a text, in base64."""
        return encoded(self._key.sign(text, padding.PKCS1v15(), hashes.SHA256()))

    def pem(self) -> bytes:
        """Return the private key (PEM)."""
        return _pem(self._key)

    def public_pem(self) -> bytes:
        """Return the public key (PEM), which verifies the bank's notifications."""
        return self._key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )


def _pem(key: rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def bank_key(directory: Path, *, is_new: bool = False) -> PrivateKey:
    """Return the bank's key in this directory. It is made on the first call or if `is_new`; only its owner can read the
    file.
    """
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / KEY_FILE
    if is_new or not path.exists():
        pem = PrivateKey.new().pem()
        # Written to another name and renamed: a process that dies here leaves no incomplete key.
        aside = path.with_suffix(".new")
        aside.unlink(missing_ok=True)
        with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(pem)
        aside.rename(path)
    key = PrivateKey(path.read_bytes())
    (directory / PUBLIC_KEY_FILE).write_bytes(key.public_pem())
    return key
