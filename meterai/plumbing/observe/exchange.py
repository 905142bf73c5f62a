"""An exchange: one request and its answer, with the id by which both are found again.

The id is in the answer (`Request-Id`, and `X-Request-Id` as it was called before), in a problem document,
in the log of an account's requests and in every line of the log that is written meanwhile.  A client may
bring its own by either name, in a form that can stand in a header and a log.  It names one request, not a
chain of them: `traceparent` is not read.
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
)  # UUID, ULID, the ids of traces; nothing to be read as markup
_ID_BYTES = 8  # of an id of ours: a million a second for a day meet no other with any likelihood


class Exchange:
    """A request while it is answered.

    id           by which it is found again
    is_replayed  its answer is that of an earlier request with the same Idempotency-Key
    code         of the refusal that is its answer
    """

    __slots__ = ("code", "id", "is_replayed")

    def __init__(self, brought: bytes = b"") -> None:
        """Takes the id that a client brought where it has a safe form and is no secret."""
        is_safe = _SAFE.fullmatch(brought) is not None
        text = brought.decode() if is_safe else ""
        self.id = text if text and without_secrets(text) == text else secrets.token_hex(_ID_BYTES)
        self.is_replayed = False
        self.code: str | None = None


def brought_in(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """The id that a client brought, by the newer name before the older; empty where one name came twice."""
    found: dict[bytes, bytes] = {}
    for name, value in headers:
        if name in _HEADERS:
            if name in found:
                return b""
            found[name] = value
    return (found.get(HEADER) or found.get(OLD_HEADER, b"")) if found else b""


EXCHANGE: ContextVar[Exchange | None] = ContextVar("exchange", default=None)


def note_replay() -> None:
    """Have the answer say that an earlier request did what this one asks for."""
    if (exchange := EXCHANGE.get()) is not None:
        exchange.is_replayed = True


def named(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Processor of the log: the id of the request that is being answered."""
    if (exchange := EXCHANGE.get()) is not None:
        event["request"] = exchange.id
    return event
