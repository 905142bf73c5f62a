"""The caller of a request, and the services that routes get by the names of their parameters.

A route names its parameters (`orders: NamedDependency[OrderService]`, `account`); `injected` tells the framework how to
provide them. The guard of the permission that a route declares (`meterai.accounts`) finds the caller, by the
`Authenticator` in the state of the application.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol, TypeVar
from uuid import UUID

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.di import Provide

from meterai.kit.actor import Actor, ActorKind
from meterai.kit.ids import show

_ITS_OWN_ACCOUNT = Actor(ActorKind.ACCOUNT)


@dataclass(frozen=True, slots=True)
class Caller:
    """The caller of a request: the account it acts for, how it was authenticated, and its language."""

    account: UUID
    by: str  # 'session' or 'api_key'
    language: str
    form_token: str = ""  # proves that a form was sent by our own page
    actor: Actor = _ITS_OWN_ACCOUNT  # actor in the audit trail
    # Time of the last sign-in or proof in this session; None for a key.
    proved_at: datetime | None = None
    permissions: frozenset[str] = frozenset()  # of the caller in that account
    staff_permissions: frozenset[str] = frozenset()  # of the caller as staff
    person: UUID | None = None  # owner of the session; None for a key
    is_by_passkey: bool = False  # the session was opened by a passkey
    organization: UUID | None = None  # that the session acts for; None: for the person itself
    acts_for: str = ""  # name of that organization
    is_acting_over: bool = False  # the person's role in the organization has ended

    own_actor: Actor = _ITS_OWN_ACCOUNT  # actor in the audit trail when acting for its own account

    @property
    def member(self) -> UUID | None:
        """The person if the caller acts for an organization; None if it acts for its own account, or is an API key."""
        return self.person if self.organization == self.account else None

    def as_person(self) -> "Caller":
        """Return the same caller acting for its own account; an API key is returned unchanged."""
        if self.person is None:
            return self
        return replace(self, account=self.person, actor=self.own_actor)

    def as_staff(self) -> "Caller":
        """Return the same caller acting as staff of the operator."""
        assert self.person is not None, "staff are people"
        return replace(self.as_person(), actor=Actor(ActorKind.STAFF, show("acc", self.person)))


class Authenticator(Protocol):
    """Finds the caller of a request; refuses if there is none."""

    async def caller(
        self, connection: ASGIConnection[Any, Any, Any, Any], *, anew: bool = False
    ) -> Caller:
        """Return the caller. Refuses `SignInRequired`; `anew` reads the credentials again instead of using the cache."""
        ...

    def has_session(self, connection: ASGIConnection[Any, Any, Any, Any]) -> bool:
        """True if the request has a session cookie, valid or not."""
        ...

    def session_shown(self, connection: ASGIConnection[Any, Any, Any, Any]) -> tuple[str, str]:
        """Return the account and the form token of the session in the cookie, even if the session is no longer valid."""
        ...


Service = TypeVar("Service")


def service(request: ASGIConnection[Any, Any, Any, Any], kind: type[Service]) -> Service:
    """Return the service of this type from the state of the application. For code outside of routes; a route gets services as
    parameters.
    """
    found = request.app.state.services[kind]
    assert isinstance(found, kind)
    return found


def caller_of(request: Request[Any, Any, Any]) -> Caller:
    """Return the caller of a request; works only in routes that require a caller."""
    caller = request.scope["caller"]  # type: ignore[typeddict-item]
    assert isinstance(caller, Caller)
    return caller


def account_of(request: Request[Any, Any, Any]) -> UUID:
    """Return the account for which the caller acts; works only in routes that require a caller."""
    return caller_of(request).account


def actor_of(request: Request[Any, Any, Any]) -> Actor:
    """Return the actor of the caller for the audit trail; works only in routes that require a caller."""
    return caller_of(request).actor


def member_of(request: Request[Any, Any, Any]) -> UUID | None:
    """Return the person who acts for an organization, else None; works only in routes that require a caller."""
    return caller_of(request).member


def injected(services: Mapping[str, type]) -> dict[str, Provide]:
    """Return the parameters that routes may name: each of these services, and three values about the caller: the `account`, the
    `actor` for the audit trail, and the `member` (the person who acts for an organization).
    """
    given: dict[str, Callable[..., Any]] = {
        "account": account_of,
        "actor": actor_of,
        "member": member_of,
    }
    given |= {name: _provider(kind) for name, kind in services.items()}
    return {name: _Provided(one, sync_to_thread=False) for name, one in given.items()}


class _Provided(Provide):
    """A provider that equals only itself. The framework compares all providers pairwise for each route, which took a
    third of a start.
    """

    __eq__ = object.__eq__
    __hash__ = object.__hash__


def _provider(kind: type) -> Callable[[Request[Any, Any, Any]], Any]:
    def of_application(request: Request[Any, Any, Any]) -> Any:
        return service(request, kind)

    return of_application
