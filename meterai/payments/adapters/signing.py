"""SNAP BI signatures (ASPI, Pedoman Standar Teknis dan Keamanan SNAP v1.0.2).

Bytes are serialised once, signed and sent as they are.  What arrives is checked as raw bytes
first and then with the white space between tokens removed, never parsed and written again:
numbers, escapes and the order of members would change.
"""

import base64
import binascii
import hashlib
import hmac
import re

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[^\s"]+')


def minified(body: bytes) -> bytes:
    """JSON with the white space outside strings removed, every token kept as it is."""
    return b"".join(_TOKEN.findall(body))


def string_to_sign(
    method: str, path: str, body: bytes, timestamp: str, token: str | None = None
) -> bytes:
    """METHOD:path[:token]:lowerhex(SHA-256(body)):timestamp; `path` has its query."""
    parts = [method, path, *([token] if token is not None else [])]
    parts += [hashlib.sha256(body).hexdigest(), timestamp]
    return ":".join(parts).encode()


def sign_symmetric(secret: str, text: bytes) -> str:
    """base64(HMAC-SHA512)."""
    return base64.b64encode(hmac.digest(secret.encode(), text, hashlib.sha512)).decode()


def sign_asymmetric(key: rsa.RSAPrivateKey, text: bytes) -> str:
    """base64(SHA256withRSA, PKCS#1 v1.5)."""
    return base64.b64encode(key.sign(text, padding.PKCS1v15(), hashes.SHA256())).decode()


def _decoded(signature: str) -> bytes | None:
    # The standard does not name the encoding: base64 in practice, hex in the portal's samples.
    try:
        if re.fullmatch(r"[0-9a-fA-F]{128,}", signature):
            return bytes.fromhex(signature)
        return base64.b64decode(signature, validate=True)
    except (ValueError, binascii.Error):
        return None


def is_signed_by(key: rsa.RSAPublicKey, text: bytes, signature: str) -> bool:
    """True where the signature of the text was made with the other half of the key."""
    decoded = _decoded(signature)
    if decoded is None:
        return False
    try:
        key.verify(decoded, text, padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        return False
    return True
