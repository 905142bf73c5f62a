"""Edge: the layer around the application that limits, admits and counts requests, completes headers, and compresses answers.

The layer is outside the application, so that it also sees requests that the router refuses.
"""

import time
from collections.abc import Mapping, Sequence
from urllib.parse import quote_from_bytes

from litestar import Litestar
from litestar.connection import ASGIConnection
from litestar.serialization import encode_json
from litestar.types import ASGIApp, HTTPResponseStartEvent, HTTPScope, Message

from meterai import pages
from meterai.kit.refusal import Refusal
from meterai.limiter import (
    Admission,
    AdmittedRequest,
    Answer,
    Answers,
    BusyAnswers,
    Priorities,
    Users,
)
from meterai.pages import content_security_policy, wants_page
from meterai.plumbing.config import Settings
from meterai.plumbing.http.callers import Caller
from meterai.plumbing.http.compression import compressing
from meterai.plumbing.http.draining import Draining
from meterai.plumbing.http.front import Front, GoOn, Visit
from meterai.plumbing.http.head import head_of, is_api
from meterai.plumbing.http.incoming import Incoming
from meterai.plumbing.http.language import language_for
from meterai.plumbing.http.methods import with_allow
from meterai.plumbing.http.problems import PROBLEM, problem
from meterai.plumbing.http.requests import end_body, network_of
from meterai.plumbing.observe import telemetry
from meterai.room import Rooms

HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"content-security-policy", content_security_policy().encode()),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
PERMISSIONS_POLICY = b"permissions-policy"
# By default a page gets no permissions in a browser. A page that needs some sets the header itself.
NOTHING_PERMITTED = (
    PERMISSIONS_POLICY,
    b"accelerometer=(), autoplay=(), browsing-topics=(), camera=(), display-capture=(), "
    b"fullscreen=(), geolocation=(), gyroscope=(), hid=(), magnetometer=(), microphone=(), midi=(), "
    b"payment=(), serial=(), usb=(), xr-spatial-tracking=()",
)
# RFC 6797: two years; the preload lists of browsers require at least one.
TLS_ONLY = (b"strict-transport-security", b"max-age=63072000")
# Added to a 503 without Retry-After, such as a page that shows its form again with an error, and /readyz.
COME_AGAIN = (b"retry-after", b"2")
NOT_STORED = (b"cache-control", b"private, no-store")

# Bytes of URL and headers together. The framework caches a thousand requests, raw and parsed, so an
# attacker can fill two thousand times this much memory.
HEAD_BYTES_MAX = 16 * 1024
_IN_A_QUERY = (
    "!$%&'()*+,-./:;=?@_~[]"  # RFC 3986, section 3.4, and characters that clients send nevertheless
)

Header = tuple[bytes, bytes]


class HeadersTooLarge(Refusal):
    """URL and headers together are longer than `HEAD_BYTES_MAX`."""

    code = "headers_too_large"
    status = 431


def headers_of_all(*, is_production: bool) -> tuple[Header, ...]:
    """Return the headers that every answer gets, unless the application sets them itself."""
    return (*HEADERS, TLS_ONLY) if is_production else HEADERS


async def _give(visit: Visit, answer: Answer) -> None:
    """Send a prepared answer (status, headers, body), compressed if the client accepts that."""
    send = compressing(visit)
    status, headers, body = answer
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})


def _has_key(scope: HTTPScope) -> bool:
    """True if the request was authenticated by a valid API key."""
    caller = scope.get("caller")
    return isinstance(caller, Caller) and caller.by == "api_key"


