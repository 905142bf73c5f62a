"""Items of the suspense book, their lifecycle and resolutions; pure."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from meterai.kit.lifecycle import Lifecycle
from meterai.kit.money import Rupiah
from meterai.kit.refusal import CommandRefusal

DUE_SECONDS = 86_400.0  # in which an operator handles an item: banks close their books daily
# Reasons of items that may be resolved as a fee or return of the provider.
FEES = frozenset({"fee_not_booked", "tax_not_booked", "line_unplaced", "float_moved"})
AGE_BUCKETS = {"0-1": 1, "1-3": 3, "3-7": 7, "7-30": 30}  # days, each below


class SuspenseState(StrEnum):
    """State of an item of the suspense book."""

    OPEN = "open"  # its order is unknown, or a refund is overdue; received money is booked
    RESOLVED = "resolved"


class SuspenseEvent(StrEnum):
    """Event in the life of an item."""

    EXPLAINED = "explained"
    RETURNED = "returned"
    DISMISSED = "dismissed"
    APPLIED = "applied"
    MATCHED = "matched"
    FEE = "fee"
    WRITTEN_OFF = "written_off"


class Resolution(StrEnum):
    """Resolution of an item."""

    EXPLAINED = "explained"  # its payment was learned in another way, and booked there
    RETURNED = "returned"  # the provider gave the money back to its payer
    DISMISSED = "dismissed"  # a person found nothing to do
    APPLIED = "applied"  # an operator named the order of its money, which was captured there
    MATCHED = "matched"  # an operator named its payment, refund or counterpart item
    FEE = "fee"  # a fee of the provider, or the tax on it
    WRITTEN_OFF = "written_off"  # given up by two people


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
    """The item is about money: it ends only with an entry of that money."""

    code = "suspense_money_booked"
    status = 409


class PaymentContested(CommandRefusal):
    """Another open item is about the same payment, whose money may have gone back."""

    code = "suspense_payment_contested"
    status = 409


@dataclass(frozen=True, slots=True)
class ProviderNews:
    """News of a provider.  `key` is derived from it, so that repeated news is the same item."""

    key: str
    source: str  # 'notification' or 'question'
    reason: str
    told: bytes
    reference: str | None = None
    payment: str | None = None
    amount: Rupiah | None = None
    is_money: bool = False  # a payment that surely came, with its number and its sum


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """A difference between a record and the books.  `key` is derived from the differing facts, so that it is one item.

    difference  rupiah that the record has more than the books, negative if less; 0 if no sum differs, or its money
                goes into the book
    evidence    lines of the record and of the books, as JSON
    """

    key: str
    reason: str
    evidence: bytes
    reference: str | None = None
    payment: str | None = None
    amount: Rupiah | None = None
    difference: int = 0
    is_money: bool = False  # a payment that surely came, with its number and its sum


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
        """The provider, and the day if there is one, of its record: `bank 2026-11-30`; empty without a record."""
        of, _, rest = self.key.removeprefix("record:").partition(":")
        day = rest.removeprefix("day:").partition(":")[0] if rest.startswith("day:") else ""
        return f"{of} {day}".rstrip() if self.key.startswith("record:") else ""

    def allows(self, how: Resolution) -> bool:
        """True if a person may resolve it so.  As in suspense_resolve.sql, which decides."""
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
        """Its money: the sum in the book, else the difference, else the named amount; None if it names none."""
        if self.booked.value or self.difference is None:
            return self.booked if self.booked.value else self.amount
        return Rupiah(abs(self.difference))

    def bucket(self, now: datetime) -> str:
        """The bucket of its age in days: `0-1`, `1-3`, `3-7`, `7-30`, `30+`."""
        days = (now - self.opened_at).total_seconds() / 86_400
        return next((name for name, most in AGE_BUCKETS.items() if days < most), "30+")


class OpenBreak(NamedTuple):
    """An open item of a record, by its key."""

    id: UUID
    key: str
    payment: str | None


class KeyedItem(NamedTuple):
    """An item that is open, or was ended by a person, by its key."""

    id: UUID
    key: str
    is_open: bool


class RecordItem(NamedTuple):
    """An open item of a record, with its evidence."""

    id: UUID
    key: str
    evidence: bytes


@dataclass(frozen=True, slots=True)
class SuspenseCounts:
    """Counts of open items, for the metrics."""

    open: int
    overdue: int
    oldest_seconds: float
    booked: int  # rupiah
