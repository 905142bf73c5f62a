"""A draft, its files, and the changes they allow; pure."""

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

FILE_KIND = "fil"  # of the public form of a file's id
PART_BYTES_MAX = 256 * 1024  # a broken connection loses one part, and one more may be on the way
# Bounds the parts of a whole file to about a hundred; the last part may be smaller.
PART_BYTES_MIN = 64 * 1024
# A file without bytes, and a draft without files, are forgotten after this time: an announcement takes
# no room, and its row is not kept for a day.
EMPTY_LIVES = timedelta(minutes=15)
# An unfinished file is forgotten this long after its last part: a phone that lost its connection for a while
# can go on, and an abandoned file takes no room from others.
UNFINISHED_LIVES = timedelta(hours=1)


# Between the page that asks for an address and the typed code; in a rush a mail may take long.
MARK_LIVES = timedelta(hours=1)
MARK_DIGITS_MAX = 12  # of its second
# Lengths of the random text that a shown page sends with its uploads; shorter ones could be guessed.
PAGE_KEY_LENGTH_MIN, PAGE_KEY_LENGTH_MAX = 20, 64  # characters
TAG_DIGITS = 16  # of a token: the digits that tell which page made it


class FileState(StrEnum):
    """State of a file of a draft."""

    RECEIVING = "receiving"  # some of its bytes may be here
    EXAMINING = "examining"  # all are here; whether it can be stamped is being found out
    READY = "ready"  # it can be stamped as it is
    REPAIRED = "repaired"  # it was broken; what was mended can be stamped
    REFUSED = "refused"  # it cannot be stamped; its bytes are gone
    ORDERED = "ordered"  # an order, or a stamping from the balance, has it; its bytes here are gone


class FileEvent(StrEnum):
    """Event of a file.  A file that is taken out is deleted with its bytes."""

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
    """The files of one draft have together more bytes than it may hold.  Sizes in bytes."""

    code = "draft_too_large"
    status = 413

    def __init__(self, *, sum_bytes: int) -> None:
        super().__init__(f"at most {sum_bytes} bytes in one draft")
        self.sum_bytes = sum_bytes


@refusal_of_database
class NetworkFull(Refusal):
    """The drafts of one network have reached its limit; an account has room of its own."""

    code = "network_full"
    status = 503
    retry_after_seconds = 600


class StrangersFull(Refusal):
    """The drafts without an account have reached their limit; an account has room of its own."""

    code = "strangers_full"
    status = 503
    retry_after_seconds = 600


class DraftsFull(Refusal):
    """All drafts together have reached their limit."""

    code = "drafts_full"
    status = 503
    retry_after_seconds = 600  # drafts end all the time: ordered and old ones


class FileNotReady(Refusal):
    """The file cannot be placed: it is incomplete, or it cannot be stamped."""

    code = "file_not_ready"
    status = 409


class PlacedElsewhere(Refusal):
    """The stamps of the file were placed again since the page was shown, in another tab or device."""

    code = "placed_elsewhere"
    status = 409


class DraftNotPlaced(Refusal):
    """A file of the draft has no stamp yet, or the draft is empty."""

    code = "draft_not_placed"
    status = 409


class PagesTooSmall(Refusal):
    """Neither the last page nor one of the first is as large as a stamp."""

    code = "pages_too_small"
    status = 422


class FileEmpty(Refusal):
    """The file has no bytes: a phone sends it so if it is stored elsewhere and was not fetched yet."""

    code = "file_empty"
    status = 422


class FileNotExamined(Refusal):
    """The file was examined several times, and no examination ended."""

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
    passes = True  # sent again it may arrive intact


class PartTypeWrong(Refusal):
    """A part has another type than `application/partial-upload`."""

    code = "part_type_wrong"
    status = 415


class UploadOffsetMismatch(Refusal):
    """A part does not begin at the offset of the upload; `offset` is that offset, in bytes."""

    code = "upload_offset_mismatch"
    status = 409

    def __init__(self, *, offset: int) -> None:
        super().__init__(f"the upload goes on at {offset}")
        self.offset = offset


class UploadCompleted(Refusal):
    """The upload is complete; no part can be added."""

    code = "upload_completed"
    status = 400


class UploadLengthInconsistent(Refusal):
    """The length of the file is stated in two ways, or more was sent than was announced."""

    code = "upload_length_inconsistent"
    status = 400


class PartSizeWrong(Refusal):
    """A part is larger than allowed, or smaller though it is not the last.  Sizes in bytes."""

    code = "part_size_wrong"
    status = 413

    def __init__(self, *, least_bytes: int, most_bytes: int) -> None:
        super().__init__(f"a part has {least_bytes} to {most_bytes} bytes")
        self.least_bytes = least_bytes
        self.most_bytes = most_bytes


