"""HTTP: how a request says who it is from, and how a refusal is told.

* A route names what it needs (`orders: NamedDependency[OrderService]`, `account`); `injected` is
  what the application gives the framework for that.
* Who is asking is found by the `Authenticator` that the application put into its state, where the
  permission that a route declares asks for it (`meterai.accounts`).
* A refusal becomes `application/problem+json` (RFC 9457) with our stable `code` under the API,
  and a page elsewhere.  Nothing of a fault is shown but a number to ask about.
"""

import math
import re
import secrets
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any, Protocol, TypeVar
from urllib.parse import quote
from uuid import UUID

import msgspec
import structlog
from litestar import Litestar, Request, Response
from litestar.connection import ASGIConnection
from litestar.di import Provide
from litestar.exceptions import HTTPException, MethodNotAllowedException, NotFoundException
from litestar.types import Empty
from litestar.utils import normalize_path

from meterai.kit.actor import Actor, ActorKind
from meterai.kit.clock import SystemClock
from meterai.kit.doubles import NameDoubled, check_names
from meterai.kit.ids import show
from meterai.kit.numbers import counted
from meterai.kit.refusal import Malformed, Refusal, refusal_of_database
from meterai.plumbing import telemetry
from meterai.plumbing.bodies import Bodies, Body
from meterai.plumbing.config import ProcessSettings, Settings
from meterai.plumbing.exchange import EXCHANGE
from meterai.plumbing.head import head_of, is_api
from meterai.plumbing.messages import for_program, localize, translate
from meterai.plumbing.transactions import FULL, StorageFull

KEY_LENGTH_MAX = 255  # Idempotency-Key; longer ones are somebody's mistake
OUR_KEYS = "sale:"  # of orders that sellers sold: they are in no limit of their buyer
HOST_PREFIX = "__Host-"  # asks for Secure, Path=/ and no Domain
# Headers of identity, meaning or framing: each may come once at most.  A route adds what it
# reads beside them: `single_headers` of its `opt`, in lower case.
SINGLE_HEADERS = (
    "authorization",
    "content-encoding",
    "content-length",
    "content-type",
    "host",
    "idempotency-key",
    "origin",
    "transfer-encoding",
)
PROBLEM = "application/problem+json"
LENGTH_DIGITS_MAX = 18  # of a Content-Length
BODY = "meterai.body"  # where the scope of a request keeps its body
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"?')
_NAMED = re.compile("field `([^`]*)`")
# How the messages of msgspec begin, the longer first, and what they mean.
_EXPECTED = (
    ("Expected `int` >=", "within_bounds"),
    ("Expected `int` <=", "within_bounds"),
    ("Expected `int`", "whole_number"),
    ("Expected `float` >", "within_bounds"),
    ("Expected `float` <", "within_bounds"),
    ("Expected `float`", "number"),
    ("Expected `str` of length", "within_bounds"),
    ("Expected `str`", "text"),
    ("Expected `bool`", "yes_or_no"),
    ("Expected `object`", "object"),
    ("Expected `array`", "list"),
    ("Integer value out of range", "within_bounds"),
    ("Object missing required field", "given"),
    ("Object contains unknown field", "known_name"),
)
_MESSAGE_OF_STATUS = {404: "not_found", 405: "method_not_allowed", 413: "document_too_large"}
TOO_LARGE_FOR_PAGE = "request_too_large"

_log = structlog.get_logger()


class BoundedRequest(Request[Any, Any, Any]):
    """A request whose body is read within bounds (`plumbing.bodies`), and whose JSON strictly."""

    async def body(self) -> bytes:
        """The body as bytes.  Refuses what `Body.whole` refuses."""
        if self._body is Empty:
            self._body = self._connection_state.body = await self._arriving().whole()
        return self._body

    async def stream(self) -> AsyncGenerator[bytes, None]:
        """The body piece by piece, once all of it is here.  Refuses what `Body.pieces` refuses.

        A route that keeps no piece in memory says so: `opt={"passes_body": True}`.
        """
        if self._body is not Empty:
            yield self._body
        elif self.route_handler.opt.get("passes_body"):
            async for piece in self._arriving().passing():
                yield piece
        else:
            async for piece in self._arriving().pieces():
                yield piece
        yield b""

    async def json(self) -> Any:
        """The JSON of the body as the type that the route asks for.  Refuses `Malformed`."""
        if self._json is Empty:
            self._json = self._connection_state.json = self._strictly(await self.body())
        return self._json

    def _strictly(self, body: bytes) -> Any:
        asked = self.route_handler.parsed_data_field
        return read_json(body, asked.annotation if asked is not None else Any)

    def _arriving(self) -> Body:
        limit = self.route_handler.resolve_request_max_body_size()
        assert isinstance(limit, int)
        body = Body(
            self.receive,
            service(self, Bodies),
            announced=_announced(head_of(self.scope).values.get(b"content-length")),
            bytes_max=limit,
            network=lambda: network_of(self, service(self, Settings).process.proxies),
        )
        self.scope[BODY] = body  # type: ignore[literal-required]
        return body


