"""Registration of the room `privacy`: everything that it offers to the applications, as a `Room`."""

from collections.abc import Sequence

from meterai.commands import Command, DemandScope, Directory, Schema
from meterai.documents import Removal, Timeline
from meterai.plumbing.work.jobs import PeriodicTask
from meterai.privacy import pages, staff_pages, store
from meterai.privacy.audited import AUDITED
from meterai.privacy.breaches import Telling
from meterai.privacy.demands import UNDEMANDED
from meterai.privacy.figures import FIGURES
from meterai.privacy.invariants import INVARIANTS, MAIL_CAUSES
from meterai.privacy.knows import KNOWS, WORK
from meterai.privacy.levers import LEVERS
from meterai.privacy.model import (
    BREACH,
    BREACH_SUBJECT,
    COPY,
    ERASURE,
    CopyState,
    ErasureState,
    PrivacyRequestKind,
)
from meterai.privacy.personal import PERSONAL
from meterai.privacy.processing import Processing
from meterai.privacy.retention import RETENTION
from meterai.privacy.service import PrivacyService
from meterai.privacy.settings import PrivacySettings
from meterai.privacy.staff_pages import Letters
from meterai.room import Container, Room
from meterai.sealing import Issuers


async def _build(container: Container) -> None:
    offers = container.offers
    container.add(
        PrivacyService(
            container.database,
            offers.personal,
            container.objects,
            (container.of(Timeline), container.of(Removal)),
            container.settings,
            container.clock,
        )
    )
    container.add(Telling(container.database, container.clock))
    container.add(Processing(offers.personal, offers.retention))
    container.add(Letters(container.of(Issuers), container.settings, container.clock))


def _tasks(container: Container) -> Sequence[PeriodicTask]:
    service = container.of(PrivacyService)
    return [
        PeriodicTask(store.COPIES, service.make_copies, 10.0),
        PeriodicTask(store.LETTING_GO, service.let_copies_go, 600.0),
        PeriodicTask(store.ERASURES, service.carry_out_erasures, 30.0),
        PeriodicTask(store.TELLING, container.of(Telling).tell_subjects, 5.0),
    ]


COMMANDS = (
    Command(
        "privacy export",
        "meterai.privacy.commands:export",
        Directory.NEEDED,
        DemandScope.DATABASE,
        Schema.CURRENT,
    ),
    *(
        Command(
            f"breaches {name}",
            f"meterai.privacy.commands:{name}_breach",
            Directory.DATABASE,
            DemandScope.DATABASE,
            Schema.CURRENT,
        )
        for name in ("open", "tell", "close")
    ),
)

ROOM = Room(
    name="privacy",
    words={"privacy_request_state_is_known": [CopyState, ErasureState, PrivacyRequestKind]},
    subjects=[BREACH_SUBJECT],
    tables=frozenset({"privacy_requests"}),
    global_tables={"breaches": "a breach concerns many accounts, or all"},
    lifecycles=(COPY, ERASURE, BREACH),
    settings=PrivacySettings,
    build=_build,
    services={"privacy": PrivacyService, "processing": Processing, "letters": Letters},
    routes=(*pages.routes, *staff_pages.routes),
    pages=pages.PAGES,
    tasks=_tasks,
    undemanded=UNDEMANDED,
    commands=COMMANDS,
    command_groups={
        "privacy": "The personal data of one account.",
        "breaches": "The register of breaches of personal data.",
    },
    levers=LEVERS,
    knows=KNOWS,
    work=WORK,
    figures=FIGURES,
    invariants=INVARIANTS,
    mails={
        "erasure_asked": "/privacy/mine",
        "erasure_withdrawn": "/privacy/mine",
        "copy_made": "/privacy/mine",
        "breach_told": "",
        "account_erased": "",
    },
    mail_causes=MAIL_CAUSES,
    audited=AUDITED,
    retention=RETENTION,
    personal=PERSONAL,
)
