"""Incidents: one record of a disturbance, shown as status, feed, banner, mails and report.

Promises this room keeps
  * Two incidents about the same component are never open at the same time: opening the second is refused, and the refusal
    names the first.
  * Every text exists in both languages, and no update of an incident is dated before an earlier update.
  * An incident is not resolved while a recovery from it is under way.
  * Everything public about an incident comes from its record, and does not name the staff who wrote it.

Calls trail, accounts.  Is called by recovery and outages.
"""

from meterai.incidents.model import (
    KIND,
    Incident,
    IncidentChange,
    IncidentFull,
    IncidentHeld,
    IncidentKind,
    IncidentOverlaps,
    IncidentState,
    IncidentText,
    IncidentUnknown,
    Severity,
    StatusUpdate,
)
from meterai.incidents.settings import IncidentSettings
from meterai.incidents.steps import (
    add_update,
    announce,
    hold,
    one,
    open_now,
    open_one,
    release,
    review,
    since,
    update,
)

__all__ = [
    "KIND",
    "Incident",
    "IncidentChange",
    "IncidentFull",
    "IncidentHeld",
    "IncidentKind",
    "IncidentOverlaps",
    "IncidentSettings",
    "IncidentState",
    "IncidentText",
    "IncidentUnknown",
    "Severity",
    "StatusUpdate",
    "add_update",
    "announce",
    "hold",
    "one",
    "open_now",
    "open_one",
    "release",
    "review",
    "since",
    "update",
]
