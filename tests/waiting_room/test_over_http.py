"""Lines over HTTP with browsers and programs, also with malformed requests."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from meterai.accounts import AccountService, CodeService
from meterai.accounts.service import COOKIE
from meterai.kit.ids import new_id
from meterai.limiter import Admission
from meterai.plumbing.signed import read_signed
from meterai.waiting_room.advancing import Advancing
from meterai.waiting_room.model import GuardedAct
from meterai.waiting_room.operating import LinePlan
from meterai.waiting_room.service import RECEIPT, WaitingRoom
from meterai.waiting_room.tokens import LineTokens
from tests.support.lines import BUYING, TESTER, Lines
from tests.support.within import Given, Within, settings_of, within

PAGE = {"accept": "text/html", "accept-language": "en"}
LINE = f"/lines/{BUYING}"
TICKET, TURN = f"ticket-{BUYING}", f"turn-{BUYING}"


def kept(answer: Given) -> dict[str, str]:
    """Return the cookies that a browser keeps of an answer."""
    found = [value.split(";")[0] for name, value in answer.headers if name == "set-cookie"]
    return dict(one.split("=", 1) for one in found)


class Visitor:
    """A browser without scripts: it keeps cookies and follows redirects."""

    def __init__(self, web: Within, **cookies: str) -> None:
        self.web, self.cookies = web, dict(cookies)

    @property
    def headers(self) -> dict[str, str]:
        told = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        return PAGE | ({"cookie": told} if told else {})

    async def get(self, path: str, **more: str) -> Given:
        found = await self.web.get(path, self.headers | more)
        self.cookies |= kept(found)
        return found

    async def send(self, path: str, **fields: str) -> Given:
        """Submit the form of a page as shown, with some fields changed."""
        shown = (await self.get(path)).body.decode()
        hidden = re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', shown)
        body = urlencode(dict(hidden) | fields).encode()
        return await self.web.post(path, body, self.headers | FORM)

    async def goes(self, path: str, most: int = 6) -> tuple[str, Given]:
        """Follow redirects and return the last address; a loop fails."""
        for _ in range(most):
            found = await self.get(path)
            if found.status != 303:
                return path, found
            path = found.header("location")
            assert path.startswith("/"), path
        raise AssertionError(f"sent in circles, now to {path}")


class Office:
    """Acts of a worker and an operator."""

    def __init__(self, web: Within) -> None:
        self.web, self.room = web, web.container.of(WaitingRoom)
        self._lines = Lines(web.container, lambda _: None)

    def arrange(self, query: str, *parameters: object) -> None:
        self._lines.arrange(query, *parameters)

    async def operate(self, act: str, *words: Any, **named: Any) -> Any:
        found = await getattr(self._lines.operating, act)(*words, actor=TESTER, **named)
        await self.room._look()
        return found

    async def advance(self, seconds: float = 5.0) -> None:
        await self.room._look()  # reports the places it gave
        self.arrange(
            "UPDATE waiting_room_lines SET advanced_at = clock_timestamp() - make_interval(secs => %s)",
            seconds,
        )
        await self.web.container.of(Advancing).advance_due()
        await self.room._look()

    async def account(self) -> tuple[Any, dict[str, str]]:
        service = self.web.container.of(AccountService)
        account = await service.create(f"{new_id().hex}@example.org", actor=TESTER)
        key = await service.create_api_key(account, "test", actor=TESTER)
        return account, {"authorization": f"Bearer {key}"}

    async def signed_in(self) -> dict[str, str]:
        """Return the session cookie of a new account."""
        codes = self.web.container.of(CodeService)
        challenge = await codes.ask_for_code(f"{new_id().hex}@example.org", "192.0.2.1", "id")
        found = await codes.sign_in(challenge, codes.code(challenge), "id")
        return {COOKIE: found.session}

    def line(self) -> Any:
        return self.room.line(BUYING)


FORM = {
    "content-type": "application/x-www-form-urlencoded",
    "origin": "http://testhost",
    "sec-fetch-site": "same-origin",
}
Do = Callable[[Within, Office], Awaitable[None]]


def run(database_url: str, directory: Path, act: Do, **settings: Any) -> None:
    """Run the application with an engaged line before buying, which calls only in `advance`."""

    async def whole() -> None:
        async with within(settings_of(database_url, directory, **settings)) as web:
            office = Office(web)
            await office.operate("set_rate", BUYING, rate=1.0, rate_max=None)
            await office.operate("stand", BUYING, "always")
            await office.advance(1.0)
            await act(web, office)

    asyncio.run(whole())


def order_of(key: str, headers: dict[str, str]) -> dict[str, str]:
    return headers | {"idempotency-key": key, "content-type": "application/json"}


@contextmanager
def without_connections(database_url: str) -> Iterator[None]:
    """Make the database end its connections and accept no new ones."""
    name = conninfo_to_dict(database_url)["dbname"]
    assert isinstance(name, str)
    allow = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}").format
    elsewhere = make_conninfo(database_url, dbname="postgres")
    with psycopg.connect(elsewhere, autocommit=True) as connection:
        connection.execute(allow(sql.Identifier(name), sql.SQL("false")))
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,)
        )
        try:
            yield
        finally:
            connection.execute(allow(sql.Identifier(name), sql.SQL("true")))


# -- the way in ------------------------------------------------------------------------------------


def test_newcomers_take_no_room_from_called_visitors(database_url: str, tmp_path: Path) -> None:
    async def act(web: Within, office: Office) -> None:
        assert office.room.has_room(office.line())
        for number in range(60):
            headers = PAGE | {"x-forwarded-for": f"192.0.{number}.1"}
            found = await web.get("/stamp", headers)
            assert found.header("location").startswith(LINE)
        assert office.room.has_room(office.line())
        called = Visitor(web, **await office.signed_in())
        await called.get("/stamp")
        await called.get(f"{LINE}?next=/stamp")
        await office.advance()
        assert (await called.goes(f"{LINE}?next=/stamp"))[0] == "/stamp"
        assert TURN in called.cookies

    run(database_url, tmp_path, act, proxies=1)


def test_called_visitors_beyond_the_rate_wait_and_admitted_ones_stay(
    database_url: str, tmp_path: Path
) -> None:
    async def act(web: Within, office: Office) -> None:
        late, inside = Visitor(web, **await office.signed_in()), Visitor(web)
        for one in (late, inside):
            await one.get("/buy")
            await one.get(f"{LINE}?next=/buy")
        await office.advance(10.0)
        assert (await inside.goes(f"{LINE}?next=/buy"))[0].startswith("/sign-in")
        while office.room.has_room(office.line()):
            office.room.let_in(office.line())
        assert (await late.get(f"{LINE}?next=/buy")).status == 200  # the page, with the number
        assert (await late.goes(f"{LINE}?next=/buy"))[0] == f"{LINE}?next=/buy"
        inside.cookies |= await office.signed_in()
        assert (await inside.goes(f"{LINE}?next=/buy"))[0] == "/buy"
        office.room._entrances.clear()
        assert (await late.goes(f"{LINE}?next=/buy"))[0] == "/buy"

    run(database_url, tmp_path, act)


def test_called_visitor_without_database_gets_an_error_and_no_sign_in(
    database_url: str, tmp_path: Path
) -> None:
    async def act(web: Within, office: Office) -> None:
        one = Visitor(web, **await office.signed_in())
        await one.get(f"{LINE}?next=/buy")
        await office.advance(10.0)
        with without_connections(database_url):
            found = await one.get(f"{LINE}/enter?next=/buy")
            assert (found.status, found.header("location")) == (503, "")
        assert (await one.goes(f"{LINE}?next=/buy"))[0] == "/buy"

    run(database_url, tmp_path, act)


def test_visitor_waits_comes_in_and_keeps_a_turn(database_url: str, tmp_path: Path) -> None:
    async def act(web: Within, office: Office) -> None:
        one = Visitor(web)
        sent = await one.get("/buy?quantity=3")
        assert sent.status == 303
        where = urlsplit(sent.header("location"))
        assert (where.path, parse_qs(where.query)) == (LINE, {"next": ["/buy?quantity=3"]})
        assert "no-store" in sent.header("cache-control")
        assert one.cookies == {}
        path, page = await one.goes("/buy?quantity=3")
        assert path.startswith(LINE)
        assert page.status == 200
        ticket = office.room.read_ticket(office.line(), one.cookies[TICKET])
        # Repeated requests get the same place.
        for _ in range(3):
            await one.goes("/buy")
        assert office.room.read_ticket(office.line(), one.cookies[TICKET]) == ticket

        await office.advance()
        # An account comes in, not a browser; the number is kept meanwhile.
        to_sign_in, _ = await one.goes(path)
        assert to_sign_in.startswith("/sign-in?next=%2Flines%2Fbuying%2Fenter")
        assert TURN not in one.cookies
        one.cookies |= await office.signed_in()
        path, found = await one.goes(path)
        turn = office.room.valid_turn(office.line(), one.cookies[TURN])
        assert turn is not None
        assert turn.number == ticket.number
        assert (found.status, path) == (200, "/buy?quantity=3")

    run(database_url, tmp_path, act)


def test_program_gets_the_address_of_the_line(database_url: str, tmp_path: Path) -> None:
    async def act(web: Within, office: Office) -> None:
        _, key = await office.account()
        order = order_of("k1", key)
        refused = await web.post("/v1/orders", b'{"quantity": 1}', order)
        told = json.loads(refused.body)
        assert (refused.status, told["code"]) == (503, "wait_in_line")
        assert told["join"] == LINE
        assert int(refused.header("retry-after")) > 0
        place = json.loads((await web.post(f"/v1{LINE}/places", b"", key)).body)
        assert json.loads((await web.post(f"/v1{LINE}/places", b"", key)).body) == place
        body = json.dumps({"ticket": place["ticket"]}).encode()
        as_json = key | {"content-type": "application/json"}
        early = await web.post(f"/v1{LINE}/turns", body, as_json)
        assert (early.status, json.loads(early.body)["code"]) == (503, "number_not_served")
        await office.advance()
        turn = json.loads((await web.post(f"/v1{LINE}/turns", body, as_json)).body)
        placed = await web.post(
            "/v1/orders", b'{"quantity": 1}', order | {"waiting-turn": turn["turn"]}
        )
        assert placed.status == 201, placed.body
        # Without the turn the same order is found, since the line guards new orders only.
        again = await web.post("/v1/orders", b'{"quantity": 1}', order)
        assert again.status in (200, 201)
        assert json.loads(again.body)["id"] == json.loads(placed.body)["id"]
        other = await web.post("/v1/orders", b'{"quantity": 1}', order_of("k2", key))
        assert json.loads(other.body)["code"] == "wait_in_line"
        # Another account with the same turn.
        _, thief = await office.account()
        stolen = order_of("k3", thief) | {"waiting-turn": turn["turn"]}
        refused = await web.post("/v1/orders", b'{"quantity": 1}', stolen)
        assert (refused.status, json.loads(refused.body)["code"]) == (403, "turn_not_yours")

    run(database_url, tmp_path, act)


@pytest.mark.parametrize(
    "what", ["garbage", "a ticket", "of another line", "over", "of another key"]
)
def test_invalid_turn_does_not_admit(database_url: str, tmp_path: Path, what: str) -> None:
    async def act(web: Within, office: Office) -> None:
        _, key = await office.account()
        tokens, line = office.room.tokens, office.line()
        ticket = await office.room.take_place(line)
        await office.advance()
        turn = await office.room.come_in(office.line(), ticket)
        shown = {
            "garbage": "x" * 100,
            "a ticket": tokens.ticket(ticket),
            "of another line": tokens.turn(turn._replace(line=new_id())),
            "over": tokens.turn(turn._replace(until=office.room.now_ms() - 1)),
            "of another key": LineTokens(b"x" * 32).turn(turn),
        }[what]
        for headers in ({"waiting-turn": shown}, {"cookie": f"{TURN}={shown}"}):
            order = order_of(f"k{len(headers)}", key) | headers
            refused = await web.post("/v1/orders", b'{"quantity": 1}', order)
            assert json.loads(refused.body)["code"] == "wait_in_line"
            page = await web.get("/buy", PAGE | headers)
            assert (page.status, page.header("location")[: len(LINE)]) == (303, LINE)

    run(database_url, tmp_path, act)


def test_paid_work_waits_for_no_line(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stamping from the balance, and every page that only reads."""

    async def act(web: Within, office: Office) -> None:
        _, key = await office.account()
        bare = await web.get("/stamp", PAGE | key)
        assert bare.status in (200, 303)
        if bare.status == 303:
            assert "/lines/" in bare.header("location") or "/sign" in bare.header("location")
        for path in ("/", "/v1/orders", "/v1/balance", "/check", "/history"):
            found = await web.get(path, key)
            assert "/lines/" not in found.header("location"), path
            assert b"wait_in_line" not in found.body, path
        stamped = await web.post("/v1/stampings", b"", key | {"idempotency-key": "s"})
        assert b"wait_in_line" not in stamped.body

    run(database_url, tmp_path, act)


