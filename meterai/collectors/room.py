"""Registration of the room `collectors`."""

from collections.abc import Sequence

from meterai.collectors.audited import AUDITED
from meterai.collectors.demands import UNDEMANDED
from meterai.collectors.invariants import INVARIANTS, MAIL_CAUSES, POSTINGS
from meterai.collectors.knows import KNOWS, WORK
from meterai.collectors.levers import LEVERS
from meterai.collectors.lists import MonthLists
from meterai.collectors.metrics import METRICS
from meterai.collectors.model import (
    COLLECTOR,
    DEPOSIT,
    DRAW,
    CollectorState,
    DepositState,
    MonthStanding,
)
from meterai.collectors.pages import PAGE_ROUTES, PAGES
from meterai.collectors.personal import PERSONAL
from meterai.collectors.rail import CREDIT_RAIL
from meterai.collectors.retention import RETENTION
from meterai.collectors.routes import routes
from meterai.collectors.service import CollectorService
from meterai.collectors.settings import CollectorSettings
from meterai.collectors.store import REMINDING, TAKING
from meterai.commands import Command, DemandScope, Directory, Schema
from meterai.plumbing.http.described import FieldDescription
from meterai.plumbing.work.jobs import PeriodicTask
from meterai.room import Container, Room
from meterai.stamping import DOCUMENT_TYPES, IDENTITY_KINDS


async def _build(container: Container) -> None:
    settings, clock = container.settings, container.clock
    collectors = CollectorService(container.database, settings, clock)
    container.add(collectors)
    container.add(MonthLists(container.database, collectors, container.keyring, settings, clock))


def _tasks(container: Container) -> Sequence[PeriodicTask]:
    collectors = container.of(CollectorService)
    return [
        PeriodicTask(TAKING, collectors.take_waiting, 5.0),
        PeriodicTask(REMINDING, collectors.remind, 60.0),
    ]


def _command(words: str, function: str) -> Command:
    place = f"meterai.collectors.commands:{function}"
    return Command(words, place, Directory.DATABASE, DemandScope.DATABASE, Schema.CURRENT)


def _feed() -> Command:
    place = "meterai.collectors.commands:write_feed"
    return Command("collectors feed", place, Directory.NEEDED, DemandScope.DATABASE, Schema.CURRENT)


COMMANDS = (
    _command("collectors list", "list_collectors"),
    _command("collectors approve", "approve"),
    _command("collectors change", "change"),
    _command("collectors close", "close"),
    _command("collectors confirm", "confirm"),
    _feed(),
)
FIELDS = {
    ("CollectorView", "state"): FieldDescription(list(CollectorState)),
    ("CollectorView", "stopped_by"): FieldDescription(["limit", "deposit"]),
    ("CollectorMonth", "state"): FieldDescription(list(MonthStanding)),
    ("ListedDocument", "annex"): FieldDescription(["II", "III"]),
    ("ListedDocument", "type"): FieldDescription(list(DOCUMENT_TYPES)),
    ("ListedDocument", "identity"): FieldDescription(list(IDENTITY_KINDS)),
    ("DepositTold", "rupiah"): FieldDescription(least=1),
    ("CollectorDepositView", "state"): FieldDescription(list(DepositState)),
}
ROOM = Room(
    name="collectors",
    rails=[CREDIT_RAIL],
    tables=frozenset(
        {
            "collectors",
            "collector_terms",
            "collector_months",
            "collector_deposits",
            "collector_reports",
            "collector_reminders",
            "credit_draws",
            "credit_returns",
            "unstamped_documents",
        }
    ),
    lifecycles=(COLLECTOR, DRAW, DEPOSIT),
    settings=CollectorSettings,
    build=_build,
    services={"collectors": CollectorService, "collector_lists": MonthLists},
    routes=[*routes, *PAGE_ROUTES],
    examples={
        "month": "2026-11",
        "ntpn": "0123456789ABCDEF",
        "paid_on": "2026-12-10",
        "receipt": "BPE-0123456789",
        "reported_on": "2026-12-18",
        "happened_at": "2026-11-30T09:00:00+07:00",
        "reason": "sistem tidak menjawab",
    },
    pages=PAGES,
    fields=FIELDS,
    tasks=_tasks,
    undemanded=UNDEMANDED,
    commands=COMMANDS,
    command_groups={
        "collectors": ("Collectors, who stamp now and pay the duty to the state by month.")
    },
    knows=KNOWS,
    work=WORK,
    levers=LEVERS,
    metrics=METRICS,
    invariants=INVARIANTS,
    mails={
        "collector_deposit": "/collector",
        "collector_report": "/collector",
    },
    mail_causes=MAIL_CAUSES,
    postings=POSTINGS,
    audited=AUDITED,
    retention=RETENTION,
    personal=PERSONAL,
)
