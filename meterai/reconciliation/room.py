"""Registration of the room `reconciliation`."""

from collections.abc import Sequence

from meterai.commands import TIME, Command, DemandScope, Directory, Schema
from meterai.payments import PaymentService
from meterai.plumbing.work.jobs import PeriodicTask
from meterai.reconciliation.audited import AUDITED
from meterai.reconciliation.invariants import INVARIANTS
from meterai.reconciliation.levers import LEVERS
from meterai.reconciliation.metrics import METRICS
from meterai.reconciliation.model import DAY, BreakKind
from meterai.reconciliation.retention import RETENTION
from meterai.reconciliation.service import TASK, Reconciliation
from meterai.reconciliation.settings import ReconciliationSettings
from meterai.room import Container, Room

LOOK_SECONDS = 60.0  # a comparison begins at most a minute after its hour
HOUR_SECONDS = 3_600.0


async def _build(container: Container) -> None:
    paying, settings = container.of(PaymentService), container.settings
    container.add(
        Reconciliation(container.database, paying, container.objects, settings, container.clock)
    )


async def _said(container: Container) -> str | None:
    return await container.of(Reconciliation).said()


def _tasks(container: Container) -> Sequence[PeriodicTask]:
    service = container.of(Reconciliation)
    return [
        PeriodicTask(
            TASK,
            service.reconcile_due,
            LOOK_SECONDS,
            without_rows=(
                "days are few and belong to no account; one that cannot be compared is "
                "postponed and reported"
            ),
        ),
        PeriodicTask(
            "let_record_files_go",
            service.let_files_go,
            HOUR_SECONDS,
            without_rows=(
                "files are few and belong to no account; one that cannot be removed is tried again"
            ),
        ),
    ]


def _command(name: str, function: str, schema: Schema = Schema.CURRENT) -> Command:
    of = f"meterai.reconciliation.commands:{function}"
    return Command(f"breaks {name}", of, Directory.DATABASE, DemandScope.DATABASE, schema)


ROOM = Room(
    name="reconciliation",
    words={"suspense_reason_is_known": [BreakKind]},
    global_tables={
        "record_days": "the record of a provider concerns the whole installation",
        "record_lines": "the record of a provider concerns the whole installation",
        "record_files": "the record of a provider concerns the whole installation",
    },
    lifecycles=(DAY,),
    settings=ReconciliationSettings,
    undemanded={
        "reconciliation_files": (
            "a missing folder has no files, and rails with a history need none"
        ),
        "record_due_hour": TIME,
        **dict.fromkeys(
            ("provider_fees", "provider_vat_percent", "fee_tolerance_rupiah"),
            "a fee that was not agreed is a break, which staff see",
        ),
        "statement_names": "a line without a known name is a break, which staff see",
    },
    build=_build,
    warns={"bank": _said},
    tasks=_tasks,
    commands=(
        Command(
            "reconcile",
            "meterai.reconciliation.reconcile_command:reconcile",
            Directory.NEEDED,
            DemandScope.DATABASE,
            Schema.CURRENT,
        ),
        _command("show", "show_breaks"),
        _command("match", "match"),
        _command("apply", "apply"),
        _command("return", "give_back"),
        _command("fee", "fee"),
        _command("write-off", "write_off"),
        _command("dismiss", "dismiss"),
    ),
    command_groups={
        "breaks": "Differences between records and books, and money that is not yet matched."
    },
    levers=LEVERS,
    metrics=METRICS,
    invariants=INVARIANTS,
    audited=AUDITED,
    retention=RETENTION,
)
