"""Routes that end sessions of an account."""

from uuid import UUID

from litestar import post
from litestar.di import NamedDependency
from litestar.params import FromPath

from meterai.accounts.model import KEY_KIND, PASSKEY_KIND, SESSION_KIND, Permission, is_recent
from meterai.accounts.pages.part import SigningIn
from meterai.accounts.passkeys import PasskeyService
from meterai.accounts.service import AccountService
from meterai.kit.actor import Actor
from meterai.kit.clock import SystemClock
from meterai.kit.ids import read
from meterai.kit.priority import Priority
from meterai.pages import Page, PageRequest, read_form_of_a_person, see_other


@post(
    "/account/sign-out-everywhere",
    opt={
        "permission": Permission.PERSON,
        "priority": Priority.CHECKOUT,
        "keeps": (),
    },
    include_in_schema=False,
)
async def sign_out_everywhere(
    request: PageRequest,
    accounts: NamedDependency[AccountService],
    passkeys: NamedDependency[PasskeyService],
    signing_in: NamedDependency[SigningIn],
    account: NamedDependency[UUID],
    actor: NamedDependency[Actor],
) -> Page:
    """End every session of the account, also the current session; if the box in the form is ticked, end recent passkeys and API
    keys too.
    """
    form = await read_form_of_a_person(request)
    if form.text("made_lately"):
        # Sessions end last: if the request is interrupted, the owner is still signed in and can repeat it.
        now = SystemClock().now()
        for key in await accounts.api_keys(account):
            if key.ended_at is None and is_recent(key.made_at, now):
                await accounts.end_api_key(account, read(KEY_KIND, key.id), actor=actor)
        for passkey in await passkeys.passkeys(account):
            if is_recent(passkey.made_at, now):
                await passkeys.end(account, read(PASSKEY_KIND, passkey.id), actor=actor)
    await accounts.sign_out_everywhere(account, actor=actor)
    return await signing_in.dismiss(request, see_other("/"))


@post(
    "/account/sessions/{session_id:str}/end",
    opt={
        "permission": Permission.PERSON,
        "priority": Priority.CHECKOUT,
        "keeps": (),
    },
    include_in_schema=False,
)
async def end_session(
    request: PageRequest,
    accounts: NamedDependency[AccountService],
    account: NamedDependency[UUID],
    actor: NamedDependency[Actor],
    session_id: FromPath[str],
) -> Page:
    """End one session of the account."""
    await read_form_of_a_person(request)
    await accounts.end_session(account, read(SESSION_KIND, session_id), actor=actor)
    return see_other("/account#sessions")


routes = [sign_out_everywhere, end_session]
