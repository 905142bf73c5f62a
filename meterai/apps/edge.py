"""Every request and every answer, before the application and after it: limits, counts, headers,
bodies.

Stands before the application, not inside it, so that it sees what the router refuses too.
"""

import time
from collections.abc import Iterable, Mapping
from urllib.parse import quote_from_bytes

from litestar import Litestar
from litestar.enums import ScopeType
from litestar.serialization import encode_json
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

from meterai.kit.refusal import Refusal
from meterai.pages import content_security_policy, wants_page
from meterai.plumbing import telemetry
from meterai.plumbing.compression import header
from meterai.plumbing.http import PROBLEM, allowed, end_body, problem
from meterai.plumbing.incoming import Incoming

HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"content-security-policy", content_security_policy().encode()),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
PERMISSIONS_POLICY = b"permissions-policy"
# What a page may ask a browser for: nothing.  A page that needs something says so itself.
NOTHING_PERMITTED = (
    PERMISSIONS_POLICY,
    b"accelerometer=(), autoplay=(), browsing-topics=(), camera=(), display-capture=(), "
    b"fullscreen=(), geolocation=(), gyroscope=(), hid=(), magnetometer=(), microphone=(), midi=(), "
    b"payment=(), serial=(), usb=(), xr-spatial-tracking=()",
)
# RFC 6797; two years, the least that browsers' own lists accept is one.
TLS_ONLY = (b"strict-transport-security", b"max-age=63072000")
# Added to a 503 that names no time: a page that shows its form again with what is wrong, and /readyz.
COME_AGAIN = (b"retry-after", b"2")
NOT_STORED = (b"cache-control", b"private, no-store")

# Bytes of address and headers together.  The framework caches what it parsed of a thousand requests,
# raw and parsed: twice a thousand times this is the memory that a stranger can fill.
HEAD_BYTES_MAX = 16 * 1024
_IN_A_QUERY = "!$%&'()*+,-./:;=?@_~[]"  # RFC 3986, section 3.4, and what people send all the same

Header = tuple[bytes, bytes]


class HeadersTooLarge(Refusal):
    """Address and headers together are longer than the limit."""

    code = "headers_too_large"
    status = 431


def _head_bytes(scope: HTTPScope) -> int:
    address = len(scope["raw_path"]) + len(scope["query_string"])
    return address + sum(len(name) + len(value) for name, value in scope["headers"])


async def _refuse_head(scope: HTTPScope, send: Send, pages: Mapping[str, str]) -> None:
    # The cookie that says which language was chosen may be among what is too much.
    language = "en" if header(scope, b"accept-language").lower().startswith(b"en") else "id"
    is_page = wants_page(scope["path"], header(scope, b"accept").decode("latin-1"))
    if is_page:
        content = pages[language].encode()
    else:
        told = problem(HeadersTooLarge.code, HeadersTooLarge.status, language, {})
        content = encode_json(told)
    headers = [
        (b"content-type", b"text/html; charset=utf-8" if is_page else PROBLEM.encode()),
        (b"content-length", str(len(content)).encode()),
        NOT_STORED,
        *HEADERS,
    ]
    start: Message = {
        "type": "http.response.start",
        "status": HeadersTooLarge.status,
        "headers": headers,
    }
    await send(start)
    await send({"type": "http.response.body", "body": content, "more_body": False})


def _kept(headers: Iterable[Header], *, is_private: bool) -> list[Header]:
    """The headers with a Cache-Control: `no-store` where the application set none.

    An answer to one account, a refusal, and one that sets a cookie for somebody are `no-store` whatever
    the application set.
    """
    found = list(headers)
    is_private = is_private or any(name.lower() == b"set-cookie" for name, _ in found)
    told = [value for name, value in found if name.lower() == b"cache-control"]
    if told and not (is_private and b"no-store" not in told[0]):
        return found
    return [*(one for one in found if one[0].lower() != b"cache-control"), NOT_STORED]


def _completed(headers: list[Header], status: int, of_all: Iterable[Header]) -> list[Header]:
    """The headers, with what is said where the application said nothing of it."""
    told = {name.lower() for name, _ in headers}
    if PERMISSIONS_POLICY not in told:
        headers.append(NOTHING_PERMITTED)
    if status == 503 and b"retry-after" not in told:
        headers.append(COME_AGAIN)
    return [*headers, *(one for one in of_all if one[0] not in told)]


class Edge:
    """Counts and times every request, adds the headers of every answer, and gives the body back."""

    def __init__(self, app: Litestar, too_large: Mapping[str, str], *, is_production: bool) -> None:
        """`too_large` is the page of `HeadersTooLarge`, by language."""
        self._app: ASGIApp = app
        self._too_large = too_large
        self._litestar = app
        self.headers = (*HEADERS, TLS_ONLY) if is_production else HEADERS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and watch its answer begin."""
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        if _head_bytes(scope) > HEAD_BYTES_MAX:
            await _refuse_head(scope, send, self._too_large)
            telemetry.count_answer(scope["method"], "none", 431, 0.0)
            return
        if not scope["query_string"].isascii():
            # Octets that should have been escaped (RFC 3986, section 2.1), so that all can read it.
            scope["query_string"] = quote_from_bytes(scope["query_string"], _IN_A_QUERY).encode()
        begun = time.perf_counter()
        method, status = scope["method"], 500
        # HEAD is GET without the body (RFC 9110, section 9.3.2).
        is_head = method == "HEAD"
        if is_head:
            scope["method"] = "GET"

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = _kept(message["headers"], is_private="caller" in scope or status >= 400)
                if method == "OPTIONS":
                    headers = self._with_allow(headers, scope["path"])
                message["headers"] = _completed(headers, status, self.headers)
            elif is_head and message["type"] == "http.response.body":
                message["body"] = b""
            await send(message)

        incoming = receive if isinstance(receive, Incoming) else Incoming(receive)
        try:
            await self._app(scope, incoming, watched)
        finally:
            incoming.close()
            end_body(scope)
            # The router leaves the template in the scope; there is none for an unknown path.
            route = scope.get("path_template") or "none"
            seconds = time.perf_counter() - begun
            telemetry.count_answer(method, route, status, seconds)

    def _with_allow(self, headers: list[Header], path: str) -> list[Header]:
        """The framework's answer to OPTIONS does not know of HEAD."""
        rest = [one for one in headers if one[0].lower() != b"allow"]
        return [*rest, (b"allow", allowed(self._litestar, path).encode())]
