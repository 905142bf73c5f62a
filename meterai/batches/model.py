"""Types, lifecycles and refusals of batches and rows; pure."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

import msgspec

from meterai.kit.lifecycle import Lifecycle
from meterai.kit.refusal import Refusal, Sentence, refusal_of_constraint
from meterai.kit.subjects import SubjectSort
from meterai.sealing import AtCorner, AtText, Corner, Placement, PlacementWish

BATCH_SUBJECT = SubjectSort("batch", prefix="bat")

BATCH_KIND = "bat"
KEY_LENGTH_MAX = 100  # characters of a row's name, chosen by the client
STILL_SECONDS = (
    1_800.0  # seconds without an ended row, after which a batch under way is listed for staff
)
FILE_NAME_LENGTH_MAX = 200  # characters, with folders


class BatchState(StrEnum):
    """State of a batch."""

    OPEN = "open"  # takes files and rows
    WAITING_FOR_STAMPS = "waiting_for_stamps"  # the account has too few
    WORKING = "working"
    CANCELLING = "cancelling"  # rows with held stamps are still stamped
    FINISHED = "finished"
    CANCELLED = "cancelled"


class BatchEvent(StrEnum):
    """Event that changes the state of a batch."""

    STARTED = "started"
    STAMPS_SHORT = "stamps_short"
    STAMPS_CAME = "stamps_came"
    ROWS_ENDED = "rows_ended"
    GIVEN_UP = "given_up"  # by its account, or because it was not started or lacked stamps too long


_S, _E = BatchState, BatchEvent
BATCH = Lifecycle(
    "the batch",
    {
        (_S.OPEN, _E.STARTED): _S.WORKING,
        (_S.OPEN, _E.STAMPS_SHORT): _S.WAITING_FOR_STAMPS,
        (_S.OPEN, _E.GIVEN_UP): _S.CANCELLING,
        (_S.WAITING_FOR_STAMPS, _E.STAMPS_CAME): _S.WORKING,
        (_S.WAITING_FOR_STAMPS, _E.GIVEN_UP): _S.CANCELLING,
        (_S.WORKING, _E.STAMPS_SHORT): _S.WAITING_FOR_STAMPS,
        (_S.WORKING, _E.GIVEN_UP): _S.CANCELLING,
        (_S.WORKING, _E.ROWS_ENDED): _S.FINISHED,
        (_S.CANCELLING, _E.ROWS_ENDED): _S.CANCELLED,
    },
)


class RowState(StrEnum):
    """State of a row of a batch."""

    WAITING = "waiting"  # for its batch to start, or for a worker
    REFUSED = "refused"  # invalid content, or a document that cannot be stamped; no stamp was held
    RESERVED = "reserved"  # its stamps are held, its serials bound
    DELIVERED = "delivered"
    FAILED = "failed"  # the seal could not be made; its stamps were returned
    CANCELLED = "cancelled"


class RowEvent(StrEnum):
    """Event that changes the state of a row of a batch."""

    REFUSED = "refused"
    RESERVED = "reserved"
    FOUND = "found"  # the same row was stamped before
    SEALED = "sealed"
    FAILED = "failed"
    CANCELLED = "cancelled"


_R, _H = RowState, RowEvent
ROW = Lifecycle(
    "the row of a batch",
    {
        (_R.WAITING, _H.REFUSED): _R.REFUSED,
        (_R.WAITING, _H.RESERVED): _R.RESERVED,
        (_R.WAITING, _H.FOUND): _R.DELIVERED,
        (_R.WAITING, _H.CANCELLED): _R.CANCELLED,
        (_R.RESERVED, _H.SEALED): _R.DELIVERED,
        (_R.RESERVED, _H.FAILED): _R.FAILED,
    },
)


# -- refusals of a request -----------------------------------------------------------------------


class ReferenceTaken(Refusal):
    """Another batch of the account has this reference."""

    code = "batch_reference_taken"
    status = 409


refusal_of_constraint("one_batch_per_reference", ReferenceTaken)


class BatchStarted(Refusal):
    """The batch was started, so it takes no new files or rows."""

    code = "batch_started"
    status = 409

    def __init__(self, state: str) -> None:
        super().__init__(f"the batch is {state}")
        self.state = str(state)


class BatchEmpty(Refusal):
    """The batch has no row that could be stamped."""

    code = "batch_empty"
    status = 422


class TooManyRows(Refusal):
    """The batch would have more rows than allowed."""

    code = "too_many_rows"
    status = 422

    def __init__(self, *, rows_max: int) -> None:
        super().__init__(f"more than {rows_max} rows")
        self.rows_max = rows_max


class TooManyBatches(Refusal):
    """The account has the maximum number of batches that have not ended."""

    code = "too_many_batches"
    status = 409
    quota = ("batches", "batches_max")

    def __init__(self, *, batches_max: int) -> None:
        super().__init__(f"at most {batches_max} batches can be unfinished")
        self.batches_max = batches_max


class BatchFull(Refusal):
    """The files of the batch would have more bytes than allowed."""

    code = "batch_full"
    status = 413

    def __init__(self, *, limit_bytes: int) -> None:
        super().__init__(f"more than {limit_bytes} bytes")
        self.limit_bytes = limit_bytes


class StampsMissing(Refusal):
    """The account has too few stamps for the batch; nothing was started."""

    code = "stamps_missing"
    status = 409

    def __init__(self, *, needed: int, available: int) -> None:
        super().__init__(f"{needed} needed, {available} free")
        self.needed = needed
        self.available = available
        self.missing = needed - available


class ArchiveUnread(Refusal):
    """The archive cannot be read; none of its files was taken."""

    code = "archive_unread"
    status = 422

    def __init__(self, reason: str) -> None:
        super().__init__(f"the archive is {reason}")
        self.reason = Sentence(f"archive.{reason}", {})


class ResultsNotReady(Refusal):
    """The row has no stamped document yet, or will never have one."""

    code = "row_not_delivered"
    status = 409

    def __init__(self, state: str) -> None:
        super().__init__(f"the row is {state}")
        self.state = str(state)


# -- refusals of one file or row, which stop no other file or row ----------------------------------


class FileNameUnsafe(Refusal):
    """The name of a file is empty, or its path leads out of the folder of the batch."""

    code = "file_name_unsafe"
    status = 422


class FileIsLink(Refusal):
    """The entry of an archive is a link to another file."""

    code = "file_is_link"
    status = 422


class FileDiffers(Refusal):
    """Another file of the batch has the same name and different bytes."""

    code = "file_differs"
    status = 409


class FileUnread(Refusal):
    """A file in the archive cannot be read."""

    code = "file_unread"
    status = 422

    def __init__(self, reason: str) -> None:
        super().__init__(f"it is {reason}")
        self.reason = Sentence(f"archive.{reason}", {})


class FileMissing(Refusal):
    """The document of the row does not exist."""

    code = "row_file_missing"
    status = 422


class RowUnread(Refusal):
    """The line cannot be read as a row."""

    code = "row_unread"
    status = 422


class RowChanged(Refusal):
    """Another row of the batch has the same key and different content."""

    code = "row_changed"
    status = 409

    def __init__(self, row: int) -> None:
        super().__init__(f"row {row} has the same key")
        self.row = row


class RowTwice(Refusal):
    """Another row of the batch stamps the same document at the same place."""

    code = "row_twice"
    status = 422

    def __init__(self, row: int) -> None:
        super().__init__(f"row {row} is about the same document")
        self.row = row


class PlacementMissing(Refusal):
    """The row does not state at which place of the document its stamp goes."""

    code = "placement_missing"
    status = 422


# -- values --------------------------------------------------------------------------------------


class RowFacts(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Facts of the document of a row, as the sender states them.

    type       kind of document (PMK 78/2024): 4a, 4b, 3 or 2
    value      whole rupiah
    party_...  other party of the document: name, and NPWP or NIK
    """

    type: str | None = None
    number: str | None = None
    date: str | None = None
    value: int | None = None
    place: str | None = None
    party_name: str | None = None
    party_number: str | None = None


