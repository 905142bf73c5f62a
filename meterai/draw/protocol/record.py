"""The public record of a draw, `draw.json`: signed parts, each with the hash of the part before.

A part keeps the exact text that was signed, so that a check needs no serialization:

    {"format": "meterai draw 1", "public_key": "<hex>",
     "parts": [{"kind": "announcement", "body": "{...}", "signature": "<hex>"}, ...]}

The signature (Ed25519) and the hash (SHA-256) cover "meterai draw 1 <kind>\\n" and the body.
Times are seconds since 1970; keys and hashes are lower-case hexadecimal.
"""

import hashlib
import re
from enum import StrEnum
from typing import Literal, Protocol, TypeVar

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from meterai.draw.protocol.chain import BeaconChain
from meterai.kit.refusal import CommandRefusal

FORMAT = "meterai draw 1"
RECORD_BYTES_MAX = 1 << 18  # ten times the size of a record with sixteen parties
_KEY = re.compile(r"[0-9a-f]{64}")
_SIGNATURE = re.compile(r"[0-9a-f]{128}")


class RecordMalformed(CommandRefusal):
    """The text is not a complete record of a draw."""

    code = "draw_record_malformed"
    status = 422


class RecordOfParties(CommandRefusal):
    """The announcement names parties that add random values, as in records of earlier releases.

    The program `docs/draw/verify_draw.py` can verify such a record.
    """

    code = "draw_record_of_parties"
    status = 422


class RecordSigner(Protocol):
    """The operator's signing key."""

    @property
    def public_key(self) -> bytes:
        """Return the public key, 32 bytes."""
        ...

    def sign(self, message: bytes) -> bytes:
        """Return an Ed25519 signature, 64 bytes."""
        ...


class RecordPartKind(StrEnum):
    """Kind of a part of a record, in the order of the parts."""

    ANNOUNCEMENT = "announcement"
    CLOSING = "closing"
    RESULT = "result"


