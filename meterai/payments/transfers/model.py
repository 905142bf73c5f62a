"""Transfers to buyers: states, choice of the sending bank, and cover of the float accounts; pure."""

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
    ACCEPTED = "accepted"  # the bank says that the transfer is under way
    REFUSED = "refused"  # the bank will not make it, for instance since the account takes no money
    SETTLED = "settled"
    RETURNED = "returned"  # the money came back after the transfer was made
    VOID = "void"  # ended before any call: its money is planned again, or need not be sent


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
        # The bank made the transfer in spite of its refusal.
        (_S.REFUSED, _E.SETTLED): _S.SETTLED,
        (_S.SETTLED, _E.RETURNED): _S.RETURNED,
    },
)


@dataclass(frozen=True, slots=True)
class Transfer:
    """A transfer to the bank account of a buyer; it carries refunds and compensations of this buyer."""

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
    """Our number of a transfer at the bank, the same in every try."""
    return number_of(TRANSFER_PREFIX, account, transfer)


class ToPlan(NamedTuple):
    """Money that waits to be transferred to a buyer with an account at the bank `bank_code`.

    rupiah  the whole sum
    least   the smallest refund or compensation in that sum, in rupiah
    """

    account: UUID
    bank_code: str
    rupiah: int
    least: int


class TransferWait(StrEnum):
    """Reason why no transfer is planned for waiting money; recorded as `last_answer` of its refunds."""

    BANK_AWAY = "bank_away"  # no bank that makes transfers answers, or all are out
    TRANSFER_LIMIT = "transfer_limit"  # more than any bank sends in one transfer
    DAY_LIMIT = "transfer_day_limit"  # more than any bank sends this day
    FLOAT_LOW = "float_low"  # more than any float account has


class WaitingRupiah(NamedTuple):
    """Rupiah for which no transfer is planned, and the reason for that."""

    reason: TransferWait
    rupiah: int


class Left(NamedTuple):
    """Capacity of a bank for transfers: the free money of its float account, and the used part of its limit for this day.

    free    free rupiah in the float account; None if the balance is unknown
    of_day  rupiah of the transfers of this day in WIB, open and settled
    """

    provider: str
    free: int | None
    of_day: int


class TransferLimits(NamedTuple):
    """Limits of one transfer, in rupiah: each field is the greatest sum that at least one bank can send.

    is_away      True if no bank can be called
    of_transfer  greatest sum within a bank's limit for one transfer
    of_day       greatest sum within that limit and the unused part of the bank's limit for this day
    most         greatest sum within these two limits and the balance of the bank's float account
    """

    is_away: bool
    of_transfer: int
    of_day: int
    most: int


@dataclass(frozen=True, slots=True)
class FloatBalance:
    """The float account at a bank: its last balance, and the money sent since then."""

    provider: str
    rupiah: Rupiah
    asked_at: datetime
    sent_since: Rupiah  # by transfers sent, or possibly sent, since the balance was queried

    @property
    def free(self) -> int:
        """The balance less open transfers and those that settled since the balance was queried, in rupiah; may be negative."""
        return self.rupiah.value - self.sent_since.value


class FloatNeed(NamedTuple):
    """Demand on all float accounts, in rupiah.

    by_transfer  money that waits for a transfer
    by_claim     money that waits for a buyer to name an account
    settled      transfers that settled in the last `days` days
    """

    by_transfer: int
    by_claim: int
    settled: int
    days: int


def days_of_cover(rupiah: int, need: FloatNeed) -> float | None:
    """Days that this balance lasts at the mean daily sum of settled transfers; None if no transfer settled."""
    return rupiah * need.days / need.settled if need.settled else None


@dataclass(frozen=True, slots=True)
class Floats:
    """All float accounts of an installation, and the demand on them."""

    balances: Sequence[FloatBalance]
    need: FloatNeed

    @property
    def free(self) -> int:
        """Rupiah in all float accounts less money in transfers and money that waits for a transfer; may be negative."""
        of_banks = sum(one.free for one in self.balances)
        return of_banks - self.need.by_transfer

    @property
    def days(self) -> float | None:
        """Days that the free money lasts; None if no transfer settled lately or no balance is known."""
        if not self.balances:
            return None
        if self.free < 0:
            return 0.0
        return days_of_cover(self.free, self.need)


@dataclass(slots=True)
class TransferBank:
    """A bank that makes transfers, and what it can still send, in rupiah.

    rupiah_max  greatest sum of one transfer
    day_left    the unused part of its limit for this day
    free        free money in its float account; None if the balance is unknown
    """

    provider: str
    bank: str
    rupiah_max: int
    day_left: int
    free: int | None

    @property
    def of_day(self) -> int:
        """The greatest sum of the next transfer that the bank's limits allow, in rupiah, without regard to the float
        account.
        """
        return max(0, min(self.rupiah_max, self.day_left))

    @property
    def most(self) -> int:
        """The greatest sum of the next transfer that the bank's limits and the balance of the float account allow, in
        rupiah.
        """
        return self.of_day if self.free is None else max(0, min(self.of_day, self.free))

    def take(self, rupiah: int) -> None:
        """Deduct the rupiah of a planned transfer from the bank's limit for this day and from the free money of its float
        account.
        """
        self.day_left -= rupiah
        if self.free is not None:
            self.free -= rupiah


def limits_of(sources: Sequence[TransferBank]) -> TransferLimits:
    """The limits of one transfer: each is the greatest sum that any of these banks allows, -1 if there is no bank."""
    return TransferLimits(
        is_away=not sources,
        of_transfer=max((one.rupiah_max for one in sources), default=-1),
        of_day=max((one.of_day for one in sources), default=-1),
        most=max((one.most for one in sources), default=-1),
    )


def source_for(wanted: ToPlan, sources: Sequence[TransferBank]) -> TransferBank | None:
    """Choose the bank that sends money to a buyer; None if no bank can send even the smallest part of it.

    Banks that can send the whole sum are preferred to banks that can send only a part of it; of several such banks, the bank of
    the buyer's account is preferred.
    """
    able = [one for one in sources if one.most >= wanted.least]

    def rank(one: TransferBank) -> tuple[bool, bool]:
        return one.most < wanted.rupiah, one.bank != wanted.bank_code

    return min(able, key=rank, default=None)
