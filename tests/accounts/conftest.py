"""Services of accounts with a clock that a test moves."""

import asyncio
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

import pytest
from litestar.testing import RequestFactory

from meterai.accounts import AccountService, CodeService
from meterai.accounts.sessions import SignedIn
from meterai.apps.settings import settings_of as make_settings
from meterai.kit.clock import SystemClock
from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import Database, Row
from meterai.plumbing.http.callers import Caller

Answer = TypeVar("Answer")
# The database has its own clock, so this one starts close to it.
BEGIN = SystemClock().now().replace(minute=0, second=20, microsecond=0)
FACTORY = RequestFactory()  # the shared factory makes an application, which is slow
HOME, CARRIER = "203.0.113.7", "198.51.100.9"


@dataclass
class Clock:
    """A clock that only a test moves."""

    at: datetime = BEGIN

    def now(self) -> datetime:
        return self.at

    def wait(self, **time: float) -> None:
        self.at += timedelta(**time)


@dataclass
class Counter:
    """Sign-in services over one database, one for each process."""

    runner: asyncio.Runner
    url: str
    # The quota of unused codes is as high as the quota of an hour, which most tests are about.
    settings: Settings = field(default_factory=lambda: make_settings(codes_outstanding_max=6))
    clock: Clock = field(default_factory=Clock)
    key: bytes = b"k" * 32

    def __post_init__(self) -> None:
        self.database = Database(self.url, connections=20)
        self.do(self.database.open())
        self.service = self.another_service()
        self.begin_anew()

    def begin_anew(self) -> None:
        """Make the services again with the current settings."""
        self.codes = CodeService(self.database, self.key, self.settings, self.clock)

    def another_service(self) -> AccountService:
        """Return the service of another web process."""
        return AccountService(self.database, self.key, self.settings, self.clock)

    def do(self, work: Coroutine[Any, Any, Answer]) -> Answer:
        return self.runner.run(work)

    def rows(self, query: str, *parameters: object) -> list[Row]:
        return self.do(self.database.call_all(query, *parameters))

    def ask(self, email: str, network: str = HOME, device: str = "") -> UUID:
        return self.do(self.codes.ask_for_code(email, network, "id", device))

    def wrong(self, challenge: UUID) -> str:
        """Return six digits other than the code."""
        return str((int(self.codes.code(challenge)) + 1) % 1_000_000).zfill(6)

    def sign_in(self, email: str, device: str = "", network: str = HOME) -> SignedIn:
        challenge = self.ask(email, network, device)
        return self.do(self.codes.sign_in(challenge, self.codes.code(challenge), "id", device))

    def opens(
        self, cookie: str = "", key: str = "", service: AccountService | None = None
    ) -> Caller:
        """Return the caller of this cookie or key."""
        headers = {"Authorization": f"Bearer {key}"} if key else {"Cookie": f"session={cookie}"}
        request = FACTORY.get("/", headers=headers)
        return self.do((service or self.service).caller(request))

    def trail(self) -> list[tuple[str, str]]:
        """Return (actor, action) of every line of the trail, in order."""
        rows = self.rows("SELECT actor, action FROM audit_events ORDER BY happened_at")
        return [(row["actor"], row["action"]) for row in rows]


@pytest.fixture
def counter(database_url: str) -> Iterator[Counter]:
    with asyncio.Runner() as runner:
        made = Counter(runner, database_url)
        yield made
        made.do(made.database.close())
