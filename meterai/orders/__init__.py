"""Orders: stamps, documents to be stamped, or deposits, which an account orders and pays.

Promises this room keeps
  * The total of an order never changes after it is placed.
  * Stamps are issued exactly once per paid order, for any number of notifications of its payment.
  * If money comes late, the order is executed all the same if possible.  Too little money, a second payment, and money for
    a withdrawn order are reported to the room refunds, with the cause.
  * The buyer sees from the start by when the money is returned if the order is not executed.

The room calls payments, stamps, ledger.  It emits `order_paid`, `order_executed` and the other events
of an order's lifecycle.
"""

from meterai.orders.model import (
    ExecutionPace,
    Order,
    OrderKey,
    OrderKind,
    OrderMark,
    OrderPastDue,
    OrderState,
    OrderTerms,
    PaidWithin,
    PlacedOrder,
    SoldBy,
    request_hash,
)
from meterai.orders.service import (
    OrderService,
    OrderView,
    PaymentView,
    finish,
    key_of,
    load,
    marks,
    pace,
    paid_orders,
    place_documents,
    withdraw,
)
from meterai.orders.settings import OrderSettings
from meterai.orders.store import (
    TURNING,
    figures_within,
    in_flight,
    note_seller,
    paid_within,
    past_due,
    unexecuted,
    waiting,
    write_labels,
)

__all__ = [
    "TURNING",
    "ExecutionPace",
    "Order",
    "OrderKey",
    "OrderKind",
    "OrderMark",
    "OrderPastDue",
    "OrderService",
    "OrderSettings",
    "OrderState",
    "OrderTerms",
    "OrderView",
    "PaidWithin",
    "PaymentView",
    "PlacedOrder",
    "SoldBy",
    "figures_within",
    "finish",
    "in_flight",
    "key_of",
    "load",
    "marks",
    "note_seller",
    "pace",
    "paid_orders",
    "paid_within",
    "past_due",
    "place_documents",
    "request_hash",
    "unexecuted",
    "waiting",
    "withdraw",
    "write_labels",
]