# -- auto-refreshing pages --------------------------------------------------------------------------------

NEVER_LOOKED_AT = re.compile(r"<noscript>.*?</noscript>", re.DOTALL)  # where there are scripts
STATES = ("planned", "drawing", "open", "closing")


@pytest.mark.sample(3)
@pytest.mark.parametrize("is_paused", [False, True])
@pytest.mark.parametrize("state", STATES)
def test_auto_refreshing_pages_refresh_with_and_without_scripts(
    database_url: str, tmp_path: Path, state: str, is_paused: bool
) -> None:
    async def act(web: Within, office: Office) -> None:
        office.arrange(
            "UPDATE waiting_room_lines SET state = %s, is_paused = %s,"
            " opens_at = clock_timestamp() + interval '1 hour' WHERE name = %s",
            state,
            is_paused,
            BUYING,
        )
        await office.room._look()
        shown = (await Visitor(web).get(f"{LINE}?next=/buy")).body.decode()
        assert "This page checks again automatically." in shown
        assert "refresh" in shown
        looks_by_script = 'id="place"' in shown and "/static/waiting.js" in shown
        assert looks_by_script or "refresh" in NEVER_LOOKED_AT.sub("", shown)
        assert looks_by_script == (state == "open"), "who has a number is let in without a reload"
        if state != "open":
            # A visitor who gets no number here is led to an existing one.
            assert 'href="/history"' in shown
            assert f'href="{LINE}/keep?next=/buy"' in shown

    run(database_url, tmp_path, act)


