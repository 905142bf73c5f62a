"""Account page: address, stamps, passkeys, sessions."""

from litestar import get
from litestar.di import NamedDependency

from meterai import stamps
from meterai.accounts import (
    AccountService,
    PasskeyService,
    Permission,
    contact,
    is_fresh,
    is_recent,
)
from meterai.kit.clock import SystemClock
from meterai.kit.priority import Priority
from meterai.pages import Page, PageRequest, page
from meterai.plumbing.db.database import Database
from meterai.plumbing.http.callers import caller_of


@get(
    "/account",
    opt={"permission": Permission.ACCOUNT_READ, "priority": Priority.CHECKOUT},
    include_in_schema=False,
)
async def show_account(
    request: PageRequest,
    database: NamedDependency[Database],
    accounts: NamedDependency[AccountService],
    passkeys: NamedDependency[PasskeyService],
) -> Page:
    """Show address, language, stamps, passkeys and sessions of the account."""
    caller = caller_of(request)
    own = caller.as_person()
    async with database.reading() as tx:
        written_to = await contact(tx, own.account)
        balance = await stamps.balance(tx, caller.account)
    devices = await passkeys.passkeys(own.account)
    now, made_at = SystemClock().now(), [(one.name, one.made_at) for one in devices]
    # The API keys of an organization do not belong to the person.
    if own.account == caller.account:
        keys = await accounts.api_keys(caller.account)
        made_at += [(key.name, key.made_at) for key in keys if not key.is_over(now)]
    return page(
        request,
        "portal/account.html",
        contact=written_to,
        balance=balance,
        sessions=await accounts.sessions(own.account),
        this_session=own.actor.id,
        is_fresh=is_fresh(caller),
        made_lately=[name for name, at in made_at if is_recent(at, now)],
        passkeys=devices if passkeys.is_possible else None,
    )


routes = [show_account]
