"""The only module of this room that connects to other machines: one bounded exchange over HTTP.

The peers are authorities: for time-stamps, OCSP answers and revocation lists.
Their addresses come from certificates and settings.  No redirect is followed, no proxy is used, and
both the bytes of the answer and the seconds until it is complete are limited, which bounds the cost of
a faulty authority.
"""

import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from socket import SHUT_RDWR
from threading import Timer
from urllib.parse import urlsplit

from meterai.plumbing.work.outgoing import NotBegun, Outgoing

_PIECE_BYTES = 64 * 1024
HOSTS_MAX = 32  # with separate circuit breakers; certificates and settings name some six


class Authorities:
    """Circuit breakers of the authorities of one kind, one for each host.

    A certificate may name several addresses; a host that does not answer must not block the others.
    """

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._hosts: dict[str, Outgoing] = {}

    def of(self, url: str) -> Outgoing:
        """Return the circuit breaker for the host of an address; hosts beyond `HOSTS_MAX` share one circuit breaker."""
        try:
            host = urlsplit(url).netloc
        except ValueError:
            host = ""  # `exchange` will refuse the address
        if host not in self._hosts:
            if len(self._hosts) >= HOSTS_MAX:
                host = ""
            self._hosts.setdefault(host, Outgoing(self._kind, OSError, HTTPException))
        return self._hosts[host]


class Unreached(Exception):
    """The peer was not reached, or its answer was too late, too large, or had a status other than 200."""


def exchange(
    url: str,
    outgoing: Outgoing,
    *,
    timeout_seconds: float,
    bytes_max: int,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> bytes:
    """Return the body of the answer to a GET, or to a POST of `body`; raises `Unreached`.

    `timeout_seconds` limits the opening of the connection to each address of the host, and then the whole exchange.  The
    look-up of the host name by the system is not limited.
    """
    connection, target = _connection(url, timeout_seconds)
    try:
        with outgoing.call():
            connection.connect()
            with _cut_off(connection, timeout_seconds):
                method = "GET" if body is None else "POST"
                connection.request(method, target, body, dict(headers or {}))
                return _body(connection, url, bytes_max)
    except NotBegun as reason:
        raise Unreached(f"{url} was not asked ({reason.reason})") from None
    except (OSError, HTTPException, ValueError) as cause:
        raise Unreached(f"{url} gave no answer ({type(cause).__name__})") from cause
    finally:
        connection.close()


def _body(connection: HTTPConnection, url: str, bytes_max: int) -> bytes:
    answer = connection.getresponse()
    if answer.status != 200:
        raise Unreached(f"{url} answered {answer.status}")
    received = bytearray()
    while piece := answer.read(_PIECE_BYTES):
        received += piece
        if len(received) > bytes_max:
            raise Unreached(f"{url} answered with more than {bytes_max} bytes")
    return bytes(received)


def _connection(url: str, timeout_seconds: float) -> tuple[HTTPConnection, str]:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as cause:
        raise Unreached("an address that cannot be read") from cause
    if not host or not url.isascii() or not url.isprintable() or " " in url:
        raise Unreached("an address that cannot be read")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    match parts.scheme:
        case "http":
            return HTTPConnection(host, port, timeout=timeout_seconds), target
        case "https":
            context = ssl.create_default_context()
            return HTTPSConnection(host, port, timeout=timeout_seconds, context=context), target
        case _:
            raise Unreached(
                f"an address with the scheme {parts.scheme!r}; only http and https are supported"
            )


@contextmanager
def _cut_off(connection: HTTPConnection, after_seconds: float) -> Iterator[None]:
    """Break the connection if the `with` block lasts longer than `after_seconds`.

    The time-out of a socket applies to each single read, so a peer that sends a byte a second never exceeds it.
    """

    # Stored now, since the connection drops its reference when the peer announces that it will close.
    line = connection.sock

    def cut() -> None:
        with suppress(OSError):
            # shutdown() wakes a thread that is reading; close() does not.
            line.shutdown(SHUT_RDWR)

    timer = Timer(after_seconds, cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
