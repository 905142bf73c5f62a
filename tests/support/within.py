"""The web application within the test's own process. A test chooses every byte of a request."""

import asyncio
import warnings
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

from litestar import Litestar
from litestar.exceptions import LitestarDeprecationWarning
from litestar.testing import TestClient
from litestar.types import ASGIApp

from meterai.apps.rooms import ROOMS, pages_of
from meterai.apps.settings import settings_of as make_settings
from meterai.apps.web import assembled, start_with
from meterai.limiter import Admission, Answers, BusyAnswers, Limiter, Priorities, Users
from meterai.pages import Site, wants_page
from meterai.plumbing.config import Settings
from meterai.plumbing.queueing import Queueing
from meterai.room import Container, Rooms
from tests.support.keys import BANK_KEY, give_provider_key, public_pem_of

NOWHERE = "http://127.0.0.1:9"  # the discard port; no server listens


@dataclass(frozen=True)
class Given:
    """An answer as the application gives it to the server."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str:
        """The values of a header, joined."""
        return ", ".join(value for key, value in self.headers if key == name)


@dataclass
class Asking:
    """A request, down to its bytes."""

    method: str
    target: bytes  # path and query, as sent
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""


class Within:
    """The application of one test; `container` has its services."""

    def __init__(self, app: Litestar, admitted_app: ASGIApp) -> None:
        self.app = app
        self._admitted = admitted_app

    @property
    def container(self) -> Container:
        found: Container = self.app.state.container
        return found

    async def ask(self, asking: Asking) -> Given:
        """Send a request. An exception that the application does not handle is raised."""
        raw_path, _, query = asking.target.partition(b"?")
        names = {name for name, _ in asking.headers}
        headers = [one for one in ((b"host", b"testhost"),) if one[0] not in names]
        headers += asking.headers
        if asking.body and b"content-length" not in names:
            headers.append((b"content-length", str(len(asking.body)).encode()))
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "server": ("127.0.0.1", 8000),
            "client": ("127.0.0.1", 55_555),
            "scheme": "http",
            "method": asking.method,
            "root_path": "",
            "path": unquote_to_bytes(raw_path).decode("utf-8", "replace"),
            "raw_path": raw_path,
            "query_string": query,
            "headers": headers,
            "state": {},
        }
        return await self._run(scope, asking.body)

    async def _run(self, scope: dict[str, Any], body: bytes) -> Given:
        came: list[Any] = []
        pieces = [{"type": "http.request", "body": body, "more_body": False}]
        is_answered = asyncio.Event()

        async def receive() -> Any:
            if pieces:
                return pieces.pop()
            await is_answered.wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            came.append(message)
            if message["type"] == "http.response.body" and not message.get("more_body", False):
                is_answered.set()  # a streamed answer ends when the client disconnects

        await self._admitted(scope, receive, send)  # type: ignore[arg-type]
        start = came[0]
        return Given(
            start["status"],
            [
                (name.decode("latin-1").lower(), value.decode("latin-1"))
                for name, value in start["headers"]
            ],
            b"".join(message.get("body", b"") for message in came[1:]),
        )

    async def get(self, target: str, headers: Mapping[str, str] | None = None) -> Given:
        """GET with these headers."""
        return await self.ask(Asking("GET", target.encode(), _bytes(headers)))

    async def post(
        self, target: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Given:
        """POST with this body."""
        return await self.ask(Asking("POST", target.encode(), _bytes(headers), body))


def _bytes(headers: Mapping[str, str] | None) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode(), value.encode()) for name, value in (headers or {}).items()]


@cache
def all_pages() -> Site:
    """The pages of all rooms. A process compiles their templates once."""
    return Site(*pages_of(ROOMS))


def settings_of(database_url: str, directory: Path, **more: Any) -> Settings:
    """Settings of an instance that has a database and keys, and reaches no bank."""
    settings = make_settings(
        data=str(directory), database_url=database_url, bank_url=NOWHERE, **more
    )
    keys = give_provider_key(directory)
    (keys / "bank.pub.pem").write_bytes(public_pem_of(BANK_KEY))
    return settings


def admission(app: Litestar) -> Admission:
    """The admission of requests into an application without pages."""
    answers = Answers({}, (), BusyAnswers(app))
    return Admission(Limiter(Queueing()), Priorities(app), Users(lambda _: ""), answers, wants_page)


# By the identities of their rooms, which the applications keep alive.
_SPARE: dict[tuple[int, ...], list[Litestar]] = defaultdict(list)


@contextmanager
def application(settings: Settings, rooms: Rooms = ROOMS) -> Iterator[tuple[Litestar, ASGIApp]]:
    """An application that is not started, alone and as it is served.

    To assemble one takes most of a second, so each test gets one that an earlier test has left.
    """
    spare = _SPARE[tuple(map(id, rooms))]
    app = spare.pop() if spare else _assembled(rooms)
    yield app, start_with(app, settings)
    spare.append(app)


def _assembled(rooms: Rooms) -> Litestar:
    with warnings.catch_warnings():
        # The spelling of parameters changes with Litestar 3; it is left to that upgrade.
        warnings.simplefilter("ignore", LitestarDeprecationWarning)
        return assembled(rooms)


@contextmanager
def browsed(settings: Settings, rooms: Rooms = ROOMS) -> Iterator[TestClient[Litestar]]:
    """A client of a started application, without the edge in front of it."""
    with application(settings, rooms) as (app, _), TestClient(app) as client:
        yield client


@asynccontextmanager
async def within(settings: Settings, rooms: Rooms = ROOMS) -> AsyncIterator[Within]:
    """The application as it is served, without a server."""
    with application(settings, rooms) as (app, served):
        async with app.lifespan():
            yield Within(app, served)