@dataclass(frozen=True, slots=True)
class TypedRow:
    """A row of a batch, as it was read from the request; `refusal` is the reason why the row will not be stamped, if any."""

    line: int
    key: str | None = None
    document: str = ""
    wishes: tuple[PlacementWish, ...] = ()
    facts: RowFacts = field(default_factory=RowFacts)
    refusal: Refusal | None = None
    raw: bytes = b""  # bytes of a row that cannot be read; its identity is the hash of these bytes

    @property
    def content(self) -> bytes:
        """Hash of the content of the row."""
        content = (self.document, written(self.wishes), msgspec.to_builtins(self.facts))
        return _hash(b"row", msgspec.json.encode(content, order="deterministic"), self.raw)

    @property
    def identity(self) -> bytes:
        """Identity of the row in its batch: hash of its key or, without a key, of its content.

        A refused row has an identity of another kind (`refused_identity`), so that a corrected row may have the same key.
        """
        if self.refusal is not None:
            return refused_identity(self.content, self.key, self.refusal.code)
        return _hash(b"key", self.key.encode()) if self.key is not None else self.content


def refused_identity(content: bytes, key: str | None, code: str) -> bytes:
    """Identity of a refused row in its batch: hash of its content, its key and the code of the refusal."""
    return _hash(b"refused", content, (key or "").encode(), code.encode())


