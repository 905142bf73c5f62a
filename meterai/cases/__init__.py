"""Cases: complaints, answered from recorded facts, else by staff.

Promises this room keeps
  * An answer from the facts says only what the rooms below say of that order at that moment, what happens next, and
    when; it keeps a digest of these facts.
  * Facts are shown to the owner of an order alone: a stranger learns nothing, not even whether it exists.
  * Every case ends: by the person, by staff, by money that is back, or by itself when nobody writes any more.
  * The same matter of the same order is one case, however often and by how many it is told.

Calls orders, payments, refunds, stamping, stamps, suspense, notifications, accounts.
"""

from meterai.cases.model import Matter
from meterai.cases.service import CaseService
from meterai.cases.store import told_within

__all__ = ["CaseService", "Matter", "told_within"]
