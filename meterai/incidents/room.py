"""Registration of the room `incidents` with the applications."""

from meterai.incidents.audited import AUDITED
from meterai.incidents.invariants import INVARIANTS
from meterai.incidents.model import INCIDENT
from meterai.incidents.retention import RETENTION
from meterai.room import Room

TABLES = (
    "incidents",
    "incident_components",
    "incident_updates",
    "incident_watched",
    "incident_subscribers",
)
ROOM = Room(
    name="incidents",
    tables=frozenset(TABLES),
    lifecycles=(INCIDENT,),
    invariants=INVARIANTS,
    audited=AUDITED,
    retention=RETENTION,
)
