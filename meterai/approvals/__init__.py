"""Approvals: levers of staff, some of which need two people.

Promises this room keeps
  * A lever needs a permission of the caller's role and is pulled in one transaction with its record in the audit
    trail.
  * A lever over a threshold, or one that always needs a second person, waits as a request.  Another person approves
    or declines it (constraint `approver_is_another`).
  * A request is executed once, in the transaction of its approval, and only if its forecast is unchanged: the
    approval is bound to its SHA-256.  Otherwise nothing is done, and the request is overtaken.
  * While an installation has no supervisor, the operator at its command line acts at once.

Calls accounts, trail.  Is called by every room with a lever, and by the console.
"""

from meterai.approvals.line import pull
from meterai.approvals.model import (
    Approval,
    ApprovalState,
    ForecastChanged,
    NotAsAsked,
)
from meterai.approvals.pulling import Pulled
from meterai.approvals.service import ApprovalService
from meterai.approvals.settings import ApprovalSettings
from meterai.approvals.telling import forecast_of, is_as_asked, refused, sentences

__all__ = [
    "Approval",
    "ApprovalService",
    "ApprovalSettings",
    "ApprovalState",
    "ForecastChanged",
    "NotAsAsked",
    "Pulled",
    "forecast_of",
    "is_as_asked",
    "pull",
    "refused",
    "sentences",
]
