"""Incidents: one record of a disturbance, shown as status, feed, banner, mails and report.

Promises this room keeps
  * Two incidents about one component are never open at once; the second is refused with the name of the first.
  * Every text exists in both languages, and the times of a record never go back.
  * An incident held by a recovery is not resolved.
  * Everything public about an incident comes from its record, without the name of its author.

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
