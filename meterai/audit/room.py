"""What the room `audit` registers with the applications."""

from meterai.audit.audited import AUDITED
from meterai.audit.figures import PROMISES
from meterai.audit.knows import KNOWS
from meterai.audit.metrics import METRICS
from meterai.audit.personal import PERSONAL
from meterai.audit.retention import RETENTION
from meterai.audit.service import Nights
from meterai.room import Container, Room


async def _build(container: Container) -> None:
    container.add(Nights(container.database))


ROOM = Room(
    name="audit",
    tables=frozenset({"audit_events", "audit_points", "bank_nights"}),
    build=_build,
    knows=KNOWS,
    metrics=METRICS,
    audited=AUDITED,
    retention=RETENTION,
    promises=PROMISES,
    personal=PERSONAL,
)
