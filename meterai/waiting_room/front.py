"""Step that runs before the application: redirects visitors into a line and answers waiting visitors.

Answers are made from data in memory, without the limiter and the router, so that a million waiting visitors cause little load.
The database is used only to lease numbers.
"""

import secrets
from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlencode

from litestar import Litestar
from litestar.connection import ASGIConnection
from litestar.serialization import encode_json
from litestar.types import HTTPScope, Message, Send

from meterai import pages
from meterai.accounts import COOKIE
from meterai.draw import entry_of
from meterai.kit.refusal import Refusal
from meterai.limiter import Limiter
from meterai.pages import Asset, Site, local_path, wants_page
from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import DatabaseBusy
from meterai.plumbing.http.callers import Caller
from meterai.plumbing.http.compression import compressing
from meterai.plumbing.http.declared import Declared
from meterai.plumbing.http.front import GoOn, Step, Visit
from meterai.plumbing.http.head import head_of
from meterai.plumbing.http.language import language_for
from meterai.plumbing.http.methods import of_step
from meterai.plumbing.http.problems import PROBLEM, problem
from meterai.plumbing.http.requests import cookie_name, network_of
from meterai.plumbing.http.throttle import Throttle
from meterai.plumbing.networks import Buckets, nested
from meterai.waiting_room import metrics
from meterai.waiting_room.cookies import ticket_cookie, turn_cookie, values_of
from meterai.waiting_room.entrance import ENTRANCE_SECONDS
from meterai.waiting_room.estimate import look_again, look_at_opening, look_before_opening
from meterai.waiting_room.gathering import NO_NUMBER
from meterai.waiting_room.model import (
    BROWSER_HOLDS_SECONDS,
    EARLY_SECONDS_MAX,
    PATH,
    TURN_SECONDS_MAX,
    Guarded,
    LineClosed,
    LineState,
    LineUnknown,
    TooManyPlaces,
    WaitingLine,
    WaitInLine,
)
from meterai.waiting_room.page import WaitingPages
from meterai.waiting_room.service import WaitingRoom
from meterai.waiting_room.settings import WaitingRoomSettings
from meterai.waiting_room.tokens import Ticket, Turn

OPTION = "guarded"  # key in `opt` of a route
Header = tuple[bytes, bytes]
_JSON = (b"content-type", b"application/json")
_HTML = (b"content-type", b"text/html; charset=utf-8")
_NOT_STORED = (b"cache-control", b"private, no-store")
# A proxy may answer a crowd from its cache for a second, which no visitor notices.
_FOR_A_SECOND = (b"cache-control", b"public, max-age=1")
_FOR_GOOD = (b"cache-control", b"public, max-age=31536000, immutable")
_ASSETS = ("waiting.css", "waiting.js")
_OF_THE_CALLED = (
    "enter",
    "receipt",
)  # paths that the application answers, for visitors with a ticket
PLACES_REFILL_SECONDS = 100.0  # until a network may take its full number of new places again
# Arrivals counted of one account or network per second: a reload is the same arrival.
ARRIVALS_MAX = 1.0
# Unexpired early turns of visitors without an account in one network.  They limit the network's share of the visitors
# inside when a line is engaged.  Each account has a separate early turn.
EARLY_TURNS_MAX = 1.0


def _read(options: dict[str, Any], _name: str) -> Guarded | None:
    found: Guarded | None = options.get(OPTION)
    return found


def _next_path(query: bytes) -> str:
    """Return the local path in the query field `next`, to which the visitor goes after the waiting line.

    A path of a line is replaced by `/`.
    """
    if not query:
        return "/"
    try:
        fields = parse_qs(query.decode("latin-1"), max_num_fields=20)
    except ValueError:  # too many fields
        return "/"
    there = local_path(fields.get("next", [""])[0])
    return "/" if there.startswith(PATH) else there


class _Address(NamedTuple):
    """Parsed path of a waiting line: the name of the line, and in `what` the rest of the path, empty for the waiting page."""

    line: str
    what: str

    @classmethod
    def of(cls, path: str) -> "_Address | None":
        """Parse a path; None if the application answers it.  Repeated slashes are ignored, as in the router."""
        match list(filter(None, path.split("/"))):
            case ["lines", line]:
                return cls(line, "")
            case ["lines", line, ("now-serving.json" | "place" | "enter" | "receipt") as what]:
                return cls(line, what)
            case _:
                return None


