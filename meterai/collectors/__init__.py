"""Collectors: organizations that stamp now and pay the duty by month (pemungut bea meterai).

Promises of this room
  * A collector draws within its limit of the month, and no two orders take the same rupiah of it.
  * A draw that the limit or an open deposit forbids waits and is shown as waiting. A new month or a deposit lets it be
    taken, the oldest draw first; a draw that is still waiting ends with its order.
  * The debt of a collector is exactly what it drew, less returns, less confirmed deposits.
  * Each document of a collector states the facts that the law demands, or is refused with the name of the missing fact.
  * The list of a month contains exactly the stampings of the month, and the documents that could not be stamped.

Calls regulator, stamping, orders, payments, accounts, ledger, notifications.
"""

from meterai.collectors.service import CollectorService

__all__ = ["CollectorService"]
