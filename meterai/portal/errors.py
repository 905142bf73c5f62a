"""Refusals and faults as pages, for those who came with a browser."""

from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlencode

from litestar import Response

from meterai.accounts import SignInRequired
from meterai.portal.pages import PageRequest, page, see_other

Wrong = TypeVar("Wrong", bound=Exception)
_FOR_MACHINES = ("/v1", "/snap", "/openapi.json", "/openapi", "/metrics", "/healthz", "/readyz")


def wants_page(path: str, accept: str) -> bool:
    """True for a browser on a page; machines get problem+json."""
    is_for_machines = any(path == one or path.startswith(f"{one}/") for one in _FOR_MACHINES)
    return "text/html" in accept and not is_for_machines


def comes_back_to(method: str, path: str, query: str) -> str:
    """Where to go after signing in: the same page, or that of the form that was sent."""
    if method == "GET":
        return f"{path}?{query}" if query else path
    # /orders/{id}/withdraw is a command and cannot be looked at; its order can.
    parts = path.rstrip("/").split("/")
    return "/".join(parts[:3]) or "/"


def page_or_problem(
    handler: Callable[[PageRequest, Wrong], Response[Any]],
) -> Callable[[PageRequest, Wrong], Response[Any]]:
    """An exception handler that answers browsers with a page that says the same."""

    def answer(request: PageRequest, wrong: Wrong) -> Response[Any]:
        path = request.scope["path"]
        if not wants_page(path, request.headers.get("accept", "")):
            return handler(request, wrong)
        if isinstance(wrong, SignInRequired):
            there = comes_back_to(
                request.method, path, request.scope["query_string"].decode("latin-1")
            )
            return see_other(f"/sign-in?{urlencode({'next': there})}")
        told = handler(request, wrong)
        shown = page(request, "refused.html", status=told.status_code or 500, problem=told.content)
        shown.headers.update(told.headers)
        return shown

    return answer
