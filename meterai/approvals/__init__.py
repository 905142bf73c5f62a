"""Approvals: execution of levers (staff actions with a forecast), some of which need two people.

Promises this room keeps
  * A lever needs a permission of the caller's role and is executed in one transaction with its record in the audit
    trail.
  * A pull (one use of a lever) waits as a request if its forecast reaches a threshold, or if the lever always needs
    a second person. Another person approves or declines the request (constraint `approver_is_another`).
  * A request is executed once, in the transaction of its approval, and only if its forecast is unchanged: the approval
    is bound to the SHA-256 of the forecast. If the forecast has changed, nothing is done, and the request ends as
    "overtaken".
  * While an installation has no supervisor, levers pulled at its command line are executed at once.

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