def _jitter() -> float:
    return secrets.randbits(16) / 0x10000


def _looks_again(line: WaitingLine, ticket: Ticket | None, now: float) -> int:
    """Return the seconds until a waiting page asks again; `ticket` is None if its visitor has no number yet."""
    if line.state == LineState.PLANNED:
        begins_at = line.gathers_at or line.opens_at
        return look_at_opening(begins_at.timestamp() - now if begins_at else 0.0, _jitter())
    if line.state == LineState.DRAWING:
        return look_before_opening(0.0, _jitter())
    ahead = line.waiting
    if ticket is not None:
        ahead = line.places_to(ticket.number, is_spaced=ticket.serial > 0) - 1
    return look_again(ahead, max(line.flow_fast, line.rate), _jitter())


class WaitingLines:
    """Handles each request before the limiter and the application: answers waiting visitors, redirects into lines."""

    def __init__(
        self,
        litestar: Litestar,
        site: Site,
        settings: Settings,
        headers: Sequence[Header],
    ) -> None:
        self._litestar = litestar
        self._guarded: Declared[Guarded | None] = Declared(litestar, _read, None)
        self._headers = tuple(headers)
        self._process = settings.process
        self._pages = WaitingPages(site, settings)
        self._assets = {
            f"/static/{name}": site.assets[name] for name in _ASSETS if name in site.assets
        }
        self._known: WaitingRoom | None = None
        self._throttle: Throttle = litestar.state.throttle
        places = settings.of(WaitingRoomSettings).waiting_room_network_places
        self._newcomers = Buckets(places, PLACES_REFILL_SECONDS)
        self._arrivals = Buckets(ARRIVALS_MAX, 1.0)
        # Admissions of a network over all processes: fewer than the rate of a line, so that one network alone cannot
        # engage the line.
        self._entering = Buckets(1.0, ENTRANCE_SECONDS * settings.process.workers)
        self._early = Buckets(EARLY_TURNS_MAX, EARLY_SECONDS_MAX)

    @property
    def _room(self) -> WaitingRoom | None:
        """The waiting room of this process; None until the process has started completely."""
        services = getattr(self._litestar.state, "services", None)
        if self._known is None and services:
            self._known = services[WaitingRoom]
            limiter: Limiter = self._litestar.state.limiter
            self._known.refused_since = limiter.refusals.since_asked
        return self._known

    async def __call__(self, visit: Visit, go_on: GoOn) -> None:
        """Answer the request, redirect it into a waiting line, or pass it on."""
        scope, room = visit.scope, self._room
        if room is None:
            await go_on(visit)
            return
        path: str = scope["path"]
        if path.startswith(PATH):
            plain, visit.send = visit.send, compressing(visit)
            if await self._answered(visit, room):
                return
            visit.send = plain
        elif (asset := self._assets.get(path)) and self._is_wanted(visit, asset):
            await self._throttle.permit()
            headers = (_FOR_GOOD, (b"content-type", asset.media_type.encode()))
            visit.send = compressing(visit)
            await self._send(visit, 200, asset.content, *headers)
            return
        elif scope["method"] == "GET" and (guarded := self._guarded.of("GET", path)) is not None:
            await room.look()
            if await self._redirects_into_line(visit, room, guarded):
                return
            if not visit.is_head:  # a HEAD request is no visitor
                visit.send = self._with_turn(visit, room, guarded)
        await go_on(visit)

    def _is_wanted(self, visit: Visit, asset: Asset) -> bool:
        """True for a GET of the versioned address of an asset, which may be cached permanently.

        Other requests for the asset are answered by the application, with a short cache lifetime.
        """
        return visit.method == "GET" and asset.is_named_by(visit.scope["query_string"])

    # -- requests for guarded acts ---------------------------------------------------------

    async def _redirects_into_line(self, visit: Visit, room: WaitingRoom, guarded: Guarded) -> bool:
        """Redirect a visitor without a turn into the waiting line, if the line is engaged; True if that was done."""
        scope = visit.scope
        line = room.line_to_wait_in(scope, guarded.act) if guarded.is_entrance else None
        if line is None:
            return False
        await self._throttle.permit()
        if not visit.is_head:
            metrics.SENT.labels(line=line.name).inc()
        refusal = WaitInLine(line.name)
        if not wants_page(scope["path"], head_of(scope).text(b"accept")):
            await self._refuse(visit, refusal)
            return True
        query = scope["query_string"].decode("latin-1")
        there = f"{scope['path']}?{query}" if query else scope["path"]
        location = refusal.join_for(there)
        await self._send(visit, 303, b"", (b"location", location.encode()), _NOT_STORED)
        return True

    def _with_turn(self, visit: Visit, room: WaitingRoom, guarded: Guarded) -> Send:
        """Return a wrapper of `send`.  If the answer is no error, the wrapper counts an arrival, and gives or renews a turn."""
        line = room.any_line_of(guarded.act)
        if line is None:
            return visit.send
        return partial(self._sent_on, visit.send, visit.scope, room, line)

    async def _sent_on(
        self, send: Send, scope: HTTPScope, room: WaitingRoom, line: WaitingLine, message: Message
    ) -> None:
        if message["type"] == "http.response.start" and message["status"] < 400:
            if room.turn_shown(scope, line) is None:
                names = self._visitor_keys(scope)
                if self._arrivals.take(names):
                    room.arrived()
                # While a line is engaged, visitors without a turn are redirected by the route, or the route lets
                # everybody pass; neither counts as an admission.
                if room.line_before(line.act) is None and self._entering.take(names):
                    room.let_in(line)
            if (turn := self._fresh_turn(scope, room, line)) is not None:
                text = room.tokens.turn(turn)
                cookie = self.cookie(turn_cookie(line.name), text, TURN_SECONDS_MAX)
                # An answer that sets a visitor's cookie must not be cached.
                rest = [one for one in message["headers"] if one[0].lower() != b"cache-control"]
                message["headers"] = [*rest, _NOT_STORED, cookie]
        await send(message)

    def _fresh_turn(self, scope: HTTPScope, room: WaitingRoom, line: WaitingLine) -> Turn | None:
        """Return the turn to set in the cookie: a renewed turn, or a new early turn while nobody has to wait; else None.

        An early turn given to an account is valid for that account only.
        """
        caller = scope.get("caller")
        account = caller.account if isinstance(caller, Caller) else None
        turn = room.turn_shown(scope, line)
        is_own = turn is not None and (
            account is None or (room.is_of(turn, account) and (turn.is_bound or not turn.is_early))
        )
        if turn is not None and (is_own or line.stands_in_the_way):
            return room.renewed(turn)
        if line.stands_in_the_way:
            return None
        if account is None and not self._early.take(nested(self._network_of(scope))):
            return None
        return room.early_turn(line, account)

    def _visitor_keys(self, scope: HTTPScope) -> tuple[str, ...]:
        """Return the keys for counting a visitor: that of the signed-in account, else those of the visitor's networks."""
        caller = scope.get("caller")
        if isinstance(caller, Caller):
            return (caller.account.hex,)
        return nested(self._network_of(scope))

    def _network_of(self, scope: HTTPScope) -> str:
        return network_of(ASGIConnection(scope), self._process.proxies)

    def _shows_session(self, scope: HTTPScope) -> bool:
        name = cookie_name(COOKIE, self._process).encode()
        return any(values_of(scope["headers"], name))

    def cookie(self, name: str, value: str, seconds: int) -> Header:
        """Return a `Set-Cookie` header, HttpOnly, valid for `seconds`."""
        secure = "; Secure" if self._process.is_secure else ""
        full_name = cookie_name(name, self._process)
        text = f"{full_name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}"
        return b"set-cookie", text.encode()

    # -- requests of waiting visitors --------------------------------------------------------

    async def _answered(self, visit: Visit, room: WaitingRoom) -> bool:
        """Answer a request for the waiting page, the published status file or a new place of a waiting line.

        Returns False if the application must answer instead.
        """
        address = _Address.of(visit.scope["path"])
        if address is None:
            return False
        if not await self._throttle.permit():
            await self._refuse(visit, DatabaseBusy("too many visitors look at once"))
            return True
        await room.look()
        try:
            line = room.line(address.line)
            return await self._act(visit, room, line, address.what)
        except LineUnknown:
            there = _next_path(visit.scope["query_string"])
            if there == "/":
                return False  # the application answers
            # An ended line guards nothing: its visitors are redirected to where they wanted to go.
            await self._send(visit, 303, b"", (b"location", there.encode()), _NOT_STORED)
        except Refusal as refusal:
            await self._refuse(visit, refusal)
        return True

    async def _act(self, visit: Visit, room: WaitingRoom, line: WaitingLine, what: str) -> bool:
        is_looking = visit.scope["method"] == "GET"
        if what in _OF_THE_CALLED:
            return is_looking and await self._redirects_to_page(visit, room, line, what)
        if what == "place":
            if visit.scope["method"] == "POST":
                await self._give_place(visit, room, line)
            else:
                await self._tell_methods(visit, b"OPTIONS, POST")
        elif not is_looking:
            await self._tell_methods(visit, b"GET, HEAD, OPTIONS")
        elif what:
            await self._show_document(visit, room, line)
        else:
            await self._show_page(visit, room, line)
        return True

    async def _redirects_to_page(
        self, visit: Visit, room: WaitingRoom, line: WaitingLine, what: str
    ) -> bool:
        """Redirect a visitor to the waiting page instead of the wanted page of the application; True if that was done.

        If the visitor wants to come in, this is done while the number is not called; if the visitor wants the receipt, while
        there is no ticket.  Otherwise a waiting crowd could load the application, which serves visitors who pay.
        """
        ticket = room.ticket_shown(visit.scope, line)
        is_called = ticket is not None and ticket.number <= line.serving
        if (is_called or not line.stands_in_the_way) if what == "enter" else ticket is not None:
            return False
        query = urlencode({"next": _next_path(visit.scope["query_string"])})
        location = f"{PATH}/{line.name}?{query}"
        await self._send(visit, 303, b"", (b"location", location.encode()), _NOT_STORED)
        return True

    async def _tell_methods(self, visit: Visit, methods: bytes) -> None:
        status, body, headers = of_step(visit.scope, methods)
        await self._send(visit, status, body, *headers)

    async def _show_document(self, visit: Visit, _room: WaitingRoom, line: WaitingLine) -> None:
        metrics.LOOKS.labels(line=line.name).inc()
        if not line.document:
            raise DatabaseBusy("the line was not advanced yet")
        await self._send(visit, 200, line.document.encode(), _JSON, _FOR_A_SECOND)

    async def _give_place(self, visit: Visit, room: WaitingRoom, line: WaitingLine) -> None:
        """Answer with the visitor's ticket as JSON; a visitor without one gets a new ticket.

        Before the line opens, the new ticket has an entry in the draw and no number.
        """
        ticket = await self._ticket_for(visit, room, line)
        if ticket is None:
            raise LineClosed(f"{line.name} is {line.state}")
        text = room.tokens.ticket(ticket)
        body = encode_json(
            {
                "line": line.name,
                "number": ticket.number or None,
                "ticket": text,
                "serving": line.serving,
            }
        )
        cookie = self.cookie(ticket_cookie(line.name), text, BROWSER_HOLDS_SECONDS)
        await self._send(visit, 200, body, _JSON, _NOT_STORED, cookie)

    async def _ticket_for(
        self, visit: Visit, room: WaitingRoom, line: WaitingLine
    ) -> Ticket | None:
        """Return the ticket that the request carries, or take a place or an entry in the draw and return its new ticket.

        If a number was drawn for the carried ticket, the returned ticket has this number.  None if the request carries no
        ticket and the line gives no places at present.
        """
        shown = room.ticket_shown(visit.scope, line)
        if shown is not None and shown.number != NO_NUMBER:
            room.count_again(line, shown)
            return shown
        networks = nested(self._network_of(visit.scope))
        if shown is not None:
            return await room.drawn(line, shown, networks)
        if visit.is_head:
            return None  # a HEAD request takes no place
        if line.state not in (LineState.GATHERING, LineState.OPEN):
            return None
        if not self._newcomers.take(networks):
            raise TooManyPlaces(networks[0])
        if line.state == LineState.GATHERING:
            return await room.enter(line)
        return await room.take_place(line, networks=networks)

    async def _show_page(self, visit: Visit, room: WaitingRoom, line: WaitingLine) -> None:
        """Answer with the waiting page, or redirect a visitor whose number is called; the first visit takes a place."""
        metrics.LOOKS.labels(line=line.name).inc()
        there = _next_path(visit.scope["query_string"])
        headers = [_HTML, _NOT_STORED]
        if not line.stands_in_the_way or room.turn_shown(visit.scope, line) is not None:
            await self._send(visit, 303, b"", (b"location", there.encode()), _NOT_STORED)
            return
        ticket = await self._ticket_for(visit, room, line)
        if ticket is not None and ticket != room.ticket_shown(visit.scope, line):
            text = room.tokens.ticket(ticket)
            headers.append(self.cookie(ticket_cookie(line.name), text, BROWSER_HOLDS_SECONDS))
            if ticket.is_behind and self._shows_session(visit.scope):
                # A signed-in visitor gets the number that the account keeps, which may be called earlier.
                query = urlencode({"next": there, "back": 1})
                location = f"{PATH}/{line.name}/keep?{query}"
                await self._send(visit, 303, b"", (b"location", location.encode()), *headers[1:])
                return
        if ticket is not None and ticket.number == NO_NUMBER:
            await self._show_entry(visit, room, line, ticket, headers)
            return
        if (
            ticket is not None
            and ticket.number <= line.serving
            and not line.is_paused
            and room.admits(line, ticket)
        ):
            location = f"{PATH}/{line.name}/enter?{urlencode({'next': there})}"
            await self._send(visit, 303, b"", (b"location", location.encode()), *headers[1:])
            return
        shown = None
        if ticket is not None:
            shown = room.range_of(line, ticket.number, is_spaced=ticket.serial > 0)
        again = _looks_again(line, ticket, room.now_ms() / 1000)
        body = self._pages.of(line, language_for(visit.scope), ticket, shown, there, again)
        await self._send(visit, 200, body, *headers)

    async def _show_entry(
        self,
        visit: Visit,
        room: WaitingRoom,
        line: WaitingLine,
        ticket: Ticket,
        headers: list[Header],
    ) -> None:
        """Answer with the page of a visitor who has an entry in the draw."""
        opens_at = line.opens_at.timestamp() if line.opens_at else 0.0
        again = look_before_opening(opens_at - room.now_ms() / 1000, _jitter())
        there = _next_path(visit.scope["query_string"])
        entry = entry_of(line.id, ticket.holder).hex()
        body = self._pages.of_entry(line, language_for(visit.scope), entry, there, again)
        await self._send(visit, 200, body, *headers)

    # -- answers ---------------------------------------------------------------------------

    async def _refuse(self, visit: Visit, refusal: Refusal) -> None:
        """Answer with a refusal: a browser gets a page that reloads itself, a program a problem document."""
        language = language_for(visit.scope)
        seconds = str(refusal.retry_after_seconds or 30).encode()
        again = (b"retry-after", seconds)
        if wants_page(visit.scope["path"], head_of(visit.scope).text(b"accept")):
            body = self._pages.refused(refusal, language)
            refresh = (b"refresh", seconds)
            await self._send(visit, refusal.status, body, _HTML, _NOT_STORED, again, refresh)
            return
        body = encode_json(problem(refusal.code, refusal.status, language, refusal.facts()))
        kind = (b"content-type", PROBLEM.encode())
        await self._send(visit, refusal.status, body, kind, _NOT_STORED, again)

    async def _send(self, visit: Visit, status: int, body: bytes, *headers: Header) -> None:
        length = (b"content-length", b"%d" % len(body))
        start: Message = {
            "type": "http.response.start",
            "status": status,
            "headers": [*headers, length, *self._headers],
        }
        await visit.send(start)
        await visit.send({"type": "http.response.body", "body": body, "more_body": False})


def step(litestar: Litestar, settings: Settings, headers: Sequence[Header]) -> Step:
    """Return `WaitingLines` with these settings: the step of this room, which runs before the application."""
    site: pages.Site = litestar.state.site
    return WaitingLines(litestar, site, settings, headers)
