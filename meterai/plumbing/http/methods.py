"""Answers to OPTIONS, and to a method that a path does not have: both list the path's methods (RFC 9110, section
10.2.1).

HEAD is GET without the body: the front (`plumbing/http/front.py`) passes it on as GET.
"""

from litestar import Litestar
from litestar.exceptions import MethodNotAllowedException, NotFoundException
from litestar.serialization import encode_json
from litestar.types import HTTPScope
from litestar.utils import normalize_path

from meterai.plumbing.http.language import language_for
from meterai.plumbing.http.problems import MESSAGE_OF_STATUS, PROBLEM, problem

Header = tuple[bytes, bytes]
_REFUSED = 405


def allowed(app: Litestar, path: str) -> str:
    """Return the methods of a path of the application, in the form of the header `Allow`."""
    found = {"OPTIONS"}
    for method in ("DELETE", "GET", "PATCH", "POST", "PUT"):  # all methods that our routes use
        try:
            app.asgi_router.handle_routing(path=normalize_path(path), method=method)
        except (MethodNotAllowedException, NotFoundException):
            continue
        found |= {method, "HEAD"} if method == "GET" else {method}
    return ", ".join(sorted(found))


def with_allow(app: Litestar, scope: HTTPScope, status: int, headers: list[Header]) -> list[Header]:
    """Return the headers of an answer of the application, with `Allow` added to OPTIONS and to a refused method.

    The framework omits HEAD in the answer to OPTIONS, and omits `Allow` with a refusal.
    """
    if scope["method"] != "OPTIONS" and status != _REFUSED:
        return headers
    others = [one for one in headers if one[0].lower() != b"allow"]
    return [*others, (b"allow", allowed(app, scope["path"]).encode())]


def of_step(scope: HTTPScope, methods: bytes) -> tuple[int, bytes, list[Header]]:
    """Return (status, body, headers) of the answer to OPTIONS, or to a method that the path does not have.

    It is for a path that is served by a step before the application; `methods` are the methods of this path, in the form of
    `Allow`.
    """
    headers = [(b"cache-control", b"private, no-store"), (b"allow", methods)]
    if scope["method"] == "OPTIONS":
        return 204, b"", headers
    code, language = MESSAGE_OF_STATUS[_REFUSED], language_for(scope)
    body = encode_json(problem(code, _REFUSED, language, {}))
    return _REFUSED, body, [(b"content-type", PROBLEM.encode()), *headers]
