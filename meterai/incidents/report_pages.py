"""The report of an incident, as a page and as a sealed PDF; staff see it before publication."""

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from meterai.accounts import Permission
from meterai.incidents.pages import number
from meterai.incidents.report import Reports, sections
from meterai.kit.priority import Priority
from meterai.pages import Page, PageRequest, known_caller, page, visitor
from meterai.plumbing.http.language import language_of
from meterai.plumbing.http.requests import saved_as

_OPTIONS = {"permission": Permission.PUBLIC, "priority": Priority.NEW}


def _for_staff(request: PageRequest) -> bool:
    caller = known_caller(request)
    return caller is not None and Permission.CONSOLE_INCIDENTS in caller.staff_permissions


@get("/status/incidents/{shown:str}/report", opt=_OPTIONS, include_in_schema=False)
async def show_report(
    request: PageRequest, reports: NamedDependency[Reports], shown: FromPath[str]
) -> Page:
    """Show the report of an incident."""
    await visitor(request)
    incident, found = await reports.of(number(shown), for_staff=_for_staff(request))
    return page(
        request,
        "incidents/report.html",
        incident=incident,
        sections=sections(incident, found, language_of(request)),
        is_public=incident.report is not None,
    )


@get("/status/incidents/{shown:str}/report.pdf", opt=_OPTIONS, include_in_schema=False)
async def download_report(
    request: PageRequest, reports: NamedDependency[Reports], shown: FromPath[str]
) -> Response[bytes]:
    """Download the report of an incident as a sealed PDF."""
    await visitor(request)
    incident, found = await reports.of(number(shown), for_staff=_for_staff(request))
    language = language_of(request)
    content = await reports.sealed(incident, found, language)
    return saved_as(f"laporan-{incident.shown}-{language}.pdf", content, "application/pdf")


routes = [show_report, download_report]
