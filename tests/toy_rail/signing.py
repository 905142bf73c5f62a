"""Signatures of the toy bank: HMAC-SHA256 over the time, a dot and the body, in one header."""

import hmac
import re
from hashlib import sha256

HEADER = "toy-signature"
_FORM = re.compile(r"t=([0-9]{1,12}),v1=([0-9a-f]{64})\Z")


def signed(secret: str, at: int, body: bytes) -> str:
    """The value of the header; `at` in seconds since 1970."""
    told = hmac.new(secret.encode(), f"{at}.".encode() + body, sha256).hexdigest()
    return f"t={at},v1={told}"


def signed_at(secret: str, header: str, body: bytes) -> int | None:
    """The time at which a body was signed; None if the signature is invalid."""
    found = _FORM.match(header)
    if found is None or not hmac.compare_digest(signed(secret, int(found[1]), body), header):
        return None
    return int(found[1])
