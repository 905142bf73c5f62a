"""Registration of the room documents."""

from collections.abc import Sequence

from meterai.commands import Command, DemandScope, Directory, Schema
from meterai.documents import store
from meterai.documents.audited import AUDITED
from meterai.documents.contents import DocumentContents
from meterai.documents.demands import UNDEMANDED
from meterai.documents.figures import PROMISES
from meterai.documents.invariants import INVARIANTS
from meterai.documents.metrics import METRICS
from meterai.documents.model import Hold, RestoredUnconfirmed
from meterai.documents.personal import PERSONAL
from meterai.documents.removal import Removal
from meterai.documents.retention import RETENTION
from meterai.documents.service import DocumentService
from meterai.documents.settings import DocumentSettings
from meterai.documents.timeline import Timeline
from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import Database
from meterai.plumbing.work.jobs import PeriodicTask
from meterai.room import Container, Room


async def _build(container: Container) -> None:
    settings = container.settings.of(DocumentSettings)
    database, objects, clock = container.database, container.objects, container.clock
    timeline = Timeline(database, objects, clock)
    removal = Removal(database, objects, timeline, clock)
    container.add(timeline)
    container.add(removal)
    contents = DocumentContents(database, objects, timeline, removal, settings)
    container.add(contents)
    container.add(DocumentService(database, contents, settings, clock))


async def _store_is_ours(container: Container) -> None:
    await container.of(Timeline).check_store()


async def _may_work(container: Container) -> None:
    await _store_is_ours(container)
    if container.of(Timeline).held is Hold.RESTORED:
        raise RestoredUnconfirmed("no operator has confirmed the restored database")


async def _after_restore(database: Database, _settings: Settings) -> None:
    await database.once(store.hold, Hold.RESTORED)


async def _deletion_held(container: Container) -> str | None:
    return container.of(Timeline).held


def _tasks(container: Container) -> Sequence[PeriodicTask]:
    documents, removal = container.of(DocumentService), container.of(Removal)
    return [
        PeriodicTask(
            "forget_documents",
            documents.forget_old,
            60.0,
            without_rows="one statement takes a batch and skips locked rows",
        ),
        PeriodicTask(
            "sweep_objects",
            removal.sweep,
            600.0,
            without_rows="one statement condemns the objects without a row in a part of the store",
        ),
        PeriodicTask("delete_condemned", removal.delete_condemned, 60.0),
    ]


COMMANDS = tuple(
    Command(
        f"objects {name}",
        f"meterai.documents.commands:{name}",
        Directory.NEEDED,
        DemandScope.DATABASE,
        Schema.CURRENT,
    )
    for name in ("show", "confirm", "adopt")
)

ROOM = Room(
    name="documents",
    words={"object_store_hold_is_known": [Hold]},
    tables=frozenset({"documents"}),
    global_tables={
        "object_store": "one row: the store of all originals",
        "condemned_objects": "names of objects in the store to which no row refers",
    },
    settings=DocumentSettings,
    build=_build,
    ready={"objects": _store_is_ours},
    warns={"deletion_held": _deletion_held},
    tasks=_tasks,
    before_work=_may_work,
    after_restore=_after_restore,
    undemanded=UNDEMANDED,
    commands=COMMANDS,
    command_groups={"objects": "The store of the originals."},
    metrics=METRICS,
    invariants=INVARIANTS,
    audited=AUDITED,
    retention=RETENTION,
    promises=PROMISES,
    personal=PERSONAL,
)
