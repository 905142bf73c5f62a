"""Page of the recovery for staff: its steps, the current numbers, and the levers (staff actions) on it."""

from litestar import get
from litestar.di import NamedDependency

from meterai.accounts import Permission
from meterai.approvals import ApprovalService
from meterai.kit.priority import Priority
from meterai.kit.subjects import Subject
from meterai.pages import LinkPlace, Page, PageLink, PageRequest, RoomPages, ShownTo, page
from meterai.plumbing.http.callers import caller_of
from meterai.plumbing.http.language import language_of
from meterai.plumbing.messages import translate
from meterai.recovery.model import RECOVERY, RECOVERY_SUBJECT, STEPS, WAY
from meterai.recovery.rules import steady_seconds, verdict_of
from meterai.recovery.service import RecoveryService
from meterai.recovery.views import figures
from meterai.room.timelines import console_path

HERE = "/console/recovery"
PAGES = RoomPages(
    "recovery",
    "meterai.recovery",
    links=(
        PageLink(
            LinkPlace.DESK,
            46,
            HERE,
            "page.nav.recovery",
            ShownTo.STAFF,
            Permission.CONSOLE_INCIDENTS,
        ),
    ),
)


@get(
    HERE,
    opt={"permission": Permission.CONSOLE_INCIDENTS, "priority": Priority.PAID},
    include_in_schema=False,
)
async def show_recovery(
    request: PageRequest,
    recoveries: NamedDependency[RecoveryService],
    approvals: NamedDependency[ApprovalService],
) -> Page:
    """Show the current recovery, or the last one: its step, its gauges, and the possible actions."""
    status, language = await recoveries.status(), language_of(request)
    found = status.recovery
    is_under_way = found is not None and found.state in STEPS
    here = found.state if found is not None and is_under_way else None
    may = {one.name for one in approvals.permitted(caller_of(request))}
    # A link to a move names the step, because the worker may move the recovery before somebody follows the link.
    moves = {
        f"recover {event}": f"?step={state}" for at, event, state in RECOVERY.edges() if at == here
    }
    names = ("next", "back", "hold" if found and found.is_going else "go", "refund", "abandon")
    wanted = [f"recover {name}" for name in names] if here else ["recover start"]
    return page(
        request,
        "recovery/console.html",
        recovery=found,
        way=WAY,
        here=here,
        taken=status.taken,
        figures=figures(here, status.numbers, language) if here else [],
        verdict=verdict_of(here, status.numbers) if here else "",
        steady_seconds=steady_seconds(here, found.backs) if here and found else 0.0,
        at=status.at,
        levers=[
            (name.replace(" ", ".") + moves.get(name, ""), translate(f"lever.{name}", language))
            for name in wanted
            if name in may
        ],
        subject=console_path(Subject(RECOVERY_SUBJECT.kind, found.shown)) if found else "",
    )


routes = [show_recovery]
