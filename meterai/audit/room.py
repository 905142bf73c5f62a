"""The audit trail, as the applications see the room."""

from meterai.audit.audited import AUDITED
from meterai.audit.retention import RETENTION
from meterai.room import Room

ROOM = Room(
    name="audit",
    tables=frozenset({"audit_events", "audit_points"}),
    audited=AUDITED,
    retention=RETENTION,
)
