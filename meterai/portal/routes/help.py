"""Help page: answers to common questions, and the current state of the service."""

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

# Questions that buyers asked in the rushes of 2023 and 2024, each with the page that shows its answer.
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
# Median wait from which mails count as late; they normally leave within seconds.
MAIL_LATE_SECONDS = 60.0
WORK_LATE_SECONDS = 30.0  # age from which a due job counts as late; a worker restarts in less time
STATE_KEPT_SECONDS = 5.0  # maximum age of the displayed state


@dataclass(frozen=True, slots=True)
class ServiceState:
    """State of the service in the last minutes, for the help page; without personal data."""

    database: bool
    bank: bool = False  # true if the bank answers calls of this process
    issuing: bool = False  # true if stamps are issued and affixed
    mail_waits_seconds: float = 0.0
    work_waits_seconds: float = 0.0  # age of the oldest due job, which delays stamps and mails
    pace: orders.ExecutionPace | None = None  # None if no order was executed lately

    @property
    def is_late(self) -> bool:
        """True if paid orders are processed late."""
        return self.work_waits_seconds >= WORK_LATE_SECONDS

    @property
    def mail(self) -> bool:
        """True if mails are sent in time: their median wait is below `MAIL_LATE_SECONDS`, and no jobs are late."""
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
    """Show answers to common questions, and the state of the service."""
    await visitor(request)
    state = await _state(database, payments)
    return page(request, "portal/help.html", state=state, questions=QUESTIONS)


routes = [show_help]
