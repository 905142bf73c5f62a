"""Items of the suspense book, their lifecycle and resolutions; pure."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from meterai.kit.lifecycle import Lifecycle
from meterai.kit.money import Rupiah
from meterai.kit.refusal import CommandRefusal

DUE_SECONDS = 86_400.0  # time for an operator to resolve an item: banks close their books daily
# Reasons of items that may be resolved as a fee of the provider.
FEES = frozenset({"fee_not_booked", "tax_not_booked", "line_unplaced", "float_moved"})
# Days below which an age is in a bucket, by name of the bucket.
AGE_BUCKETS = {"0-1": 1, "1-3": 3, "3-7": 7, "7-30": 30}


class SuspenseState(StrEnum):
    """State of a suspense item."""

    OPEN = "open"  # its order is unknown, or a refund is overdue; received money is booked
    RESOLVED = "resolved"


class SuspenseEvent(StrEnum):
    """Event in the life of a suspense item."""

    EXPLAINED = "explained"
    RETURNED = "returned"
    DISMISSED = "dismissed"
    APPLIED = "applied"
    MATCHED = "matched"
    FEE = "fee"
    WRITTEN_OFF = "written_off"


class Resolution(StrEnum):
    """The way in which a suspense item was resolved."""

    EXPLAINED = "explained"  # its payment became known in another way and was booked, or its cause has ended
    RETURNED = "returned"  # the provider gave the money back to its payer
    DISMISSED = "dismissed"  # a person found nothing to do
    APPLIED = "applied"  # an operator named the order of its money, which was captured there
    MATCHED = "matched"  # an operator named its payment, refund or counterpart item
    FEE = "fee"  # a fee of the provider, or the tax on it
    WRITTEN_OFF = "written_off"  # two people decided that the money is lost


_S, _E = SuspenseState, SuspenseEvent
SUSPENSE = Lifecycle(
    "the item in suspense",
    {
        (_S.OPEN, _E.EXPLAINED): _S.RESOLVED,
        (_S.OPEN, _E.RETURNED): _S.RESOLVED,
        (_S.OPEN, _E.DISMISSED): _S.RESOLVED,
        (_S.OPEN, _E.APPLIED): _S.RESOLVED,
        (_S.OPEN, _E.MATCHED): _S.RESOLVED,
        (_S.OPEN, _E.FEE): _S.RESOLVED,
        (_S.OPEN, _E.WRITTEN_OFF): _S.RESOLVED,
    },
)


class ItemUnknown(CommandRefusal):
    """The suspense book has no such item."""

    code = "suspense_item_unknown"
    status = 404


class MoneyBooked(CommandRefusal):
    """The resolution does not fit: it needs an item with money and this one has none, or it would leave the item's money in
    suspense.
    """

    code = "suspense_money_booked"
    status = 409


class PaymentContested(CommandRefusal):
    """Another open item is about the same payment, and the payment's money may already have left us."""

    code = "suspense_payment_contested"
    status = 409


@dataclass(frozen=True, slots=True)
class ProviderNews:
    """A provider's notification, or its answer to a query, that cannot be booked to an order.

    `key` is derived from the content, so that a repeated notification or answer is the same suspense item.
    """

    key: str
    source: str  # 'notification' or 'question'
    reason: str
    told: bytes
    reference: str | None = None
    payment: str | None = None
    amount: Rupiah | None = None
    is_money: bool = False  # a payment whose receipt is certain, with its number and sum


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """A difference between a bank's or provider's record of a day and our books.

    `key` is derived from the facts that differ, so that a difference which is found again is the same item.

    difference  rupiah of the record less rupiah of the books; 0 if no sum differs, or if the money goes into the book
                `suspense`
    evidence    lines of the record and of the books, as JSON
    """

    key: str
    reason: str
    evidence: bytes
    reference: str | None = None
    payment: str | None = None
    amount: Rupiah | None = None
    difference: int = 0
    is_money: bool = False  # a payment whose receipt is certain, with its number and sum


@dataclass(frozen=True, slots=True)
class Item:
    """One item of the suspense book."""

    id: UUID
    source: str
    reason: str
    reference: str | None
    payment: str | None
    amount: Rupiah | None
    booked: Rupiah
    owner: str
    state: SuspenseState
    opened_at: datetime
    due_at: datetime
    times_told: int
    resolved_at: datetime | None = None
    resolution: Resolution | None = None
    resolved_by: str | None = None
    note: str = ""
    difference: int | None = None
    key: str = ""

    @property
    def record(self) -> str:
        """The bank's or provider's record that this item came from: the provider and the day, if any, such as `bank
        2026-11-30`.

        Empty for an item that came from something else.
        """
        of, _, rest = self.key.removeprefix("record:").partition(":")
        day = rest.removeprefix("day:").partition(":")[0] if rest.startswith("day:") else ""
        return f"{of} {day}".rstrip() if self.key.startswith("record:") else ""

    def allows(self, how: Resolution) -> bool:
        """True if a person may resolve the item in this way; suspense_resolve.sql enforces the same rules."""
        has_money = bool(self.booked.value or self.difference)
        match how:
            case _ if self.reason == "refund_overdue":
                return False
            case Resolution.DISMISSED:
                return not has_money
            case Resolution.APPLIED:
                return bool(self.booked.value)
            case Resolution.WRITTEN_OFF:
                return has_money
            case Resolution.FEE:
                return bool(self.difference) and self.reason in FEES
            case _:
                return True

    @property
    def at_stake(self) -> Rupiah | None:
        """Rupiah that the item is about: its sum in the book `suspense`; if that is 0, the amount of its difference.

        For an item that is not a difference, this is the amount that the provider's news names, None if it names none.
        """
        if self.booked.value or self.difference is None:
            return self.booked if self.booked.value else self.amount
        return Rupiah(abs(self.difference))

    def bucket(self, now: datetime) -> str:
        """The bucket of the item's age in days: `0-1`, `1-3`, `3-7`, `7-30` or `30+`."""
        days = (now - self.opened_at).total_seconds() / 86_400
        return next((name for name, most in AGE_BUCKETS.items() if days < most), "30+")


class OpenBreak(NamedTuple):
    """An open suspense item for a difference between a provider's record and our books, with the item's key."""

    id: UUID
    key: str
    payment: str | None


class KeyedItem(NamedTuple):
    """A suspense item for a status query that the provider did not answer or confirm, with the item's key.

    `is_open` is False if a person resolved the item.
    """

    id: UUID
    key: str
    is_open: bool


class RecordItem(NamedTuple):
    """An open suspense item for a difference between a provider's record and our books, with the item's evidence."""

    id: UUID
    key: str
    evidence: bytes


@dataclass(frozen=True, slots=True)
class SuspenseCounts:
    """Counts, age and money of open suspense items, for the metrics."""

    open: int
    overdue: int
    oldest_seconds: float
    booked: int  # rupiah
