"""An authenticator in software (Web Authentication, Level 3): ES256, no attestation."""

import hashlib
import json
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


def text_of(octets: bytes) -> str:
    return urlsafe_b64encode(octets).decode().rstrip("=")


def octets_of(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass
class Authenticator:
    """Makes one passkey for an origin and signs with it. Its answers can be made wrong."""

    origin: str
    domain: str
    credential: bytes = field(default_factory=lambda: os.urandom(16))
    user: bytes = b""
    counter: int = 0

    def __post_init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())

    def _client_data(self, kind: str, challenge: str) -> bytes:
        said = {"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}
        return json.dumps(said).encode()

    def _data(self, flags: int, attested: bytes = b"") -> bytes:
        domain = hashlib.sha256(self.domain.encode()).digest()
        return domain + bytes([flags]) + self.counter.to_bytes(4) + attested

    def make(self, options: str, flags: int = PRESENT | VERIFIED) -> str:
        """The answer to a request for a new passkey."""
        asked: dict[str, Any] = json.loads(options)
        self.user = octets_of(asked["user"]["id"])
        point = self.key.public_key().public_numbers()
        public = cbor2.dumps(
            {1: 2, 3: -7, -1: 1, -2: point.x.to_bytes(32), -3: point.y.to_bytes(32)}
        )
        named = bytes(16) + len(self.credential).to_bytes(2) + self.credential + public
        data = self._data(flags | ATTESTED, named)
        attestation = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        client = self._client_data("webauthn.create", asked["challenge"])
        return self._answer(clientDataJSON=client, attestationObject=attestation)

    def sign(self, options: str, flags: int = PRESENT | VERIFIED) -> str:
        """The answer to a request to sign in."""
        client = self._client_data("webauthn.get", json.loads(options)["challenge"])
        self.counter += 1
        data = self._data(flags)
        signature = self.key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        return self._answer(
            clientDataJSON=client,
            authenticatorData=data,
            signature=signature,
            userHandle=self.user,
        )

    def _answer(self, **response: bytes) -> str:
        name = text_of(self.credential)
        said = {part: text_of(octets) for part, octets in response.items()}
        return json.dumps({"id": name, "rawId": name, "type": "public-key", "response": said})
