"""Pages with the documentation of the API, rendered from its OpenAPI description."""

from weakref import WeakKeyDictionary

from litestar import Litestar, get
from litestar.di import NamedDependency

from meterai.accounts import Permission
from meterai.kit.priority import Priority
from meterai.pages import Page, PageRequest, page, visitor
from meterai.plumbing.config import Settings
from meterai.portal import reference

_OPERATIONS: WeakKeyDictionary[object, list[reference.Operation]] = WeakKeyDictionary()


async def _operations(app: Litestar, url: str) -> list[reference.Operation]:
    description = app.state.description
    if description not in _OPERATIONS:
        told = await description.ready()
        _OPERATIONS[description] = reference.operations(told, url, app.state.examples)
    return _OPERATIONS[description]


@get(
    "/docs",
    opt={"permission": Permission.PUBLIC, "priority": Priority.NEW},
    include_in_schema=False,
)
async def show_docs(request: PageRequest, settings: NamedDependency[Settings]) -> Page:
    """Show every operation of the API, with an example."""
    await visitor(request)
    url = settings.process.url
    return page(
        request, "portal/docs.html", operations=await _operations(request.app, url), url=url
    )


@get(
    "/docs/problems",
    opt={"permission": Permission.PUBLIC, "priority": Priority.NEW},
    include_in_schema=False,
)
async def show_problems(request: PageRequest) -> Page:
    """Show every refusal code, and every code for what a malformed field should contain; the `type` of a problem response links
    to this page.
    """
    await visitor(request)
    return page(
        request,
        "portal/problems.html",
        problems=reference.problems(),
        expected=reference.expectations(),
    )


@get(
    "/docs/try",
    opt={"permission": Permission.PUBLIC, "priority": Priority.NEW},
    include_in_schema=False,
)
async def show_try(request: PageRequest) -> Page:
    """Show the page on which readers send requests with their own API key; only in a sandbox."""
    await visitor(request)
    return page(request, "portal/try.html")


routes = [show_docs, show_problems, show_try]
