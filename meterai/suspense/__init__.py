"""Suspense: signed news of a provider that cannot be booked to an order yet, and its money.

Promises this room keeps
  * News is kept as it was told, with a reason, an age, a due time and an owner, until somebody says
    how it ended; told again, it is the same item.
  * Money that surely came is in the book `suspense` exactly as long as its item is open.
  * News that money of a payment went back ends when that money has left the books of its order.
  * A refund that is overdue is an item until the refund ends; nobody can say otherwise.

Calls ledger, audit.
"""

from meterai.suspense.knows import items_of, told
from meterai.suspense.model import (
    Item,
    ItemUnknown,
    MoneyBooked,
    News,
    PaymentContested,
    Resolution,
    SuspenseState,
)
from meterai.suspense.service import (
    SuspenseService,
    check_resolves,
    ended,
    explained,
    given_back,
    keep,
    load,
    open_about,
    open_items,
    resolve,
)

__all__ = [
    "Item",
    "ItemUnknown",
    "MoneyBooked",
    "News",
    "PaymentContested",
    "Resolution",
    "SuspenseService",
    "SuspenseState",
    "check_resolves",
    "ended",
    "explained",
    "given_back",
    "items_of",
    "keep",
    "load",
    "open_about",
    "open_items",
    "resolve",
    "told",
]
