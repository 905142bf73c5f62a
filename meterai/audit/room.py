"""Registration of the room `audit`: everything that it offers to the applications, as a `Room`."""

from meterai.audit import store
from meterai.audit.audited import AUDITED
from meterai.audit.daily import tasks
from meterai.audit.figures import PROMISES
from meterai.audit.metrics import METRICS
from meterai.audit.retention import RETENTION
from meterai.commands import Command, DemandScope, Directory, Schema
from meterai.room import Container, Room


async def _said(container: Container) -> str | None:
    """Return a line for `/readyz` with the number of invariants that the last automatic audit found broken; None if all hold.
    Names are left out because `/readyz` is public.
    """
    found = await container.database.once(store.audit_state)
    return f"{len(found.broken)} promises broken" if found.broken else None


ROOM = Room(
    name="audit",
    global_tables={
        "audit_points": "the chain of clean audits: each audit covers the whole installation",
        "audit_turn": "the state of the platform's own audits: each covers the whole installation",
        "bank_nights": "each night compares the whole installation with the bank",
    },
    tasks=tasks,
    commands=(
        Command(
            "audit",
            "meterai.audit.commands:audit",
            Directory.DATABASE,
            DemandScope.DATABASE,
            Schema.CURRENT,
        ),
    ),
    audited=AUDITED,
    retention=RETENTION,
    warns={"audit": _said},
    metrics=METRICS,
    promises=PROMISES,
)
