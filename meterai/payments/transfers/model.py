"""Transfers to buyers: their states, and how far the float account lasts; pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from meterai.kit.lifecycle import Lifecycle
from meterai.kit.money import Rupiah
from meterai.payments.model import number_of

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


def transfer_number(account: UUID, transfer: UUID) -> str:
    """Our number of a transfer at the bank: the same in every try."""
    return number_of(TRANSFER_PREFIX, account, transfer)


class ToPlan(NamedTuple):
    """A buyer for whom money is to be sent, to an account at this bank: all of it, and its smallest part."""

    account: UUID
    bank_code: str
    rupiah: int
    least: int


class TransferWait(StrEnum):
    """Why money that is to go by transfer is in none: as `last_answer` of its refunds says it."""

    BANK_AWAY = "bank_away"  # no bank that makes transfers answers, or each was taken out
    TRANSFER_LIMIT = "transfer_limit"  # it is more than any bank sends at once
    DAY_LIMIT = "transfer_day_limit"  # it is more than any bank sends this day
    FLOAT_LOW = "float_low"  # no float account has so much


class WaitingRupiah(NamedTuple):
    """Rupiah that are in no transfer for this reason."""

    reason: TransferWait
    rupiah: int


class Left(NamedTuple):
    """Rupiah in the float account at a bank that no transfer takes (None: not known), and those of transfers of this day."""

    provider: str
    free: int | None
    of_day: int


class TransferLimits(NamedTuple):
    """The most that any bank can send in one transfer: with nothing before it, this day, and of its float account now.

    is_away  no bank can be asked
    """

    is_away: bool
    of_transfer: int
    of_day: int
    most: int


@dataclass(frozen=True, slots=True)
class FloatBalance:
    """The float account at a bank, and what is asked of it."""

    provider: str
    rupiah: Rupiah
    asked_at: datetime
    sent_since: Rupiah  # by transfers that were sent since it was asked for, or may have been

    @property
    def free(self) -> int:
        """Rupiah that no transfer takes; below zero where more is under way than there is."""
        return self.rupiah.value - self.sent_since.value


class FloatNeed(NamedTuple):
    """Money that goes by transfer, whichever bank sends it: what is open, and what settled in so many days."""

    by_transfer: int
    by_claim: int
    settled: int
    days: int


def days_of_cover(rupiah: int, need: FloatNeed) -> float | None:
    """How many days a balance lasts, at the mean need of a day; None where nothing is needed."""
    return rupiah * need.days / need.settled if need.settled else None


@dataclass(frozen=True, slots=True)
class Floats:
    """The float accounts of an installation, and what is asked of them."""

    balances: Sequence[FloatBalance]
    need: FloatNeed

    @property
    def free(self) -> int:
        """Rupiah in all of them that nothing open takes."""
        of_banks = sum(one.free for one in self.balances)
        return of_banks - self.need.by_transfer

    @property
    def days(self) -> float | None:
        """How many days they last; None where nothing was needed of late, or no balance is known."""
        if not self.balances:
            return None
        if self.free < 0:
            return 0.0
        return days_of_cover(self.free, self.need)


@dataclass(slots=True)
class TransferBank:
    """Rupiah that one bank can still send: in a transfer, this day, from its float account (None: not known)."""

    provider: str
    bank: str
    rupiah_max: int
    day_left: int
    free: int | None

    @property
    def of_day(self) -> int:
        """Rupiah of the next transfer by its limits alone."""
        return max(0, min(self.rupiah_max, self.day_left))

    @property
    def most(self) -> int:
        """Rupiah of the next transfer."""
        return self.of_day if self.free is None else max(0, min(self.of_day, self.free))

    def take(self, rupiah: int) -> None:
        """So much was planned."""
        self.day_left -= rupiah
        if self.free is not None:
            self.free -= rupiah


def limits_of(sources: Sequence[TransferBank]) -> TransferLimits:
    """The most of all banks that can be asked."""
    return TransferLimits(
        is_away=not sources,
        of_transfer=max((one.rupiah_max for one in sources), default=-1),
        of_day=max((one.of_day for one in sources), default=-1),
        most=max((one.most for one in sources), default=-1),
    )


def source_for(wanted: ToPlan, sources: Sequence[TransferBank]) -> TransferBank | None:
    """The bank that sends to this buyer: one that can send it whole, the buyer's own bank before others; else one that can
    send a part; None where none can.
    """
    able = [one for one in sources if one.most >= wanted.least]

    def rank(one: TransferBank) -> tuple[bool, bool]:
        return one.most < wanted.rupiah, one.bank != wanted.bank_code

    return min(able, key=rank, default=None)
