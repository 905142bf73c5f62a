"""Audit: checks every invariant of every room, and keeps the chain of clean audits.

Promises this room keeps
  * An audit without findings is recorded as an audit point in a chain; no point is ever changed.
  * A point covers everything that happened before its time; later audits compare the rows of that time with the point.
  * The platform audits itself automatically: there is a point from the first day on, and a new point each night.

Runs the invariants that the rooms registered (`Registered`). Calls lower rooms for checks that are not queries:
seals, objects, and the record of the bank.
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