class _EdgeAnswer:
    """The answer of the application to one request, on its way to the client."""

    __slots__ = ("_admitted", "_edge", "_is_api", "_scope", "_send", "status")

    def __init__(self, edge: "Edge", visit: Visit, admitted: AdmittedRequest) -> None:
        self._edge = edge
        self._admitted = admitted
        self._scope = scope = visit.scope
        self._is_api = is_api(scope)
        # An API request without Accept-Encoding bypasses compression; caches do not share its answer.
        takes_bytes = self._is_api and b"accept-encoding" not in head_of(scope).values
        self._send = visit.send if takes_bytes else compressing(visit)
        self.status = 500

    async def send(self, message: Message) -> None:
        """Send one ASGI message of the answer; the missing headers are added to the first message."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = self._edge.completed(self._scope, message)
            if self._is_api and _has_key(self._scope):
                headers += self._admitted.rate_limit()
            message["headers"] = headers
        await self._send(message)


class Edge:
    """Layer around the application: size limits, admission by the limiter, and the headers of every answer."""

    def __init__(
        self,
        app: Litestar,
        too_large: Mapping[str, str],
        admission: Admission,
        headers: Sequence[Header] = HEADERS,
    ) -> None:
        """`too_large` is the page for the refusal `HeadersTooLarge`, by language."""
        self._app = app
        self._too_large = too_large
        self._admission = admission
        self._headers = tuple(headers)
        self._names = frozenset(name for name, _ in headers)
        self._draining = Draining()

    async def __call__(self, visit: Visit, go_on: GoOn) -> None:
        """Pass a request to the application when the limiter admits it; otherwise send a refusal."""
        scope = visit.scope
        if head_of(scope).size > HEAD_BYTES_MAX:
            telemetry.count_answer(visit.method, "none", HeadersTooLarge.status, 0.0)
            await _give(visit, self._refused_head(scope))
            return
        visit.receive = incoming = Incoming(visit.receive)
        try:
            admitted = await self._admission.let_in(scope, incoming)
            if isinstance(admitted, AdmittedRequest):
                await self._serve(visit, go_on, admitted)
            elif admitted is not None:
                await _give(visit, admitted)
            await self._draining.drain(scope, incoming)
        finally:
            incoming.close()

    async def _serve(self, visit: Visit, go_on: GoOn, admitted: AdmittedRequest) -> None:
        begun = time.perf_counter()
        scope, answer = visit.scope, _EdgeAnswer(self, visit, admitted)
        visit.send = answer.send
        if not scope["query_string"].isascii():
            # Escape octets that the client should have escaped (RFC 3986, section 2.1), so that every
            # parser accepts the query.
            scope["query_string"] = quote_from_bytes(scope["query_string"], _IN_A_QUERY).encode()
        try:
            await go_on(visit)
        finally:
            end_body(scope)
            admitted.end(answer.status)
            # The router stores the template of the path in the scope; an unknown path has no template.
            route = scope.get("path_template") or "none"
            seconds = time.perf_counter() - begun
            telemetry.count_answer(visit.method, route, answer.status, seconds)

    def _refused_head(self, scope: HTTPScope) -> Answer:
        status, language = HeadersTooLarge.status, language_for(scope)
        is_page = wants_page(scope["path"], head_of(scope).text(b"accept"))
        if is_page:
            content = self._too_large[language].encode()
        else:
            content = encode_json(problem(HeadersTooLarge.code, status, language, {}))
        kind = b"text/html; charset=utf-8" if is_page else PROBLEM.encode()
        length = (b"content-length", b"%d" % len(content))
        return status, [(b"content-type", kind), length, NOT_STORED, *self._headers], content

    def completed(self, scope: HTTPScope, start: HTTPResponseStartEvent) -> list[Header]:
        """Return the headers of an answer, completed with those that the application did not set.

        Cache-Control is `no-store` if the application did not set it, and always in an answer to an account, in a
        refusal, and in an answer that sets a cookie.
        """
        headers, status = list(start["headers"]), start["status"]
        told = {name.lower(): value for name, value in headers}
        caches = told.get(b"cache-control")
        is_private = status >= 400 or "caller" in scope or b"set-cookie" in told
        if caches is None or (is_private and b"no-store" not in caches):
            if caches is not None:
                headers = [one for one in headers if one[0].lower() != b"cache-control"]
            headers.append(NOT_STORED)
        headers = with_allow(self._app, scope, status, headers)
        if PERMISSIONS_POLICY not in told:
            headers.append(NOTHING_PERMITTED)
        if status == 503 and b"retry-after" not in told:
            headers.append(COME_AGAIN)
        if self._names.isdisjoint(told):
            headers += self._headers
        else:
            headers += [one for one in self._headers if one[0] not in told]
        return headers


def admitted(app: Litestar, settings: Settings) -> ASGIApp:
    """Return the application with all layers around it: those of rooms, the cache of public answers, and the edge."""
    site: pages.Site = app.state.site
    too_large = pages.too_long_pages(site, settings, HeadersTooLarge)

    def address_of(scope: HTTPScope) -> str:
        client = scope["client"]
        if not settings.process.proxies and client is not None and ":" not in client[0]:
            return client[0]  # same result as the next line, ten times faster
        return network_of(ASGIConnection(scope), settings.process.proxies)

    headers = headers_of_all(is_production=settings.process.is_production)
    answers = Answers(pages.busy_pages(site, settings), headers, BusyAnswers(app))
    site.on_show(lambda: answers.renew(pages.busy_pages(site, settings)))
    admission = Admission(
        app.state.limiter, Priorities(app), Users(address_of), answers, wants_page
    )
    edge = Edge(app, too_large, admission, headers)
    # The cache is outside compression, so that public answers are compressed only once.
    remembering = pages.Remembering(app, app.state.throttle)
    site.on_show(remembering.renew)
    rooms: Rooms = app.state.rooms
    of_rooms = [one.step(app, settings, headers) for one in rooms if one.step is not None]
    # The layer of a higher room sees a request before those of lower rooms.
    return Front(app, [*reversed(of_rooms), remembering, edge])
