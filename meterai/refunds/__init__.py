"""Refunds: money given back, by itself or because it was asked for.

Promises this room keeps
  * What is paid and not executed by its due time goes back in full, with no form to fill in.
  * One cause, one refund: the number we give it at the provider is the same in every try.
  * What the provider gives back of its own accord is booked from its record: no refund pays it again.
  * The intent is committed before the provider is called; an unknown outcome is asked for again.

Calls orders, payments, stamps, notifications.
"""

from meterai.refunds.model import NothingToRefund, Refund, RefundCause, RefundState, lease_seconds
from meterai.refunds.service import (
    RefundService,
    RefundView,
    ask,
    book_as_told,
    give_back_unserved,
    load,
    marks,
    refunds_of_order,
    refunds_of_orders,
    shown,
)
from meterai.refunds.store import figures_within, open_now

__all__ = [
    "NothingToRefund",
    "Refund",
    "RefundCause",
    "RefundService",
    "RefundState",
    "RefundView",
    "ask",
    "book_as_told",
    "figures_within",
    "give_back_unserved",
    "lease_seconds",
    "load",
    "marks",
    "open_now",
    "refunds_of_order",
    "refunds_of_orders",
    "shown",
]