def end_body(scope: Any) -> None:
    """Give back what the body of a request took; when the request is over."""
    body = scope.pop(BODY, None)
    if body is not None:
        body.close()


def _announced(told: bytes | None) -> int | None:
    if told is None:
        return None
    length = counted(told.decode("latin-1"), LENGTH_DIGITS_MAX)
    if length is None:
        raise Malformed("Content-Length", "bytes")
    return length


def read_json(body: bytes, kind: Any) -> Any:
    """JSON as this type, strictly: integers are written as such and no name comes twice.

    Refuses `Malformed`.
    """
    try:
        # First without a type: a number beyond 64 bits is a number, and is refused as too large.
        read = msgspec.json.decode(body)
        # A flat object with a colon for each name has none twice: only the rest is looked at again.
        if type(read) is not dict or len(read) != body.count(b":"):
            check_names(body.decode())
        return msgspec.convert(read, kind)
    except NameDoubled as double:
        raise Malformed(double.name, "once") from None
    except msgspec.ValidationError as error:
        raise _field_error(str(error)) from None
    except (ValueError, RecursionError):
        raise Malformed("body", "json") from None


def _field_error(text: str) -> Malformed:
    message, _, path = text.partition(" - at `")
    if named := _NAMED.search(message):
        return Malformed(named[1], _expected(message))
    field = path.removesuffix("`").removeprefix("$").removeprefix(".")
    # Of what has no type yet msgspec knows no names: `[...]` is a field of some object.
    return Malformed("body" if field.startswith("[...]") else field or "body", _expected(message))


def _expected(message: str) -> str:
    """The expectation of msgspec, as a code of ours."""
    found = (name for beginning, name in _EXPECTED if message.startswith(beginning))
    return next(found, "another_value")


class HeaderDoubled(Refusal):
    """A header that may come once came more than once: a proxy and we may each read another of
    them.
    """

    code = "header_doubled"
    status = 400

    def __init__(self, header: str) -> None:
        super().__init__(f"{header} came more than once")
        self.header = header


class IdempotencyKeyMissing(Refusal):
    """The command changes money or stamps and names no Idempotency-Key."""

    code = "idempotency_key_missing"
    status = 400


@refusal_of_database
class IdempotencyKeyReused(Refusal):
    """The Idempotency-Key was used for another request."""

    code = "idempotency_key_reused"
    status = 422


class KeyRequired(Refusal):
    """A command of the API came with a browser's session instead of an API key."""

    code = "api_key_required"
    status = 401


class InProgress(Refusal):
    """The same request is being worked on; ask again in a moment for its answer."""

    code = "request_in_progress"
    status = 409
    may_be_done = True
    retry_after_seconds = 1  # what is under way takes tenths of a second


_ITS_OWN_ACCOUNT = Actor(ActorKind.ACCOUNT)


