"""Collectors: organizations that stamp now and pay the duty by month (pemungut bea meterai).

Promises this room keeps
  * A collector draws within its limit of the month, and no two orders take the same rupiah of it.
  * What it may not draw now waits, visibly, and is carried out by itself once the month or a deposit allows it, the
    oldest first, or ends with its order.
  * What it owes is what it drew, less what came back, less what was confirmed to be deposited: no more, no less.
  * Each document of a collector says what the law asks of it, or is refused by the name of what is missing.
  * The list of a month is the stampings of the month, and those that could not be made.

Calls regulator, stamping, orders, payments, accounts, ledger, notifications.
"""

from meterai.collectors.service import CollectorService

__all__ = ["CollectorService"]
