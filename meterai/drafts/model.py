"""Drafts and their files: states, refusals, and rules without input or output."""

import hashlib
import hmac
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

from meterai.kit.lifecycle import Lifecycle
from meterai.kit.numbers import counted
from meterai.kit.refusal import Refusal, refusal_of_database
from meterai.sealing import PageSize, Placement

FILE_KIND = "fil"  # prefix of the public id of a file
# A broken connection loses at most one part, or two if the next is already under way.
PART_BYTES_MAX = 256 * 1024
# Bounds the parts of a whole file to about a hundred; the last part may be smaller.
PART_BYTES_MIN = 64 * 1024
# A file without bytes, and a draft without files, are deleted after this time, so that the row of an announced
# file that never came is not kept for a day.
EMPTY_LIVES = timedelta(minutes=15)
# An unfinished file is deleted this long after its last part: a phone that lost its connection for a while
# can continue, and an abandoned file does not count against the limits for long.
UNFINISHED_LIVES = timedelta(hours=1)


# Validity of the mark of a sign-in: from the page that asks for the mail address to the typed code.  Under load a
# mail may take long.
MARK_LIVES = timedelta(hours=1)
MARK_DIGITS_MAX = 12  # of the time in seconds with which the mark begins
# Lengths of the page key, the random text that a shown page sends with its uploads; a shorter one could be guessed.
PAGE_KEY_LENGTH_MIN, PAGE_KEY_LENGTH_MAX = 20, 64  # characters
TAG_DIGITS = 16  # first digits of a token, derived from the key of the page that made it


class FileState(StrEnum):
    """State of a file of a draft."""

    RECEIVING = "receiving"  # none or some of the bytes were received
    EXAMINING = "examining"  # all bytes were received; an examination finds out whether the file can be stamped
    READY = "ready"  # the file can be stamped unchanged
    REPAIRED = "repaired"  # the file was broken; the repaired document can be stamped
    REFUSED = "refused"  # the file cannot be stamped; its bytes are deleted
    ORDERED = "ordered"  # the file belongs to an order or a stamping from the balance; the draft has no bytes of it


class FileEvent(StrEnum):
    """Event that changes the state of a file.  Taking a file out is no event: it deletes the row and the bytes."""

    RECEIVED = "received"
    ACCEPTED = "accepted"
    MENDED = "mended"
    REFUSED = "refused"
    ORDERED = "ordered"


_S, _E = FileState, FileEvent
DRAFT_FILE = Lifecycle(
    "the file",
    {
        (_S.RECEIVING, _E.RECEIVED): _S.EXAMINING,
        (_S.EXAMINING, _E.ACCEPTED): _S.READY,
        (_S.EXAMINING, _E.MENDED): _S.REPAIRED,
        (_S.EXAMINING, _E.REFUSED): _S.REFUSED,
        (_S.READY, _E.ORDERED): _S.ORDERED,
        (_S.REPAIRED, _E.ORDERED): _S.ORDERED,
    },
)


class PageHasNoRoom(Refusal):
    """A page is so small, or so full of stamps, that no other stamp fits on it."""

    code = "page_has_no_room"
    status = 422

    def __init__(self, *, page: int) -> None:
        super().__init__(f"no room for a stamp on page {page}")
        self.page = page


@refusal_of_database
class DraftFull(Refusal):
    """The draft has as many files as one order may have."""

    code = "draft_full"
    status = 422

    def __init__(self, *, files_max: int) -> None:
        super().__init__(f"at most {files_max} files")
        self.files_max = files_max


@refusal_of_database
class DraftTooLarge(Refusal):
    """The files of one draft together have more bytes than a draft may hold.  Sizes in bytes."""

    code = "draft_too_large"
    status = 413

    def __init__(self, *, sum_bytes: int) -> None:
        super().__init__(f"at most {sum_bytes} bytes in one draft")
        self.sum_bytes = sum_bytes


