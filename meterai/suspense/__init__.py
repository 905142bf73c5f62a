"""Suspense: signed news of providers that cannot be booked to an order yet, and its money.

Promises this room keeps
  * News is kept unchanged, with a reason, an age, a due time and an owner, until its item is resolved;
    repeated news is the same item.
  * Money that was certainly received is in the book `suspense` exactly as long as its item is open.
  * An item for news that a payment was given back is resolved when that money has left the books of its order.
  * An overdue refund is an item until the refund ends; a person cannot resolve that item.

The room calls ledger, trail.
"""

from meterai.suspense.knows import items_of, told
from meterai.suspense.model import (
    AGE_BUCKETS,
    Break,
    Item,
    ItemUnknown,
    MoneyBooked,
    OpenBreak,
    PaymentContested,
    ProviderNews,
    RecordItem,
    Resolution,
    SuspenseState,
)
from meterai.suspense.service import (
    SuspenseService,
    book,
    check_resolves,
    end,
    ended,
    explain,
    explained,
    given_back,
    keep,
    keep_break,
    load,
    look,
    open_about,
    open_items,
    resolve,
)
from meterai.suspense.store import evidence, open_breaks, open_by_reason, questions, sum_of_ended

__all__ = [
    "AGE_BUCKETS",
    "Break",
    "Item",
    "ItemUnknown",
    "MoneyBooked",
    "OpenBreak",
    "PaymentContested",
    "ProviderNews",
    "RecordItem",
    "Resolution",
    "SuspenseService",
    "SuspenseState",
    "book",
    "check_resolves",
    "end",
    "ended",
    "evidence",
    "explain",
    "explained",
    "given_back",
    "items_of",
    "keep",
    "keep_break",
    "load",
    "look",
    "open_about",
    "open_breaks",
    "open_by_reason",
    "open_items",
    "questions",
    "resolve",
    "sum_of_ended",
    "told",
]
