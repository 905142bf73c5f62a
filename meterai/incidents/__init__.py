"""Incidents: one record of a disturbance, shown as status, feed, banner, mails and report.

Promises this room keeps
  * Two incidents over one component are never open at once; the second is refused, and the first is named.
  * Nothing is said in one language alone, and the times of a record never go back.
  * An incident that a recovery holds is not resolved.
  * All that is public of an incident comes from its record; no reader gets the name of whoever wrote it.

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