@dataclass(frozen=True, slots=True)
class Caller:
    """The caller of a request: the account it acts for, how it proved itself, and the language it reads."""

    account: UUID
    by: str  # 'session' or 'api_key'
    language: str
    form_token: str = ""  # proves that a form came from our own page
    actor: Actor = _ITS_OWN_ACCOUNT  # who the audit trail says it was
    proved_at: datetime | None = None  # when whoever has this session proved who it is; of no key
    permissions: frozenset[str] = frozenset()  # in that account
    staff_permissions: frozenset[str] = frozenset()  # as somebody who works for the operator
    person: UUID | None = None  # whose session it is; of no key
    is_by_passkey: bool = False  # a passkey opened its session
    organization: UUID | None = None  # for which its session acts, where not for the person itself
    acts_for: str = ""  # the name of that organization
    is_acting_over: bool = False  # its role in the organization it acted for has ended

    own_actor: Actor = _ITS_OWN_ACCOUNT  # who the audit trail says it was, in its own account

    @property
    def member(self) -> UUID | None:
        """The person, where what it does is done for an organization; None where for itself, or by a key."""
        return self.person if self.organization == self.account else None

    def as_person(self) -> "Caller":
        """The same caller for its own account, whoever it acts for; a key stays what it is."""
        if self.person is None:
            return self
        return replace(self, account=self.person, actor=self.own_actor)

    def as_staff(self) -> "Caller":
        """The same caller as somebody who works for the operator."""
        assert self.person is not None, "staff are people"
        return replace(self.as_person(), actor=Actor(ActorKind.STAFF, show("acc", self.person)))


class Authenticator(Protocol):
    """Finds the caller of a request; refuses where there is none."""

    async def caller(
        self, connection: ASGIConnection[Any, Any, Any, Any], *, anew: bool = False
    ) -> Caller:
        """The caller, or `SignInRequired`; `anew` reads what was read a moment ago once more."""
        ...

    def has_session(self, connection: ASGIConnection[Any, Any, Any, Any]) -> bool:
        """True where a browser says that somebody is signed in, rightly or not."""
        ...

    def session_shown(self, connection: ASGIConnection[Any, Any, Any, Any]) -> tuple[str, str]:
        """The account and the form token of the session shown, which may open nothing any more."""
        ...


Service = TypeVar("Service")


def service(request: ASGIConnection[Any, Any, Any, Any], kind: type[Service]) -> Service:
    """What the application put into its state under this type; routes have it injected."""
    found = request.app.state.services[kind]
    assert isinstance(found, kind)
    return found


def caller_of(request: Request[Any, Any, Any]) -> Caller:
    """The caller; only in routes that ask who it is."""
    caller = request.scope["caller"]  # type: ignore[typeddict-item]
    assert isinstance(caller, Caller)
    return caller


def account_of(request: Request[Any, Any, Any]) -> UUID:
    """The account of the caller; only in routes that ask who it is."""
    return caller_of(request).account


def actor_of(request: Request[Any, Any, Any]) -> Actor:
    """Who the caller is to the audit trail; only in routes that ask who it is."""
    return caller_of(request).actor


def member_of(request: Request[Any, Any, Any]) -> UUID | None:
    """The person who acts for an organization, None of anybody else; only in routes that ask who it is."""
    return caller_of(request).member


def injected(services: Mapping[str, type]) -> dict[str, Provide]:
    """The parameters that routes may ask for by name: each of these services, and of the caller its `account`,
    its `actor` in the audit trail, and the `member` who acts for an organization."""
    given: dict[str, Callable[..., Any]] = {
        "account": account_of,
        "actor": actor_of,
        "member": member_of,
    }
    given |= {name: _provider(kind) for name, kind in services.items()}
    return {name: Provide(one, sync_to_thread=False) for name, one in given.items()}


def _provider(kind: type) -> Callable[[Request[Any, Any, Any]], Any]:
    def of_application(request: Request[Any, Any, Any]) -> Any:
        return service(request, kind)

    return of_application


def cookie_name(name: str, settings: ProcessSettings) -> str:
    """What a cookie of ours is called.

    Where we are reached by TLS a browser takes it only from this very host and over TLS
    (RFC 6265bis, section 4.1.3.2), so that a neighbour under the same domain cannot set it.
    """
    return HOST_PREFIX + name if settings.is_secure else name


def is_safe(connection: ASGIConnection[Any, Any, Any, Any]) -> bool:
    """True where the request only looks (RFC 9110, section 9.2.1)."""
    return connection.scope.get("method") in ("GET", "HEAD")


def check_headers(connection: ASGIConnection[Any, Any, Any, Any]) -> None:
    """Refuses `HeaderDoubled`, and `Malformed` where a Content-Type says one thing twice."""
    head = head_of(connection.scope)
    if head.doubled:
        of_route: Iterable[str] = connection.route_handler.opt.get("single_headers", ())
        for name in (*SINGLE_HEADERS, *of_route):
            if name.encode() in head.doubled:
                raise HeaderDoubled(name)
    unquoted = _QUOTED.sub("", head.text(b"content-type"))
    told = [one.partition("=")[0].strip().lower() for one in unquoted.split(";")[1:]]
    if len(set(told)) != len(told):
        # A boundary or a charset: a proxy in front may have read the other one.
        raise Malformed("Content-Type", "once")


