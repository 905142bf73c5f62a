"""Stamps: lots that orders issued, and serials bound to documents.

Promises this room keeps
  * Every stamp ever issued is in exactly one state: free, held, affixed or returned.
  * A serial is bound to one placement on one document permanently; a void serial is never used again.
  * Serials are unique by construction: each contains the time, a number leased to the process, and a counter.

SQL functions (sql/functions/) change the state of stamps, in the transactions of orders, stamping and refunds.  The room
calls ledger.
"""

from meterai.stamps.model import (
    Issuing,
    Lot,
    NotEnoughStamps,
    StampBalance,
    StampRecord,
    StampState,
    StampTold,
)
from meterai.stamps.service import (
    SerialService,
    available,
    balance,
    issuing,
    look_up,
    look_up_all,
    lot_and_issuing,
    lots,
    serials_of,
    set_issuing,
)
from meterai.stamps.store import enter_directory, serials_of_each, stamp, stamps_told, unused_lots

__all__ = [
    "Issuing",
    "Lot",
    "NotEnoughStamps",
    "SerialService",
    "StampBalance",
    "StampRecord",
    "StampState",
    "StampTold",
    "available",
    "balance",
    "enter_directory",
    "issuing",
    "look_up",
    "look_up_all",
    "lot_and_issuing",
    "lots",
    "serials_of",
    "serials_of_each",
    "set_issuing",
    "stamp",
    "stamps_told",
    "unused_lots",
]
