"""SNAP BI signatures (ASPI, Pedoman Standar Teknis dan Keamanan SNAP v1.0.2).

A body is serialised once, then signed and sent unchanged.  The signature of a received body is checked over the raw bytes; if
it is wrong for these, it is checked over the body without white space between tokens.  A received body is never parsed and
serialised again for the check: that could change numbers, escapes and the order of members.
"""

import base64
import binascii
import hashlib
import hmac
import re

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

# Possessive quantifiers, and an unterminated string that extends to the end, keep the match linear: no byte is visited
# twice.  White space as in JSON (RFC 8259, section 2).
_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[^ \t\n\r"]++', re.DOTALL)


def minified(body: bytes) -> bytes:
    """JSON without the white space outside strings; all tokens are unchanged.

    Takes time proportional to the length of the body.
    """
    return b"".join(_TOKEN.findall(body))


def string_to_sign(
    method: str, path: str, body: bytes, timestamp: str, token: str | None = None
) -> bytes:
    """The text that is signed: METHOD:path[:token]:lowerhex(SHA-256(body)):timestamp; `path` includes the query string."""
    parts = [method, path, *([token] if token is not None else [])]
    parts += [hashlib.sha256(body).hexdigest(), timestamp]
    return ":".join(parts).encode()


def sign_symmetric(secret: str, text: bytes, encoding: str = "base64") -> str:
    """The HMAC-SHA512 of a text, in base64 or hexadecimal (`hex`), since the standard names no encoding."""
    return _encoded(hmac.digest(secret.encode(), text, hashlib.sha512), encoding)


def sign_asymmetric(key: rsa.RSAPrivateKey, text: bytes, encoding: str = "base64") -> str:
    """The SHA256withRSA signature (PKCS#1 v1.5) of a text, in base64 or hexadecimal (`hex`)."""
    return _encoded(key.sign(text, padding.PKCS1v15(), hashes.SHA256()), encoding)


def _encoded(signature: bytes, encoding: str) -> str:
    return signature.hex() if encoding == "hex" else base64.b64encode(signature).decode()


def read_signature(size: int, signature: str) -> bytes | None:
    """Decode a signature of `size` bytes from base64 or hexadecimal; None if the text has another form.

    This cheap check comes before the expensive check of the signature itself.
    """
    # The standard does not name the encoding: base64 in practice, hex in the portal's samples.
    try:
        if len(signature) == 2 * size:
            return bytes.fromhex(signature) if signature.isalnum() else None
        if len(signature) > 2 * size:
            return None
        decoded = base64.b64decode(signature, validate=True)
    except (ValueError, binascii.Error):
        return None
    return decoded if len(decoded) == size else None


def is_signed_by(key: rsa.RSAPublicKey, text: bytes, signature: str) -> bool:
    """True if the signature of the text was made with the private key of `key`."""
    decoded = read_signature(key.key_size // 8, signature)
    if decoded is None:
        return False
    try:
        key.verify(decoded, text, padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        return False
    return True


def is_signed_with(secret: str, text: bytes, signature: str) -> bool:
    """True if the symmetric signature of the text was made with this secret."""
    decoded = read_signature(hashlib.sha512().digest_size, signature)
    wanted = hmac.digest(secret.encode(), text, hashlib.sha512)
    return decoded is not None and hmac.compare_digest(decoded, wanted)
