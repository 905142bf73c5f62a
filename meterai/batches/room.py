"""Registration of the room `batches`."""

from collections.abc import Sequence

from meterai.batches import pages
from meterai.batches.audited import AUDITED
from meterai.batches.demands import DEMANDS, UNDEMANDED
from meterai.batches.intake import FileIntake
from meterai.batches.invariants import INVARIANTS
from meterai.batches.knows import KNOWS, WORK
from meterai.batches.metrics import METRICS
from meterai.batches.model import BATCH, BATCH_SUBJECT, ROW, BatchState, RowState
from meterai.batches.personal import PERSONAL
from meterai.batches.publishing import PUBLISHED
from meterai.batches.results import Results
from meterai.batches.retention import RETENTION
from meterai.batches.routes import routes
from meterai.batches.service import BatchService
from meterai.batches.settings import BatchSettings
from meterai.batches.store import WAIT_FOR_STAMPS
from meterai.batches.work import BatchWork
from meterai.commands import Command, DemandScope, Directory, Schema
from meterai.drafts import DraftService
from meterai.orders import OrderService
from meterai.plumbing.http.described import FieldDescription
from meterai.plumbing.work.jobs import PeriodicTask
from meterai.plumbing.work.worker_pool import WorkerPool
from meterai.room import Container, Room
from meterai.stamping import RowStamping, StampingService


async def _build(container: Container) -> None:
    database, settings, clock = container.database, container.settings, container.clock
    rows = container.of(RowStamping)
    services = (
        container.of(OrderService),
        container.of(StampingService),
        container.of(DraftService),
    )
    intake = FileIntake(database, rows, settings)
    batches = BatchService(database, services, intake, settings, clock)
    container.add(batches)
    container.add(Results(batches, clock))
    container.add(BatchWork(database, rows, settings))


def _tasks(container: Container) -> Sequence[PeriodicTask]:
    batches = container.of(BatchService)
    return [
        PeriodicTask("go_on_with_batches", batches.go_on, 1.0, WAIT_FOR_STAMPS),
        PeriodicTask("give_up_batches", batches.give_up, 600.0),
        PeriodicTask(
            "measure_batches",
            batches.measure,
            60.0,
            without_rows="counts the batches under way, for the metrics",
        ),
    ]


def _worker_pools(container: Container) -> Sequence[WorkerPool]:
    return [container.of(BatchWork).worker_pool()]


def _command(words: str, function: str) -> Command:
    place = f"meterai.batches.commands:{function}"
    return Command(words, place, Directory.DATABASE, DemandScope.DATABASE, Schema.CURRENT)


FIELDS = {
    ("BatchView", "state"): FieldDescription(list(BatchState)),
    ("RowView", "state"): FieldDescription(list(RowState)),
    ("FileView", "outcome"): FieldDescription(["added", "known", "refused"]),
}
ROOM = Room(
    name="batches",
    subjects=[BATCH_SUBJECT],
    tables=frozenset({"batches", "batch_files", "batch_rows", "batch_stampings"}),
    lifecycles=(BATCH, ROW),
    settings=BatchSettings,
    build=_build,
    services={"batches": BatchService, "results": Results},
    routes=(*routes, *pages.routes),
    examples={
        "batch_id": "bat_06f9k2...",
        "number": "1",
        "order": '{"payment_method": "qris"}',
    },
    pages=pages.PAGES,
    fields=FIELDS,
    commands=(
        _command("batches list", "list_batches"),
        _command("batches show", "show_batch"),
    ),
    command_groups={"batches": "Stamping many documents together."},
    published=PUBLISHED,
    tasks=_tasks,
    worker_pools=_worker_pools,
    demands=DEMANDS,
    undemanded=UNDEMANDED,
    knows=KNOWS,
    work=WORK,
    metrics=METRICS,
    invariants=INVARIANTS,
    audited=AUDITED,
    retention=RETENTION,
    personal=PERSONAL,
)
