"""Audit: every invariant of every room, and the chain of clean audits.

Promises this room keeps
  * An audit without findings is recorded as a point of the chain; no point is ever changed.
  * A point covers everything that happened before its time; later audits compare the past with it.
  * The platform audits itself: a point from the first day on, and one each night.

Runs the invariants that the rooms registered (`Registered`), and knows none itself.  Calls the rooms below for checks
that are no query: seals, objects, and the record of the bank.
"""

from meterai.audit.auditor import Audit, Auditor, invariants_of
from meterai.audit.commands import audit
from meterai.audit.model import AuditState, CleanAudit
from meterai.audit.report import AuditReport, AuditRequest, audit_all
from meterai.audit.store import audit_state, audits_after

__all__ = [
    "Audit",
    "AuditReport",
    "AuditRequest",
    "AuditState",
    "Auditor",
    "CleanAudit",
    "audit",
    "audit_all",
    "audit_state",
    "audits_after",
    "invariants_of",
]
