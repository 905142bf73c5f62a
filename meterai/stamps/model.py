"""States of a stamp, and stamp balance of an account; pure."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from meterai.kit.lifecycle import Lifecycle
from meterai.kit.refusal import Refusal, refusal_of_database


class StampState(StrEnum):
    """State of a stamp."""

    RESERVED = "reserved"  # bound to a placement on a document, not delivered yet
    AFFIXED = "affixed"  # on the delivered document, permanently
    VOID = "void"  # the stamping did not happen; the serial is never used again


class StampEvent(StrEnum):
    """Event in the life of a stamp."""

    DELIVERED = "delivered"
    RELEASED = "released"


STAMP = Lifecycle(
    "the stamp",
    {
        (StampState.RESERVED, StampEvent.DELIVERED): StampState.AFFIXED,
        (StampState.RESERVED, StampEvent.RELEASED): StampState.VOID,
    },
)


@refusal_of_database
class NotEnoughStamps(Refusal):
    """The account holds fewer unused stamps than the document needs."""

    code = "not_enough_stamps"
    status = 409

    def __init__(self, *, needed: int, available: int) -> None:
        super().__init__(f"{needed} stamps needed, {available} available")
        self.needed = needed
        self.available = available


@dataclass(frozen=True, slots=True)
class StampBalance:
    """Counts of an account's stamps: bought in advance and free to use, held by a stamping under way, used so far."""

    available: int
    held: int
    used: int


@dataclass(frozen=True, slots=True)
class Lot:
    """Counts of the stamps of one order: all that were issued, and how many of these are held for documents, affixed, or
    returned.
    """

    order: UUID
    issued: int
    held: int
    affixed: int
    returned: int

    @property
    def free(self) -> int:
        """The number of unused stamps."""
        return self.issued - self.held - self.affixed - self.returned


@dataclass(frozen=True, slots=True)
class StampRecord:
    """Record of one stamp, found by its serial: its account, its stamping and its state."""

    account: UUID
    stamping: UUID
    state: StampState
    affixed_at: datetime | None


@dataclass(frozen=True, slots=True)
class StampTold:
    """One stamp and its history; `lot` is the id of its order, and `issued_at` the time when the lot was issued."""

    account: UUID
    serial: str
    stamping: UUID
    lot: UUID
    issued_at: datetime | None
    reserved_at: datetime
    affixed_at: datetime | None
    voided_at: datetime | None


class LotTold(NamedTuple):
    """The number of stamps issued for an order, and the time of issue."""

    issued: int
    at: datetime


class Issuing(NamedTuple):
    """State of issuing: `is_open` while stamps are issued, else `reason` says why issuing was stopped."""

    is_open: bool
    reason: str
