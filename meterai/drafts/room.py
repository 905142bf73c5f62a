"""Registration of the room drafts."""

from collections.abc import Sequence

from meterai.documents import DocumentContents, DocumentSettings, Removal, Timeline
from meterai.drafts import choose_pages, place_pages, routes
from meterai.drafts.audited import AUDITED
from meterai.drafts.demands import UNDEMANDED
from meterai.drafts.examination import DraftExamination
from meterai.drafts.forgetting import Forgetting
from meterai.drafts.invariants import INVARIANTS
from meterai.drafts.model import DRAFT_FILE
from meterai.drafts.objects import FileObjects
from meterai.drafts.personal import PERSONAL
from meterai.drafts.pictures import PagePictures
from meterai.drafts.placing import Placing
from meterai.drafts.retention import RETENTION
from meterai.drafts.service import DraftService
from meterai.drafts.settings import DraftSettings
from meterai.drafts.store import EXAMINATION_DUE, WANTED_CONTENTS
from meterai.drafts.uploads import Uploads
from meterai.pages import RoomPages
from meterai.plumbing.work.jobs import PeriodicTask
from meterai.room import Container, Room
from meterai.sealing import Issuers


async def _build(container: Container) -> None:
    database, objects = container.database, container.objects
    settings, clock = container.settings, container.clock
    bytes_max = settings.of(DocumentSettings).document_bytes_max
    examination = DraftExamination(container.of(Issuers), bytes_max, clock, container.stations)
    contents = container.of(DocumentContents)
    contents.add_owner("drafts", WANTED_CONTENTS)
    doors = container.of(Timeline), container.of(Removal)
    files = FileObjects(database, objects, *doors, contents)
    drafts = DraftService(database, files, contents, examination, settings, clock)
    pictures = PagePictures(drafts.loads, clock, container.stations)
    container.add(drafts)
    container.add(pictures)
    container.add(Placing(drafts, pictures))
    container.add(Uploads(database, files, contents, examination, settings, clock))
    container.add(Forgetting(database, files, clock))


def _tasks(container: Container) -> Sequence[PeriodicTask]:
    forgetting = container.of(Forgetting)
    return [
        PeriodicTask("examine_files", container.of(Uploads).examine_due, 0.5, EXAMINATION_DUE),
        PeriodicTask("forget_drafts", forgetting.forget_old, 60.0),
    ]


ROOM = Room(
    name="drafts",
    global_tables={
        "drafts": "a visitor who chooses files has no account yet",
        "draft_files": "a visitor who chooses files has no account yet",
    },
    lifecycles=(DRAFT_FILE,),
    settings=DraftSettings,
    build=_build,
    services={
        "drafts": DraftService,
        "uploads": Uploads,
        "pictures": PagePictures,
        "placing": Placing,
    },
    routes=(*choose_pages.routes, *place_pages.routes, *routes.routes),
    pages=RoomPages(
        "drafts",
        "meterai.drafts",
        listed={"/stamp": "page.choose.about"},
        unlisted={"/stamp/(place|files|uploads).*": "files that one person chose"},
    ),
    tasks=_tasks,
    undemanded=UNDEMANDED,
    invariants=INVARIANTS,
    audited=AUDITED,
    retention=RETENTION,
    personal=PERSONAL,
)
