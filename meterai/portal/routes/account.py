"""The account: its address, its stamps, its API keys."""

from uuid import UUID

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from meterai import stamps
from meterai.accounts import (
    KEY_KIND,
    AccountService,
    PasskeyService,
    Permission,
    contact,
    is_fresh,
    is_lately,
)
from meterai.kit.actor import Actor
from meterai.kit.clock import SystemClock
from meterai.kit.ids import read
from meterai.kit.priority import Priority
from meterai.kit.refusal import Refusal
from meterai.pages import (
    FORM_KEY,
    Page,
    PageRequest,
    field_errors,
    form_key,
    kept_text,
    page,
    read_form_of_a_person,
    see_other,
)
from meterai.plumbing.database import Database
from meterai.plumbing.http import account_of, actor_of, caller_of, language_of

KEYS = "/account#keys"


async def _account_page(
    request: PageRequest,
    database: Database,
    service: AccountService,
    passkeys: PasskeyService,
    *,
    name: str = "",
    refusal: Refusal | None = None,
) -> Page:
    account = account_of(request)
    async with database.reading() as tx:
        written_to = await contact(tx, account)
        balance = await stamps.balance(tx, account)
    keys, devices = await service.api_keys(account), await passkeys.passkeys(account)
    now, made_at = SystemClock().now(), [(one.name, one.made_at) for one in devices]
    made_at += [(key.name, key.made_at) for key in keys if key.ended_at is None]
    return page(
        request,
        "portal/account.html",
        status=refusal.status if refusal else 200,
        contact=written_to,
        balance=balance,
        keys=keys,
        sessions=await service.sessions(account),
        this_session=actor_of(request).id,
        is_fresh=is_fresh(caller_of(request)),
        made_lately=[name for name, at in made_at if is_lately(at, now)],
        key_name=name,
        passkeys=devices if passkeys.is_possible else None,
        errors=field_errors(refusal, language_of(request), "key-name") if refusal else (),
    )


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
    """The address, the language, the stamps and the API keys of the account."""
    name = kept_text(request, "name")
    return await _account_page(request, database, accounts, passkeys, name=name)


@post(
    "/account/keys",
    opt={
        "permission": Permission.KEYS_MANAGE,
        "priority": Priority.CHECKOUT,
        "fresh_proof": True,
        "keeps": ("name",),
    },
    include_in_schema=False,
)
async def make_key(
    request: PageRequest,
    database: NamedDependency[Database],
    accounts: NamedDependency[AccountService],
    passkeys: NamedDependency[PasskeyService],
    account: NamedDependency[UUID],
    actor: NamedDependency[Actor],
) -> Page:
    """Make an API key and show it, this once."""
    form = await read_form_of_a_person(request)
    name = form.text("name")
    key = read(FORM_KEY, form_key(form.text("key")))
    try:
        text = await accounts.create_api_key(account, name, actor=actor, key=key)
    except Refusal as refusal:
        return await _account_page(
            request, database, accounts, passkeys, name=name, refusal=refusal
        )
    return page(request, "portal/key.html", key=text, name=name)


@post(
    "/account/keys/{key_id:str}/end",
    opt={
        "permission": Permission.KEYS_MANAGE,
        "priority": Priority.CHECKOUT,
        "keeps": (),
    },
    include_in_schema=False,
)
async def end_key(
    request: PageRequest,
    accounts: NamedDependency[AccountService],
    account: NamedDependency[UUID],
    actor: NamedDependency[Actor],
    key_id: FromPath[str],
) -> Page:
    """End an API key."""
    await read_form_of_a_person(request)
    await accounts.end_api_key(account, read(KEY_KIND, key_id), actor=actor)
    return see_other(KEYS)


routes = [show_account, make_key, end_key]
