"""Orders: stamps, or documents to be stamped, that an account orders and pays.

Promises this room keeps
  * An order's total never changes after it is placed.
  * Stamps are issued exactly once per paid order, for any number of notifications.
  * Late money is executed if possible; money that is short, double or for a withdrawn order is
    reported to refunds, with its cause.
  * The buyer sees from the start when unexecuted money comes back.

The room calls payments, stamps, ledger.  Its events are `order_paid`, `order_executed` and the others
of its lifecycle.
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
