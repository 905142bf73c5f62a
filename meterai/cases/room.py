"""What the room `cases` registers with the applications."""

from collections.abc import Sequence

from meterai.cases import pages, staff_pages
from meterai.cases.audited import AUDITED
from meterai.cases.demands import DEMANDS, UNDEMANDED
from meterai.cases.gathering import Gathering
from meterai.cases.invariants import INVARIANTS
from meterai.cases.jobs import HANDLERS
from meterai.cases.knowing import KNOWS, WORK
from meterai.cases.model import CASE, CaseState, Matter, Outcome
from meterai.cases.retention import RETENTION
from meterai.cases.routes import routes
from meterai.cases.service import CLOSING, CaseService
from meterai.cases.settings import CaseSettings
from meterai.orders import OrderService
from meterai.payments import BuyerQuestions
from meterai.plumbing.described import Field
from meterai.plumbing.jobs import PeriodicTask
from meterai.room import Container, Room


async def _build(container: Container) -> None:
    gathering = Gathering(
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


def _tasks(container: Container) -> Sequence[PeriodicTask]:
    return [PeriodicTask(CLOSING, container.of(CaseService).close_silent, 60.0)]


FIELDS = {
    ("CaseView", "state"): Field(list(CaseState)),
    ("CaseView", "matter"): Field(list(Matter)),
    ("CaseView", "outcome"): Field(list(Outcome)),
    ("CaseView", "times_told"): Field(least=1),
    ("CaseRequest", "matter"): Field(list(Matter)),
}
ROOM = Room(
    name="cases",
    tables=frozenset({"cases", "case_messages", "case_pictures"}),
    lifecycles=(CASE,),
    settings=CaseSettings,
    build=_build,
    services={"cases": CaseService},
    routes=(*routes, *pages.routes, *staff_pages.routes),
    fields=FIELDS,
    pages=pages.PAGES,
    handlers=HANDLERS,
    tasks=_tasks,
    demands=DEMANDS,
    undemanded=UNDEMANDED,
    knows=KNOWS,
    work=WORK,
    invariants=INVARIANTS,
    audited=AUDITED,
    retention=RETENTION,
)
