"""Help: what people ask, answered for this platform, and how the service is now."""

from dataclasses import dataclass

from litestar import get
from litestar.di import NamedDependency

from meterai import notifications, orders, stamps
from meterai.accounts import Permission
from meterai.kit.priority import Priority
from meterai.kit.refusal import Refusal
from meterai.pages import Page, PageRequest, Remembered, page, visitor
from meterai.payments import PaymentService
from meterai.plumbing.db.database import Database
from meterai.plumbing.work import dead_jobs

# Questions of the rushes of 2023 and 2024, each with the page where its answer is seen.
QUESTIONS = {
    "paid_but_none": "/history",
    "interrupted": "/history",
    "paid_twice": "/history",
    "late": "/history",
    "refund": "/history",
    "refused_file": "/stamp",
    "which_file": "/history",
    "small_file": "/stamp",
    "rename": "/check",
    "sign_after": "/stamp",
    "paper_size": "/stamp",
    "printed": "/check",
    "resale": "/check",
    "no_code": "/sign-in",
}
MAIL_LATE_SECONDS = 60.0  # mails leave within seconds as a rule
WORK_LATE_SECONDS = (
    30.0  # what follows from an event is done within moments; a worker begins anew in less
)
STATE_KEPT_SECONDS = 5.0  # what is told may be as old as this


@dataclass(frozen=True, slots=True)
class ServiceState:
    """How the service is: of nobody, and of the last minutes."""

    database: bool
    bank: bool = False  # answers this process
    issuing: bool = False  # stamps are issued and affixed
    mail_waits_seconds: float = 0.0
    work_waits_seconds: float = 0.0  # what is due and nobody does: stamps and mails come of it
    pace: orders.ExecutionPace | None = None  # of no order: no figure

    @property
    def is_late(self) -> bool:
        """True where what was paid is done later than it should."""
        return self.work_waits_seconds >= WORK_LATE_SECONDS

    @property
    def mail(self) -> bool:
        """True where mails leave about when they should."""
        return self.mail_waits_seconds < MAIL_LATE_SECONDS and not self.is_late


async def _state(database: Database, payments: PaymentService) -> ServiceState:
    rails = payments.rails
    try:
        async with database.reading() as tx:
            pace = await orders.pace(tx)
            return ServiceState(
                database=True,
                bank=not rails.outgoing(rails.names()[0]).is_silent,
                issuing=(await stamps.issuing(tx)).is_open,
                mail_waits_seconds=await notifications.waited(tx),
                work_waits_seconds=(await dead_jobs.counts(tx)).late_seconds,
                pace=pace if pace.orders else None,
            )
    except Refusal:
        return ServiceState(database=False)


@get(
    "/help",
    opt={
        "permission": Permission.PUBLIC,
        "priority": Priority.NEW,
        "remembered": Remembered(STATE_KEPT_SECONDS),
    },
    include_in_schema=False,
)
async def show_help(
    request: PageRequest,
    database: NamedDependency[Database],
    payments: NamedDependency[PaymentService],
) -> Page:
    """The questions, and how the service is now."""
    await visitor(request)
    state = await _state(database, payments)
    return page(request, "portal/help.html", state=state, questions=QUESTIONS)


routes = [show_help]
