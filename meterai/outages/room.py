"""Registration of outages."""

from collections.abc import Sequence
from functools import partial

from meterai.commands import Command, DemandScope, Directory, Schema
from meterai.kit.components import PublicAct
from meterai.outages import pages, staff_pages
from meterai.outages.audited import AUDITED
from meterai.outages.demands import UNDEMANDED
from meterai.outages.figures import FIGURES
from meterai.outages.invariants import INVARIANTS, as_derived
from meterai.outages.knows import KNOWS, WORK
from meterai.outages.levers import LEVERS
from meterai.outages.model import OUTAGE, OUTAGE_SUBJECT, OutageState
from meterai.outages.record import signer_of
from meterai.outages.retention import RETENTION
from meterai.outages.routes import routes
from meterai.outages.service import OutageService
from meterai.outages.settings import OutageSettings, watchers_of
from meterai.outages.store import SEALING
from meterai.plumbing.http.described import FieldDescription
from meterai.plumbing.work.jobs import PeriodicTask
from meterai.room import Container, Room
from meterai.sealing import Issuers

SEALING_LOOK_SECONDS = 5.0  # between two runs of the sealing task; staff wait for it


async def _build(container: Container) -> None:
    container.add(
        OutageService(
            container.database,
            partial(watchers_of, container.settings),
            signer_of(container.keyring),
            container.of(Issuers),
            container.settings,
            container.clock,
        )
    )


def _tasks(container: Container) -> Sequence[PeriodicTask]:
    service = container.of(OutageService)
    return [PeriodicTask(SEALING, service.seal_confirmed, SEALING_LOOK_SECONDS)]


def _command(name: str, function: str) -> Command:
    place = f"meterai.outages.commands:{function}"
    return Command(name, place, Directory.DATABASE, DemandScope.DATABASE, Schema.CURRENT)


COMMANDS = (
    _command("outage propose", "propose"),
    _command("outage confirm", "confirm"),
    _command("outage withdraw", "withdraw"),
    _command("outage list", "list_outages"),
    Command(
        "outage verify",
        "meterai.outages.commands:verify",
        Directory.SETTINGS,
        DemandScope.NOTHING,
        Schema.NONE,
    ),
)
FIELDS = {
    ("OutageView", "state"): FieldDescription([OutageState.CONFIRMED, OutageState.REPLACED]),
    ("FoundView", "act"): FieldDescription(list(PublicAct)),
    ("PeriodView", "failed_minutes"): FieldDescription(least=1),
    ("PeriodView", "unmeasured_minutes"): FieldDescription(least=0),
}
ROOM = Room(
    name="outages",
    subjects=[OUTAGE_SUBJECT],
    global_tables={
        "outages": "the system failed for everybody; no personal data",
        "outage_files": "files of outage records",
    },
    lifecycles=(OUTAGE,),
    settings=OutageSettings,
    build=_build,
    services={"outages": OutageService},
    routes=(*routes, *pages.routes, *staff_pages.routes),
    fields=FIELDS,
    examples={
        "outage_id": "out_06f9k2...",
    },
    pages=pages.PAGES,
    tasks=_tasks,
    undemanded=UNDEMANDED,
    knows=KNOWS,
    work=WORK,
    invariants=INVARIANTS,
    checks=(as_derived,),
    audited=AUDITED,
    retention=RETENTION,
    commands=COMMANDS,
    command_groups={"outage": "Signed records of the times when the system counted as failed."},
    levers=LEVERS,
    figures=FIGURES,
)
