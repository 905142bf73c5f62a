"""Staff of a shop who pull levers (staff actions) and decide on those of others."""

from collections.abc import Mapping
from dataclasses import dataclass

from meterai.accounts import Permission
from meterai.accounts.model import staff_permissions
from meterai.approvals import Approval, ApprovalService, Pulled
from meterai.commands import Forecast
from meterai.kit.actor import Actor, ActorKind
from meterai.kit.ids import show
from meterai.plumbing.http.callers import Caller
from tests.support.desk import Desk, staff_session
from tests.support.shop import Shop


@dataclass(frozen=True, slots=True)
class Member:
    """A member of staff, as the routes of the console identify it."""

    shop: Shop
    desk: Desk
    roles: tuple[str, ...]
    service: ApprovalService

    @property
    def caller(self) -> Caller:
        """The caller of its requests."""
        return Caller(
            self.desk.account,
            "session",
            "en",
            actor=Actor(ActorKind.STAFF, show("acc", self.desk.account)),
            staff_permissions=staff_permissions(self.roles),
            person=self.desk.account,
        )

    def may(self, permission: Permission) -> bool:
        """Return True if one of its roles has the permission."""
        return permission in self.caller.staff_permissions

    def forecast(self, lever: str, reason: str = "a test", **arguments: str) -> Forecast:
        """The forecast of a lever."""
        return self.shop.do(self.service.forecast(self.caller, lever, arguments, reason))

    def pull(
        self, lever: str, reason: str = "a test", shown: str | None = None, **arguments: str
    ) -> Pulled:
        """Pull a lever."""
        pulling = self.service.pull(self.caller, lever, arguments, reason, shown=shown)
        return self.shop.do(pulling)

    def decide(self, pulled: Pulled, note: str = "seen", *, approve: bool = True) -> Approval:
        """Approve or decline a request."""
        assert pulled.request is not None, "it was done at once"
        deciding = self.service.decide(pulled.request, self.caller, approve=approve, note=note)
        return self.shop.do(deciding)

    def withdraw(self, pulled: Pulled) -> Approval:
        """Withdraw a request."""
        assert pulled.request is not None, "it was done at once"
        return self.shop.do(self.service.withdraw(pulled.request, self.caller))


def member(shop: Shop, *roles: str, settings: Mapping[str, object] | None = None) -> Member:
    """A new member of staff with these roles, in a process with these settings."""
    first = shop.container.of(ApprovalService)
    found = ApprovalService(
        shop.container.database,
        first.levers,
        shop.container.settings.replaced(**settings or {}),
        shop.container.clock,
    )
    return Member(shop, staff_session(shop, *roles), roles, found)