@refusal_of_database
class NetworkFull(Refusal):
    """The drafts of a network together have reached the network's limit; a visitor with an account has a separate limit."""

    code = "network_full"
    status = 503
    retry_after_seconds = 600


class StrangersFull(Refusal):
    """All drafts without an account together have reached their limit; a visitor with an account has a separate limit."""

    code = "strangers_full"
    status = 503
    retry_after_seconds = 600


class DraftsFull(Refusal):
    """All drafts together have reached their limit."""

    code = "drafts_full"
    status = 503
    retry_after_seconds = 600  # drafts are ordered or expire all the time, which frees room


class FileNotReady(Refusal):
    """No stamp can be placed on the file: it is incomplete, or it cannot be stamped."""

    code = "file_not_ready"
    status = 409


class PlacedElsewhere(Refusal):
    """The stamps of the file were changed in another tab or device after the page was shown."""

    code = "placed_elsewhere"
    status = 409


class DraftNotPlaced(Refusal):
    """A file of the draft has no stamp yet, or the draft is empty."""

    code = "draft_not_placed"
    status = 409


class PagesTooSmall(Refusal):
    """Neither the last page of the document nor one of its first pages is as large as a stamp."""

    code = "pages_too_small"
    status = 422


class FileEmpty(Refusal):
    """The file has no bytes.  A phone sends an empty file if the file is stored online and not downloaded yet."""

    code = "file_empty"
    status = 422


class FileNotExamined(Refusal):
    """The file was examined `uploads.EXAMINATIONS_MAX` times, and no examination had a result."""

    code = "file_not_examined"
    status = 422


class FileDamagedOnTheWay(Refusal):
    """The received file has another digest than the sender announced (RFC 9530)."""

    code = "file_damaged_on_the_way"
    status = 422


class PartDamagedOnTheWay(Refusal):
    """The received part has another digest than the sender stated (`Content-Digest`, RFC 9530); it was not stored."""

    code = "part_damaged_on_the_way"
    status = 422
    passes = True  # if the part is sent again, it may arrive intact


class PartTypeWrong(Refusal):
    """The content type of a part is not `application/partial-upload`."""

    code = "part_type_wrong"
    status = 415


class UploadOffsetMismatch(Refusal):
    """A part does not begin at the offset of the upload; `offset` is the correct offset, in bytes."""

    code = "upload_offset_mismatch"
    status = 409

    def __init__(self, *, offset: int) -> None:
        super().__init__(f"the upload continues at offset {offset}")
        self.offset = offset


class UploadCompleted(Refusal):
    """The upload is complete; no part can be added."""

    code = "upload_completed"
    status = 400


class UploadLengthInconsistent(Refusal):
    """Two headers state different lengths of the file, or more bytes were sent than announced."""

    code = "upload_length_inconsistent"
    status = 400


class PartSizeWrong(Refusal):
    """A part is larger than allowed, or smaller than allowed and not the last part.  Sizes in bytes."""

    code = "part_size_wrong"
    status = 413

    def __init__(self, *, least_bytes: int, most_bytes: int) -> None:
        super().__init__(f"a part has {least_bytes} to {most_bytes} bytes")
        self.least_bytes = least_bytes
        self.most_bytes = most_bytes


