"""Pages with the texts of the operator, and security.txt, its contact for reports of vulnerabilities."""

from litestar import Response, get
from litestar.di import NamedDependency

from meterai.accounts import Permission
from meterai.kit.clock import SystemClock
from meterai.kit.priority import Priority
from meterai.operator.model import Paper, security_text
from meterai.operator.service import OperatorTexts
from meterai.operator.settings import OperatorSettings
from meterai.pages import Page, PageRequest, Remembered, RoomPages, page, see_other, visitor
from meterai.plumbing.config import Settings

REMEMBERED_SECONDS = 60.0
# Time for which caches keep security.txt, after which a corrected contact is visible.
SECURITY_SECONDS = 3_600


_PAPER = {
    "permission": Permission.PUBLIC,
    "priority": Priority.CHECKING,
    "remembered": Remembered(REMEMBERED_SECONDS),
}


async def _shown(request: PageRequest, papers: OperatorTexts, paper: Paper) -> Page:
    if (there := papers.link(paper)) is not None:
        return see_other(there)
    await visitor(request)
    return page(request, "operator/paper.html", paper=paper, blocks=papers.text(paper))


@get(
    "/terms",
    opt=_PAPER,
    include_in_schema=False,
)
async def show_terms(request: PageRequest, papers: NamedDependency[OperatorTexts]) -> Page:
    """Show the terms of the operator, or redirect to them."""
    return await _shown(request, papers, Paper.TERMS)


@get(
    "/privacy",
    opt=_PAPER,
    include_in_schema=False,
)
async def show_privacy(request: PageRequest, papers: NamedDependency[OperatorTexts]) -> Page:
    """Show the privacy statement of the operator, or redirect to it."""
    return await _shown(request, papers, Paper.PRIVACY)


@get(
    "/.well-known/security.txt",
    opt={
        "permission": Permission.PUBLIC,
        "priority": Priority.CHECKOUT,
        "remembered": Remembered(SECURITY_SECONDS),
    },
    include_in_schema=False,
)
async def show_security(settings: NamedDependency[Settings]) -> Response[str]:
    """Return security.txt: the contact for reports of vulnerabilities (RFC 9116)."""
    process = settings.process
    text = security_text(
        settings.of(OperatorSettings),
        process.url,
        SystemClock().now(),
        is_specimen=not process.is_production,
    )
    return Response(
        text,
        media_type="text/plain",
        headers={"Cache-Control": f"public, max-age={SECURITY_SECONDS}"},
    )


routes = [show_terms, show_privacy, show_security]
PAGES = RoomPages(
    "operator",
    "meterai.operator",
    listed={"/terms": "page.terms.about", "/privacy": "page.privacy.about"},
    foot="operator/foot.html",
)
