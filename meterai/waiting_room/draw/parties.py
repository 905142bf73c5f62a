"""Named parties who each hold a secret, commit to it before the list closes, and reveal it after.

A commitment is a hash over the line, the party's name and the secret, so that nobody can repeat
another's.  A reveal is signed by the party together with the hash of the closing: a party reveals
only to a list whose root it has seen, and thereby witnesses that the root was there first.
"""

import hashlib
import re

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

SECRET_BYTES = 32
PARTIES_MAX = 16  # named institutions, not a crowd
_NAME = re.compile(r"[^\x00-\x1f\x7f]{1,100}")
_HEX_32 = re.compile(r"[0-9a-f]{64}")


class Party(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who takes part: its name, its commitment and its Ed25519 public key, both in hexadecimal."""

    name: str
    commitment: str
    public_key: str


class Reveal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a party tells after the closing: its secret, signed for this closing; in hexadecimal."""

    name: str
    secret: str
    signature: str


def is_usable(party: Party) -> bool:
    """Whether a reveal of this party could be checked."""
    return all(
        (
            _NAME.fullmatch(party.name),
            _HEX_32.fullmatch(party.commitment),
            _HEX_32.fullmatch(party.public_key),
        )
    )


def commitment_of(line: str, name: str, secret: bytes) -> str:
    """The commitment to a secret, in hexadecimal."""
    texts = b"".join(len(text).to_bytes(2, "big") + text for text in (line.encode(), name.encode()))
    return hashlib.sha256(b"meterai draw 1 commitment\n" + texts + secret).hexdigest()


def party_of(line: str, name: str, secret: bytes, key: Ed25519PrivateKey) -> Party:
    """What a party gives to the operator before the announcement."""
    public = key.public_key().public_bytes_raw().hex()
    return Party(name, commitment_of(line, name, secret), public)


def reveal_to(closing: bytes, name: str, secret: bytes, key: Ed25519PrivateKey) -> Reveal:
    """What a party gives after it has seen the closing, whose hash (32 bytes) it signs."""
    return Reveal(name, secret.hex(), key.sign(_message(closing, secret)).hex())


def is_true(reveal: Reveal, party: Party, line: str, closing: bytes) -> bool:
    """Whether this is the secret the party committed to, revealed by it to this closing."""
    if not _HEX_32.fullmatch(reveal.secret) or not re.fullmatch(r"[0-9a-f]{128}", reveal.signature):
        return False
    secret = bytes.fromhex(reveal.secret)
    if reveal.name != party.name or commitment_of(line, party.name, secret) != party.commitment:
        return False
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(party.public_key))
        key.verify(bytes.fromhex(reveal.signature), _message(closing, secret))
    except (InvalidSignature, ValueError):
        return False
    return True


def _message(closing: bytes, secret: bytes) -> bytes:
    return b"meterai draw 1 reveal\n" + closing + secret