@dataclass(frozen=True, slots=True)
class Draft:
    """A set of files chosen for stamping; it belongs to an account, or to a browser that is not signed in.

    `is_done` is true if the draft was ordered, or if its files were moved into another draft of its owner (`merged_into`).
    """

    id: UUID
    owner: UUID | None
    network: str
    order_key: str
    order: UUID | None
    is_done: bool
    merged_into: UUID | None
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class DraftFile:
    """A file of a draft.

    `size` and `received` are the numbers of announced and of received bytes.  `sizes` are the page sizes, in points, of the
    first pages and of the last page.  Until the examination ends, `parts` are the ids of the stored objects with the bytes.  If
    the file can be stamped, `sha256` is the digest of its stored content, and `rules` is the value of `sealing.RULES` when the
    file was examined.  If the previous release stored the document, `old_content` is the id of the object with its bytes.
    """

    draft: UUID
    id: UUID
    name: str
    size: int
    received: int
    digest: bytes | None
    state: FileState
    parts: tuple[UUID, ...]
    old_content: UUID | None
    sha256: bytes | None
    pages: int | None
    sizes: tuple[PageSize, ...]
    is_stamped: bool
    rules: int
    refusal: str | None
    refusal_facts: dict[str, Any]
    placements: tuple[Placement, ...]
    version: int
    examinations: int
    added_at: datetime
    last_part_at: datetime

    def expires_at(self, draft: Draft) -> datetime:
        """Return the time at which the file is deleted if no further part comes."""
        if self.state != FileState.RECEIVING:
            return draft.expires_at
        lives = UNFINISHED_LIVES if self.received else EMPTY_LIVES
        return min(draft.expires_at, self.last_part_at + lives)

    @property
    def is_usable(self) -> bool:
        """True if the file can be stamped."""
        return self.state in (FileState.READY, FileState.REPAIRED)

    @property
    def announced_digest(self) -> str | None:
        """Announced SHA-256 in base64, as it was sent; the sender recognises its file by this digest."""
        return b64encode(self.digest).decode() if self.digest else None

    @property
    def is_placed(self) -> bool:
        """True if the file can be stamped, and its stamps were placed."""
        return bool(self.placements)

    @property
    def objects(self) -> tuple[UUID, ...]:
        """Ids of the objects in the store that belong to this file alone."""
        return (*self.parts, self.old_content) if self.old_content else self.parts

    @property
    def old_name(self) -> str | None:
        """Name in the object store of a document that the previous release stored; None for any other document."""
        return object_name(self.id, self.old_content) if self.old_content else None


class DraftUsage(NamedTuple):
    """Number of the files of a draft, and their received bytes."""

    files: int
    bytes: int


class DraftExaminationResult(NamedTuple):
    """Result of the examination of a document that can be stamped; `size` in bytes."""

    size: int
    sha256: bytes
    pages: int
    sizes: tuple[PageSize, ...]
    is_repaired: bool
    is_stamped: bool
    rules: int

    @property
    def state(self) -> FileState:
        """State of the file after this examination."""
        return FileState.REPAIRED if self.is_repaired else FileState.READY


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFile:
    """A new file of a draft: announced, partly received, or received whole and examined.

    An announced file has no bytes yet.  The bytes of a file that was received whole are in `parts`, or in the content that
    `found` describes.  `sent` is the number of bytes that were sent, and `size` the number of bytes of the document.  The two
    differ if the document was repaired.
    """

    id: UUID
    name: str
    sent: int  # bytes
    size: int
    digest: bytes | None
    at: datetime
    state: FileState = FileState.RECEIVING
    parts: tuple[UUID, ...] = ()
    leased_until: datetime | None = None
    examinations: int = 0
    found: DraftExaminationResult | None = None
    refusal: str | None = None
    refusal_facts: Mapping[str, object] = field(default_factory=dict)


class DraftLimits(NamedTuple):
    """Maximum number of drafts without an account in one network, and maximum numbers of files and of bytes in one draft."""

    drafts_of_network: int
    files: int
    bytes: int


class NetworkUsage(NamedTuple):
    """Received bytes in the drafts of a network, and the number of its drafts without an account.

    `name` is a network, or a widest network (/24 of IPv4, /48 of IPv6) that contains several networks.
    """

    name: str
    bytes: int
    drafts: int


class DraftObject(NamedTuple):
    """A stored object that belongs to a file: the ids of file and object, read from the object's name in the store."""

    file: UUID
    object: UUID


def hash_of(token: str) -> bytes:
    """Return the hash of a token for storage, so that a reader of the table cannot open a draft."""
    return hashlib.sha256(token.encode()).digest()


