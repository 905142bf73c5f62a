"""Types, lifecycle and refusals of stampings.  Pure, no input or output."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, NamedTuple
from uuid import UUID

import msgspec

from meterai.kit.doubles import NameDoubled, check_names
from meterai.kit.ids import show
from meterai.kit.labels import NO_LABELS, Labels
from meterai.kit.lifecycle import Lifecycle
from meterai.kit.refusal import Malformed, Refusal
from meterai.sealing import (
    LAST_PAGE,
    MARGIN_DEFAULT,
    OCCURRENCE_MAX,
    STAMPS_MAX,
    TEXT_LENGTH_MAX,
    WIDTH_DEFAULT,
    AtCorner,
    AtText,
    Corner,
    Placement,
    PlacementWish,
)
from meterai.stamping.facts import NO_FACTS, DocumentFacts


class StampingState(StrEnum):
    """State of a stamping."""

    WAITING = "waiting"  # waits for the payment of its order
    RESERVED = "reserved"  # stamps are held and serials bound; the document is to be sealed
    DELIVERED = "delivered"
    FAILED = "failed"  # the document cannot be stamped; the stamps were returned
    DROPPED = "dropped"  # its order was not executed


class StampingEvent(StrEnum):
    """Event that changes the state of a stamping."""

    PAID = "paid"
    SEALED = "sealed"
    REFUSED = "refused"
    ORDER_ENDED = "order_ended"


_S, _E = StampingState, StampingEvent
STAMPING = Lifecycle(
    "the stamping",
    {
        (_S.WAITING, _E.PAID): _S.RESERVED,
        (_S.WAITING, _E.ORDER_ENDED): _S.DROPPED,
        (_S.RESERVED, _E.SEALED): _S.DELIVERED,
        (_S.RESERVED, _E.REFUSED): _S.FAILED,
    },
)


class NotInTime(Refusal):
    """The document could not be stamped by its due time; the stamps were returned."""

    code = "not_in_time"
    status = 503
    retry_after_seconds = 1  # seconds; the stamps are free again


class StampingEndedUnstamped(Refusal):
    """The stamping has failed: this document cannot be stamped."""

    code = "stamping_failed"
    status = 422

    def __init__(self, reason: str) -> None:
        super().__init__(f"the stamping failed with {reason}")
        self.reason = reason


class DocumentTwice(Refusal):
    """The request contains the same document twice, so that it would be paid for twice."""

    code = "document_twice"
    status = 422

    def __init__(self, *, name: str, same_as: str) -> None:
        super().__init__(f"{name} and {same_as} are the same document")
        self.name = name
        self.same_as = same_as


class StampedBefore(Refusal):
    """Documents of the request were stamped before, or already wait for stamps; another stamp needs an explicit agreement.

    `documents` is the number of these documents and `name` their names; `found` are their stampings, newest first.
    """

    code = "stamped_before"
    status = 409

    def __init__(self, found: "Sequence[Stamping]") -> None:
        super().__init__(f"{len(found)} stampings of the same documents exist")
        self.name = ", ".join(dict.fromkeys(one.document_name for one in found))
        self.documents = len({one.sha256_original for one in found})
        self._found = tuple(found)

    @property
    def found(self) -> "tuple[Stamping, ...]":
        """Earlier stampings of these documents."""
        return self._found


class NotDelivered(Refusal):
    """The stamping is not delivered, so no stamped document exists."""

    code = "not_delivered"
    status = 409

    def __init__(self, state: str) -> None:
        super().__init__(f"the stamping is {state}")
        self.state = str(state)


MARGIN_MAX = 300.0  # points between a stamp and the page edges at its corner
MOVED_MAX = 2_000.0  # points between a text and its stamp; more than the height of A3
Width = Annotated[float, msgspec.Meta(gt=0)]
Moved = Annotated[float, msgspec.Meta(ge=-MOVED_MAX, le=MOVED_MAX)]


class _ByPoints(msgspec.Struct, forbid_unknown_fields=True):
    page: int
    x: float
    y: float
    width: Width = WIDTH_DEFAULT

    @property
    def wish(self) -> PlacementWish:
        return Placement(self.page, self.x, self.y, self.width)


class _ByCorner(msgspec.Struct, forbid_unknown_fields=True):
    corner: Corner
    page: int = LAST_PAGE
    margin: Annotated[float, msgspec.Meta(ge=0, le=MARGIN_MAX)] = MARGIN_DEFAULT
    width: Width = WIDTH_DEFAULT

    @property
    def wish(self) -> PlacementWish:
        return AtCorner(self.page, self.corner, self.margin, self.width)


class _ByText(msgspec.Struct, forbid_unknown_fields=True):
    text: Annotated[str, msgspec.Meta(min_length=1, max_length=TEXT_LENGTH_MAX)]
    occurrence: Annotated[int, msgspec.Meta(ge=1, le=OCCURRENCE_MAX)] = 1
    page: int | None = None
    dx: Moved = 0.0
    dy: Moved = 0.0
    width: Width = WIDTH_DEFAULT

    @property
    def wish(self) -> PlacementWish:
        return AtText(self.text, self.occurrence, self.page, self.dx, self.dy, self.width)


def _wish(fields: dict[str, object]) -> PlacementWish:
    kind: type[_ByText | _ByCorner | _ByPoints] = _ByPoints
    if "text" in fields:
        kind = _ByText
    elif "corner" in fields:
        kind = _ByCorner
    return msgspec.convert(fields, type=kind).wish


def read_placements(text: str | bytes) -> tuple[PlacementWish, ...]:
    """Read placements from JSON, an object or a list of objects.

    Each object is a placement in points, at a corner of a page, or at a text of the document.  Refuses `Malformed`.
    """
    try:
        check_names(text.decode() if isinstance(text, bytes) else text)
        decoded = msgspec.json.decode(text, type=dict[str, object] | list[dict[str, object]])
        many = tuple(_wish(one) for one in (decoded if isinstance(decoded, list) else [decoded]))
    except NameDoubled as double:
        raise Malformed(f"placement.{double.name}", "once") from None
    except (msgspec.DecodeError, ValueError, RecursionError):
        raise Malformed("placement", "placements", placements_max=STAMPS_MAX) from None
    if not 1 <= len(many) <= STAMPS_MAX:
        raise Malformed("placement", "placements", placements_max=STAMPS_MAX)
    return many


def placements_json(placements: Sequence[Placement]) -> list[dict[str, object]]:
    """Convert placements to their stored form."""
    return [{"page": one.page, "x": one.x, "y": one.y, "width": one.width} for one in placements]


def request_hash(sha256: bytes, placements: Sequence[Placement]) -> bytes:
    """Return a hash that identifies a request, computed from the SHA-256 of the document and its placements."""
    text = msgspec.json.encode(placements_json(placements))
    return hashlib.sha256(sha256 + text).digest()


def request_of(requests: Sequence[bytes]) -> bytes:
    """Return a hash that identifies a request for several documents, from the `request_hash` of each, in any order."""
    return hashlib.sha256(b"".join(sorted(requests))).digest()


@dataclass(frozen=True, slots=True)
class KnownContent:
    """A document whose bytes are stored, and that was examined before and can be stamped.

    `size` is in bytes.  `rules` is the version of the examination's rules, `sealing.RULES`, when the document was examined.
    `old_name` is the name that the previous release gave to its stored object.
    """

    sha256: bytes
    size: int
    pages: int
    rules: int
    old_name: str | None = None


@dataclass(frozen=True, slots=True)
class Upload:
    """An uploaded document with the requested placements of its stamps.

    `is_repaired` is true if the upload was broken; `content` is then the repaired document.  If the content is known
    (`KnownContent`), the placements must be exact.
    """

    name: str
    content: bytes | KnownContent
    wishes: tuple[PlacementWish, ...]
    is_repaired: bool = False
    labels: Labels = NO_LABELS
    facts: DocumentFacts = NO_FACTS

    @property
    def size(self) -> int:
        """Size of the document in bytes."""
        content = self.content
        return content.size if isinstance(content, KnownContent) else len(content)


@dataclass(frozen=True, slots=True)
class Stamping:
    """Stamping of one document: its state and data, without the bytes that sealing appended (the delta)."""

    account: UUID
    id: UUID
    order: UUID | None
    state: StampingState
    sha256_original: bytes
    sha256_stamped: bytes | None
    placements: tuple[Placement, ...]
    requested_at: datetime
    due_at: datetime | None
    delivered_at: datetime | None
    refused: str | None
    document_name: str
    kept_until: datetime  # end of retention of the original, and so of the download
    is_forgotten: bool
    serials: tuple[str, ...]
    is_repaired: bool = False
    reference: str | None = None  # chosen by the client, like `metadata`
    metadata: Mapping[str, str] | None = None  # None if the client set neither
    is_quiet: bool = False  # no mail is sent about this stamping alone


@dataclass(frozen=True, slots=True)
class StampingFilter:
    """Filter of a list of stampings; a field that is None does not filter."""

    state: StampingState | None = None
    reference: str | None = None
    sha256: bytes | None = None  # of the original
    since: datetime | None = None  # earliest time of the request


class StampedDocument(NamedTuple):
    """Data needed to download a stamped document; `delta` is None unless the stamping is delivered."""

    state: StampingState
    sha256_original: bytes
    document_name: str
    is_forgotten: bool
    delta: bytes | None


class StampingKey(NamedTuple):
    """Account and id of a stamping."""

    account: UUID
    stamping: UUID


class StampingOutcome(NamedTuple):
    """State of a stamping, and the code of the refusal if it failed."""

    id: UUID
    state: StampingState
    refused: str | None


class StampingStuck(NamedTuple):
    """A stamping that stays reserved: `quantity` is the number of its stamps, and `tries` the number of attempts to seal it."""

    account: UUID
    stamping: UUID
    quantity: int
    tries: int
    requested_at: datetime
    due_at: datetime | None


class Reservation(NamedTuple):
    """The stamping that belongs to an Idempotency-Key, and the hash of the request with that key.

    `created` is True if this call made the stamping.
    """

    created: bool
    id: UUID
    request: bytes


class ReservedDocument(NamedTuple):
    """Reservation of one document (see `Reservation`), with the document's name and the times of its stamping."""

    created: bool
    id: UUID
    request: bytes
    name: str
    requested_at: datetime
    due_at: datetime


