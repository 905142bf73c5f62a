"""Transfers to buyers: their states, and how far the float account lasts; pure."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from meterai.kit.lifecycle import Lifecycle
from meterai.kit.money import Rupiah

TRANSFER_PREFIX = "TF"


class TransferState(StrEnum):
    """State of a transfer."""

    PLANNED = "planned"  # no call was begun yet
    SENT = "sent"  # a call was begun; the outcome may be unknown
    ACCEPTED = "accepted"  # the bank says that it is at it
    REFUSED = "refused"  # it will not be made; its account takes nothing
    SETTLED = "settled"
    RETURNED = "returned"  # it came back after it was made
    VOID = "void"  # nothing is left to be sent


class TransferEvent(StrEnum):
    """Event in the life of a transfer."""

    SENT = "sent"
    NOT_BEGUN = "not_begun"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    SETTLED = "settled"
    RETURNED = "returned"
    EMPTIED = "emptied"


_S, _E = TransferState, TransferEvent
TRANSFER = Lifecycle(
    "the transfer",
    {
        (_S.PLANNED, _E.SENT): _S.SENT,
        (_S.PLANNED, _E.EMPTIED): _S.VOID,
        (_S.SENT, _E.SENT): _S.SENT,
        (_S.SENT, _E.NOT_BEGUN): _S.PLANNED,
        (_S.SENT, _E.ACCEPTED): _S.ACCEPTED,
        (_S.ACCEPTED, _E.SENT): _S.SENT,
        (_S.SENT, _E.REFUSED): _S.REFUSED,
        (_S.ACCEPTED, _E.REFUSED): _S.REFUSED,
        (_S.SENT, _E.SETTLED): _S.SETTLED,
        (_S.ACCEPTED, _E.SETTLED): _S.SETTLED,
        # The bank made it all the same.
        (_S.REFUSED, _E.SETTLED): _S.SETTLED,
        (_S.SETTLED, _E.RETURNED): _S.RETURNED,
    },
)


@dataclass(frozen=True, slots=True)
class Transfer:
    """Money on its way to the account of a buyer: refunds and compensations of one account."""

    account: UUID
    id: UUID
    provider: str
    number: str
    amount: Rupiah
    state: TransferState
    tries: int
    bank_code: str
    account_no: str
    holder: str
    provider_number: str | None
    planned_at: datetime
    settled_at: datetime | None
    last_answer: str | None


class ToPlan(NamedTuple):
    """A buyer for whom money is to be sent, to an account at this bank."""

    account: UUID
    bank_code: str


@dataclass(frozen=True, slots=True)
class FloatBalance:
    """The float account at a bank, and what is asked of it."""

    provider: str
    rupiah: Rupiah
    asked_at: datetime
    sent_since: Rupiah  # by transfers that were sent since it was asked for, or may have been


class FloatNeed(NamedTuple):
    """Money that goes by transfer, whichever bank sends it: what is open, and what settled in so many days."""

    by_transfer: int
    by_claim: int
    settled: int
    days: int


def days_of_cover(rupiah: int, need: FloatNeed) -> float | None:
    """How many days a balance lasts, at the mean need of a day; None where nothing is needed."""
    return rupiah * need.days / need.settled if need.settled else None
