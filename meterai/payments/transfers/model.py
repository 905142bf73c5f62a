"""Transfers to buyers: states, sources, and cover of the float accounts; pure."""

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
        # The bank made it nevertheless.
        (_S.REFUSED, _E.SETTLED): _S.SETTLED,
        (_S.SETTLED, _E.RETURNED): _S.RETURNED,
    },
)


@dataclass(frozen=True, slots=True)
class Transfer:
    """A transfer to the account of a buyer: refunds and compensations of one account."""

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
    """Money to send to a buyer with an account at this bank: the sum, and its smallest part."""

    account: UUID
    bank_code: str
    rupiah: int
    least: int


class TransferWait(StrEnum):
    """Reason why money for a transfer is in none; `last_answer` of its refunds."""

    BANK_AWAY = "bank_away"  # no bank that makes transfers answers, or all are out
    TRANSFER_LIMIT = "transfer_limit"  # more than any bank sends in one transfer
    DAY_LIMIT = "transfer_day_limit"  # more than any bank sends this day
    FLOAT_LOW = "float_low"  # more than any float account has


class WaitingRupiah(NamedTuple):
    """Rupiah in no transfer, for a reason."""

    reason: TransferWait
    rupiah: int


class Left(NamedTuple):
    """Free rupiah of the float account at a bank (None: unknown), and rupiah of transfers of this day."""

    provider: str
    free: int | None
    of_day: int


class TransferLimits(NamedTuple):
    """Maximum rupiah of one transfer by any bank: by its limit, by its limit of this day, and by its float account now.

    is_away  no bank can be called
    """

    is_away: bool
    of_transfer: int
    of_day: int
    most: int


@dataclass(frozen=True, slots=True)
class FloatBalance:
    """The float account at a bank, and the demand on it."""

    provider: str
    rupiah: Rupiah
    asked_at: datetime
    sent_since: Rupiah  # by transfers sent, or possibly sent, since the balance was queried

    @property
    def free(self) -> int:
        """Rupiah that no transfer takes; negative if transfers under way exceed the balance."""
        return self.rupiah.value - self.sent_since.value


class FloatNeed(NamedTuple):
    """Money by transfer of any bank: open rupiah, and rupiah settled in the last days."""

    by_transfer: int
    by_claim: int
    settled: int
    days: int


def days_of_cover(rupiah: int, need: FloatNeed) -> float | None:
    """Days that a balance lasts at the mean need of a day; None without a need."""
    return rupiah * need.days / need.settled if need.settled else None


@dataclass(frozen=True, slots=True)
class Floats:
    """The float accounts of an installation, and the demand on them."""

    balances: Sequence[FloatBalance]
    need: FloatNeed

    @property
    def free(self) -> int:
        """Rupiah in all of them that no open transfer takes."""
        of_banks = sum(one.free for one in self.balances)
        return of_banks - self.need.by_transfer

    @property
    def days(self) -> float | None:
        """Days that they last; None without a recent need, or without a known balance."""
        if not self.balances:
            return None
        if self.free < 0:
            return 0.0
        return days_of_cover(self.free, self.need)


@dataclass(slots=True)
class TransferBank:
    """Rupiah that one bank can still send: in a transfer, this day, from its float account (None: unknown)."""

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
        """Deduct a planned transfer."""
        self.day_left -= rupiah
        if self.free is not None:
            self.free -= rupiah


def limits_of(sources: Sequence[TransferBank]) -> TransferLimits:
    """The limits of all banks together."""
    return TransferLimits(
        is_away=not sources,
        of_transfer=max((one.rupiah_max for one in sources), default=-1),
        of_day=max((one.of_day for one in sources), default=-1),
        most=max((one.most for one in sources), default=-1),
    )


def source_for(wanted: ToPlan, sources: Sequence[TransferBank]) -> TransferBank | None:
    """The bank that sends to this buyer: one that can send the whole sum, the buyer's own bank first; else one that can
    send a part; None if none can.
    """
    able = [one for one in sources if one.most >= wanted.least]

    def rank(one: TransferBank) -> tuple[bool, bool]:
        return one.most < wanted.rupiah, one.bank != wanted.bank_code

    return min(able, key=rank, default=None)