class Delivery(NamedTuple):
    """State of a stamping after its delivery; `is_ours` is True if this call delivered it."""

    state: StampingState
    delivered_at: datetime | None
    is_ours: bool


class ReservedStampings(NamedTuple):
    """Number of reserved stampings, number of those that no process seals, and `oldest_at`, the time of the oldest request."""

    stampings: int
    interrupted: int
    oldest_at: datetime | None


class StampingToResume(NamedTuple):
    """A reserved stamping whose lease ran out; `is_late` is True if its due time is past."""

    account: UUID
    stamping: UUID
    is_late: bool


class WaitingDocument(NamedTuple):
    """Document that waits for the payment of its order; it gets `quantity` stamps."""

    stamping: UUID
    quantity: int


class OrderProgress(NamedTuple):
    """Number of open documents of an order, and number of delivered ones."""

    open: int
    delivered: int


class PlacementView(msgspec.Struct, frozen=True):
    """Placement of a stamp: lower left corner and width in points of the page as shown; page 1 is the first, -1 the last."""

    page: int
    x: float
    y: float
    width: float


class StampingView(msgspec.Struct, frozen=True, kw_only=True):
    """A stamping as the API shows it.  Hashes are lower-case hex SHA-256.

    `repaired` is true if the uploaded document was broken and was repaired first; hashes, delta and stamped document are
    then those of the repaired document.  `document_url` is available until `document_until`, and the delta permanently.
    """

    id: str
    state: str
    serials: list[str]
    placements: list[PlacementView]
    document: str
    repaired: bool
    sha256_original: str
    sha256_stamped: str | None
    document_url: str | None
    document_until: datetime | None
    delta_url: str | None
    order_id: str | None
    reference: str | None
    metadata: dict[str, str]
    requested_at: datetime
    due_at: datetime | None
    delivered_at: datetime | None
    reason: str | None


def shown(stamping: Stamping) -> StampingView:
    """Convert a stamping to its form in the API."""
    identifier = show("stg", stamping.id)
    is_delivered = stamping.state == StampingState.DELIVERED
    is_there = is_delivered and not stamping.is_forgotten
    path = f"/v1/stampings/{identifier}"
    return StampingView(
        id=identifier,
        state=stamping.state,
        serials=list(stamping.serials),
        placements=[
            PlacementView(one.page, one.x, one.y, one.width) for one in stamping.placements
        ],
        document=stamping.document_name,
        repaired=stamping.is_repaired,
        sha256_original=stamping.sha256_original.hex(),
        sha256_stamped=stamping.sha256_stamped.hex() if stamping.sha256_stamped else None,
        document_url=f"{path}/document" if is_there else None,
        document_until=stamping.kept_until if is_there else None,
        delta_url=f"{path}/delta" if is_delivered else None,
        order_id=show("ord", stamping.order) if stamping.order else None,
        reference=stamping.reference,
        metadata=dict(stamping.metadata or {}),
        requested_at=stamping.requested_at,
        due_at=stamping.due_at,
        delivered_at=stamping.delivered_at,
        reason=stamping.refused,
    )
