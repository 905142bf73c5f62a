"""What a draft and its files are and how they may change; pure."""

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
PART_BYTES_MAX = 256 * 1024  # a cut connection loses one part, and one more may be on the way
# So that a whole file is some hundred parts at most; the last part may be smaller.
PART_BYTES_MIN = 64 * 1024
# A file of which nothing came, and a draft of which nothing is here, are forgotten after so long: to
# announce takes no room, and no row for a day.
EMPTY_LIVES = timedelta(minutes=15)
# A file that began to come is forgotten so long after its last part: a phone that lost its line for a while
# goes on, and what nobody finishes takes no room from others.
UNFINISHED_LIVES = timedelta(hours=1)


# Between a page that asks for an address and a code that was typed; in a rush a mail may take long.
MARK_LIVES = timedelta(hours=1)
MARK_DIGITS_MAX = 12  # of its second
# Lengths of the random text that a shown page sends with its uploads; shorter ones could be guessed.
PAGE_KEY_LENGTH_MIN, PAGE_KEY_LENGTH_MAX = 20, 64  # characters
TAG_DIGITS = 16  # of a token: by which page it was made


class FileState(StrEnum):
    """Where a file of a draft stands."""

    RECEIVING = "receiving"  # some of its bytes may be here
    EXAMINING = "examining"  # all are here; whether it can be stamped is being found out
    READY = "ready"  # it can be stamped as it is
    REPAIRED = "repaired"  # it was broken; what was mended can be stamped
    REFUSED = "refused"  # it cannot be stamped; its bytes are gone
    ORDERED = "ordered"  # an order, or a stamping from the balance, has it; its bytes here are gone


class FileEvent(StrEnum):
    """What happens to a file.  One that is taken out is gone, with its bytes."""

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
    """A page is so small, or so full of stamps, that no other stamp can be on it."""

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
    """The files of one draft have more bytes together than it may hold.  Sizes in bytes."""

    code = "draft_too_large"
    status = 413

    def __init__(self, *, sum_bytes: int) -> None:
        super().__init__(f"at most {sum_bytes} bytes in one draft")
        self.sum_bytes = sum_bytes


@refusal_of_database
class NetworkFull(Refusal):
    """The drafts of one network hold as much as they may; who signs in has room of its own."""

    code = "network_full"
    status = 503
    retry_after_seconds = 600


class StrangersFull(Refusal):
    """The drafts of nobody's account hold as much as they may; who signs in has room of its own."""

    code = "strangers_full"
    status = 503
    retry_after_seconds = 600


class DraftsFull(Refusal):
    """All drafts hold as much as they may."""

    code = "drafts_full"
    status = 503
    retry_after_seconds = 600  # drafts end all the time: those that were ordered, and old ones


class FileNotReady(Refusal):
    """The file cannot be placed: it is not here whole, or it cannot be stamped."""

    code = "file_not_ready"
    status = 409


class PlacedElsewhere(Refusal):
    """The stamps of the file were placed anew since the page was shown: in another tab, or device."""

    code = "placed_elsewhere"
    status = 409


class DraftNotPlaced(Refusal):
    """Something of the draft has no stamp yet, or there is nothing in it."""

    code = "draft_not_placed"
    status = 409


class PagesTooSmall(Refusal):
    """Neither the last page nor one of the first is as large as a stamp."""

    code = "pages_too_small"
    status = 422


class FileEmpty(Refusal):
    """The file has no bytes: as a phone gives one that lies elsewhere and was not fetched yet."""

    code = "file_empty"
    status = 422


class FileNotExamined(Refusal):
    """The file was examined several times, and no examination came to an end."""

    code = "file_not_examined"
    status = 422


class FileDamagedOnTheWay(Refusal):
    """What arrived is not what the sender said it would send (RFC 9530)."""

    code = "file_damaged_on_the_way"
    status = 422


class PartDamagedOnTheWay(Refusal):
    """A part is not what its sender said (`Content-Digest`, RFC 9530): nothing of it was kept."""

    code = "part_damaged_on_the_way"
    status = 422
    passes = True  # sent once more it arrives


class PartTypeWrong(Refusal):
    """A part came as another type than `application/partial-upload`."""

    code = "part_type_wrong"
    status = 415


class UploadOffsetMismatch(Refusal):
    """A part begins elsewhere than where the upload goes on; `offset` is where, in bytes."""

    code = "upload_offset_mismatch"
    status = 409

    def __init__(self, *, offset: int) -> None:
        super().__init__(f"the upload goes on at {offset}")
        self.offset = offset


class UploadCompleted(Refusal):
    """The upload is complete: nothing can be added."""

    code = "upload_completed"
    status = 400


class UploadLengthInconsistent(Refusal):
    """The length of the file is told in two ways, or more was sent than was announced."""

    code = "upload_length_inconsistent"
    status = 400


class PartSizeWrong(Refusal):
    """A part is larger than one may be, or smaller though it is not the last.  Sizes in bytes."""

    code = "part_size_wrong"
    status = 413

    def __init__(self, *, least_bytes: int, most_bytes: int) -> None:
        super().__init__(f"a part has {least_bytes} to {most_bytes} bytes")
        self.least_bytes = least_bytes
        self.most_bytes = most_bytes


