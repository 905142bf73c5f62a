"""Step before the application that logs each request with an API key, even if the limiter or the waiting line answers it."""

from time import perf_counter

from litestar import Litestar
from litestar.types import HTTPScope, Message

from meterai.kit.numbers import counted
from meterai.plumbing.http.callers import Caller
from meterai.plumbing.http.front import GoOn, Visit
from meterai.plumbing.http.head import head_of, is_api
from meterai.plumbing.http.requests import LENGTH_DIGITS_MAX
from meterai.plumbing.observe.exchange import EXCHANGE
from meterai.plumbing.observe.telemetry import METHODS
from meterai.requests.model import OTHER_METHOD
from meterai.requests.service import Noted, RequestLog

_KEY = b"authorization"


class Noting:
    """Logs requests that come with an API key; passes all others on unchanged."""

    def __init__(self, application: Litestar) -> None:
        """`application` provides the services of routes once it has started."""
        self._application = application

    async def __call__(self, visit: Visit, go_on: GoOn) -> None:
        """Pass the request on, and log it with its answer."""
        scope = visit.scope
        if not is_api(scope) or _KEY not in head_of(scope).values:
            await go_on(visit)
            return
        log: RequestLog = self._application.state.container.of(RequestLog)
        at, begun, answer = log.now(), perf_counter(), _Counted(visit)
        visit.send = answer.send
        method = visit.method if visit.method in METHODS else OTHER_METHOD
        try:
            await go_on(visit)
        finally:
            caller = _caller(scope, log)
            exchange = EXCHANGE.get()
            if caller is not None and exchange is not None:
                head = head_of(scope)
                announced = counted(head.text(b"content-length"), LENGTH_DIGITS_MAX)
                log.note(
                    Noted(
                        caller,
                        at,
                        exchange.id,
                        method,
                        scope.get("path_template"),
                        scope["path"],
                        answer.status,
                        exchange.code,
                        perf_counter() - begun,
                        head.text(b"idempotency-key"),
                        announced or 0,
                        answer.bytes,
                    )
                )


class _Counted:
    """Counts the status and the body bytes of an answer."""

    __slots__ = ("_has_body", "_send", "bytes", "status")

    def __init__(self, visit: Visit) -> None:
        self._send = visit.send
        self._has_body = not visit.is_head
        self.status: int | None = None
        self.bytes = 0

    async def send(self, message: Message) -> None:
        """Pass on one message of the answer and count its bytes."""
        if message["type"] == "http.response.body" and self._has_body:
            self.bytes += len(message["body"])
        elif message["type"] == "http.response.start":
            self.status = message["status"]
        await self._send(message)


def _caller(scope: HTTPScope, log: RequestLog) -> Caller | None:
    """Return the caller whose API key the request has.

    The guard of the route has stored the caller; if no guard did, the caller is looked up in the cache. None if the caller
    used no API key or is not in the cache.
    """
    caller = scope.get("caller")
    if isinstance(caller, Caller):
        return caller if caller.by == "api_key" else None
    return log.caller_of(head_of(scope).text(_KEY).partition(" ")[2].strip())
