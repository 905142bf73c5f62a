"""Registration of the room stamping."""

from collections.abc import Iterable, Sequence

from meterai.commands import Command, DemandScope, Directory
from meterai.documents import DocumentService
from meterai.kit.clock import SystemClock
from meterai.kit.subjects import SubjectKind, SubjectSort
from meterai.orders import OrderService
from meterai.plumbing.config import Settings
from meterai.plumbing.http.described import FieldDescription
from meterai.plumbing.keyring import Keyring
from meterai.plumbing.work.jobs import PeriodicTask
from meterai.plumbing.work.leases import Lease
from meterai.room import Container, Room
from meterai.sealing import Issuers
from meterai.stamping.audited import AUDITED
from meterai.stamping.demands import DEMANDS, UNDEMANDED
from meterai.stamping.figures import FIGURES, PROMISES
from meterai.stamping.invariants import INVARIANTS, MAIL_CAUSES, POSTINGS
from meterai.stamping.issuers import ends_soon, issuers_of
from meterai.stamping.jobs import HANDLERS, PUBLISHED
from meterai.stamping.keys import keys
from meterai.stamping.knows import KNOWS, WORK
from meterai.stamping.metrics import METRICS
from meterai.stamping.model import STAMPING, StampingState
from meterai.stamping.personal import PERSONAL
from meterai.stamping.retention import RETENTION
from meterai.stamping.routes import routes
from meterai.stamping.service import StampingService, sealing_seconds
from meterai.stamping.service.reorder import ReorderService
from meterai.stamping.service.rows import RowStamping
from meterai.stamping.settings import StampingSettings
from meterai.stamping.store import RESUMPTION_DUE
from meterai.stamps import SerialService


async def _build(container: Container) -> None:
    settings, clock = container.settings, container.clock
    issuers = issuers_of(settings, clock, may_make=True)
    container.add(issuers)
    services = (
        container.of(DocumentService),
        container.of(OrderService),
        container.of(SerialService),
    )
    container.add(StampingService(container.database, services, issuers, settings, clock))
    container.add(
        RowStamping(
            container.database,
            container.of(DocumentService),
            container.of(SerialService),
            issuers,
            settings,
            clock,
        )
    )
    placing = container.of(OrderService)
    kept = container.of(DocumentService)
    container.add(ReorderService(container.database, placing, kept, settings, clock))


def _needs(settings: Settings, _keyring: Keyring) -> None:
    issuers_of(settings, SystemClock(), may_make=True)


def _leases(container: Container) -> Iterable[Lease]:
    settings = container.settings.of(StampingSettings)
    long_term = container.of(Issuers).current.long_term_validation
    covered = 0.0 if long_term is None else long_term.seconds_max
    yield Lease("stampings", sealing_seconds(settings.seal_lease_seconds), covered)


async def _can_seal(container: Container) -> None:
    container.of(Issuers).current.check_usable(container.clock.now())


async def _keys_end(container: Container) -> str | None:
    end = ends_soon(container.of(Issuers).current, container.clock.now())
    return end.isoformat() if end else None


def _tasks(container: Container) -> Sequence[PeriodicTask]:
    stampings = container.of(StampingService)
    return [PeriodicTask("resume_stampings", stampings.resume, 0.1, RESUMPTION_DUE)]


COMMANDS = (
    Command(
        "seal",
        "meterai.stamping.commands:seal",
        Directory.NEEDED,
        DemandScope.NEVER,
        elsewhere="issuer",
    ),
    Command(
        "issuer show",
        "meterai.stamping.commands:show_issuers",
        Directory.NEEDED,
        DemandScope.NOTHING,
        elsewhere="issuer",
    ),
    Command(
        "issuer appoint",
        "meterai.stamping.commands:appoint_issuer",
        Directory.NEEDED,
        DemandScope.NOTHING,
        elsewhere="issuer",
    ),
)

FIELDS = {
    ("StampingView", "state"): FieldDescription(list(StampingState)),
}
_FACTS = (
    '{"type": "4a", "number": "INV-1", "date": "2026-11-30", "value": 7500000, '
    '"party": {"name": "PT Contoh", "identity": "NPWP", "number": "0123456789012345"}}'
)
ROOM = Room(
    name="stamping",
    subjects=[SubjectSort(SubjectKind.STAMPING, prefix="stg")],
    tables=frozenset(
        {
            "stampings",
            "stamping_keys",
            "stamping_labels",
            "stamping_facts",
            "facts_demanded",
            "deltas",
        }
    ),
    lifecycles=(STAMPING,),
    settings=StampingSettings,
    needs=_needs,
    keys=keys,
    build=_build,
    ready={"keys": _can_seal},
    warns={"keys_end": _keys_end},
    services={"stamping": StampingService, "reorders": ReorderService},
    examples={
        "stamping_id": "stg_06f9k2...",
        "facts": _FACTS,
        "/v1/orders/documents facts": f"[{_FACTS}]",
        "placement": '{"page": -1, "x": 450, "y": 40, "width": 70}',
        "placements": '{"page": -1, "x": 450, "y": 40, "width": 70}',
    },
    routes=routes,
    fields=FIELDS,
    leases=_leases,
    handlers=HANDLERS,
    published=PUBLISHED,
    tasks=_tasks,
    demands=DEMANDS,
    undemanded=UNDEMANDED,
    commands=COMMANDS,
    knows=KNOWS,
    work=WORK,
    command_groups={"issuer": "The issuer that seals."},
    metrics=METRICS,
    invariants=INVARIANTS,
    mails={
        "order_executed_stamps": "/orders/{order}",
        "order_executed_documents": "/orders/{order}",
        "order_executed_deposit": "/orders/{order}",
        "stamping_delivered": "/stampings/{stamping}",
        "stamping_failed": "/history",
    },
    mail_causes=MAIL_CAUSES,
    audited=AUDITED,
    postings=POSTINGS,
    retention=RETENTION,
    personal=PERSONAL,
    figures=FIGURES,
    promises=PROMISES,
)
