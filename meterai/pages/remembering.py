"""Answers that are the same for every stranger, given from memory for a moment.

In a rush most of what is asked for is the front page, its style and its pictures: made once a second
they cost a tenth, and never keep somebody waiting who pays.  Only what a route declares
(`opt={"remembered": Remembered(...)}`) and only to who shows no cookie but that of the language.
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

OPTION = "remembered"  # in `opt` of a route
KEPT_MAX = (
    256  # answers: pages for strangers in each language and coding, and the files of all pages
)
BYTES_MAX = 256 * 1024  # of one answer
# Where it cannot be made anew (the limiter refuses) the old one is given for so much longer.
STALE_SECONDS_MAX = 60.0
_Key = tuple[str, bytes, str, Coding | None]  # path, query, language, how it is compressed


@dataclass(frozen=True, slots=True)
class Remembered:
    """How long an answer is good.

    only_immutable  answers to queries are kept too, each by itself, but only one that says that it is
        immutable: who makes up queries fills no memory.  Else only one without a query is kept
    """

    seconds: float
    only_immutable: bool = False


@dataclass(slots=True)
class _KeptForm:
    headers: list[tuple[bytes, bytes]]
    body: bytes
    until: float
    is_renewed: bool = False  # somebody makes it anew now

    def is_immutable(self) -> bool:
        """What it says to caches of browsers (RFC 8246)."""
        return any(
            name.lower() == b"cache-control" and b"immutable" in value
            for name, value in self.headers
        )

    def is_for_one(self) -> bool:
        """It sets a cookie."""
        return any(name.lower() == b"set-cookie" for name, _ in self.headers)


def _read(options: dict[str, Any], _name: str) -> Remembered | None:
    found: Remembered | None = options.get(OPTION)
    return found


async def _give(kept: _KeptForm, send: Send) -> None:
    telemetry.REMEMBERED.inc()
    # A copy: whoever stands before this may add a cookie for one person.
    start: Message = {
        "type": "http.response.start",
        "status": 200,
        "headers": list(kept.headers),
    }
    await send(start)
    await send({"type": "http.response.body", "body": kept.body, "more_body": False})


class _Anew:
    """Watches an answer on its way out.  `made` is one that can be kept: headers and body.

    Where there is no room to make it (503) the old one is given in its place.
    """

    def __init__(self, send: Send, old: _KeptForm | None) -> None:
        self._send = send
        self._old = old
        self._headers: list[tuple[bytes, bytes]] | None = None
        self._is_answered = False
        self.made: tuple[list[tuple[bytes, bytes]], bytes] | None = None

    async def watch(self, message: Message) -> None:
        """One message of the answer."""
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
    """Before the limiter: gives what it remembers, and remembers what passes."""

    def __init__(self, litestar: Litestar, throttle: Throttle) -> None:
        self._throttle = throttle
        self._declared: Declared[Remembered | None] = Declared(litestar, _read, None)
        self._kept: dict[_Key, _KeptForm] = {}

    async def __call__(self, visit: Visit, go_on: GoOn) -> None:
        """Answer from memory, or go on."""
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
            made = _KeptForm(*anew.made, monotonic() + declared.seconds)
            if not made.is_for_one() and (made.is_immutable() or not declared.only_immutable):
                self._keep(key, made)

    def renew(self) -> None:
        """Make all anew that is not immutable; the old is given while somebody does."""
        now = monotonic()
        for kept in self._kept.values():
            if not kept.is_immutable():
                kept.until = min(kept.until, now)

    def _is_good(self, kept: _KeptForm, now: float) -> bool:
        """True for one that is fresh, and for an old one that somebody else makes anew."""
        if now < kept.until:
            return True
        if kept.is_renewed and now < kept.until + STALE_SECONDS_MAX:
            return True
        kept.is_renewed = True
        return False

    def _keep(self, key: _Key, kept: _KeptForm) -> None:
        if len(self._kept) >= KEPT_MAX and key not in self._kept:
            self._kept.clear()
        self._kept[key] = kept
