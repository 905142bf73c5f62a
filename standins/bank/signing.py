"""SNAP BI signatures: the signed text, signing and verification.

  token request        SHA256withRSA   clientId|X-TIMESTAMP
  call with a token    HMAC-SHA512     METHOD:target:token:lowerhex(sha256(body)):X-TIMESTAMP
  call without a token SHA256withRSA   METHOD:target:lowerhex(sha256(body)):X-TIMESTAMP

`target` is path and query as they were sent.  The body is hashed as received and, if that does
not match, again with the white space between tokens taken out: some partners sign the minified
body but send it spaced.  It is never parsed and written anew, because numbers, key order and
escapes would change.  Signatures are base64; hexadecimal is understood too, as the standard
names no encoding.
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

RSA_BITS = 2048  # the least SNAP BI allows
KEY_FILE = "bank.key.pem"
PUBLIC_KEY_FILE = "bank.pub.pem"

# A string (closed or not, so that a hostile body costs linear time) or white space between.
_TOKEN_OR_SPACE = re.compile(rb'"(?:[^"\\]|\\.)*+"?+|[ \t\r\n]++', re.DOTALL)


def minify(body: bytes) -> bytes:
    """The body without white space between its tokens; every token stays as it is."""
    return _TOKEN_OR_SPACE.sub(lambda found: found[0] if found[0][:1] == b'"' else b"", body)


def symmetric_text(method: str, target: str, token: str, body: bytes, timestamp: str) -> bytes:
    """The string to sign for a call that carries a token."""
    return f"{method}:{target}:{token}:{hashlib.sha256(body).hexdigest()}:{timestamp}".encode()


def asymmetric_text(method: str, target: str, body: bytes, timestamp: str) -> bytes:
    """The string to sign for a call without a token."""
    return f"{method}:{target}:{hashlib.sha256(body).hexdigest()}:{timestamp}".encode()


def hmac_sha512(secret: str, text: bytes) -> bytes:
    """The symmetric signature, not yet encoded."""
    return hmac.digest(secret.encode(), text, "sha512")


def read_signature(text: str, length: int) -> bytes:
    """The bytes of a signature in base64 or hexadecimal; empty if it is neither."""
    try:
        if len(text) == 2 * length:
            return bytes.fromhex(text)
        return base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        return b""


def encoded(signature: bytes) -> str:
    """A signature in base64."""
    return base64.b64encode(signature).decode()


class PublicKey:
    """Checks SHA256withRSA signatures of one party.  Raises `ValueError` if it is no RSA key."""

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
    """Signs as the bank."""

    def __init__(self, pem: bytes) -> None:
        key = serialization.load_pem_private_key(pem, password=None)
        if not isinstance(key, rsa.RSAPrivateKey):
            raise ValueError("the bank's key is not an RSA key")
        self._key = key

    @classmethod
    def new(cls) -> "PrivateKey":
        """A new key."""
        return cls(_pem(rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS)))

    def sign(self, text: bytes) -> str:
        """SHA256withRSA in base64."""
        return encoded(self._key.sign(text, padding.PKCS1v15(), hashes.SHA256()))

    def pem(self) -> bytes:
        """The key itself."""
        return _pem(self._key)

    def public_pem(self) -> bytes:
        """The public half, to verify the bank's notifications."""
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
    """The bank's key in this directory; made on the first call, or anew, readable by its owner only."""
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
