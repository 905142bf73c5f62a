"""Regulator: monthly statements of duty, daily extracts from which they can be recomputed, evidence of a serial.

Promises of this room
  * A statement matches the books: each figure is a sum of entries by reason and book (docs/regulator.md).
  * The extract of a day is made once, after the day is over in WIB, and never changed. It contains the hash of the
    extract of the day before.
  * The figures of a closed month do not change: later entries belong to the month in which they are posted.
  * No extract and no evidence names a person, an account or an address; no extract names an order.
  * Reading a statement, an extract or evidence changes nothing.

Calls ledger, stamping, stamps, sealing, audit, trail, approvals.
"""

from meterai.regulator.extracts import signer_of
from meterai.regulator.model import OF_SERIAL

__all__ = ["OF_SERIAL", "signer_of"]
