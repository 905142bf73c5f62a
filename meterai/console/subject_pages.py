"""Page of a subject: its timeline, and the levers (staff actions) offered on it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromPath

from meterai.accounts import Permission
from meterai.approvals import ApprovalService
from meterai.console.levers import path_of_lever
from meterai.console.searching import Known, Searching
from meterai.console.wording import happened, named, title
from meterai.kit.actor import Actor
from meterai.kit.ids import read
from meterai.kit.numbers import counted
from meterai.kit.priority import Priority
from meterai.kit.refusal import NotFound
from meterai.kit.subjects import Subject, SubjectKind
from meterai.orders import OrderService, OrderView
from meterai.pages import Page, PageRequest, page
from meterai.plumbing.http.callers import caller_of
from meterai.plumbing.http.language import language_of
from meterai.regulator import OF_SERIAL

HAPPENINGS_SHOWN_MAX = 200  # lines of a timeline per page, some 40 KB


@dataclass(frozen=True, slots=True)
class _Part:
    """One page of a timeline; pages are numbered from 1."""

    number: int
    last: int
    begins: int

    @classmethod
    def of(cls, asked: str, count: int) -> "_Part":
        last = max(1, -(-count // HAPPENINGS_SHOWN_MAX))
        number = min(max(counted(asked) or 1, 1), last)
        return cls(number, last, (number - 1) * HAPPENINGS_SHOWN_MAX)


@get(
    "/console/subjects/{kind:str}/{shown:str}",
    opt={"permission": Permission.CONSOLE_READ, "priority": Priority.PAID},
    include_in_schema=False,
)
async def show_subject(
    request: PageRequest,
    searching: NamedDependency[Searching],
    orders: NamedDependency[OrderService],
    approvals: NamedDependency[ApprovalService],
    actor: NamedDependency[Actor],
    kind: FromPath[str],
    shown: FromPath[str],
) -> Page:
    """Show a page of the timeline of a subject, the oldest events first."""
    known = await searching.opened(actor, kind, shown)
    language, count = language_of(request), len(known.happenings)
    part = _Part.of(request.query_params.get("page", ""), count)
    lines = known.happenings[part.begins : part.begins + HAPPENINGS_SHOWN_MAX]
    return page(
        request,
        "console/subject.html",
        name=named(known.subject, language),
        subject=known.subject,
        order=await _order(orders, known.subject),
        lines=[happened(one, language) for one in lines],
        count=count,
        part=part,
        levers=list(offered(request, approvals, known)),
        evidence=_evidence(request, known.subject),
    )


def _evidence(request: PageRequest, subject: Subject) -> str:
    """Return the path of the evidence of a serial; empty if the subject is no serial, or the reader lacks the
    permission.
    """
    may = Permission.CONSOLE_STATEMENTS in caller_of(request).staff_permissions
    is_serial = subject.kind == SubjectKind.SERIAL
    return f"{OF_SERIAL}/{subject.shown}" if may and is_serial else ""


async def _order(orders: OrderService, subject: Subject) -> OrderView | None:
    """Return the order that is the subject, with its payment and the sums of its money; None if the subject is no order."""
    if subject.kind != SubjectKind.ORDER or subject.account is None:
        return None
    try:
        return await orders.view(subject.account, read("ord", subject.shown))
    except NotFound:
        return None


def offered(
    request: PageRequest, approvals: ApprovalService, known: Known
) -> Iterator[tuple[str, str]]:
    """Yield label and path of the form of each lever that is offered on the subject and that the reader may pull."""
    caller, language = caller_of(request), language_of(request)
    told = {one.word for one in known.happenings}
    for one in approvals.offered(caller, known.subject, told):
        yield title("lever", one.lever.name, language), _filled(one.lever.name, one.arguments)


def _filled(lever: str, arguments: Mapping[str, str]) -> str:
    there = path_of_lever(lever)
    return f"{there}?{urlencode(arguments)}" if arguments else there


routes = [show_subject]