def subject_of(
    sha256: bytes, wishes: object, facts: Mapping[str, object], key: str | None
) -> bytes:
    """Identity of a row across batches: hash of its document, placements, facts, and key if it has one."""
    encoded = msgspec.json.encode((wishes, facts, key), order="deterministic")
    return _hash(b"subject", sha256, encoded)


def twin_of(sha256: bytes, wishes: object) -> bytes:
    """Hash that two rows of one batch share if they stamp the same document at the same place."""
    return _hash(sha256, msgspec.json.encode(wishes, order="deterministic"))


def _hash(*parts: bytes) -> bytes:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.digest()


def written(wishes: tuple[PlacementWish, ...]) -> list[dict[str, object]]:
    """Convert the placements that the sender of a row requested to the form stored with the row."""
    return [_written(one) for one in wishes]


def _written(wish: PlacementWish) -> dict[str, object]:
    match wish:
        case Placement(page, x, y, width):
            return {"page": page, "x": float(x), "y": float(y), "width": float(width)}
        case AtCorner(page, corner, margin, width):
            return {
                "corner": corner.value,
                "page": page,
                "margin": float(margin),
                "width": float(width),
            }
        case AtText(text, occurrence, page, dx, dy, width):
            fields: dict[str, object] = {"text": text, "occurrence": occurrence, "page": page}
            return fields | {"dx": float(dx), "dy": float(dy), "width": float(width)}


def read_wishes(stored: list[dict[str, object]]) -> tuple[PlacementWish, ...]:
    """Convert the stored placements of a row back; the inverse of `written`."""
    return tuple(_read_wish(dict(one)) for one in stored)


def _read_wish(one: dict[str, object]) -> PlacementWish:
    if "text" in one:
        return AtText(**one)  # type: ignore[arg-type]
    if "corner" in one:
        return AtCorner(**one | {"corner": Corner(one["corner"])})  # type: ignore[arg-type]
    return Placement(**one)  # type: ignore[arg-type]


class Batch(NamedTuple):
    """A batch: documents that are stamped together."""

    account: UUID
    id: UUID
    reference: str | None
    state: BatchState
    member: UUID | None
    order: UUID | None
    order_count: int
    needed: int
    made_at: datetime
    started_at: datetime | None
    ended_at: datetime | None


class Counts(NamedTuple):
    """Numbers of rows of a batch in each state, of stamps wanted by waiting rows, and of stamps used on documents."""

    rows: int = 0
    waiting: int = 0
    refused: int = 0
    reserved: int = 0
    delivered: int = 0
    failed: int = 0
    cancelled: int = 0
    stamps_wanted: int = 0  # by waiting rows
    stamps_used: int = 0  # by delivered rows


class BatchFile(NamedTuple):
    """A file of a batch."""

    name: str
    came_sha256: bytes
    sha256: bytes
    bytes: int
    is_repaired: bool


class BatchRow(NamedTuple):
    """Row of a batch with the columns that are shown."""

    number: int
    key: str | None
    document: str
    document_name: str
    sha256: bytes | None
    quantity: int
    facts: dict[str, object]
    state: RowState
    code: str | None
    code_facts: dict[str, object]
    stamping: UUID | None
    ended_at: datetime | None


class RowToWork(NamedTuple):
    """Waiting row that a worker has leased, with the data to stamp its document."""

    number: int
    key: str | None
    document_name: str
    sha256: bytes
    is_repaired: bool
    wishes: list[dict[str, object]]
    facts: dict[str, object]


class RowBegun(NamedTuple):
    """Row whose stamping is reserved now, or was delivered earlier; a worker checks the row again after `lease_seconds`."""

    number: int
    stamping: UUID
    state: RowState
    lease_seconds: float


class RowToStart(NamedTuple):
    """Row whose document is looked up when its batch starts."""

    number: int
    key: str | None
    document: str
    document_name: str
    sha256: bytes | None
    is_repaired: bool
    wishes: list[dict[str, object]]
    quantity: int
    facts: dict[str, object]


class BatchKey(NamedTuple):
    """Account and id of a batch."""

    account: UUID
    batch: UUID


class StillBatch(NamedTuple):
    """Batch under way in which no row has ended since `since`; `open` is the number of its rows that have not ended."""

    account: UUID
    batch: UUID
    state: BatchState
    open: int
    since: datetime


class BatchesUnderWay(NamedTuple):
    """Numbers of batches that workers process, and of batches that wait for stamps."""

    working: int
    waiting: int


@dataclass(frozen=True, slots=True)
class BatchFileTaken:
    """Outcome of a file that was received for a batch."""

    name: str
    outcome: str  # added, known or refused
    sha256: bytes | None = None
    is_repaired: bool = False
    refusal: Refusal | None = None