def language_of(connection: ASGIConnection[Any, Any, Any, Any]) -> str:
    """Indonesian, unless the reader asked for English: cookie, account (not of a key), Accept-Language."""
    caller = connection.scope.get("caller")
    chosen = connection.cookies.get(HOST_PREFIX + "language", connection.cookies.get("language"))
    if chosen in ("id", "en"):
        return chosen
    accepted = connection.headers.get("accept-language", "").strip().lower()
    if isinstance(caller, Caller) and not (caller.by == "api_key" and accepted):
        return caller.language
    return "en" if accepted.startswith("en") else "id"


def idempotency_key(request: Request[Any, Any, Any]) -> str:
    """The Idempotency-Key (draft-ietf-httpapi-idempotency-key-header-07), quoted or bare.

    Refuses `IdempotencyKeyMissing` and `Malformed`.
    """
    text = head_of(request.scope).text(b"idempotency-key").strip()
    if len(text) >= 2 and text[0] == text[-1] == '"':
        text = text[1:-1]
    if not text:
        raise IdempotencyKeyMissing("no Idempotency-Key")
    is_plain = len(text) <= KEY_LENGTH_MAX and text.isprintable() and text.isascii()
    if not is_plain or text.startswith(OUR_KEYS):
        raise Malformed("Idempotency-Key", "plain_text", length_max=KEY_LENGTH_MAX)
    return text


def saved_as(name: str, content: bytes, media_type: str) -> Response[bytes]:
    """A file to be saved under this name (RFC 6266, section 4.3)."""
    plain = "".join(letter if letter.isascii() and letter not in '"\\' else "_" for letter in name)
    disposition = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
    headers = {"Content-Disposition": disposition, "Cache-Control": "private, no-store"}
    return Response(content, media_type=media_type, headers=headers)


def network_of(connection: ASGIConnection[Any, Any, Any, Any], proxies: int) -> str:
    """Where a request comes from, for limits per network.

    Behind `proxies` of ours the address is the one the outermost of them saw; what a stranger
    wrote into X-Forwarded-For further left, or into a line of its own, is not believed.  The same
    visitor is the same network however a proxy writes it; a whole /64 of IPv6 is one network.
    """
    address = address_of(connection, proxies)
    if address is None:
        return "unknown"
    if isinstance(address, IPv6Address):
        return str(ip_network((int(address), 64), strict=False))
    return str(address)


def address_of(
    connection: ASGIConnection[Any, Any, Any, Any], proxies: int
) -> IPv4Address | IPv6Address | None:
    """The address that a request comes from, by the rules of `network_of`; None where nobody knows it."""
    seen = connection.client.host if connection.client else ""
    if proxies:
        # Several lines of one header are one list, in their order (RFC 9110, section 5.3).
        told = _elements(connection.headers.getall("x-forwarded-for", []))
        seen = told[-proxies] if len(told) >= proxies else seen
    return _address(seen)


def _elements(lines: list[str]) -> list[str]:
    return [part.strip() for line in lines for part in line.split(",") if part.strip()]


def _address(text: str) -> IPv4Address | IPv6Address | None:
    """An address as proxies write it: with a port, in brackets, in quotes, with a zone."""
    text = text.strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped  # a socket for both families writes IPv4 so
    return address


def problem(
    code: str, status: int, language: str, facts: Mapping[str, object]
) -> dict[str, object]:
    """The body of a refusal (RFC 9457): the standard members, our code and its facts, and the id of the
    request that is refused."""
    exchange = EXCHANGE.get()
    if exchange is not None:
        exchange.code = code
    return {
        **for_program(facts),
        "type": f"/docs/problems#{code}",
        "title": translate(f"refusal.{code}", language, **localize(facts, language)),
        "status": status,
        "code": code,
        **({} if exchange is None else {"request_id": exchange.id}),
    }


