"""Items of the suspense book and how they may change; pure."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from meterai.kit.lifecycle import Lifecycle
from meterai.kit.money import Rupiah
from meterai.kit.refusal import CommandRefusal

DUE_SECONDS = 86_400.0  # within which an operator looks at an item: banks close their books daily


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


class Resolution(StrEnum):
    """How an item ended."""

    EXPLAINED = "explained"  # the payment it spoke of was learned in another way, and booked there
    RETURNED = "returned"  # the provider gave the money back to its payer
    DISMISSED = "dismissed"  # somebody looked, and there is nothing to do
    APPLIED = "applied"  # an operator knows whose order its money is for, and it was captured there


_S, _E = SuspenseState, SuspenseEvent
SUSPENSE = Lifecycle(
    "the item in suspense",
    {
        (_S.OPEN, _E.EXPLAINED): _S.RESOLVED,
        (_S.OPEN, _E.RETURNED): _S.RESOLVED,
        (_S.OPEN, _E.DISMISSED): _S.RESOLVED,
        (_S.OPEN, _E.APPLIED): _S.RESOLVED,
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
class News:
    """What was told.  `key` is made from it, so that the same news is the same item."""

    key: str
    source: str  # 'notification' or 'question'
    reason: str
    told: bytes
    reference: str | None = None
    payment: str | None = None
    amount: Rupiah | None = None
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


@dataclass(frozen=True, slots=True)
class Figures:
    """Counts of open items, for the metrics."""

    open: int
    overdue: int
    oldest_seconds: float
    booked: int  # rupiah
