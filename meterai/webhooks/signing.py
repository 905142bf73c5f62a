"""Secrets of endpoints, and signatures by Standard Webhooks (https://www.standardwebhooks.com)."""

import hashlib
import hmac
import secrets
from base64 import b64encode
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from meterai.webhooks.model import SECRET_BYTES

PREFIX = "whsec_"
PURPOSE = "webhook secrets"
_NONCE_BYTES = 12


def shown_secret(secret: bytes) -> str:
    """Return a secret in the form shown to its owner."""
    return PREFIX + b64encode(secret).decode()


def signature(secret: bytes, message: str, at: int, body: bytes) -> str:
    """Return the signature of a message (`v1`): over its id, the time of the attempt (`at`, Unix seconds), and its
    body.
    """
    signed = b".".join((message.encode(), str(at).encode(), body))
    return "v1," + b64encode(hmac.digest(secret, signed, hashlib.sha256)).decode()


def headers(signers: Iterable[bytes], message: str, at: datetime, body: bytes) -> dict[str, str]:
    """Return the headers of one attempt, with a signature by each of these secrets."""
    seconds = int(at.timestamp())
    return {
        "Content-Type": "application/json",
        "User-Agent": "meterai-webhooks/1",
        "webhook-id": message,
        "webhook-timestamp": str(seconds),
        "webhook-signature": " ".join(signature(one, message, seconds, body) for one in signers),
    }


class Safe:
    """Encrypts secrets of endpoints with a key of the instance. A secret is bound to its endpoint: moved to another
    endpoint, it cannot be decrypted.
    """

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def made(self, account: UUID, endpoint: UUID) -> bytes:
        """Make a new secret for an endpoint, and return it encrypted."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        secret = secrets.token_bytes(SECRET_BYTES)
        return nonce + self._cipher.encrypt(nonce, secret, account.bytes + endpoint.bytes)

    def opened(self, sealed: bytes, account: UUID, endpoint: UUID) -> bytes:
        """Decrypt a secret. Raises `InvalidTag` for a secret of another endpoint or instance."""
        nonce, rest = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        return self._cipher.decrypt(nonce, rest, account.bytes + endpoint.bytes)
