"""Refusals and faults as pages for browsers."""

from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlencode

from litestar import Response
from litestar.exceptions import MethodNotAllowedException

from meterai.kit.refusal import ProofRequired, Refusal, SignInRequired
from meterai.pages.kept import SCOPE, KeptForm, set_kept
from meterai.pages.model import SHUT, local_path, wants_page
from meterai.pages.rendering import (
    PageRequest,
    Site,
    has_page,
    nearest_page,
    page,
    page_above,
    see_other,
    sentence,
)
from meterai.plumbing.config import Settings
from meterai.plumbing.http.callers import service
from meterai.plumbing.http.language import language_of
from meterai.plumbing.http.requests import is_safe

Wrong = TypeVar("Wrong", bound=Exception)


def _proof_page(site: Site, wrong: Exception) -> str | None:
    """Return the path of the page that the refusal requires: for signing in, or for proving a recent sign-in; None for other
    refusals.
    """
    match wrong:
        case SignInRequired():
            return site.sign_in
        case ProofRequired():
            return site.prove
        case _:
            return None


def page_or_problem(
    handler: Callable[[PageRequest, Wrong], Response[Any]],
) -> Callable[[PageRequest, Wrong], Response[Any]]:
    """Wrap an exception handler, so that browsers get a page, and programs the problem+json of the handler."""

    def answer(request: PageRequest, wrong: Wrong) -> Response[Any]:
        # For a console page outside its networks the scope has a path without a route.  The error page is made for the
        # requested path; afterwards the scope has the other path again.
        routed, shut = request.scope["path"], request.scope.get(SHUT)
        request.scope["path"] = shut if isinstance(shut, str) else routed
        said = told(request, wrong)
        request.scope["path"] = routed
        kept = request.scope.get(SCOPE)
        if isinstance(kept, KeptForm):
            set_kept(said, service(request, Settings).process, kept.text())
        return said

    def told(request: PageRequest, wrong: Wrong) -> Response[Any]:
        path = request.scope["path"]
        if not wants_page(path, request.headers.get("accept", "")):
            return handler(request, wrong)
        if isinstance(wrong, MethodNotAllowedException) and is_safe(request):
            # The browser shows a refused form under the path to which it was sent, and may open that path again by GET.
            above = local_path(page_above(request))
            if above != "/":
                return see_other(above)
        there = nearest_page(request)
        proves = _proof_page(service(request, Site), wrong)
        if proves is not None:
            return see_other(f"{proves}?{urlencode({'next': there})}")
        problem = handler(request, wrong)
        shown = page(
            request,
            "refused.html",
            status=problem.status_code or 500,
            problem=problem.content,
            text=sentence(wrong, language_of(request)) if isinstance(wrong, Refusal) else "",
            again=there if has_page(request, there.partition("?")[0]) else None,
            is_looking=request.method == "GET",
            seconds=problem.headers.get("Retry-After"),
        )
        shown.headers.update(problem.headers)
        return shown

    return answer
