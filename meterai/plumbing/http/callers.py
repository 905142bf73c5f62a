"""The caller of a request, and the services that routes ask for by name.

A route names what it needs (`orders: NamedDependency[OrderService]`, `account`); `injected` is what the
application gives the framework for that.  The caller is found by the `Authenticator` that the application
put into its state, where the permission that a route declares asks for it (`meterai.accounts`).
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
    """The caller of a request: the account it acts for, how it proved itself, and the language it reads."""

    account: UUID
    by: str  # 'session' or 'api_key'
    language: str
    form_token: str = ""  # proves that a form came from our own page
    actor: Actor = _ITS_OWN_ACCOUNT  # who the audit trail says it was
    proved_at: datetime | None = None  # when whoever has this session proved who it is; of no key
    permissions: frozenset[str] = frozenset()  # in that account
    staff_permissions: frozenset[str] = frozenset()  # as somebody who works for the operator
    person: UUID | None = None  # whose session it is; of no key
    is_by_passkey: bool = False  # a passkey opened its session
    organization: UUID | None = None  # for which its session acts, where not for the person itself
    acts_for: str = ""  # the name of that organization
    is_acting_over: bool = False  # its role in the organization it acted for has ended

    own_actor: Actor = _ITS_OWN_ACCOUNT  # who the audit trail says it was, in its own account

    @property
    def member(self) -> UUID | None:
        """The person, where what it does is done for an organization; None where for itself, or by a key."""
        return self.person if self.organization == self.account else None

    def as_person(self) -> "Caller":
        """The same caller for its own account, whoever it acts for; a key stays what it is."""
        if self.person is None:
            return self
        return replace(self, account=self.person, actor=self.own_actor)

    def as_staff(self) -> "Caller":
        """The same caller as somebody who works for the operator."""
        assert self.person is not None, "staff are people"
        return replace(self.as_person(), actor=Actor(ActorKind.STAFF, show("acc", self.person)))


class Authenticator(Protocol):
    """Finds the caller of a request; refuses where there is none."""

    async def caller(
        self, connection: ASGIConnection[Any, Any, Any, Any], *, anew: bool = False
    ) -> Caller:
        """The caller, or `SignInRequired`; `anew` reads what was read a moment ago once more."""
        ...

    def has_session(self, connection: ASGIConnection[Any, Any, Any, Any]) -> bool:
        """True where a browser says that somebody is signed in, rightly or not."""
        ...

    def session_shown(self, connection: ASGIConnection[Any, Any, Any, Any]) -> tuple[str, str]:
        """The account and the form token of the session shown, which may open nothing any more."""
        ...


Service = TypeVar("Service")


def service(request: ASGIConnection[Any, Any, Any, Any], kind: type[Service]) -> Service:
    """What the application put into its state under this type; routes have it injected."""
    found = request.app.state.services[kind]
    assert isinstance(found, kind)
    return found


def caller_of(request: Request[Any, Any, Any]) -> Caller:
    """The caller; only in routes that ask who it is."""
    caller = request.scope["caller"]  # type: ignore[typeddict-item]
    assert isinstance(caller, Caller)
    return caller


def account_of(request: Request[Any, Any, Any]) -> UUID:
    """The account of the caller; only in routes that ask who it is."""
    return caller_of(request).account


def actor_of(request: Request[Any, Any, Any]) -> Actor:
    """Who the caller is to the audit trail; only in routes that ask who it is."""
    return caller_of(request).actor


def member_of(request: Request[Any, Any, Any]) -> UUID | None:
    """The person who acts for an organization, None of anybody else; only in routes that ask who it is."""
    return caller_of(request).member


def injected(services: Mapping[str, type]) -> dict[str, Provide]:
    """The parameters that routes may ask for by name: each of these services, and of the caller its `account`,
    its `actor` in the audit trail, and the `member` who acts for an organization."""
    given: dict[str, Callable[..., Any]] = {
        "account": account_of,
        "actor": actor_of,
        "member": member_of,
    }
    given |= {name: _provider(kind) for name, kind in services.items()}
    return {name: Provide(one, sync_to_thread=False) for name, one in given.items()}


def _provider(kind: type) -> Callable[[Request[Any, Any, Any]], Any]:
    def of_application(request: Request[Any, Any, Any]) -> Any:
        return service(request, kind)

    return of_application
