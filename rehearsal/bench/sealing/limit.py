"""Minimum of any seal, with the same libraries: key operations, SHA-256, one QR code.

Sealing needs the signatures of the seal and of the claim, a hash of the original and of the appended bytes, and a QR code.
Checking needs the verification of both signatures and one hash. The limit contains no work on PDF.
"""

import hashlib
from itertools import cycle

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from bench.sealing.ours import AT, CHECK_URL
from meterai.kit.serial import UNLEASED, SerialMaker
from meterai.sealing import ClaimKey, HashedDocument, claim
from meterai.sealing.signing.keys import PrivateKey
from meterai.sealing.stamp.qr import check_address, encoder_for

_ATTRIBUTES = bytes(170)  # about the length of the signed attributes of a seal
_MESSAGE = bytes(64)  # about the length of the signed bytes of a claim
_TEXTS = 256  # all different, since repeated drawing of a single code would hit a cache
_SHA256 = hashes.SHA256()
_ECDSA = ec.ECDSA(_SHA256)
_PKCS1 = padding.PKCS1v15()


class Limit:
    """The necessary operations of a seal of one issuer."""

    def __init__(self, key: PrivateKey, claim_key: ClaimKey) -> None:
        self._key = key
        self._public = key.public_key()
        self._claim_key = claim_key
        texts = [_code_text(claim_key) for _ in range(_TEXTS)]
        self._texts = cycle(texts)
        self._encoder = encoder_for(len(texts[0]))
        self._signature = self.sign()
        self._claim_signature = self.sign_claim()

    def sign(self) -> bytes:
        """Run the key operation of the seal."""
        if isinstance(self._key, rsa.RSAPrivateKey):
            return self._key.sign(_ATTRIBUTES, _PKCS1, _SHA256)
        return self._key.sign(_ATTRIBUTES, _ECDSA)

    def sign_claim(self) -> bytes:
        """Run the key operation of the claim."""
        return self._claim_key.sign(_MESSAGE)

    def draw(self) -> None:
        """Draw one QR code."""
        self._encoder.draw(next(self._texts))

    def seal(self, original: bytes, delta: bytes, hashed: HashedDocument | None = None) -> None:
        """Run the minimum of sealing; with `hashed`, the original was hashed before."""
        state = hashed.state.copy() if hashed is not None else hashlib.sha256(original)
        state.update(delta)
        state.digest()
        self.sign()
        self.sign_claim()
        self.draw()

    def verify(self, stamped: bytes) -> None:
        """Run the minimum of checking."""
        hashlib.sha256(stamped).digest()
        if isinstance(self._public, rsa.RSAPublicKey):
            self._public.verify(self._signature, _ATTRIBUTES, _PKCS1, _SHA256)
        else:
            self._public.verify(self._signature, _ATTRIBUTES, _ECDSA)
        self._claim_key.public.verify(self._claim_signature, _MESSAGE)


def _code_text(claim_key: ClaimKey) -> str:
    """Return the text of the QR code of an arbitrary stamp."""
    serial = SerialMaker(UNLEASED).make()
    digest = hashlib.sha256(str(serial).encode("ascii")).digest()
    return f"{check_address(CHECK_URL, serial)}/{claim.make(serial, AT, digest, claim_key)}"