class Announcement(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """First part of a record: all values that are fixed before the first entry.

    Entries are taken until `closes_at`, and the root is published by `published_by`.  `round` is the deciding round of `chain`:
    the first round that exists a fixed time after `published_by`.  If an earlier announcement could not be carried out,
    `replaces` is its hash and `reason` the reason.  `reveals_until` (always `published_by`), `round_is_used` and `parties`
    could have other values in earlier releases.
    """

    rules: int
    line: str
    closes_at: int
    published_by: int
    reveals_until: int
    chain: BeaconChain
    round: int
    round_is_used: Literal["always"] = "always"
    parties: tuple[()] = ()
    replaces: str = ""
    reason: str = ""


class DrawClosing(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Second part of a record: root and count of the closed list, which cannot change any more."""

    after: str  # the hash of the announcement
    line: str
    root: str
    count: int
    at: int


class Result(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Last part of a record: the round's signature, the seed, and the hash of the order."""

    after: str  # the hash of the closing
    round_signature: str
    seed: str
    order: str  # SHA-256 over the entries in their drawn order
    count: int
    at: int


class RecordPart(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A signed part of a record; `body` is the exact JSON text that was signed."""

    kind: RecordPartKind
    body: str
    signature: str


class DrawRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Record of a draw, with the parts that exist so far."""

    format: str
    public_key: str
    parts: tuple[RecordPart, ...]

    def part(self, kind: RecordPartKind) -> RecordPart | None:
        """Return the part of a kind, or None if it does not exist yet."""
        return next((part for part in self.parts if part.kind is kind), None)

    @property
    def announcement(self) -> Announcement:
        """Return the announcement.  Refuses `RecordMalformed`."""
        found = self._read(RecordPartKind.ANNOUNCEMENT, Announcement)
        if found is None:
            raise RecordMalformed("the record has no announcement")
        return found

    @property
    def closing(self) -> DrawClosing | None:
        """Return the closing, or None if it does not exist yet.  Refuses `RecordMalformed`."""
        return self._read(RecordPartKind.CLOSING, DrawClosing)

    @property
    def result(self) -> Result | None:
        """Return the result, or None if it does not exist yet.  Refuses `RecordMalformed`."""
        return self._read(RecordPartKind.RESULT, Result)

    def _read(self, kind: RecordPartKind, shape: type["Body"]) -> "Body | None":
        part = self.part(kind)
        if part is None:
            return None
        try:
            return msgspec.json.decode(part.body, type=shape)
        except (msgspec.DecodeError, RecursionError) as error:
            raise RecordMalformed(f"the {kind}: {error}") from error


Body = TypeVar("Body", Announcement, DrawClosing, Result)
_KIND_OF: dict[type, RecordPartKind] = {
    Announcement: RecordPartKind.ANNOUNCEMENT,
    DrawClosing: RecordPartKind.CLOSING,
    Result: RecordPartKind.RESULT,
}


def message_of(part: RecordPart) -> bytes:
    """Return the bytes of a part that are signed and hashed."""
    return f"{FORMAT} {part.kind}\n{part.body}".encode()


def hash_of(part: RecordPart) -> bytes:
    """Return the hash of a part, 32 bytes, which the next part contains."""
    return hashlib.sha256(message_of(part)).digest()


def is_signed(part: RecordPart, public_key: str) -> bool:
    """True if the part has a valid signature of this public key (hexadecimal)."""
    if not _SIGNATURE.fullmatch(part.signature):
        return False
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key))
        key.verify(bytes.fromhex(part.signature), message_of(part))
    except (InvalidSignature, ValueError):
        return False
    return True


def begun(announcement: Announcement, signer: RecordSigner) -> DrawRecord:
    """Return a new record that has only the announcement."""
    empty = DrawRecord(format=FORMAT, public_key=signer.public_key.hex(), parts=())
    return extended(empty, announcement, signer)


def extended(
    record: DrawRecord, body: Announcement | DrawClosing | Result, signer: RecordSigner
) -> DrawRecord:
    """Return the record with one more signed part; `body` must contain the hash of the part before."""
    unsigned = RecordPart(_KIND_OF[type(body)], msgspec.json.encode(body).decode(), "")
    part = msgspec.structs.replace(unsigned, signature=signer.sign(message_of(unsigned)).hex())
    return msgspec.structs.replace(record, parts=(*record.parts, part))


def write(record: DrawRecord) -> bytes:
    """Return the content of the file `draw.json`."""
    return msgspec.json.format(msgspec.json.encode(record), indent=1) + b"\n"


def read(text: bytes) -> DrawRecord:
    """Parse a record from any source.  Refuses `RecordMalformed`, `RecordOfParties`.

    Checks only that the parts can be read and are in order, not their signatures or values.
    """
    if len(text) > RECORD_BYTES_MAX:
        raise RecordMalformed(f"the record is longer than {RECORD_BYTES_MAX} bytes")
    try:
        return _read(text)
    except RecordMalformed:
        if _names_parties(text):
            raise RecordOfParties("parties are named") from None
        raise


def _read(text: bytes) -> DrawRecord:
    try:
        record = msgspec.json.decode(text, type=DrawRecord)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RecordMalformed(str(error)) from error
    if record.format != FORMAT or not _KEY.fullmatch(record.public_key):
        raise RecordMalformed("unknown format or key")
    kinds = [part.kind for part in record.parts]
    if kinds != list(RecordPartKind)[: len(kinds)]:
        raise RecordMalformed(f"the parts are {', '.join(kinds)}")
    _ = record.announcement, record.closing, record.result
    return record


class _OldPart(msgspec.Struct):
    body: str


class _OldRecord(msgspec.Struct):
    parts: tuple[_OldPart, ...]


class _OldAnnouncement(msgspec.Struct):
    parties: tuple[msgspec.Raw, ...] = ()


def _names_parties(text: bytes) -> bool:
    try:
        first = msgspec.json.decode(text, type=_OldRecord).parts[0]
        return bool(msgspec.json.decode(first.body, type=_OldAnnouncement).parties)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, IndexError):
        return False
