"""API routes of complaints."""

from typing import Any
from uuid import UUID

import msgspec
from litestar import Request, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from meterai.accounts import Permission
from meterai.cases.model import CASE_KIND, Complaint, Matter, written
from meterai.cases.service import CaseService
from meterai.cases.views import CaseDetails, CaseView, details, shown
from meterai.kit.actor import Actor
from meterai.kit.ids import read
from meterai.kit.paging import PAGE_MAX, ListPage
from meterai.kit.priority import Priority
from meterai.kit.refusal import Malformed
from meterai.plumbing.config import Settings
from meterai.plumbing.http.callers import account_of
from meterai.plumbing.http.described import Described
from meterai.plumbing.http.language import language_of
from meterai.plumbing.http.queries import Before, Limit
from meterai.plumbing.http.requests import idempotency_key, network_of


class CaseRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A complaint: its matter, your words, and the number of the order, stamping or stamp it is about."""

    matter: str
    words: str
    about: str = ""


class CaseList(msgspec.Struct, frozen=True):
    """Complaints, newest first.  `next` is the value of `before` for the next page; null on the last page."""

    cases: list[CaseView]
    next: str | None


def matter_of(text: str) -> Matter:
    """Parse the name of a matter.  Refuses `Malformed` if no matter has this name."""
    try:
        return Matter(text)
    except ValueError:
        raise Malformed("matter", "another_value") from None


@post(
    "/v1/cases",
    opt={
        "permission": Permission.CASE_MAKE,
        "priority": Priority.PAID,
        "described": Described(needs_key=True),
    },
    summary="Make a complaint",
    tags=["cases"],
)
async def complain(
    request: Request[Any, Any, Any],
    cases: NamedDependency[CaseService],
    settings: NamedDependency[Settings],
    account: NamedDependency[UUID],
    actor: NamedDependency[Actor],
    data: JSONBody[CaseRequest],
) -> CaseDetails:
    """Complain about an order or a stamp; the response contains the answer if our records have it.

    Needs an Idempotency-Key.  A complaint about the same matter of the same order joins your earlier one until that is
    closed.
    """
    language = language_of(request)
    complaint = Complaint(
        matter_of(data.matter),
        written(data.words),
        language,
        data.about[:100],
        key=idempotency_key(request),
    )
    cases.take_turn(network_of(request, settings.process.proxies), str(account))
    case = await cases.complain(account, complaint, actor=actor)
    return details(await cases.told(case), language)


@get(
    "/v1/cases",
    opt={"permission": Permission.CASE_READ, "priority": Priority.PAID},
    summary="Your complaints",
    tags=["cases"],
)
async def list_cases(
    request: Request[Any, Any, Any],
    cases: NamedDependency[CaseService],
    limit: Limit = PAGE_MAX,
    before: Before = None,
) -> CaseList:
    """A page of your complaints, newest first."""
    page = ListPage(limit, read(CASE_KIND, before)) if before else ListPage(limit)
    found, is_more = await cases.page(account_of(request), page)
    views = [shown(one, language_of(request)) for one in found]
    return CaseList(views, views[-1].id if is_more else None)


@get(
    "/v1/cases/{case_id:str}",
    opt={"permission": Permission.CASE_READ, "priority": Priority.PAID},
    summary="One complaint",
    tags=["cases"],
)
async def show_case(
    request: Request[Any, Any, Any],
    cases: NamedDependency[CaseService],
    case_id: FromPath[str],
) -> CaseDetails:
    """One complaint with its answer, its messages, and the timeline of its order or stamping."""
    case = await cases.mine(account_of(request), read(CASE_KIND, case_id))
    return details(await cases.told(case), language_of(request))


routes = [complain, list_cases, show_case]
