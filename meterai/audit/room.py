"""What the room `audit` registers with the applications."""

from meterai.audit.audited import AUDITED
from meterai.audit.retention import RETENTION
from meterai.room import Room

ROOM = Room(
    name="audit",
    tables=frozenset({"audit_events", "audit_points"}),
    audited=AUDITED,
    retention=RETENTION,
)
