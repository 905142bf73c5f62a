"""What the room `audit` registers with the applications."""

from meterai.audit.audited import AUDITED
from meterai.audit.figures import PROMISES
from meterai.audit.knows import KNOWS
from meterai.audit.personal import PERSONAL
from meterai.audit.retention import RETENTION
from meterai.room import Room

ROOM = Room(
    name="audit",
    tables=frozenset({"audit_events", "audit_points", "bank_nights"}),
    knows=KNOWS,
    audited=AUDITED,
    retention=RETENTION,
    promises=PROMISES,
    personal=PERSONAL,
)
