"""Registration of the room `suspense`."""

from collections.abc import Sequence

from meterai.kit.subjects import SubjectKind, SubjectSort
from meterai.plumbing.work.jobs import PeriodicTask
from meterai.room import Container, Room
from meterai.suspense.audited import AUDITED
from meterai.suspense.invariants import INVARIANTS, POSTINGS
from meterai.suspense.knows import KNOWS, WORK
from meterai.suspense.metrics import METRICS
from meterai.suspense.model import SUSPENSE, Resolution
from meterai.suspense.personal import PERSONAL
from meterai.suspense.retention import RETENTION
from meterai.suspense.service import SuspenseService


async def _build(container: Container) -> None:
    container.add(SuspenseService(container.database))


def _tasks(container: Container) -> Sequence[PeriodicTask]:
    return [
        PeriodicTask(
            "watch_suspense",
            container.of(SuspenseService).watch,
            10.0,
            without_rows="counts the open items, for the metrics",
        )
    ]


ROOM = Room(
    name="suspense",
    words={"suspense_resolution_is_known": [Resolution]},
    subjects=[SubjectSort(SubjectKind.SUSPENSE, prefix="sus")],
    global_tables={
        "suspense_items": (
            "messages of a provider that match nothing yet, before their account is known"
        )
    },
    lifecycles=(SUSPENSE,),
    build=_build,
    tasks=_tasks,
    knows=KNOWS,
    work=WORK,
    metrics=METRICS,
    invariants=INVARIANTS,
    audited=AUDITED,
    postings=POSTINGS,
    retention=RETENTION,
    personal=PERSONAL,
)
