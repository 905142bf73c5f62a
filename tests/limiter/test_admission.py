"""Admission of a request: a permit, a short wait, or a prepared refusal."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest
from litestar import Litestar, get, post
from litestar.di import Provide

from meterai.accounts import Permission
from meterai.apps.edge import Edge
from meterai.apps.settings import settings_of
from meterai.kit.priority import Priority
from meterai.limiter import (
    Admission,
    Answers,
    BusyAnswer,
    BusyAnswers,
    Limiter,
    Priorities,
    PriorityMissing,
    Users,
)
from meterai.limiter.admission import STAYS_SECONDS
from meterai.limiter.limit import LIMIT_MAX
from meterai.limiter.waiting import WAITING_MAX
from meterai.pages import Site, busy_pages, wants_page
from meterai.payments.room import RAILS
from meterai.payments.routes import endpoints_of
from meterai.plumbing.http.callers import Caller
from meterai.plumbing.http.front import Front
from meterai.plumbing.messages import LANGUAGES
from meterai.plumbing.permits import PURPOSE
from meterai.plumbing.queueing import Queueing

PATHS = {
    Priority.MONEY: "/money",
    Priority.PAID: "/paid",
    Priority.CHECKOUT: "/checkout",
    Priority.CHECKING: "/checking",
    Priority.NEW: "/new",
}
SECURE = ((b"x-content-type-options", b"nosniff"),)


IN_ITS_WORDS = BusyAnswer(504, "application/json", b'{"code":"busy here"}')


def routes() -> Litestar:
    """An application with one path of each priority, whose handlers are never called."""

    def path(priority: Priority) -> Any:
        @get(PATHS[priority], opt={"permission": Permission.PUBLIC, "priority": priority})
        async def look() -> None: ...

        @post(PATHS[priority], opt={"permission": Permission.PUBLIC, "priority": priority})
        async def send() -> None: ...

        return look, send

    @post(
        "/door",
        opt={"permission": Permission.PUBLIC, "priority": Priority.MONEY, "busy": IN_ITS_WORDS},
    )
    async def door() -> None: ...

    paths = [one for priority in Priority for one in path(priority)]
    return Litestar([*paths, door], openapi_config=None)


class Application:
    """Answers when a test lets it; records the order of its calls."""

    def __init__(self) -> None:
        self.called: list[str] = []
        self.purposes: list[Priority] = []
        self.may_answer = asyncio.Event()

    async def __call__(self, scope: Any, _receive: Any, send: Any) -> None:
        self.called.append(scope["path"])
        self.purposes.append(PURPOSE.get().priority)
        await self.may_answer.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"ok"})


class Visitor:
    """One request, and whether its client is still there."""

    def __init__(self, method: str, path: str, headers: dict[str, str] | None = None) -> None:
        given = {"accept": "text/html", "accept-language": "id"} | (headers or {})
        self.scope = {
            "type": "http",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "headers": [(name.encode(), value.encode()) for name, value in given.items()],
            "client": ("192.0.2.1", 1),
        }
        self._gone = asyncio.Event()
        self._is_read = False
        self.sent: list[Any] = []

    def leave(self) -> None:
        self._gone.set()

    async def receive(self) -> Any:
        if not self._is_read:
            self._is_read = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        self.sent.append(message)

    @property
    def status(self) -> int:
        status: int = self.sent[0]["status"]
        return status

    @property
    def headers(self) -> dict[str, str]:
        return {name.decode(): value.decode() for name, value in self.sent[0]["headers"]}

    @property
    def body(self) -> str:
        return b"".join(message.get("body", b"") for message in self.sent[1:]).decode()


class Door:
    """An application behind its admission, with a limit used up by slow requests."""

    def __init__(self) -> None:
        self.application = Application()
        self.limiter = Limiter(Queueing())
        settings, app = settings_of(), routes()
        admission = Admission(
            self.limiter,
            Priorities(app),
            Users(lambda scope: scope["client"][0] if scope["client"] else ""),
            Answers(busy_pages(Site(), settings), SECURE, BusyAnswers(app)),
            wants_page,
        )
        edge = Edge(app, {}, admission)
        self.front = Front(self.application, [edge])
        self.under_way: list[asyncio.Task[None]] = []

    def ask(self, visitor: Visitor) -> asyncio.Task[None]:
        task = asyncio.create_task(
            self.front(visitor.scope, visitor.receive, visitor.send)  # type: ignore[arg-type]
        )
        self.under_way.append(task)
        return task

    def crowd(self, number: int, priority: Priority = Priority.MONEY) -> None:
        for _ in range(number):
            self.ask(Visitor("GET", PATHS[priority]))

    async def settle(self) -> None:
        for _ in range(10):
            await asyncio.sleep(0)

    async def over(self) -> None:
        self.application.may_answer.set()
        while self.under_way:
            await asyncio.wait([self.under_way.pop()])


def at_the_door(act: Callable[[Door], Awaitable[None]]) -> None:
    async def run() -> None:
        door = Door()
        await act(door)
        async with asyncio.timeout(20):
            await door.over()
        assert not any(door.limiter.running(one) for one in Priority)
        assert not any(door.limiter.waiting(one) for one in Priority)

    asyncio.run(run())


FULL = LIMIT_MAX + WAITING_MAX  # as many as can run and wait at once


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("priority", Priority)
def test_refused_browser_gets_an_auto_refreshing_page(language: str, priority: Priority) -> None:
    async def act(door: Door) -> None:
        door.crowd(FULL, priority)
        await door.settle()
        looking = Visitor("GET", PATHS[priority], {"accept-language": language})
        sending = Visitor("POST", PATHS[priority], {"cookie": f"a=b; language={language}"})
        for visitor in (looking, sending):
            await door.ask(visitor)
            assert visitor.status == 503
            assert visitor.headers["content-type"] == "text/html; charset=utf-8"
            assert visitor.headers["content-length"] == str(len(visitor.body.encode()))
            assert visitor.headers["x-content-type-options"] == "nosniff"
            assert "no-store" in visitor.headers["cache-control"]
            assert 1 <= int(visitor.headers["retry-after"]) <= 60
            assert f'<html lang="{language}">' in visitor.body
        assert looking.headers["refresh"] == looking.headers["retry-after"]
        assert "refresh" not in sending.headers, "what was sent is not sent again unasked"

    at_the_door(act)


@pytest.mark.parametrize("priority", Priority)
def test_refused_program_gets_a_problem_document(priority: Priority) -> None:
    async def act(door: Door) -> None:
        door.crowd(FULL, priority)
        await door.settle()
        visitor = Visitor("POST", PATHS[priority], {"accept": "application/json"})
        await door.ask(visitor)
        told = json.loads(visitor.body)
        assert (visitor.status, told["status"], told["code"]) == (503, 503, "busy")
        assert visitor.headers["content-type"] == "application/problem+json"
        assert told["detail"]

    at_the_door(act)


def test_route_with_own_refusal_answers_it() -> None:
    async def act(door: Door) -> None:
        door.crowd(FULL, Priority.MONEY)
        await door.settle()
        visitor = Visitor("POST", "/door", {"accept": "text/html"})
        await door.ask(visitor)
        assert (visitor.status, visitor.body) == (504, '{"code":"busy here"}')
        assert visitor.headers["content-type"] == "application/json"
        assert visitor.headers["content-length"] == str(len(visitor.body))
        assert visitor.headers["x-content-type-options"] == "nosniff"
        assert 1 <= int(visitor.headers["retry-after"]) <= 60

    at_the_door(act)


def no_calls() -> None: ...


def test_every_rail_has_a_refusal_in_its_protocol() -> None:
    app = Litestar(
        [route for kind in RAILS for route in endpoints_of(kind)],
        dependencies={"bank_calls": Provide(no_calls, sync_to_thread=False)},
        openapi_config=None,
    )
    answers = BusyAnswers(app)
    for endpoint in (endpoint for kind in RAILS for endpoint in kind.endpoints):
        own = answers.of("POST", endpoint.path)
        assert own is not None, endpoint.path
        assert (own.status, json.loads(own.body)) == endpoint.busy
    snap = answers.of("POST", "/snap/v1.0/qr/qr-mpm-notify")
    assert snap is not None
    assert (snap.status, snap.media_type) == (504, "application/json")
    assert json.loads(snap.body) == {"responseCode": "5045200", "responseMessage": "Timeout"}


def test_urgent_request_passes_a_waiting_crowd() -> None:
    async def act(door: Door) -> None:
        door.crowd(FULL, Priority.NEW)
        await door.settle()
        for priority in (Priority.PAID, Priority.MONEY):
            door.ask(Visitor("POST", PATHS[priority]))
        await door.settle()
        begun = door.application.called
        assert "/paid" in begun
        assert "/money" in begun
        assert door.application.purposes[begun.index("/paid")] is Priority.PAID

    at_the_door(act)


def test_request_whose_client_left_while_waiting_is_not_served() -> None:
    async def act(door: Door) -> None:
        door.crowd(FULL, Priority.MONEY)
        door.crowd(1, Priority.PAID)  # takes the share of that priority
        await door.settle()
        leaving, staying = (Visitor("POST", PATHS[Priority.PAID]) for _ in range(2))
        for visitor in (leaving, staying):
            door.ask(visitor)
        await door.settle()
        assert door.limiter.waiting(Priority.PAID) == 2
        leaving.leave()
        await asyncio.sleep(STAYS_SECONDS)
        await door.over()
        assert door.application.called.count("/paid") == 2
        assert (leaving.sent, staying.status) == ([], 200)

    at_the_door(act)


def test_stopping_server_leaves_no_permit_taken() -> None:
    async def act(door: Door) -> None:
        door.crowd(FULL, Priority.MONEY)
        await door.settle()
        waiting = door.ask(Visitor("POST", PATHS[Priority.PAID]))
        await door.settle()
        waiting.cancel()
        await door.settle()
        assert door.limiter.waiting(Priority.PAID) == 0

    at_the_door(act)


def test_route_without_a_priority_is_refused_at_start() -> None:
    @get("/somewhere", opt={"permission": Permission.PUBLIC})
    async def somewhere() -> None: ...

    with pytest.raises(PriorityMissing, match="somewhere"):
        Priorities(Litestar([somewhere], openapi_config=None))


# -- users ---------------------------------------------------------------------------------


def test_credential_counts_once_it_was_accepted() -> None:
    users = Users(lambda scope: scope["client"][0] if scope["client"] else "")
    made_up = [Visitor("GET", "/", {"cookie": f"session={number}"}).scope for number in range(3)]
    assert {users.of(scope) for scope in made_up} == {b"192.0.2.1"}, "a new one is nobody new"  # type: ignore[arg-type]
    account = UUID(int=7)
    users.learn(made_up[0] | {"caller": Caller(account, "session", "id")}, b"192.0.2.1")  # type: ignore[arg-type]
    assert users.of(made_up[0]) == account.bytes  # type: ignore[arg-type]
    assert users.of(made_up[1]) == b"192.0.2.1"  # type: ignore[arg-type]


# -- counted refusals -----------------------------------------------------------------


def refused_from(addresses: list[str], priority: Priority = Priority.CHECKOUT) -> int:
    """Return how many refusals count if these users find no slot."""

    told: list[int] = []

    async def act(door: Door) -> None:
        door.crowd(FULL, priority)  # from one address
        await door.settle()
        visitors = [Visitor("GET", PATHS[priority]) for _ in addresses]
        for visitor, address in zip(visitors, addresses, strict=True):
            visitor.scope["client"] = (address, 1)
            await door.ask(visitor)
            assert visitor.status == 503
        told.append(door.limiter.refusals.since_asked())

    at_the_door(act)
    return told[0]


def test_refusals_from_many_networks_are_counted() -> None:
    assert refused_from([f"192.0.{number}.1" for number in range(20)]) == 20
    assert refused_from([f"192.0.{number}.1" for number in range(20)], Priority.NEW) == 0
