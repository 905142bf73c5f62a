"""Pages without a database: an application of some rooms, and its visitors."""

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from litestar import Litestar
from litestar.exceptions import HTTPException
from litestar.testing import RequestFactory, TestClient
from litestar.types import ControllerRouterHandler

from meterai import pages
from meterai.accounts import (
    PERMISSIONS,
    AccountService,
    CodeService,
    PasskeyService,
    Permission,
    Role,
    SigningIn,
    require_permission,
)
from meterai.apps.rooms import services_of
from meterai.apps.settings import settings_of as make_settings
from meterai.kit.refusal import Refusal, SignInRequired
from meterai.pages import Site
from meterai.plumbing.config import Settings
from meterai.plumbing.http.callers import Caller, injected
from meterai.plumbing.http.problems import on_fault, on_http_exception, on_refusal
from meterai.waiting_room import WaitingRoom


class Nobody:
    """An authenticator for which no visitor is signed in."""

    async def caller(self, _: object, *, anew: bool = False) -> Caller:
        raise SignInRequired("nobody is signed in")

    def session_shown(self, _: object) -> tuple[str, str]:
        return "", ""

    def has_session(self, _: object) -> bool:
        return False


class NoPasskeys(PasskeyService):
    """An installation reached by an IP address, where passkeys are impossible."""

    is_possible = False


class OpenToAll(AccountService):
    """Accounts whose sign-up is always open."""

    async def sign_up_closed_at(self) -> None:
        """Return None: sign-up was never closed."""


class NoLine(WaitingRoom):
    """A waiting room without a line."""

    async def check_turn(self, *_: object) -> None:
        """Let everybody pass."""


def application(routes: Sequence[ControllerRouterHandler], site: Site, *services: type) -> Litestar:
    """An application with these routes, for tests of requests that are refused before a service is called.

    The services are never initialized.
    """
    made = Litestar(
        [*routes, *pages.static_files(Permission.PUBLIC)],
        dependencies=injected(services_of()),
        before_request=require_permission,
        exception_handlers={
            Refusal: pages.page_or_problem(on_refusal),
            HTTPException: pages.page_or_problem(on_http_exception),
            Exception: pages.page_or_problem(on_fault),
        },
    )
    idle: dict[type, object] = {kind: object.__new__(kind) for kind in services}
    idle[AccountService] = object.__new__(OpenToAll)
    idle[CodeService] = codes = object.__new__(CodeService)
    idle[PasskeyService] = passkeys = object.__new__(NoPasskeys)
    accounts = object.__new__(AccountService)
    idle[SigningIn] = SigningIn(codes, passkeys, accounts, make_settings())
    idle[WaitingRoom] = object.__new__(NoLine)
    made.state.services = {Settings: make_settings(), Site: site, **idle}
    made.state.authenticator = Nobody()
    return made


def browser_of(app: Litestar) -> Iterator[TestClient[Litestar]]:
    """A browser without a session."""
    with TestClient(app, raise_server_exceptions=False) as client:
        client.headers["Accept"] = "text/html"
        yield client


def asked_by_somebody(app: Litestar, language: str) -> Any:
    """A request of a signed-in person."""
    made = RequestFactory(app=app).get("/", headers={"Cookie": f"language={language}"})
    who = Caller(UUID(int=1), "session", language, "t" * 32, permissions=PERMISSIONS[Role.OWNER])
    made.scope["caller"] = who  # type: ignore[typeddict-unknown-key]
    return made
