"""Orders: terms, states, lifecycle and refusals; pure."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from meterai.kit.labels import NO_LABELS, Labels
from meterai.kit.lifecycle import Lifecycle
from meterai.kit.money import Rupiah
from meterai.kit.refusal import Refusal, refusal_of_database


class OrderKind(StrEnum):
    """Kind of an order."""

    STAMPS = "stamps"  # quota, for later documents
    DOCUMENTS = "documents"  # the stamps of named documents
    DEPOSIT = (
        "deposit"  # money in advance, from which a seller sells; a piece is the price of one stamp
    )


class OrderState(StrEnum):
    """State of an order."""

    PLACED = "placed"  # total fixed, not paid
    PAID = "paid"  # money is in flight
    EXECUTED = "executed"  # stamps issued, or documents stamped
    LAPSED = "lapsed"  # the time to pay ran out
    WITHDRAWN = "withdrawn"  # given up by its account before it was paid
    RETURNING = "returning"  # all its money is on its way back
    RETURNED = "returned"
    CHARGED_BACK = "denied"  # the payer's bank took the money back


class OrderEvent(StrEnum):
    """Event in the life of an order."""

    PAYMENT_CAPTURED = "payment_captured"
    TIME_RAN_OUT = "time_ran_out"
    WITHDRAWN = "withdrawn"
    EXECUTED = "executed"
    NOT_EXECUTED = "not_executed"
    ASKED_BACK = "asked_back"
    REFUND_SETTLED = "refund_settled"
    PAYMENT_CHARGED_BACK = "payment_denied"
    GIVEN_BACK = "given_back"  # all its money, by the provider of its own accord
    # Money that had been charged back or given back came back to the operator:
    MONEY_RESTORED = "money_restored"  # no stamp of it is in use
    LOSS_COVERED = "loss_covered"  # it pays for the stamps in use


_S, _E = OrderState, OrderEvent
ORDER = Lifecycle(
    "the order",
    {
        (_S.PLACED, _E.PAYMENT_CAPTURED): _S.PAID,
        (_S.PLACED, _E.TIME_RAN_OUT): _S.LAPSED,
        (_S.PLACED, _E.WITHDRAWN): _S.WITHDRAWN,
        # Late money is executed if possible.
        (_S.LAPSED, _E.PAYMENT_CAPTURED): _S.PAID,
        (_S.LAPSED, _E.WITHDRAWN): _S.WITHDRAWN,
        (_S.PAID, _E.EXECUTED): _S.EXECUTED,
        (_S.PAID, _E.NOT_EXECUTED): _S.RETURNING,
        (_S.PAID, _E.ASKED_BACK): _S.RETURNING,  # documents, none of them begun
        (_S.PAID, _E.PAYMENT_CHARGED_BACK): _S.CHARGED_BACK,
        (_S.EXECUTED, _E.ASKED_BACK): _S.RETURNING,
        (_S.EXECUTED, _E.PAYMENT_CHARGED_BACK): _S.CHARGED_BACK,
        (_S.RETURNING, _E.REFUND_SETTLED): _S.RETURNED,
        # The buyer has the money from the payer's bank, and no refund is open.
        (_S.RETURNING, _E.PAYMENT_CHARGED_BACK): _S.RETURNED,
        # The buyer has the money, as after a refund.
        (_S.PAID, _E.GIVEN_BACK): _S.RETURNED,
        (_S.EXECUTED, _E.GIVEN_BACK): _S.RETURNED,
        (_S.RETURNING, _E.GIVEN_BACK): _S.RETURNED,
        (_S.CHARGED_BACK, _E.LOSS_COVERED): _S.EXECUTED,
        (_S.CHARGED_BACK, _E.MONEY_RESTORED): _S.RETURNING,
        (_S.RETURNED, _E.MONEY_RESTORED): _S.RETURNING,
    },
    reopens={OrderEvent.MONEY_RESTORED, OrderEvent.LOSS_COVERED},
)


class PriceChanged(Refusal):
    """The price of a stamp differs from that on the page of the order form."""

    code = "price_changed"
    status = 409


class OrderTooLarge(Refusal):
    """The total exceeds one QRIS payment."""

    code = "order_too_large"
    status = 422

    def __init__(self, *, quantity: int, quantity_max: int) -> None:
        super().__init__(f"{quantity} stamps asked for, at most {quantity_max} in one payment")
        self.quantity = quantity
        self.quantity_max = quantity_max


@refusal_of_database
class TooManyUnpaidOrders(Refusal):
    """The account has the maximum of unpaid orders."""

    code = "too_many_unpaid_orders"
    quota = ("unpaid_orders", "unpaid_max")

    def __init__(self, *, unpaid_max: int) -> None:
        super().__init__(f"{unpaid_max} orders are not paid yet")
        self.unpaid_max = unpaid_max


class SoldBy(NamedTuple):
    """A seller, by the name of its page; `fee` in rupiah for each stamp."""

    slug: str
    account: UUID
    name: str
    fee: int


@dataclass(frozen=True, slots=True)
class ExecutionPace:
    """Orders executed in the last 15 minutes, and the median of their seconds since payment; 0 if
    there are none."""

    orders: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Order:
    """One order."""

    account: UUID
    id: UUID
    kind: OrderKind
    state: OrderState
    quantity: int
    unit_price: Rupiah
    service_fee: Rupiah
    total: Rupiah
    placed_at: datetime
    lapses_at: datetime
    paid_at: datetime | None
    due_at: datetime | None
    due_seconds: float
    returning_due_at: datetime | None = None  # due time of the last open refund
    paid_attempt: UUID | None = None  # the attempt whose payment paid it
    reference: str | None = None  # the client's own, as is its metadata
    metadata: Mapping[str, str] | None = None
    seller: str | None = None  # name of the seller, if there is one
    seller_fee: int | None = None  # part of the service fee, in rupiah
    closed_at: datetime | None = None  # when it got its current state, after it was paid

    @property
    def waits_seconds(self) -> float:
        """Seconds to pay it, from its placing or the last change of method."""
        return (self.lapses_at - self.placed_at).total_seconds()

    @property
    def refund_due_at(self) -> datetime:
        """Due time of the execution, after which the money goes back.

        For an unpaid order: as if it is paid at the last moment.
        """
        return self.due_at or self.lapses_at + timedelta(seconds=self.due_seconds)

    def money_due_at(self, in_flight: Rupiah, captured_at: datetime | None) -> datetime | None:
        """Time at which money in flight, now or soon, is executed or back.

        The last one of several payments.  None without money.
        """
        times = [self.returning_due_at]
        if self.state in (OrderState.PLACED, OrderState.PAID):
            times.append(self.refund_due_at)
        known = [time for time in times if time is not None]
        if known:
            return max(known)
        if in_flight.value and captured_at is not None:  # its event handler has not run yet
            return captured_at + timedelta(seconds=self.due_seconds)
        return None


class WaitingOrders(NamedTuple):
    """Paid orders that wait to be executed, and their money in rupiah."""

    orders: int
    rupiah: int


class InFlight(NamedTuple):
    """Paid orders that are neither executed nor on their way back, with their money; `past_due` is to go back."""

    orders: int
    rupiah: int
    oldest_at: datetime | None
    past_due: int
    past_due_rupiah: int


class OrderPastDue(NamedTuple):
    """A paid order that was not executed by its due time, and its money."""

    account: UUID
    id: UUID
    total: Rupiah


class OrderFigures(NamedTuple):
    """Orders of a period: number placed, number executed, and seconds of these since payment."""

    placed: int
    executed: int
    median_seconds: float
    p95_seconds: float


class PaidWithin(NamedTuple):
    """Orders paid in a period: number, number of accounts, rupiah, and outcome.

    `executed` are those executed within the period; the other outcomes are current ones.  The waits are of all
    executed ones, also later.
    """

    orders: int
    buyers: int
    rupiah: int
    executed: int
    given_back: int
    denied: int
    waiting: int
    median_seconds: float | None
    p95_seconds: float | None


class OrderInFlight(NamedTuple):
    """A paid order that is not executed."""

    account: UUID
    id: UUID
    quantity: int
    total: Rupiah
    paid_at: datetime
    due_at: datetime


class OrderKey(NamedTuple):
    """Account and id of an order."""

    account: UUID
    order: UUID


class OrderMark(NamedTuple):
    """Version tag of an order: it changes whenever the order does."""

    account: UUID
    order: UUID
    mark: str


class PlacedOrder(NamedTuple):
    """The order of a key, and the request of the key; `created` is False for a repeat."""

    created: bool
    id: UUID
    request: bytes
    placed: datetime
    lapses: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderTerms:
    """Terms of an order to place: money in rupiah, times in seconds."""

    account: UUID
    order: UUID
    key: str
    request: bytes
    kind: OrderKind
    quantity: int
    unit_price: int
    service_fee: int
    lapses_seconds: float
    due_seconds: float
    attempt: UUID
    reference: str
    lease_seconds: float  # in which the caller opens the attempt; 0: the worker does
    unpaid_max: int
    provider: str  # the rail by which it is paid
    method: str
    labels: Labels = NO_LABELS
    sold: SoldBy | None = None  # its fee is part of the service fee

    @property
    def total(self) -> int:
        """The total in rupiah."""
        return self.quantity * (self.unit_price + self.service_fee)

    def arguments(self) -> tuple[object, ...]:
        """The arguments of `order_place_by_method`: the fields without labels and seller, in this order."""
        return (
            self.account,
            self.order,
            self.key,
            self.request,
            self.kind.value,
            self.quantity,
            self.unit_price,
            self.service_fee,
            self.lapses_seconds,
            self.due_seconds,
            self.attempt,
            self.reference,
            self.lease_seconds,
            self.unpaid_max,
            self.provider,
            self.method,
        )


def request_hash(kind: OrderKind, *parts: object) -> bytes:
    """Hash of the request of an Idempotency-Key: the same key must come with the same request."""
    text = "\n".join([kind, *(str(part) for part in parts)])
    return hashlib.sha256(text.encode()).digest()
