"""Items of the suspense book and how they may change; pure."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from meterai.kit.lifecycle import Lifecycle
from meterai.kit.money import Rupiah
from meterai.kit.refusal import CommandRefusal

DUE_SECONDS = 86_400.0  # within which an operator looks at an item: banks close their books daily
# What a provider may keep or give back.
FEES = frozenset({"fee_not_booked", "tax_not_booked", "line_unplaced", "float_moved"})
AGE_BUCKETS = {"0-1": 1, "1-3": 3, "3-7": 7, "7-30": 30}  # days, each below


class SuspenseState(StrEnum):
    """State of an item of the suspense book."""

    OPEN = "open"  # nobody knows yet whose it is, or a refund is overdue; money that came is booked
    RESOLVED = "resolved"


class SuspenseEvent(StrEnum):
    """What happens to an item."""

    EXPLAINED = "explained"
    RETURNED = "returned"
    DISMISSED = "dismissed"
    APPLIED = "applied"
    MATCHED = "matched"
    FEE = "fee"
    WRITTEN_OFF = "written_off"


class Resolution(StrEnum):
    """How an item ended."""

    EXPLAINED = "explained"  # the payment it spoke of was learned in another way, and booked there
    RETURNED = "returned"  # the provider gave the money back to its payer
    DISMISSED = "dismissed"  # somebody looked, and there is nothing to do
    APPLIED = "applied"  # an operator knows whose order its money is for, and it was captured there
    MATCHED = "matched"  # an operator knows which payment, refund or other item it is
    FEE = "fee"  # what a provider keeps, or the tax on that
    WRITTEN_OFF = "written_off"  # two people say that nobody will find it


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
    """There is no such item in the suspense book."""

    code = "suspense_item_unknown"
    status = 404


class MoneyBooked(CommandRefusal):
    """The item is about money: it ends when the books say where that went, and in no other way."""

    code = "suspense_money_booked"
    status = 409


class PaymentContested(CommandRefusal):
    """Another open item speaks of the same payment: its money may have gone back."""

    code = "suspense_payment_contested"
    status = 409


@dataclass(frozen=True, slots=True)
class ProviderNews:
    """What was told.  `key` is made from it, so that the same news is the same item."""

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
    """A difference between a record and the books.  `key` is made from what differs, so that it is one item.

    difference  rupiah that the record's account has more than the books, less below zero; 0 where no sum differs, or
                its money goes into the book
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
        """Whose record it is of, and of which day where it is of one: `bank 2026-11-30`; empty where it is of none."""
        of, _, rest = self.key.removeprefix("record:").partition(":")
        day = rest.removeprefix("day:").partition(":")[0] if rest.startswith("day:") else ""
        return f"{of} {day}".rstrip() if self.key.startswith("record:") else ""

    def allows(self, how: Resolution) -> bool:
        """Whether a person may end it so.  As in suspense_resolve.sql, which has the last word."""
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
        """Money that it is about: in the book, by which both sides differ, or named; None where it names none."""
        if self.booked.value or self.difference is None:
            return self.booked if self.booked.value else self.amount
        return Rupiah(abs(self.difference))

    def bucket(self, now: datetime) -> str:
        """Its age, in days: `0-1`, `1-3`, `3-7`, `7-30`, `30+`."""
        days = (now - self.opened_at).total_seconds() / 86_400
        return next((name for name, most in AGE_BUCKETS.items() if days < most), "30+")


class OpenBreak(NamedTuple):
    """An open item of a record, by its key."""

    id: UUID
    key: str
    payment: str | None


class KeyedItem(NamedTuple):
    """An item that is open, or that a person ended, by its key."""

    id: UUID
    key: str
    is_open: bool


class RecordItem(NamedTuple):
    """An open item of a record with the evidence that it was told with."""

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