# -- malformed requests ----------------------------------------------------------------------------------


@pytest.mark.sample(5)
@pytest.mark.parametrize(
    "where",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "javascript:alert(1)",
        LINE,
        f"{LINE}?next={LINE}",
        f"{LINE}/enter",
        f"{LINE}/leave",
        "/%6Cines/buying",
        "/buy\r\nset-cookie: x=y",
        "/\N{SNOWMAN}",
        "/" + "a" * 5_000,
        "",
    ],
)
def test_next_path_never_leads_elsewhere_or_in_circles(
    database_url: str, tmp_path: Path, where: str
) -> None:
    async def act(web: Within, office: Office) -> None:
        one = Visitor(web)
        asked = f"{LINE}?next={quote(where, safe='')}"
        path, page = await one.goes(asked)
        assert page.status == 200
        assert b"evil" not in page.body
        assert b"javascript:" not in page.body
        await office.advance()
        for _ in range(2):  # admitted, and again with the turn
            path, page = await one.goes(asked)
            assert page.status in (200, 404)
            assert "evil" not in path
            assert "x" not in one.cookies
        await office.operate("stand", BUYING, "never")
        await Visitor(web).goes(asked)

    run(database_url, tmp_path, act)


def test_visitor_not_called_costs_no_permit_of_the_limiter(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A crowd that was not called keeps no paying visitor out."""
    asked: list[str] = []
    let_in = Admission.let_in

    async def count(admission: Admission, scope: Any, incoming: Any) -> Any:
        asked.append(scope["path"])
        return await let_in(admission, scope, incoming)

    async def act(web: Within, office: Office) -> None:
        one = Visitor(web, **await office.signed_in())
        monkeypatch.setattr(Admission, "let_in", count)
        for _ in range(5):
            found = await web.get(f"{LINE}/enter?next=/buy", PAGE)
            assert found.status == 303
            assert found.header("location").startswith(f"{LINE}?")
        await web.get(f"{LINE}/receipt", PAGE)
        await one.goes("/buy")
        await one.get(f"{LINE}/enter?next=/buy")
        assert asked == []
        await office.advance()
        await one.get(f"{LINE}/enter?next=/buy")
        assert len(asked) == 1
        assert TURN in one.cookies

    run(database_url, tmp_path, act)


def test_stranger_without_an_account_takes_no_room_inside(
    database_url: str, tmp_path: Path
) -> None:
    async def act(web: Within, office: Office) -> None:
        strangers = [Visitor(web) for _ in range(20)]
        for one in strangers:
            await one.goes("/buy")
        await office.advance(60.0)
        for one in strangers:
            await one.goes(f"{LINE}/enter?next=/buy")
        assert not await web.container.database.read("SELECT 1 FROM waiting_room_turns")

    run(database_url, tmp_path, act)


def test_network_at_its_limit_of_places_does_not_affect_others(
    database_url: str, tmp_path: Path
) -> None:
    async def act(web: Within, office: Office) -> None:
        answers = [await web.get(LINE, PAGE) for _ in range(12)]
        assert [one.status for one in answers] == [200] * 10 + [503] * 2
        assert answers[-1].header("refresh")
        told = await web.post(f"{LINE}/place", b"", {"accept": "application/json"})
        assert (told.status, json.loads(told.body)["code"]) == (503, "too_many_places")
        # A visitor with a place is not counted again; one from another network gets a place.
        assert (await web.get(LINE, PAGE | {"cookie": _cookies(answers[0])})).status == 200
        elsewhere = PAGE | {"x-forwarded-for": "198.51.100.7"}
        assert (await web.get(LINE, elsewhere)).status == 200

    run(database_url, tmp_path, act, waiting_room_network_places=10, proxies=1)


def _cookies(answer: Given) -> str:
    return "; ".join(f"{name}={value}" for name, value in kept(answer).items())


def test_line_before_checking_guards_all_ways_to_check(database_url: str, tmp_path: Path) -> None:
    async def act(web: Within, office: Office) -> None:
        await office.operate("create", LinePlan("ck", GuardedAct.CHECK))
        for _ in range(2):
            await office.advance()
        refused = await web.post("/v1/verifications", b"%PDF-1.4")
        assert (refused.status, json.loads(refused.body)["code"]) == (503, "wait_in_line")
        assert (await web.get("/check", PAGE)).header("location").startswith("/lines/ck?")
        sent = await web.post("/check", b"x=1", PAGE | FORM)
        assert (sent.status, sent.header("location")) == (303, "/lines/ck?next=%2Fcheck")
        one = Visitor(web)  # checking needs no account
        await one.goes("/check")
        await office.advance(60.0)
        assert (await one.goes("/check"))[0] == "/check"
        turn = one.cookies["turn-ck"]
        found = await web.post("/v1/verifications", b"%PDF-1.4", {"waiting-turn": turn})
        assert found.status == 200

    run(database_url, tmp_path, act)


# -- form of answers ----------------------------------------------------------------------------


def test_cookies_under_tls_are_bound_to_the_host(database_url: str, tmp_path: Path) -> None:
    async def act(web: Within, office: Office) -> None:
        [session] = (await office.signed_in()).values()
        one = Visitor(web, **{f"__Host-{COOKIE}": session})
        await one.goes("/buy")
        await office.advance()
        await one.goes("/buy")
        assert {f"__Host-{TICKET}", f"__Host-{TURN}"} <= set(one.cookies)
        page = await web.get(LINE, PAGE)
        [cookie] = [value for name, value in page.headers if name == "set-cookie"]
        for part in ("Secure", "HttpOnly", "Path=/", "SameSite=Lax"):
            assert part in cookie
        assert "Domain" not in cookie
        # A cookie that a neighbouring domain could set without TLS is not read.
        plain = one.cookies[f"__Host-{TICKET}"]
        seen = await web.get(LINE, PAGE | {"cookie": f"{TICKET}={plain}"})
        assert f"__Host-{TICKET}" in kept(seen)

    run(database_url, tmp_path, act, public_url="https://meterai.example")


# -- unknown and ended lines ----------------------------------------------------------


def test_closed_line_serves_places_and_refuses_new_ones(database_url: str, tmp_path: Path) -> None:
    async def act(web: Within, office: Office) -> None:
        one = Visitor(web, **await office.signed_in())
        await one.goes("/buy")
        office.arrange("UPDATE waiting_room_lines SET closes_at = clock_timestamp(), rate = 0.05")
        await office.advance(1.0)
        late = Visitor(web)
        _, page = await late.goes("/buy")
        assert page.status == 200
        assert TICKET not in late.cookies
        assert b"closed to new people" in page.body
        assert (await web.post(f"{LINE}/place")).status == 409
        proof = await one.get(f"{LINE}/receipt")
        facts = read_signed(proof.body, RECEIPT, office.room.signer.public_key())
        assert facts["was_in_time"] is True
        assert facts["closes_at"] is not None
        office.arrange("UPDATE waiting_room_lines SET rate = 1")
        await office.advance()
        await one.goes("/buy")
        assert TURN in one.cookies

    run(database_url, tmp_path, act)
