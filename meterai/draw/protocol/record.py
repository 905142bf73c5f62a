"""The public record of a draw, `draw.json`: signed parts, each with the hash of the one before.

A part is kept as the very text that was signed, so nothing has to be written again to check it:

    {"format": "meterai draw 1", "public_key": "<hex>",
     "parts": [{"kind": "announcement", "body": "{...}", "signature": "<hex>"}, ...]}

What is signed (Ed25519) and hashed (SHA-256) is "meterai draw 1 <kind>\\n" and the body.
Times are seconds since 1970; keys and hashes are hexadecimal in lower case.
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
RECORD_BYTES_MAX = 1 << 18  # a record with sixteen parties has a tenth of it
_KEY = re.compile(r"[0-9a-f]{64}")
_SIGNATURE = re.compile(r"[0-9a-f]{128}")


class RecordMalformed(CommandRefusal):
    """What was given is not the record of a draw, or not all of one."""

    code = "draw_record_malformed"
    status = 422


class RecordOfParties(CommandRefusal):
    """The announcement names parties, as releases before could; `docs/draw/verify_draw.py` checks it."""

    code = "draw_record_of_parties"
    status = 422


class RecordSigner(Protocol):
    """The operator's key."""

    @property
    def public_key(self) -> bytes:
        """The 32 bytes of the public key."""
        ...

    def sign(self, message: bytes) -> bytes:
        """The 64 bytes of an Ed25519 signature."""
        ...


class RecordPartKind(StrEnum):
    """The parts of a record, in their order."""

    ANNOUNCEMENT = "announcement"
    CLOSING = "closing"
    RESULT = "result"


class Announcement(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is fixed before anybody enters.

    The list closes at `closes_at`; its root is public at the latest at `published_by`; `round` of
    `chain` is the first one a fixed time later.  `replaces` is the hash of an announcement that
    could not be carried out, for a `reason`.  `reveals_until` is `published_by`; `round_is_used` and
    `parties` have one value each: releases before wrote others.
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
    """The list is closed: nothing can be added to what has this root."""

    after: str  # the hash of the announcement
    line: str
    root: str
    count: int
    at: int


class Result(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What was drawn."""

    after: str  # the hash of the closing
    round_signature: str
    seed: str
    order: str  # SHA-256 over the entries as drawn
    count: int
    at: int


class RecordPart(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One signed part."""

    kind: RecordPartKind
    body: str
    signature: str


class DrawRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The record as far as it is written."""

    format: str
    public_key: str
    parts: tuple[RecordPart, ...]

    def part(self, kind: RecordPartKind) -> RecordPart | None:
        """The part of a kind, if it is written."""
        return next((part for part in self.parts if part.kind is kind), None)

    @property
    def announcement(self) -> Announcement:
        """The first part; refuses `RecordMalformed`."""
        found = self._read(RecordPartKind.ANNOUNCEMENT, Announcement)
        if found is None:
            raise RecordMalformed("a record without an announcement")
        return found

    @property
    def closing(self) -> DrawClosing | None:
        """The closing, or None; refuses `RecordMalformed`."""
        return self._read(RecordPartKind.CLOSING, DrawClosing)

    @property
    def result(self) -> Result | None:
        """The result, or None; refuses `RecordMalformed`."""
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
    """What is signed and hashed."""
    return f"{FORMAT} {part.kind}\n{part.body}".encode()


def hash_of(part: RecordPart) -> bytes:
    """The 32 bytes by which the next part names this one."""
    return hashlib.sha256(message_of(part)).digest()


def is_signed(part: RecordPart, public_key: str) -> bool:
    """Whether the owner of the key signed the part."""
    if not _SIGNATURE.fullmatch(part.signature):
        return False
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key))
        key.verify(bytes.fromhex(part.signature), message_of(part))
    except (InvalidSignature, ValueError):
        return False
    return True


def begun(announcement: Announcement, signer: RecordSigner) -> DrawRecord:
    """A record of an announcement alone."""
    empty = DrawRecord(format=FORMAT, public_key=signer.public_key.hex(), parts=())
    return extended(empty, announcement, signer)


def extended(
    record: DrawRecord, body: Announcement | DrawClosing | Result, signer: RecordSigner
) -> DrawRecord:
    """The record with one more part; the body names the part before."""
    unsigned = RecordPart(_KIND_OF[type(body)], msgspec.json.encode(body).decode(), "")
    part = msgspec.structs.replace(unsigned, signature=signer.sign(message_of(unsigned)).hex())
    return msgspec.structs.replace(record, parts=(*record.parts, part))


def write(record: DrawRecord) -> bytes:
    """The file `draw.json`."""
    return msgspec.json.format(msgspec.json.encode(record), indent=1) + b"\n"


def read(text: bytes) -> DrawRecord:
    """What `write` wrote, perhaps by another; refuses `RecordMalformed`, `RecordOfParties`.

    Every part is one that can be read, and they stand in their order; nothing else is checked.
    """
    if len(text) > RECORD_BYTES_MAX:
        raise RecordMalformed(f"longer than {RECORD_BYTES_MAX} bytes")
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
        raise RecordMalformed("not a format or not a key that is known here")
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
