"""Cases: complaints, answered from recorded facts, else by staff.

Promises this room keeps
  * An answer from the facts states what the rooms below record about the order at that moment, what happens next,
    and when; a digest of these facts is stored.
  * Facts are shown to the owner of an order alone: a stranger does not even learn whether it exists.
  * Every case ends: by the person, by staff, by returned money, or by time when nobody writes.
  * Repeated complaints about the same matter of the same order join one case.

Calls orders, payments, refunds, stamping, stamps, suspense, notifications, accounts.
"""

from meterai.cases.model import Matter
from meterai.cases.service import CaseService
from meterai.cases.store import told_within

__all__ = ["CaseService", "Matter", "told_within"]
