"""The account: its address, its stamps, where it is signed in."""

from litestar import get
from litestar.di import NamedDependency

from meterai import stamps
from meterai.accounts import (
    AccountService,
    PasskeyService,
    Permission,
    contact,
    is_fresh,
    is_lately,
)
from meterai.kit.clock import SystemClock
from meterai.kit.priority import Priority
from meterai.pages import Page, PageRequest, page
from meterai.plumbing.database import Database
from meterai.plumbing.http import account_of, actor_of, caller_of


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
    """The address, the language, the stamps, the passkeys and the sessions of the account."""
    account = account_of(request)
    async with database.reading() as tx:
        written_to = await contact(tx, account)
        balance = await stamps.balance(tx, account)
    keys, devices = await accounts.api_keys(account), await passkeys.passkeys(account)
    now, made_at = SystemClock().now(), [(one.name, one.made_at) for one in devices]
    made_at += [(key.name, key.made_at) for key in keys if not key.is_over(now)]
    return page(
        request,
        "portal/account.html",
        contact=written_to,
        balance=balance,
        sessions=await accounts.sessions(account),
        this_session=actor_of(request).id,
        is_fresh=is_fresh(caller_of(request)),
        made_lately=[name for name, at in made_at if is_lately(at, now)],
        passkeys=devices if passkeys.is_possible else None,
    )


routes = [show_account]
