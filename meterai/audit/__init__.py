"""Audit: every invariant of every room, and the chain of clean audits.

Promises this room keeps
  * A point of the chain covers everything that happened before its time, and is never changed.
  * The platform audits itself: one point each night, without a person.
"""

from meterai.audit.model import CleanAudit, Standing
from meterai.audit.service import show
from meterai.audit.store import audits_after, end_turn, standing, take_turn

__all__ = [
    "CleanAudit",
    "Standing",
    "audits_after",
    "end_turn",
    "show",
    "standing",
    "take_turn",
]