@dataclass(frozen=True, slots=True)
class Draft:
    """Files that somebody chose; of an account once its owner said so.

    One that is done was ordered, or its files went into another of its owner (`merged_into`).
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
    is received; of a document that can be stamped `sha256` names its content.  `rules` are those of `sealing` by
    which that was found; `old_content` is the object of a document that the release before this one stored.
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
        """How long it is kept in this draft, if nothing more comes."""
        if self.state != FileState.RECEIVING:
            return draft.expires_at
        lives = UNFINISHED_LIVES if self.received else EMPTY_LIVES
        return min(draft.expires_at, self.last_part_at + lives)

    @property
    def is_usable(self) -> bool:
        """It can be stamped."""
        return self.state in (FileState.READY, FileState.REPAIRED)

    @property
    def digest_told(self) -> str | None:
        """The digest that was announced, as it was: by it a sender knows its file again."""
        return b64encode(self.digest).decode() if self.digest else None

    @property
    def is_placed(self) -> bool:
        """It can be stamped, and somebody said where."""
        return bool(self.placements)

    @property
    def objects(self) -> tuple[UUID, ...]:
        """Its objects in the store that are of it alone."""
        return (*self.parts, self.old_content) if self.old_content else self.parts

    @property
    def old_name(self) -> str | None:
        """Name of the object of its document where the release before this one stored it."""
        return object_name(self.id, self.old_content) if self.old_content else None


class DraftUsage(NamedTuple):
    """What a draft holds: its files, and the bytes that are here of them."""

    files: int
    bytes: int


class DraftExaminationResult(NamedTuple):
    """What an examination found of a document that can be stamped."""

    size: int
    sha256: bytes
    pages: int
    sizes: tuple[PageSize, ...]
    is_repaired: bool
    is_stamped: bool
    rules: int

    @property
    def state(self) -> FileState:
        """The state of its file."""
        return FileState.REPAIRED if self.is_repaired else FileState.READY


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFile:
    """A file that comes to a draft: announced, or here whole and examined already, or by and by.

    Of one that is announced nothing is here; of another all, in `parts` or as what was `found`, which is
    larger or smaller than what was `sent` where the document was mended.
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
    """Drafts of one network that are nobody's; files and bytes of a draft."""

    drafts_of_network: int
    files: int
    bytes: int


class NetworkUsage(NamedTuple):
    """What the drafts of a network hold, or of a widest one, and how many of them are nobody's."""

    name: str
    bytes: int
    drafts: int


class DraftObject(NamedTuple):
    """An object of a file, by its name in the store."""

    file: UUID
    object: UUID


def hash_of(token: str) -> bytes:
    """What is kept of a token: whoever reads the table opens no draft with it."""
    return hashlib.sha256(token.encode()).digest()


def token_tag(page_key: str) -> str:
    """The beginning of every token that the uploads of one shown page are given."""
    return hashlib.sha256(b"page." + page_key.encode()).hexdigest()[:TAG_DIGITS]


def next_token(token: str, page_key: str) -> str:
    """The token that a draft has once a page uploads to it; its own, where this page made that.

    Made of both, so that an upload whose answer was lost finds its draft by the same request.  Whoever has
    the token alone, because the cookie is of its making, cannot make the next.
    """
    tag = token_tag(page_key)
    if not token or token.startswith(tag):
        return token
    return tag + hmac.new(page_key.encode(), f"next.{token}".encode(), hashlib.sha256).hexdigest()


def sign_in_mark(token: str, at: datetime) -> str:
    """What signing in leads back with that began, now, at a page of the draft of this token.

    Nobody can make it without the token; with it alone nobody opens the draft.
    """
    return _mark(token, int(at.timestamp()))


def is_sign_in_mark(mark: str, token: str, now: datetime) -> bool:
    """Whether a sign-in that leads back with this mark began at a page of the draft of this token."""
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
    """Object name of a part of a file, and of the whole file as the release before this one stored it.

    Backwards: the store makes folders of the first letters, and those of an id are its time.
    """
    return f"{part.hex[::-1]}-{file.hex}"


def named_by(name: str) -> DraftObject | None:
    """The object by its name in the store; None for objects of others."""
    part, _, file = name.partition("-")
    if len(part) != 32 or len(file) != 32:
        return None
    try:
        return DraftObject(UUID(file), UUID(part[::-1]))
    except ValueError:
        return None


def twins(files: Sequence[DraftFile]) -> dict[UUID, DraftFile]:
    """Files that have the bytes of one before them, and that one."""
    first: dict[bytes, DraftFile] = {}
    found: dict[UUID, DraftFile] = {}
    for one in files:
        if one.is_usable and one.sha256 is not None:
            before = first.setdefault(one.sha256, one)
            if before is not one:
                found[one.id] = before
    return found


def to_order(files: Sequence[DraftFile]) -> list[DraftFile]:
    """The files that can be stamped, each content once."""
    again = twins(files)
    return [one for one in files if one.is_usable and one.id not in again]


def needs_no_word(files: Sequence[DraftFile]) -> bool:
    """Every file can be stamped as it came, and is there once: whoever chose them goes straight on."""
    plain = [one for one in to_order(files) if one.state == FileState.READY and not one.is_stamped]
    return bool(files) and len(plain) == len(files)


def written(files: Sequence[DraftFile]) -> str:
    """What is in a draft and where its stamps go, as a hash: what somebody saw is what is ordered."""
    told = hashlib.sha256()
    for one in files:
        told.update(f"{one.id.hex}:{one.version};".encode())
    return told.hexdigest()[:32]
