"""Collectors: organizations that stamp now and pay the duty by month (pemungut bea meterai).

Promises of this room
  * A collector draws (orders on credit) within its monthly limit, and no two orders use the same rupiah of the limit.
  * If the limit or an unpaid deposit does not allow a draw, it waits and is shown as waiting. When a new month begins or
    a deposit is confirmed, waiting draws are taken, the oldest first. A waiting draw ends when its order ends.
  * The debt of a collector is exactly what it drew, less what its orders gave back, less confirmed deposits.
  * Each document of a collector states the facts that the law demands, or is refused with the name of the missing fact.
  * The list of a month contains exactly the stampings of the month, and the documents that could not be stamped.

Calls regulator, stamping, orders, payments, accounts, ledger, notifications.
"""

from meterai.collectors.service import CollectorService

__all__ = ["CollectorService"]
