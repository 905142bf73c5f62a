"""Regulator: statements of duty, daily extracts to recompute them from, evidence of a serial.

Promises of this room
  * A statement equals the books: each figure is a sum of their entries by reason and book (docs/regulator.md).
  * The extract of a day is made once, after the day is over in WIB, and never changed; it names the one before it.
  * A closed month stays unchanged: later entries belong to the month in which they are posted.
  * No extract and no evidence names a person, an account or an address; no extract names an order.
  * Reading changes nothing.

Calls ledger, stamping, stamps, sealing, audit, trail, approvals.
"""

from meterai.regulator.extracts import signer_of
from meterai.regulator.model import OF_SERIAL

__all__ = ["OF_SERIAL", "signer_of"]
