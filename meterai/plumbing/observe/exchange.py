"""An exchange: one request and its answer, with the id by which both can be found.

The id is in the answer (`Request-Id`, and under the older name `X-Request-Id`), in a problem document, in the log of an
account's requests and in every log line written meanwhile. A client may send an id of its own by either header, if its
form is safe for a header and a log. The id names one request, not a chain of requests: `traceparent` is not read.
"""

import re
import secrets
from collections.abc import Iterable, MutableMapping
from contextvars import ContextVar
from typing import Any

from meterai.plumbing.observe.redaction import without_secrets

HEADER, OLD_HEADER = b"request-id", b"x-request-id"
_HEADERS = frozenset({HEADER, OLD_HEADER})
_SAFE = re.compile(
    rb"[A-Za-z0-9_-]{8,64}"
)  # UUIDs, ULIDs and trace ids; nothing that could be interpreted as markup
_ID_BYTES = 8  # of an id of ours: at a million a second for a day a collision is unlikely


class Exchange:
    """A request while it is answered.

    id           identifies the request in answers and logs
    is_replayed  True if the answer repeats the answer of an earlier request with the same Idempotency-Key
    code         code of the refusal that is the answer; None if the request has not been refused
    """

    __slots__ = ("code", "id", "is_replayed")

    def __init__(self, brought: bytes = b"") -> None:
        """`brought` is the id that the client sent; it is used if its form is safe and it contains no secret."""
        is_safe = _SAFE.fullmatch(brought) is not None
        text = brought.decode() if is_safe else ""
        self.id = text if text and without_secrets(text) == text else secrets.token_hex(_ID_BYTES)
        self.is_replayed = False
        self.code: str | None = None


def brought_in(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Return the id that a client sent: from `Request-Id`, else from `X-Request-Id`; empty if a header occurred twice."""
    found: dict[bytes, bytes] = {}
    for name, value in headers:
        if name in _HEADERS:
            if name in found:
                return b""
            found[name] = value
    return (found.get(HEADER) or found.get(OLD_HEADER, b"")) if found else b""


EXCHANGE: ContextVar[Exchange | None] = ContextVar("exchange", default=None)


def note_replay() -> None:
    """Record that the answer repeats the answer of an earlier request."""
    if (exchange := EXCHANGE.get()) is not None:
        exchange.is_replayed = True


def named(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Log processor: add the id of the request that is being answered."""
    if (exchange := EXCHANGE.get()) is not None:
        event["request"] = exchange.id
    return event
