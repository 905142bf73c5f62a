"""What the room `documents` registers with the applications."""

from collections.abc import Sequence

from meterai.commands import Command, Directory, Schema, Scope
from meterai.documents.audited import AUDITED
from meterai.documents.demands import UNDEMANDED
from meterai.documents.invariants import INVARIANTS
from meterai.documents.retention import RETENTION
from meterai.documents.service import DocumentService
from meterai.documents.settings import DocumentSettings
from meterai.plumbing.jobs import PeriodicTask
from meterai.room import Container, Room


async def _build(container: Container) -> None:
    settings = container.settings.of(DocumentSettings)
    container.add(DocumentService(container.database, container.objects, settings, container.clock))


async def _store_is_ours(container: Container) -> None:
    await container.of(DocumentService).check_store()


def _tasks(container: Container) -> Sequence[PeriodicTask]:
    documents = container.of(DocumentService)
    return [
        PeriodicTask("forget_documents", documents.forget_old, 60.0),
        PeriodicTask("sweep_objects", documents.delete_orphans, 600.0),
    ]


COMMANDS = (
    Command(
        "objects adopt",
        "meterai.documents.commands:adopt",
        Directory.NEEDED,
        Scope.DATABASE,
        Schema.CURRENT,
    ),
)

ROOM = Room(
    name="documents",
    tables=frozenset({"documents", "object_store"}),
    settings=DocumentSettings,
    build=_build,
    ready={"objects": _store_is_ours},
    tasks=_tasks,
    before_work=_store_is_ours,
    undemanded=UNDEMANDED,
    commands=COMMANDS,
    command_groups={"objects": "Where the originals lie."},
    invariants=INVARIANTS,
    audited=AUDITED,
    retention=RETENTION,
)
