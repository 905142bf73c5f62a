"""Registration of the room `trail`: everything that it offers to the applications, as a `Room`."""

from meterai.room import Room
from meterai.trail.audited import AUDITED
from meterai.trail.knows import KNOWS
from meterai.trail.personal import PERSONAL
from meterai.trail.retention import RETENTION

ROOM = Room(
    name="trail",
    tables=frozenset({"audit_events"}),
    knows=KNOWS,
    audited=AUDITED,
    retention=RETENTION,
    personal=PERSONAL,
)
