"""The guard of every route: who may do what it does."""

from typing import Any

from litestar.connection import ASGIConnection
from litestar.handlers.base import BaseRouteHandler

from meterai.accounts.model import OPEN, PERMISSIONS, NotPermitted, Permission, Role
from meterai.plumbing.http import Authenticator, KeyRequired, check_headers, is_api, is_safe


async def require_permission(
    connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler
) -> None:
    """Guard of every route: let in whoever has the permission it declares.

    Refuses `SignInRequired`, `KeyRequired`, `NotPermitted`, and what `check_headers` refuses.
    """
    check_headers(connection)
    if connection.scope.get("method") == "OPTIONS":
        return  # answered by the framework, which says nothing but the methods of the path
    permission = Permission(handler.opt["permission"])
    if permission in OPEN:
        return
    authenticator: Authenticator = connection.app.state.authenticator
    caller = await authenticator.caller(connection)
    # A browser sends its cookie along whoever made the request; a page's form has a token,
    # the API has none, so there a session may only look.
    if caller.by == "session" and not is_safe(connection) and is_api(connection):
        raise KeyRequired("commands of the API need an API key")
    if permission not in PERMISSIONS[Role.OWNER]:  # whoever is signed in acts for its own account
        raise NotPermitted(permission)
    connection.scope["caller"] = caller  # type: ignore[typeddict-unknown-key]
