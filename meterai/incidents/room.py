"""Registration of incidents."""

from collections.abc import Sequence
from pathlib import Path

from meterai.commands import Command, DemandScope, Directory, Schema
from meterai.incidents import pages, report_pages, routes, staff_pages, subscription_pages
from meterai.incidents.adapters.watchers import Watchers
from meterai.incidents.audited import AUDITED
from meterai.incidents.board import Board
from meterai.incidents.demands import DEMANDS, UNDEMANDED
from meterai.incidents.figures import FIGURES
from meterai.incidents.invariants import INVARIANTS
from meterai.incidents.jobs import HANDLERS
from meterai.incidents.knows import KNOWS, WORK
from meterai.incidents.levers import LEVERS
from meterai.incidents.model import INCIDENT, IncidentKind, IncidentState, Severity
from meterai.incidents.personal import PERSONAL
from meterai.incidents.report import Reports
from meterai.incidents.retention import RETENTION
from meterai.incidents.settings import IncidentSettings
from meterai.incidents.subscribing import PURPOSE, TELLING, Subscriptions
from meterai.incidents.watching import PLANNING, WATCHING, Watching
from meterai.kit.subjects import SubjectKind, SubjectSort
from meterai.pages import Site
from meterai.plumbing.http.described import FieldDescription
from meterai.plumbing.readings import Watcher, read_watchers
from meterai.plumbing.work.jobs import PeriodicTask
from meterai.room import Container, Room
from meterai.sealing import Issuers


def _known(file: str) -> Sequence[Watcher]:
    """Read the watchers from a file; no watchers if `file` is an empty text.  Refuses `WatchersWrong`."""
    return read_watchers(Path(file).read_text()) if file else ()


async def _build(container: Container) -> None:
    clock = container.clock
    settings, process = container.settings.of(IncidentSettings), container.settings.process
    known = _known(settings.watchers_file)
    board = Board(container.database, clock, known)
    container.add(board)
    watchers = Watchers(known, process.url)
    key = container.keyring.derived(PURPOSE)
    container.add(Subscriptions(container.database, key, settings, container.clock))
    container.add(Reports(container.database, container.of(Issuers), container.settings, clock))
    container.add(Watching(container.database, watchers, settings, container.clock))
    container.close_with(board.close)


def _tasks(container: Container) -> Sequence[PeriodicTask]:
    watching = container.of(Watching)
    tasks = [
        PeriodicTask(
            PLANNING,
            watching.plan,
            5.0,
            without_rows=(
                "maintenances are few and belong to no account; a failure to begin one is logged"
            ),
        ),
        PeriodicTask(
            TELLING,
            container.of(Subscriptions).tell,
            5.0,
            without_rows="one transaction takes a batch from a row that a worker has locked",
        ),
    ]
    if watching.has_watchers:
        tasks.append(
            PeriodicTask(
                WATCHING,
                watching.look,
                5.0,
                without_rows="asks the watchers, and stores their agreed state in one transaction",
            )
        )
    return tasks


def _shows(container: Container, site: Site) -> None:
    container.of(Board).show_on(site)


def _command(name: str, function: str) -> Command:
    place = f"meterai.incidents.commands:{function}"
    return Command(
        f"incidents {name}", place, Directory.DATABASE, DemandScope.DATABASE, Schema.CURRENT
    )


COMMANDS = (
    _command("list", "list_incidents"),
    _command("open", "open_incident"),
    _command("update", "update"),
    _command("announce", "announce"),
    _command("cancel", "cancel"),
    _command("resolve", "resolve"),
    _command("review", "review"),
)
FIELDS = {
    ("IncidentView", "kind"): FieldDescription(list(IncidentKind)),
    ("IncidentView", "state"): FieldDescription(list(IncidentState)),
    ("IncidentView", "severity"): FieldDescription(list(Severity)),
    ("UpdateView", "state"): FieldDescription(list(IncidentState)),
}
ROOM = Room(
    name="incidents",
    words={"incident_kind_is_known": [IncidentKind], "incident_severity_is_known": [Severity]},
    subjects=[SubjectSort(SubjectKind.INCIDENT, prefix="inc", page="/console/incidents")],
    global_tables={
        "incidents": "an incident concerns the whole installation",
        "incident_components": "an incident concerns the whole installation",
        "incident_updates": "an incident concerns the whole installation",
        "incident_watched": "the state of the whole installation, as agreed by the watchers",
        "incident_notes": "notes of staff at a watcher about the whole installation",
        "incident_subscribers": "a subscriber to mails about incidents needs no account",
        "incident_mailings": "an incident concerns the whole installation",
    },
    lifecycles=(INCIDENT,),
    settings=IncidentSettings,
    build=_build,
    services={"board": Board, "subscriptions": Subscriptions, "reports": Reports},
    shows=_shows,
    handlers=HANDLERS,
    tasks=_tasks,
    routes=(
        *routes.routes,
        *pages.routes,
        *report_pages.routes,
        *subscription_pages.routes,
        *staff_pages.routes,
    ),
    fields=FIELDS,
    pages=pages.PAGES,
    demands=DEMANDS,
    undemanded=UNDEMANDED,
    commands=COMMANDS,
    command_groups={"incidents": "Incidents, and their public updates."},
    levers=LEVERS,
    knows=KNOWS,
    work=WORK,
    invariants=INVARIANTS,
    figures=FIGURES,
    mails={
        "incident_subscribe": "{path}",
        "incident_told": "/status/incidents/{incident}",
    },
    audited=AUDITED,
    retention=RETENTION,
    personal=PERSONAL,
)
