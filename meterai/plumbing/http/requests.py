"""Parts of a request that we read ourselves, not the framework: body, headers, cookies, Idempotency-Key, network."""

import re
from collections.abc import AsyncGenerator, Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any
from urllib.parse import quote

import msgspec
from litestar import Request, Response
from litestar.connection import ASGIConnection
from litestar.types import Empty

from meterai.kit.doubles import NameDoubled, check_names
from meterai.kit.numbers import counted
from meterai.kit.refusal import Malformed, Refusal, refusal_of_database
from meterai.plumbing.config import ProcessSettings, Settings
from meterai.plumbing.http.bodies import Bodies, RequestBody
from meterai.plumbing.http.callers import service
from meterai.plumbing.http.head import head_of

KEY_LENGTH_MAX = 255  # of an Idempotency-Key; a longer one is a mistake of the client
# Prefix of keys for orders sold by sellers, which count to no limit of their buyer.
OUR_KEYS = "sale:"
HOST_PREFIX = "__Host-"  # name prefix by which a browser requires Secure, Path=/ and no Domain
# Headers of identity, meaning or framing: each may occur once at most. A route lists the further ones that it reads in
# `single_headers` of its `opt`, in lower case.
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
LENGTH_DIGITS_MAX = 18  # of a Content-Length
BODY = "meterai.body"  # name under which the scope of a request keeps its body
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"?')
_NAMED = re.compile("field `([^`]*)`")
# Beginnings of the messages of msgspec, the longer first, with the code of the expectation.
EXPECTED = (
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


class BoundedRequest(Request[Any, Any, Any]):
    """A request whose body is read within bounds (`plumbing.http.bodies`), and whose JSON is read strictly."""

    async def body(self) -> bytes:
        """Return the body. Refuses as `RequestBody.whole` does."""
        if self._body is Empty:
            self._body = self._connection_state.body = await self._arriving().whole()
        return self._body

    async def stream(self) -> AsyncGenerator[bytes, None]:
        """Yield the body in pieces, once all of it has arrived. Refuses as `RequestBody.pieces` does.

        A route that keeps no piece in memory declares `opt={"passes_body": True}`.
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
        """Return the JSON of the body as the type that the route declares. Refuses `Malformed`."""
        if self._json is Empty:
            self._json = self._connection_state.json = self._strictly(await self.body())
        return self._json

    def _strictly(self, body: bytes) -> Any:
        asked = self.route_handler.parsed_data_field
        return read_json(body, asked.annotation if asked is not None else Any)

    def _arriving(self) -> RequestBody:
        limit = self.route_handler.resolve_request_max_body_size()
        assert isinstance(limit, int)
        body = RequestBody(
            self.receive,
            service(self, Bodies),
            announced=_announced(head_of(self.scope).values.get(b"content-length")),
            bytes_max=limit,
            network=lambda: network_of(self, service(self, Settings).process.proxies),
        )
        self.scope[BODY] = body  # type: ignore[literal-required]
        return body


def end_body(scope: Any) -> None:
    """Free what the body of a request used; called when the request is over."""
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
    """Read JSON as this type, strictly: integers must be written as such, and no name may occur twice.

    Refuses `Malformed`.
    """
    try:
        # First decoded without a type, so that a number beyond 64 bits is a number and is refused as too large.
        read = msgspec.json.decode(body)
        # A flat object with one colon for each name has no repeated name; only other objects are checked again.
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
        return Malformed(named[1], expectation_of(message))
    field = path.removesuffix("`").removeprefix("$").removeprefix(".")
    # While values have no type msgspec knows no names: `[...]` is a field of some object.
    return Malformed(
        "body" if field.startswith("[...]") else field or "body", expectation_of(message)
    )


def expectation_of(message: str) -> str:
    """Return our code for the kind of value that was expected, found from an error message of msgspec."""
    found = (name for beginning, name in EXPECTED if message.startswith(beginning))
    return next(found, "another_value")


class HeaderDoubled(Refusal):
    """A header that may occur once occurred more than once, so that a proxy and we might read different values."""

    code = "header_doubled"
    status = 400

    def __init__(self, header: str) -> None:
        super().__init__(f"{header} came more than once")
        self.header = header


class IdempotencyKeyMissing(Refusal):
    """The command changes money or stamps, and has no Idempotency-Key."""

    code = "idempotency_key_missing"
    status = 400


@refusal_of_database
class IdempotencyKeyReused(Refusal):
    """The Idempotency-Key was used for another request."""

    code = "idempotency_key_reused"
    status = 422


class KeyRequired(Refusal):
    """A command of the API was sent with a browser's session instead of an API key."""

    code = "api_key_required"
    status = 401


class InProgress(Refusal):
    """The same request is being processed; the client may ask again soon for its answer."""

    code = "request_in_progress"
    status = 409
    may_be_done = True
    retry_after_seconds = 1  # processing takes tenths of a second


def cookie_name(name: str, settings: ProcessSettings) -> str:
    """Return the name of a cookie of ours.

    If clients reach us by TLS the name has the prefix __Host-: a browser accepts such a cookie only from this exact
    host and over TLS (RFC 6265bis, section 4.1.3.2), so that a neighbour under the same domain cannot set it.
    """
    return HOST_PREFIX + name if settings.is_secure else name


def is_safe(connection: ASGIConnection[Any, Any, Any, Any]) -> bool:
    """True if the method only reads (RFC 9110, section 9.2.1)."""
    return connection.scope.get("method") in ("GET", "HEAD")


def check_headers(connection: ASGIConnection[Any, Any, Any, Any]) -> None:
    """Check the headers. Refuses `HeaderDoubled`, and `Malformed` for a Content-Type that states a parameter twice."""
    head = head_of(connection.scope)
    if head.doubled:
        of_route: Iterable[str] = connection.route_handler.opt.get("single_headers", ())
        for name in (*SINGLE_HEADERS, *of_route):
            if name.encode() in head.doubled:
                raise HeaderDoubled(name)
    unquoted = _QUOTED.sub("", head.text(b"content-type"))
    told = [one.partition("=")[0].strip().lower() for one in unquoted.split(";")[1:]]
    if len(set(told)) != len(told):
        # A repeated boundary or charset: a proxy in front may have read the other one.
        raise Malformed("Content-Type", "once")


def idempotency_key(request: Request[Any, Any, Any]) -> str:
    """Return the Idempotency-Key (draft-ietf-httpapi-idempotency-key-header-07), quoted or bare.

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
    """Return a response that browsers save as a file of this name (RFC 6266, section 4.3)."""
    plain = "".join(letter if letter.isascii() and letter not in '"\\' else "_" for letter in name)
    disposition = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
    headers = {"Content-Disposition": disposition, "Cache-Control": "private, no-store"}
    return Response(content, media_type=media_type, headers=headers)


def network_of(connection: ASGIConnection[Any, Any, Any, Any], proxies: int) -> str:
    """Return the network that a request comes from, for limits by network.

    Behind `proxies` of our proxies the address is the one that the outermost of them saw. Addresses further left in
    X-Forwarded-For, or in a separate line of it, are ignored, since a stranger can write them. A visitor has the same
    network however a proxy writes the address. A whole /64 of IPv6 is one network.
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
    """Return the address that a request comes from, by the rules of `network_of`; None if it is unknown."""
    seen = connection.client.host if connection.client else ""
    if proxies:
        # Several lines of one header form one list, in their order (RFC 9110, section 5.3).
        told = _elements(connection.headers.getall("x-forwarded-for", []))
        seen = told[-proxies] if len(told) >= proxies else seen
    return _address(seen)


def _elements(lines: list[str]) -> list[str]:
    return [part.strip() for line in lines for part in line.split(",") if part.strip()]


def _address(text: str) -> IPv4Address | IPv6Address | None:
    """Parse an address as proxies write it: with a port, in brackets, in quotes, with a zone; None if the text is not an
    address.
    """
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
        return address.ipv4_mapped  # as a socket for both families writes IPv4 addresses
    return address
