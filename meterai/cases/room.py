"""Registration of cases."""

from collections.abc import Sequence

from meterai.cases import pages, proof_pages, staff_pages
from meterai.cases.audited import AUDITED
from meterai.cases.demands import DEMANDS, UNDEMANDED
from meterai.cases.figures import FIGURES
from meterai.cases.gathering import CaseFacts
from meterai.cases.invariants import INVARIANTS, MAIL_CAUSES
from meterai.cases.jobs import HANDLERS
from meterai.cases.knows import KNOWS, WORK
from meterai.cases.model import (
    CASE,
    CASE_SUBJECT,
    Author,
    CaseOutcome,
    CaseState,
    Matter,
    MessageKind,
)
from meterai.cases.personal import PERSONAL
from meterai.cases.proof import signer_of
from meterai.cases.proof_pages import Proofs
from meterai.cases.retention import RETENTION
from meterai.cases.routes import routes
from meterai.cases.service import CLOSING, CaseService
from meterai.cases.settings import CaseSettings
from meterai.commands import Command, DemandScope, Directory, Schema
from meterai.orders import OrderService
from meterai.payments import BuyerQuestions
from meterai.plumbing.http.described import FieldDescription
from meterai.plumbing.work.jobs import PeriodicTask
from meterai.room import Container, Room
from meterai.sealing import Issuers


async def _build(container: Container) -> None:
    gathering = CaseFacts(
        container.database,
        container.of(OrderService),
        container.of(BuyerQuestions),
        container.clock,
    )
    container.add(
        CaseService(
            container.database, gathering, container.offers, container.settings, container.clock
        )
    )
    signer, issuers = signer_of(container.keyring), container.of(Issuers)
    container.add(Proofs(signer, issuers, container.settings, container.clock))


def _tasks(container: Container) -> Sequence[PeriodicTask]:
    return [PeriodicTask(CLOSING, container.of(CaseService).close_silent, 60.0)]


COMMANDS = (
    Command(
        "cases hand-over",
        "meterai.cases.commands:hand_over",
        Directory.DATABASE,
        DemandScope.DATABASE,
        Schema.CURRENT,
    ),
    Command(
        "cases check-answer",
        "meterai.cases.commands:check_answer",
        Directory.SETTINGS,
        DemandScope.NOTHING,
        Schema.NONE,
    ),
)
FIELDS = {
    ("CaseView", "state"): FieldDescription(list(CaseState)),
    ("CaseView", "matter"): FieldDescription(list(Matter)),
    ("CaseView", "outcome"): FieldDescription(list(CaseOutcome)),
    ("CaseView", "times_told"): FieldDescription(least=1),
    ("CaseDetails", "state"): FieldDescription(list(CaseState)),
    ("CaseDetails", "matter"): FieldDescription(list(Matter)),
    ("CaseDetails", "outcome"): FieldDescription(list(CaseOutcome)),
    ("CaseDetails", "times_told"): FieldDescription(least=1),
    ("MessageView", "author"): FieldDescription(list(Author)),
    ("MessageView", "kind"): FieldDescription(list(MessageKind)),
    ("CaseRequest", "matter"): FieldDescription(list(Matter)),
}
ROOM = Room(
    name="cases",
    subjects=[CASE_SUBJECT],
    tables=frozenset({"cases", "case_messages", "case_pictures"}),
    lifecycles=(CASE,),
    settings=CaseSettings,
    build=_build,
    services={"cases": CaseService, "proofs": Proofs},
    routes=(*routes, *pages.routes, *proof_pages.routes, *staff_pages.routes),
    fields=FIELDS,
    examples={
        "case_id": "cas_06f9k2...",
        "matter": "paid_not_executed",
        "words": "Saldo terpotong, kuota 0.",
        "about": "ord_06f9k2...",
    },
    pages=pages.PAGES,
    handlers=HANDLERS,
    tasks=_tasks,
    demands=DEMANDS,
    undemanded=UNDEMANDED,
    knows=KNOWS,
    work=WORK,
    invariants=INVARIANTS,
    mails={
        "case_received": "/complaints/{case}",
        "case_answered_from_facts": "/complaints/{case}",
        "case_answered": "/complaints/{case}",
        "case_asked": "/complaints/{case}",
        "case_closed": "/complaints/{case}",
    },
    mail_causes=MAIL_CAUSES,
    audited=AUDITED,
    retention=RETENTION,
    personal=PERSONAL,
    commands=COMMANDS,
    command_groups={"cases": "Complaints of people."},
    figures=FIGURES,
)
