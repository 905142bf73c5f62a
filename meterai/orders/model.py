"""Orders: terms, states, lifecycle and refusals; no input or output."""

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

    STAMPS = "stamps"  # stamps for later documents
    DOCUMENTS = "documents"  # stamps for the documents of the order
    DEPOSIT = "deposit"  # money in advance from which a seller sells; the quantity is in prices of a stamp


class OrderState(StrEnum):
    """State of an order."""

    PLACED = "placed"  # the total is fixed, and not paid yet
    PAID = "paid"  # paid, but not executed yet
    EXECUTED = "executed"  # stamps were issued, documents were stamped, or the deposit has grown
    LAPSED = "lapsed"  # the time to pay ran out
    WITHDRAWN = "withdrawn"  # the account cancelled the order before it was paid
    RETURNING = "returning"  # all money of the order is being returned to the buyer
    RETURNED = "returned"  # all money of the order was returned to the buyer
    CHARGED_BACK = "denied"  # the payer's bank took the money back


class OrderEvent(StrEnum):
    """Event that changes the state of an order."""

    PAYMENT_CAPTURED = "payment_captured"
    TIME_RAN_OUT = "time_ran_out"
    WITHDRAWN = "withdrawn"
    EXECUTED = "executed"
    NOT_EXECUTED = "not_executed"
    ASKED_BACK = "asked_back"
    REFUND_SETTLED = "refund_settled"
    PAYMENT_CHARGED_BACK = "payment_denied"
    # The provider returned all money of the order without a refund of ours.
    GIVEN_BACK = "given_back"
    # Money that had been charged back or given back came back to the operator:
    MONEY_RESTORED = "money_restored"  # no stamp of the order is in use, so the money is returned
    LOSS_COVERED = "loss_covered"  # the money pays for stamps in use


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
        (
            _S.PAID,
            _E.ASKED_BACK,
        ): _S.RETURNING,  # an order of documents of which no stamping has begun
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
    """The price of a stamp has changed since the page with the order form was shown."""

    code = "price_changed"
    status = 409


class OrderTooLarge(Refusal):
    """The total of the order exceeds the highest amount of a payment."""

    code = "order_too_large"
    status = 422

    def __init__(self, *, quantity: int, quantity_max: int) -> None:
        super().__init__(f"{quantity} stamps asked for, at most {quantity_max} in one payment")
        self.quantity = quantity
        self.quantity_max = quantity_max


@refusal_of_database
class TooManyUnpaidOrders(Refusal):
    """The account has as many unpaid orders as it may have."""

    code = "too_many_unpaid_orders"
    quota = ("unpaid_orders", "unpaid_max")

    def __init__(self, *, unpaid_max: int) -> None:
        super().__init__(f"at most {unpaid_max} orders can be unpaid")
        self.unpaid_max = unpaid_max


class SoldBy(NamedTuple):
    """The seller of an order.

    `slug` is the name of the seller's page in its URL, `name` the seller's name, and `fee` the fee in rupiah per stamp.
    """

    slug: str
    account: UUID
    name: str
    fee: int


@dataclass(frozen=True, slots=True)
class ExecutionPace:
    """Number of orders executed in the last 15 minutes, and the median of their seconds from payment to execution.

    Both are 0 if no order was executed.
    """

    orders: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Order:
    """An order of an account."""

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
    paid_attempt: UUID | None = None  # the attempt whose payment paid the order
    reference: str | None = None  # set by the client, like the metadata
    metadata: Mapping[str, str] | None = None
    seller: str | None = None  # name of the seller; None for our own sale
    seller_fee: int | None = None  # part of the service fee for the seller, in rupiah per stamp
    closed_at: datetime | None = None  # time at which the order got its current final state

    @property
    def waits_seconds(self) -> float:
        """Seconds from the placing of the order until its time to pay runs out."""
        return (self.lapses_at - self.placed_at).total_seconds()

    @property
    def refund_due_at(self) -> datetime:
        """Time by which the order must be executed; if it is not executed by then, its money is returned.

        For an unpaid order, the latest possible due time, which assumes that the order is paid at the last moment.
        """
        return self.due_at or self.lapses_at + timedelta(seconds=self.due_seconds)

    def money_due_at(self, in_flight: Rupiah, captured_at: datetime | None) -> datetime | None:
        """Return the time by which all money of the order, received or still expected, is executed or returned.

        If the order has several payments, the latest of their times counts.  Return None if no received money waits to be
        executed or returned, and no money is expected.
        """
        times = [self.returning_due_at]
        if self.state in (OrderState.PLACED, OrderState.PAID):
            times.append(self.refund_due_at)
        known = [time for time in times if time is not None]
        if known:
            return max(known)
        if (
            in_flight.value and captured_at is not None
        ):  # the handler of the payment's event has not run yet
            return captured_at + timedelta(seconds=self.due_seconds)
        return None


class WaitingOrders(NamedTuple):
    """Number of paid orders that wait to be executed, and the sum of their totals in rupiah."""

    orders: int
    rupiah: int


class InFlight(NamedTuple):
    """Paid orders that are neither executed nor being returned: their number, and the sum of their totals in rupiah.

    `oldest_at` is the time of the oldest payment.  `past_due` is the number of these orders whose due time has passed, so that
    their money is to be returned.
    """

    orders: int
    rupiah: int
    oldest_at: datetime | None
    past_due: int
    past_due_rupiah: int


class OrderPastDue(NamedTuple):
    """A paid order that was not executed by its due time."""

    account: UUID
    id: UUID
    total: Rupiah


class OrderFigures(NamedTuple):
    """Numbers of orders placed and executed in a period.

    The seconds are the median and the 95th percentile of the time from payment to execution.
    """

    placed: int
    executed: int
    median_seconds: float
    p95_seconds: float


class PaidWithin(NamedTuple):
    """Orders paid in a period: their number, the number of buyers, the sum of totals in rupiah, and the outcomes.

    `executed` counts the orders executed within the period; `given_back`, `denied` and `waiting` count by the current
    state.  The seconds from payment to execution are of every executed order, even if it was executed after the period.
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
    """A paid order that is not executed yet."""

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
    """An order with its mark: a text that changes whenever the content of the order's page does."""

    account: UUID
    order: UUID
    mark: str


class PlacedOrder(NamedTuple):
    """Result of placing an order under an idempotency key.

    `created` is False if an earlier request with this key placed an order; the other fields then describe that order, and
    `request` is the hash of the earlier request.
    """

    created: bool
    id: UUID
    request: bytes
    placed: datetime
    lapses: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderTerms:
    """Terms of an order that is to be placed, with its first payment attempt; money in rupiah, times in seconds."""

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
    lease_seconds: (
        float  # time in which the caller opens the attempt; 0 if the worker is to open it
    )
    unpaid_max: int
    provider: str  # the rail by which the order is paid
    method: str
    labels: Labels = NO_LABELS
    # The seller, whose fee is part of the service fee; None for our own sale.
    sold: SoldBy | None = None

    @property
    def total(self) -> int:
        """Total of the order, in rupiah."""
        return self.quantity * (self.unit_price + self.service_fee)

    def arguments(self) -> tuple[object, ...]:
        """Return the arguments of the SQL function `order_place_by_method`: all fields except labels and seller."""
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
    """Return a hash of a request to place an order, to check that a repeated idempotency key comes with the same request."""
    text = "\n".join([kind, *(str(part) for part in parts)])
    return hashlib.sha256(text.encode()).digest()
