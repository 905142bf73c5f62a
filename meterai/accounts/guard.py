"""Guard that checks the permission of every route."""

from typing import Any

from litestar import Request

from meterai.accounts.model import (
    OF_STAFF,
    OPEN,
    PERSONAL,
    PROOF_LIVES,
    STAFF_SESSION_LIVES,
    MembershipEnded,
    NotPermitted,
    Permission,
)
from meterai.kit.clock import SystemClock
from meterai.kit.refusal import ProofRequired, SignInRequired
from meterai.pages import check_origin, keep_form
from meterai.plumbing.http.callers import Authenticator, Caller
from meterai.plumbing.http.head import is_api
from meterai.plumbing.http.queries import check_query
from meterai.plumbing.http.requests import KeyRequired, check_headers, is_safe


def is_fresh(caller: Caller) -> bool:
    """True if the session of the caller began within `PROOF_LIVES`, so that it counts as a fresh proof."""
    return caller.proved_at is not None and SystemClock().now() - caller.proved_at <= PROOF_LIVES


async def require_permission(connection: Request[Any, Any, Any]) -> None:
    """Check before every route that the caller has the permission that the route declares.

    The guard also checks the headers, the query and, for pages, the origin of a form.  Refuses `SignInRequired`,
    `KeyRequired`, `NotPermitted`, `MembershipEnded`, `FormForeign`, `ProofRequired` if the route needs a
    `fresh_proof`, and the refusals of `check_headers` and `check_query`.
    """
    check_headers(connection)
    handler = connection.route_handler
    if handler.opt.get("permission") != Permission.PROVIDER:
        check_query(connection)
    if connection.scope.get("method") == "OPTIONS":
        return  # the framework answers, only with the methods of the path
    permission = Permission(handler.opt["permission"])
    # The origin is not checked for banks, which send their own name in `Origin` (SNAP BI).
    is_of_page = permission != Permission.PROVIDER and not is_api(connection.scope)
    if is_of_page and not is_safe(connection):
        check_origin(connection)
    if permission in OPEN:
        return
    authenticator: Authenticator = connection.app.state.authenticator
    try:
        # For routes of staff the session and the roles are read again, so that an ended session or role is refused at
        # once.
        caller = await authenticator.caller(connection, anew=permission in OF_STAFF)
        if handler.opt.get("fresh_proof") and caller.by == "session" and not is_fresh(caller):
            raise ProofRequired("the session is too old for this act")
    except (SignInRequired, ProofRequired):
        await keep_form(connection, *authenticator.session_shown(connection))
        raise
    # A browser sends its cookie also with a forged request.  Forms of pages contain a token against that.  Requests to
    # the API contain none, so a session may only read there.
    if caller.by == "session" and not is_safe(connection) and is_api(connection.scope):
        raise KeyRequired("commands of the API need an API key")
    scope: dict[str, object] = connection.scope  # type: ignore[assignment]
    scope["caller"] = caller  # the page of a refusal shows the account of the caller
    scope["caller"] = _permitted(caller, permission)
    # A route that does two things in one step may require a second permission.
    also = handler.opt.get("also")
    if also is not None and also not in caller.permissions:
        raise NotPermitted(also)


def _permitted(caller: Caller, permission: Permission) -> Caller:
    """Return the caller with the account for which the route runs. The permission determines this account: it is the account
    that the caller acts for, the person's own account, or the account of the operator.

    Refuses `NotPermitted`, `MembershipEnded`, `ProofRequired`.
    """
    if permission in OF_STAFF:
        if permission not in caller.staff_permissions:
            raise NotPermitted(permission)
        assert caller.proved_at is not None, "only a session can have rights of staff"
        if SystemClock().now() - caller.proved_at > STAFF_SESSION_LIVES:
            raise ProofRequired("the session of staff has expired")
        return caller.as_staff()
    if permission in PERSONAL:
        if caller.person is None:
            raise NotPermitted(permission)
        return caller.as_person()
    if caller.is_acting_over:
        raise MembershipEnded("the role of this person in the organization has ended")
    if permission not in caller.permissions:
        raise NotPermitted(permission)
    return caller