@dataclass(frozen=True, slots=True)
class Draft:
    """Files chosen for stamping, of an account or of a browser without one.

    A done draft was ordered, or its files were moved into another draft of its owner (`merged_into`).
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
    """One file.

    `sizes` are of its first pages and of the last one; `parts` are objects that together are its bytes while it
    is received; for a document that can be stamped `sha256` names its content, and `rules` are the version of `sealing`
    that examined it; `old_content` is the object of a document that the previous release stored.
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
        """Return the time until which it is kept in this draft, without further parts."""
        if self.state != FileState.RECEIVING:
            return draft.expires_at
        lives = UNFINISHED_LIVES if self.received else EMPTY_LIVES
        return min(draft.expires_at, self.last_part_at + lives)

    @property
    def is_usable(self) -> bool:
        """True if it can be stamped."""
        return self.state in (FileState.READY, FileState.REPAIRED)

    @property
    def announced_digest(self) -> str | None:
        """Announced digest, as sent: a sender recognises its file by it."""
        return b64encode(self.digest).decode() if self.digest else None

    @property
    def is_placed(self) -> bool:
        """True if it can be stamped, and its stamps were placed."""
        return bool(self.placements)

    @property
    def objects(self) -> tuple[UUID, ...]:
        """Objects in the store that belong to this file alone."""
        return (*self.parts, self.old_content) if self.old_content else self.parts

    @property
    def old_name(self) -> str | None:
        """Name of the object of its document if the previous release stored it."""
        return object_name(self.id, self.old_content) if self.old_content else None


class DraftUsage(NamedTuple):
    """Use of a draft: its files, and their received bytes."""

    files: int
    bytes: int


class DraftExaminationResult(NamedTuple):
    """Result of an examination of a document that can be stamped."""

    size: int
    sha256: bytes
    pages: int
    sizes: tuple[PageSize, ...]
    is_repaired: bool
    is_stamped: bool
    rules: int

    @property
    def state(self) -> FileState:
        """State of its file."""
        return FileState.REPAIRED if self.is_repaired else FileState.READY


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFile:
    """A new file of a draft: announced, partly received, or received whole and examined.

    An announced file has no bytes.  A whole file has them in `parts` or as `found`, which is
    larger or smaller than `sent` if the document was repaired.
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
    """Limits: drafts of one network without an account; files and bytes of a draft."""

    drafts_of_network: int
    files: int
    bytes: int


class NetworkUsage(NamedTuple):
    """Use of a network, or of a widest one: bytes of its drafts, and the number of those without an account."""

    name: str
    bytes: int
    drafts: int


class DraftObject(NamedTuple):
    """An object of a file, by its name in the store."""

    file: UUID
    object: UUID


def hash_of(token: str) -> bytes:
    """Return the hash of a token for storage: a reader of the table can open no draft with it."""
    return hashlib.sha256(token.encode()).digest()


def token_tag(page_key: str) -> str:
    """Return the beginning of every token for uploads of one shown page."""
    return hashlib.sha256(b"page." + page_key.encode()).hexdigest()[:TAG_DIGITS]


def next_token(token: str, page_key: str) -> str:
    """Return the token of a draft after an upload of a page; the same token if this page made it.

    It is derived from both, so that an upload whose answer was lost finds its draft by the same request.  An attacker
    who knows the token alone, because he set the cookie, cannot compute the next.
    """
    tag = token_tag(page_key)
    if not token or token.startswith(tag):
        return token
    return tag + hmac.new(page_key.encode(), f"next.{token}".encode(), hashlib.sha256).hexdigest()


def sign_in_mark(token: str, at: datetime) -> str:
    """Return the mark that a sign-in carries if it begins now at a page of the draft of this token.

    Only a holder of the token can make it; the mark alone opens no draft.
    """
    return _mark(token, int(at.timestamp()))


def is_sign_in_mark(mark: str, token: str, now: datetime) -> bool:
    """True if a sign-in with this mark began at a page of the draft of this token."""
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
    """Return the object name of a part of a file, and of the whole file in the form of the previous release.

    The id is reversed: the store makes folders of the first letters, and an id begins with its time.
    """
    return f"{part.hex[::-1]}-{file.hex}"


def named_by(name: str) -> DraftObject | None:
    """Return the object that a name in the store denotes; None for objects of others."""
    part, _, file = name.partition("-")
    if len(part) != 32 or len(file) != 32:
        return None
    try:
        return DraftObject(UUID(file), UUID(part[::-1]))
    except ValueError:
        return None


def duplicates(files: Sequence[DraftFile]) -> dict[UUID, DraftFile]:
    """Return the files with the same bytes as an earlier one, each with that one."""
    first: dict[bytes, DraftFile] = {}
    found: dict[UUID, DraftFile] = {}
    for one in files:
        if one.is_usable and one.sha256 is not None:
            before = first.setdefault(one.sha256, one)
            if before is not one:
                found[one.id] = before
    return found


def to_order(files: Sequence[DraftFile]) -> list[DraftFile]:
    """Return the files that can be stamped, each content once."""
    again = duplicates(files)
    return [one for one in files if one.is_usable and one.id not in again]


def needs_no_remark(files: Sequence[DraftFile]) -> bool:
    """True if every file can be stamped unchanged and is there once, so that the visitor can go straight on."""
    plain = [one for one in to_order(files) if one.state == FileState.READY and not one.is_stamped]
    return bool(files) and len(plain) == len(files)


def written(files: Sequence[DraftFile]) -> str:
    """Return a hash of the files of a draft and their placements: an order is for the draft that was shown."""
    told = hashlib.sha256()
    for one in files:
        told.update(f"{one.id.hex}:{one.version};".encode())
    return told.hexdigest()[:32]