def token_tag(page_key: str) -> str:
    """Return the first digits of a token; they are the same in all tokens made for uploads from the page with this key."""
    return hashlib.sha256(b"page." + page_key.encode()).hexdigest()[:TAG_DIGITS]


def next_token(token: str, page_key: str) -> str:
    """Return the token that a draft gets by an upload from the page with this key.

    A token that this page made stays the same.  The new token is derived from the old token and the key.  So an upload whose
    answer was lost finds its draft when it is repeated.  An attacker may have set the old token as a cookie, but without the
    key of the page the attacker cannot compute the new token.
    """
    tag = token_tag(page_key)
    if not token or token.startswith(tag):
        return token
    return tag + hmac.new(page_key.encode(), f"next.{token}".encode(), hashlib.sha256).hexdigest()


def sign_in_mark(token: str, at: datetime) -> str:
    """Return a mark that proves that a sign-in began at time `at` on a page of the draft with this token.

    Only a holder of the token can make a mark.  The mark alone does not open the draft.
    """
    return _mark(token, int(at.timestamp()))


def is_sign_in_mark(mark: str, token: str, now: datetime) -> bool:
    """True if the mark is for the draft with this token, and not older than `MARK_LIVES`."""
    seconds = counted(mark.partition(".")[0], MARK_DIGITS_MAX)
    if seconds is None or not (mark.isascii() and token):
        return False
    age = now.timestamp() - seconds
    is_young = -1.0 < age <= MARK_LIVES.total_seconds()
    return is_young and hmac.compare_digest(mark, _mark(token, seconds))


def _mark(token: str, seconds: int) -> str:
    told = hmac.new(token.encode(), f"sign-in.{seconds}".encode(), hashlib.sha256).hexdigest()
    return f"{seconds}.{told}"


def object_name(file: UUID, part: UUID) -> str:
    """Return the name in the object store of a part of a file.

    The previous release stored a whole file as one object, and named that object as if it were a part.  The id of the part is
    reversed, since the store makes folders by the first letters of names, and ids made in the same period begin with the same
    letters.
    """
    return f"{part.hex[::-1]}-{file.hex}"


def named_by(name: str) -> DraftObject | None:
    """Parse an object name of the store; None if the name does not denote an object of a draft's file."""
    part, _, file = name.partition("-")
    if len(part) != 32 or len(file) != 32:
        return None
    try:
        return DraftObject(UUID(file), UUID(part[::-1]))
    except ValueError:
        return None


def duplicates(files: Sequence[DraftFile]) -> dict[UUID, DraftFile]:
    """Return the duplicates: a mapping from the id of each duplicate to the earlier file with the same bytes."""
    first: dict[bytes, DraftFile] = {}
    found: dict[UUID, DraftFile] = {}
    for one in files:
        if one.is_usable and one.sha256 is not None:
            before = first.setdefault(one.sha256, one)
            if before is not one:
                found[one.id] = before
    return found


def to_order(files: Sequence[DraftFile]) -> list[DraftFile]:
    """Return the files that can be stamped; of files with the same bytes only the first."""
    again = duplicates(files)
    return [one for one in files if one.is_usable and one.id not in again]


def needs_no_remark(files: Sequence[DraftFile]) -> bool:
    """True if no file needs a remark to the visitor, who can then go straight to placing the stamps.

    That is: every file can be stamped unchanged, has no stamp of ours yet, and duplicates no other.
    """
    plain = [one for one in to_order(files) if one.state == FileState.READY and not one.is_stamped]
    return bool(files) and len(plain) == len(files)


def written(files: Sequence[DraftFile]) -> str:
    """Return a hash of the files of a draft and of the versions of their placements.

    The form of an order contains it, so that only the files and placements that the visitor was shown are ordered.
    """
    told = hashlib.sha256()
    for one in files:
        told.update(f"{one.id.hex}:{one.version};".encode())
    return told.hexdigest()[:32]
