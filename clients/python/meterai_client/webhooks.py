"""Verification of messages of an installation (Standard Webhooks 1.0.0, symmetric signatures)."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from time import time
from typing import Any

import msgspec

from meterai_client.errors import WebhookForged

TOLERANCE_SECONDS = 5 * 60
_PREFIX = "whsec_"


class Webhook:
    """Verifies messages to one endpoint. While its secret is rotated, give both secrets."""

    def __init__(self, *secrets: str, clock: Callable[[], float] = time) -> None:
        """Take the secrets of the endpoint, each as `whsec_` and base64. Raises `ValueError` if a secret is invalid."""
        self._keys = [_key_of(one) for one in secrets]
        self._clock = clock
        if not self._keys:
            raise ValueError("no secret")

    def verify(self, headers: Mapping[str, str], body: bytes) -> Any:
        """Return the message, parsed from JSON, if it is genuine and not old. Raises `WebhookForged`.

        `body` is the received body, byte for byte: not parsed and serialized again. A message may come twice, with the
        same `webhook-id`.
        """
        given = {name.lower(): value for name, value in headers.items()}
        try:
            number, moment, signatures = (
                given["webhook-id"], given["webhook-timestamp"], given["webhook-signature"],
            )  # fmt: skip
        except KeyError as missing:
            raise WebhookForged(f"header {missing} is missing") from None
        if not moment.isascii() or not moment.isdecimal() or len(moment) > 12:
            raise WebhookForged("webhook-timestamp is not a time")
        if abs(self._clock() - int(moment)) > TOLERANCE_SECONDS:
            raise WebhookForged("webhook-timestamp differs from the present by minutes")
        signed = f"{number}.{moment}.".encode() + body
        if not self._is_signed(signed, signatures.split(" ")):
            raise WebhookForged("no signature fits")
        try:
            return msgspec.json.decode(body)
        except msgspec.DecodeError:
            raise WebhookForged("the body is not JSON") from None

    def _is_signed(self, signed: bytes, signatures: Sequence[str]) -> bool:
        expected = [hmac.new(key, signed, hashlib.sha256).digest() for key in self._keys]
        given = [found for one in signatures if (found := _signature(one)) is not None]
        # All signatures are compared, so that the duration reveals nothing.
        fits = [hmac.compare_digest(one, other) for one in expected for other in given]
        return any(fits)


def _key_of(secret: str) -> bytes:
    try:
        found = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        found = b""
    if not found:
        raise ValueError("a secret consists of whsec_ and Base64")
    return found


def _signature(text: str) -> bytes | None:
    version, _, signature = text.partition(",")
    if version != "v1":
        return None
    try:
        return base64.b64decode(signature, validate=True)
    except (binascii.Error, ValueError):
        return None
