"""Cases: complaints, answered from recorded facts, else by staff.

Promises this room keeps
  * An answer from the facts states the facts that the rooms below have recorded about the order at that moment, the
    next step, and its time; a digest of these facts is stored.
  * Facts are shown to the owner of an order alone: a stranger does not even learn whether the order exists.
  * Every case is closed: by the person who complained, by staff, when the money was returned, or after a time in which
    nobody wrote.
  * Repeated complaints about the same matter of the same order join one case.

Calls orders, payments, refunds, stamping, stamps, suspense, notifications, accounts.
"""

from meterai.cases.model import Matter
from meterai.cases.service import CaseService
from meterai.cases.store import told_within

__all__ = ["CaseService", "Matter", "told_within"]
