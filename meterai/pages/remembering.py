"""Cache of answers (HTTP responses) that are the same for every visitor who is not signed in.

Under load most requests are for the front page, its style and its images. An answer from the cache costs a
tenth of what another answer costs, so that these requests do not delay paying visitors.  Only
answers of routes that declare it (`opt={"remembered": Remembered(...)}`) are cached, and only for requests
without cookies other than that of the language.
"""

from dataclasses import dataclass
from time import monotonic
from typing import Any

from litestar import Litestar
from litestar.types import Message, Send

from meterai.plumbing.http.compression import Coding, coding_for, header
from meterai.plumbing.http.declared import Declared
from meterai.plumbing.http.front import GoOn, Visit
from meterai.plumbing.http.language import language_of_stranger
from meterai.plumbing.http.throttle import Throttle
from meterai.plumbing.observe import telemetry

OPTION = "remembered"  # key in `opt` of a route
# Cached answers: public pages in each language and compression, and all static files.
KEPT_MAX = 256
BYTES_MAX = 256 * 1024  # largest answer that is cached
# Time after its expiry for which an old answer is still served, while it cannot be renewed (the limiter refuses).
STALE_SECONDS_MAX = 60.0
_Key = tuple[str, bytes, str, Coding | None]  # path, query, language, compression


@dataclass(frozen=True, slots=True)
class Remembered:
    """Declares that the answers of a route are cached, for `seconds`.

    With `only_immutable`, only answers that are marked immutable are cached, separately for each query of the URL.
    Without it, every answer of the route is cached, but only for requests without a query, so that invented queries
    fill no memory.
    """

    seconds: float
    only_immutable: bool = False


@dataclass(slots=True)
class _KeptAnswer:
    headers: list[tuple[bytes, bytes]]
    body: bytes
    until: float
    is_renewed: bool = False  # a request is renewing it

    def is_immutable(self) -> bool:
        """True if the answer is marked immutable for browsers (RFC 8246)."""
        return any(
            name.lower() == b"cache-control" and b"immutable" in value
            for name, value in self.headers
        )

    def is_for_one(self) -> bool:
        """True if the answer sets a cookie, so that it is for one visitor only."""
        return any(name.lower() == b"set-cookie" for name, _ in self.headers)


def _read(options: dict[str, Any], _name: str) -> Remembered | None:
    found: Remembered | None = options.get(OPTION)
    return found


async def _give(kept: _KeptAnswer, send: Send) -> None:
    telemetry.REMEMBERED.inc()
    # The headers are copied, since an outer step may add a cookie for one visitor.
    start: Message = {
        "type": "http.response.start",
        "status": 200,
        "headers": list(kept.headers),
    }
    await send(start)
    await send({"type": "http.response.body", "body": kept.body, "more_body": False})


class _Anew:
    """Passes on an answer, and records its headers and body in `made` if it may be cached. If the answer is a
    503, such as that of the limiter, and an expired answer is in the cache, the expired answer is sent instead.
    """

    def __init__(self, send: Send, old: _KeptAnswer | None) -> None:
        self._send = send
        self._old = old
        self._headers: list[tuple[bytes, bytes]] | None = None
        self._is_answered = False
        self.made: tuple[list[tuple[bytes, bytes]], bytes] | None = None

    async def watch(self, message: Message) -> None:
        """Handle an ASGI message of the answer."""
        if self._is_answered:
            return
        if message["type"] == "http.response.start":
            if message["status"] == 503 and self._old is not None:
                self._is_answered = True
                await _give(self._old, self._send)
                return
            self._headers = list(message["headers"]) if message["status"] == 200 else None
        elif message["type"] == "http.response.body" and self._headers is not None:
            body = message.get("body", b"")
            if not message.get("more_body") and len(body) <= BYTES_MAX:
                self.made = (self._headers, body)
            self._headers = None
        await self._send(message)


class Remembering:
    """Step through which a request passes before the limiter: it answers from the cache, and caches the answers of the
    application.
    """

    def __init__(self, litestar: Litestar, throttle: Throttle) -> None:
        self._throttle = throttle
        self._declared: Declared[Remembered | None] = Declared(litestar, _read, None)
        self._kept: dict[_Key, _KeptAnswer] = {}

    async def __call__(self, visit: Visit, go_on: GoOn) -> None:
        """Answer from the cache, or pass the request on."""
        scope, declared = visit.scope, None
        if visit.method == "GET":
            declared = self._declared.of("GET", scope["path"])
        if declared is None or (scope["query_string"] and not declared.only_immutable):
            await go_on(visit)
            return
        language = language_of_stranger(scope)
        if language is None:
            await go_on(visit)
            return
        coding = coding_for(header(scope, b"accept-encoding"))
        key, now = (scope["path"], scope["query_string"], language, coding), monotonic()
        kept = self._kept.get(key)
        if kept is not None and self._is_good(kept, now) and await self._throttle.permit():
            await _give(kept, visit.send)
            return
        is_old_good = kept is not None and now < kept.until + STALE_SECONDS_MAX
        anew = _Anew(visit.send, kept if is_old_good else None)
        visit.send = anew.watch
        try:
            await go_on(visit)
        finally:
            if kept is not None:
                kept.is_renewed = False
        if anew.made is not None:
            made = _KeptAnswer(*anew.made, monotonic() + declared.seconds)
            if not made.is_for_one() and (made.is_immutable() or not declared.only_immutable):
                self._keep(key, made)

    def renew(self) -> None:
        """Expire all cached answers that are not immutable; an expired answer is still served while one request
        renews it.
        """
        now = monotonic()
        for kept in self._kept.values():
            if not kept.is_immutable():
                kept.until = min(kept.until, now)

    def _is_good(self, kept: _KeptAnswer, now: float) -> bool:
        """True if the cached answer may be served: it is fresh, or it expired lately and another request is
        renewing it. If the result is False, the caller must renew the answer; until then other requests get the
        expired answer.
        """
        if now < kept.until:
            return True
        if kept.is_renewed and now < kept.until + STALE_SECONDS_MAX:
            return True
        kept.is_renewed = True
        return False

    def _keep(self, key: _Key, kept: _KeptAnswer) -> None:
        if len(self._kept) >= KEPT_MAX and key not in self._kept:
            self._kept.clear()
        self._kept[key] = kept