def retry_after(refusal: Refusal) -> Mapping[str, str]:
    """The header that says after how many seconds a refusal may be another answer (RFC 9110,
    section 10.2.3): the time of its fact `retry_at`, else what its kind says; none where time
    changes nothing."""
    at = refusal.facts().get("retry_at")
    if isinstance(at, datetime):
        seconds = math.ceil((at - SystemClock().now()).total_seconds())
        return {"Retry-After": str(max(1, seconds))}
    after = refusal.retry_after_seconds
    return {} if after is None else {"Retry-After": str(after)}


def rate_limit(refusal: Refusal, seconds: str | None) -> Mapping[str, str]:
    """The headers that name a limit of which nothing is left, and how much it is
    (draft-ietf-httpapi-ratelimit-headers-11).  Only a refusal has them: what is left otherwise would have
    to be counted for each order.  What the process takes in at once is told to each key (`apps/edge.py`)."""
    if refusal.quota is None:
        return {}
    name, fact = refusal.quota
    found = {"RateLimit": f'"{name}";r=0' + (f";t={seconds}" if seconds else "")}
    if fact:
        found["RateLimit-Policy"] = f'"{name}";q={refusal.facts()[fact]}'
    return found


def answer_problem(
    request: Request[Any, Any, Any],
    code: str,
    status: int,
    facts: Mapping[str, object],
    headers: Mapping[str, str] | None = None,
) -> Response[dict[str, object]]:
    """A refusal as a response."""
    telemetry.REFUSALS.labels(code=code).inc()
    return Response(
        problem(code, status, language_of(request), facts),
        status_code=status,
        media_type=PROBLEM,
        headers=headers or {},
    )


def on_refusal(request: Request[Any, Any, Any], refusal: Refusal) -> Response[Any]:
    """Answer with the refusal."""
    headers = dict(retry_after(refusal))
    headers |= rate_limit(refusal, headers.get("Retry-After"))
    if refusal.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return answer_problem(request, refusal.code, refusal.status, refusal.facts(), headers)


def _what_was_wrong(error: HTTPException) -> dict[str, object]:
    """Field and expectation of what could not be read; of a whole body it tells only a name of ours."""
    match error.extra:
        case [{"key": str(key), "message": str(message)}, *_] if key != "data":
            wrong = Malformed(key, _expected(message))
        case _:
            wrong = Malformed("body", "readable")
    return wrong.facts()


def on_http_exception(request: Request[Any, Any, Any], error: HTTPException) -> Response[Any]:
    """Answer what the framework refused: unknown paths, wrong methods, bodies it cannot read."""
    code = _MESSAGE_OF_STATUS.get(error.status_code, "malformed")
    status = error.status_code if error.status_code != 400 else 422
    facts = _what_was_wrong(error) if code == "malformed" else {}
    if status == 413:
        if not is_api(request.scope):  # a form may have no file, and its size is not known
            code = TOO_LARGE_FOR_PAGE
        facts = {"limit_bytes": request.route_handler.resolve_request_max_body_size()}
    headers = {"Allow": allowed(request.app, request.scope["path"])} if status == 405 else {}
    return answer_problem(request, code, status, facts, headers)


def allowed(app: Litestar, path: str) -> str:
    """The methods that a path has, as `Allow` tells them (RFC 9110, section 10.2.1)."""
    found = {"OPTIONS"}
    for method in ("DELETE", "GET", "PATCH", "POST", "PUT"):  # those that a route of ours has
        try:
            app.asgi_router.handle_routing(path=normalize_path(path), method=method)
        except (MethodNotAllowedException, NotFoundException):
            continue
        found |= {method, "HEAD"} if method == "GET" else {method}
    return ", ".join(sorted(found))


def on_fault(request: Request[Any, Any, Any], fault: Exception) -> Response[Any]:
    """Answer a fault with 500 and a number, which is in the log too; nothing else of it is shown.

    A disk without room is no fault of ours and passes: 503.
    """
    if isinstance(fault, OSError) and fault.errno in FULL:
        _log.error("storage_full", fault=repr(fault))
        return on_refusal(request, StorageFull(str(fault)))
    number = secrets.token_hex(6)
    telemetry.FAULTS.labels(where="web").inc()
    # The template of the path: the path itself has serials and ids in it.
    route = request.scope.get("path_template") or "none"
    _log.error("fault", number=number, route=route, fault=repr(fault), exc_info=fault)
    return answer_problem(request, "fault", 500, {"number": number})
