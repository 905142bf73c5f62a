"""The claim in the QR code of a stamp: a signed statement of the issuer about serial and document.

With the public key a claim can be checked without a network.  It follows the serial in the check address,
`<address>/<serial>/<claim>`.  Its characters are those of Crockford's base 32, so it needs no escaping in a path and
takes 5.5 bits a character in a QR code:

    V KKKK TTTTTTT DDD...SSS
    | |    |       +-- 80 bytes: the first 16 of the SHA-256 of the original, then the signature
    | |    +---------- time of sealing, in seconds since 1970-01-01 UTC
    | +--------------- id of the key: 20 bits of the SHA-256 of the public key
    +----------------- version of this layout

The signature is Ed25519 (RFC 8032) over a domain, the version, the key's id, the serial, the time
and the digest, each of fixed length.  With 16 bytes of the digest, finding another document for an existing claim
takes 128 bits of work.  An author who prepares two documents with equal 16 bytes (64 bits of work) is detected by the
check of the file itself, which compares all 32 bytes.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hmac import compare_digest
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from meterai.kit.ids import ALPHABET, decode, encode
from meterai.kit.refusal import Refusal
from meterai.kit.serial import Serial
from meterai.plumbing.files import read_key_file

VERSION = "1"
CLAIM_CHARACTERS = 140
SCANNED_CHARACTERS_MAX = 512  # bounds the input; our codes have fewer

_DOMAIN = b"meterai claim\n"  # no other message that we sign begins so
_KEY_ID_CHARACTERS = 4
_TIME_CHARACTERS = 7  # 35 bits of seconds, until the year 3058
_DIGEST_BYTES = 16
_SIGNED_BYTES = 80  # the digest and its signature
_SIGNED_CHARACTERS = 128
_LETTERS = frozenset(ALPHABET)
_LETTER_OF = bytes.maketrans(bytes(range(len(ALPHABET))), ALPHABET.encode("ascii"))


class ClaimMalformed(Refusal):
    """The scanned text is not a serial and a claim in a known layout."""

    code = "claim_malformed"
    status = 422


class ClaimKeyUnknown(Refusal):
    """The claim names a key that is not among the trusted ones."""

    code = "claim_key_unknown"
    status = 422

    def __init__(self, key_id: str) -> None:
        super().__init__(f"no trusted key has the id {key_id}")
        self.key_id = key_id


class ClaimForged(Refusal):
    """The claim was not signed for this serial by the key that it names."""

    code = "claim_forged"
    status = 422


class ClaimKeyUnusable(Refusal):
    """A file of public keys cannot be used; the operator must act."""

    code = "claim_key_unusable"
    status = 503
    retry_after_seconds = 60  # a person has to act


class ClaimKey:
    """Private key that signs claims, with the id by which claims name it."""

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private
        self.public = private.public_key()
        self.id = key_id(self.public)

    def sign(self, message: bytes) -> bytes:
        """Return the Ed25519 signature of a message, 64 bytes."""
        return self._private.sign(message)


@dataclass(frozen=True, slots=True)
class QrClaim:
    """Content of a claim: the serial was sealed at this time (to the second, UTC) on one document.

    `digest16` are the first 16 bytes of the SHA-256 of that document before stamping.
    """

    serial: Serial
    key_id: str
    at: datetime
    digest16: bytes


def key_id(public: Ed25519PublicKey) -> str:
    """Return the id of a public key: four letters of `kit.ids.ALPHABET`."""
    digest = hashlib.sha256(public.public_bytes_raw()).digest()
    return encode(int.from_bytes(digest[:3], "big") >> 4, _KEY_ID_CHARACTERS)


def load_public_keys(paths: Iterable[Path]) -> dict[str, Ed25519PublicKey]:
    """Load public keys from PEM files; return them by their ids.

    Refuses with `ClaimKeyUnusable` a file that cannot be read or holds no Ed25519 public key, and
    two different keys with the same id.
    """
    keys: dict[str, Ed25519PublicKey] = {}
    for path in paths:
        try:
            key = load_pem_public_key(read_key_file(path))
        except (OSError, ValueError, UnsupportedAlgorithm) as error:
            raise ClaimKeyUnusable(f"{path}: no public key can be read") from error
        if not isinstance(key, Ed25519PublicKey):
            raise ClaimKeyUnusable(f"{path}: the key is not an Ed25519 key")
        if keys.setdefault(key_id(key), key) != key:
            raise ClaimKeyUnusable(f"{path}: another key has the same id")
    return keys


def make(serial: Serial, at: datetime, sha256_original: bytes, key: ClaimKey) -> str:
    """Return the signed claim that a document with this SHA-256 was sealed under the serial at the time `at`.

    Raises `ValueError` for a time without a zone, before 1970, or too late for the layout.
    """
    head = VERSION + key.id + _written_time(at)
    digest = sha256_original[:_DIGEST_BYTES]
    return head + _as_base32(digest + key.sign(_message(head, serial, digest)))


def read(text: str, keys: Mapping[str, Ed25519PublicKey]) -> QrClaim:
    """Read and verify the claim in a scanned text, which is a whole address or its last two parts, in any case of letters.

    Refuses with `ClaimMalformed`, `ClaimKeyUnknown` or `ClaimForged`.  Whether the serial was issued and is still valid
    is not checked.
    """
    serial, claim = _parts(text)
    start = len(VERSION) + _KEY_ID_CHARACTERS
    end = start + _TIME_CHARACTERS
    at = datetime.fromtimestamp(decode(claim[start:end]), UTC)
    octets = decode(claim[end:]).to_bytes(_SIGNED_BYTES, "big")
    called = claim[len(VERSION) : start]
    public = keys.get(called)
    if public is None:
        raise ClaimKeyUnknown(called)
    digest, signature = octets[:_DIGEST_BYTES], octets[_DIGEST_BYTES:]
    try:
        public.verify(signature, _message(claim[:end], serial, digest))
    except InvalidSignature as error:
        raise ClaimForged(f"the signature of {serial} is not of key {called}") from error
    return QrClaim(serial, called, at, digest)


def matches(claim: QrClaim, original_sha256: bytes) -> bool:
    """True if the claim was made for the document with this SHA-256."""
    return compare_digest(claim.digest16, original_sha256[:_DIGEST_BYTES])


def _parts(text: str) -> tuple[Serial, str]:
    # Some letters outside ASCII have ASCII capitals, but are no part of a claim.
    if len(text) > SCANNED_CHARACTERS_MAX or not text.isascii():
        raise ClaimMalformed(
            "the text is longer than our codes, or has characters that they cannot hold"
        )
    *_, serial, claim = ["", "", *text.strip().upper().split("/")]
    if len(claim) != CLAIM_CHARACTERS or not claim.startswith(VERSION):
        raise ClaimMalformed(f"no claim of version {VERSION}")
    if not _LETTERS.issuperset(claim):
        raise ClaimMalformed("the text has a character outside the alphabet")
    try:
        return Serial(serial), claim
    except ValueError as error:
        raise ClaimMalformed(f"the text has no serial before the claim: {error}") from error


def _written_time(at: datetime) -> str:
    if at.tzinfo is None:
        raise ValueError("the time has no zone")
    seconds = int(at.timestamp())
    if not 0 <= seconds < 1 << 5 * _TIME_CHARACTERS:
        raise ValueError(f"a claim cannot hold the time {at}")
    return encode(seconds, _TIME_CHARACTERS)


def _widening_steps() -> list[tuple[int, int]]:
    """Return the steps that convert a large integer of 5-bit letters to one with a byte for each letter.

    Each step moves the upper half of every group of letters up; the first step has the widest groups, the last pairs of
    letters.  A step is a mask of the bits to move, and the distance in bits.
    """
    steps = []
    half = _SIGNED_CHARACTERS // 2
    while half:
        upper = (1 << 5 * half) - 1 << 5 * half
        groups = range(0, 8 * _SIGNED_CHARACTERS, 16 * half)
        steps.append((sum(upper << start for start in groups), 3 * half))
        half //= 2
    return steps


_HALVINGS = _widening_steps()


def _as_base32(octets: bytes) -> str:
    """Encode `_SIGNED_BYTES` bytes like `kit.ids.encode`, in a tenth of the time."""
    number = int.from_bytes(octets, "big")
    for bits, places in _HALVINGS:
        moved = number & bits
        number ^= moved ^ moved << places
    return number.to_bytes(_SIGNED_CHARACTERS, "big").translate(_LETTER_OF).decode("ascii")


def _message(head: str, serial: Serial, digest: bytes) -> bytes:
    return _DOMAIN + head.encode("ascii") + serial.text.encode("ascii") + digest
