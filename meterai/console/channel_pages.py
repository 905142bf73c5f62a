"""Pages of sales channels: a comparison of all channels, and one distributor with its terms, sales and deposits."""

from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromPath

from meterai import distribution
from meterai.accounts import Permission
from meterai.approvals import ApprovalService
from meterai.console import channels
from meterai.console.levers import path_of_lever
from meterai.console.searching import Searching
from meterai.console.subject_pages import offered
from meterai.console.wording import happened
from meterai.console.work import WorkCounts
from meterai.kit.actor import Actor
from meterai.kit.ids import read, show
from meterai.kit.priority import Priority
from meterai.kit.refusal import NotFound
from meterai.kit.subjects import SubjectKind
from meterai.pages import Page, PageRequest, page
from meterai.plumbing.db.database import Database
from meterai.plumbing.http.callers import caller_of
from meterai.plumbing.http.language import language_of

HAPPENINGS_SHOWN = 40  # the newest events; the timeline of the account has all
# The levers offered here: a subset of those on an account, because the account already is a distributor.
_LEVERS = tuple(
    map(path_of_lever, ("distributors change", "distributors close", "deposits refund"))
)
_READING = {"permission": Permission.CONSOLE_READ, "priority": Priority.PAID}


@get("/console/channels", opt=_READING, include_in_schema=False)
async def show_channels(
    request: PageRequest, database: NamedDependency[Database], work: NamedDependency[WorkCounts]
) -> Page:
    """Show every sales channel, the failing ones first."""
    async with database.reading() as tx:
        found = await channels.channels(tx, work.now())
    return page(request, "console/channels.html", found=found)


@get("/console/channels/{shown:str}", opt=_READING, include_in_schema=False)
async def show_distributor(
    request: PageRequest,
    database: NamedDependency[Database],
    searching: NamedDependency[Searching],
    approvals: NamedDependency[ApprovalService],
    work: NamedDependency[WorkCounts],
    actor: NamedDependency[Actor],
    shown: FromPath[str],
) -> Page:
    """Show a distributor; the audit trail records that it was opened."""
    account = read("acc", shown)
    async with database.reading() as tx:
        found = await distribution.distributor_file(tx, account)
        if found is None:
            raise NotFound("no such distributor")
        every = (await channels.channels(tx, work.now())).channels
    known = await searching.opened(actor, SubjectKind.ACCOUNT, show("acc", account))
    language = language_of(request)
    newest = known.happenings[-HAPPENINGS_SHOWN:]
    return page(
        request,
        "console/distributor.html",
        one=next(one for one in every if one.account == account),
        file=found,
        lines=[happened(one, language) for one in reversed(newest)],
        levers=[
            (title, path)
            for title, path in offered(request, approvals, known)
            if path.startswith(_LEVERS)
        ],
        statement=_statement(request, show("acc", account)),
    )


def _statement(request: PageRequest, account: str) -> str:
    """Return the path of the distributor's statement of account; empty if the reader lacks the permission."""
    may = Permission.CONSOLE_FINANCE in caller_of(request).staff_permissions
    return f"/console/finance/statement?scope=account&of={account}" if may else ""


routes = [show_channels, show_distributor]
