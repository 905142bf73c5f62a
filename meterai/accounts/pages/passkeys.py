"""Routes of passkeys: signing in with a passkey, making and ending a passkey."""

from uuid import UUID

from litestar import MediaType, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from meterai.accounts.model import PASSKEY_KIND, PasskeyRefused, Permission
from meterai.accounts.pages.part import SigningIn
from meterai.accounts.pages.sign_in import sign_in_page
from meterai.accounts.passkeys import PasskeyChallenge, PasskeyService
from meterai.kit.actor import Actor
from meterai.kit.ids import read
from meterai.kit.priority import Priority
from meterai.pages import (
    Page,
    PageRequest,
    local_path,
    read_form,
    read_form_of_a_person,
    see_other,
)
from meterai.plumbing.http.callers import caller_of

HERE = "/account#passkeys"


def _options(signing_in: SigningIn, asked: PasskeyChallenge) -> Page:
    """Return the options for an authenticator as JSON, and set the cookie of the challenge. The script of the page passes the
    options to the authenticator.
    """
    answer = Page(asked.options, media_type=MediaType.JSON)
    answer.headers["Cache-Control"] = "no-store"
    return signing_in.keep_challenge(answer, asked)


@post(
    "/sign-in/passkey/options",
    opt={"permission": Permission.PUBLIC, "priority": Priority.CHECKOUT},
    include_in_schema=False,
    status_code=200,
)
async def ask_for_passkey(
    request: PageRequest,
    passkeys: NamedDependency[PasskeyService],
    signing_in: NamedDependency[SigningIn],
) -> Page:
    """Return the options that an authenticator needs for a sign-in by passkey."""
    return _options(signing_in, passkeys.ask_to_sign_in())


@post(
    "/sign-in/passkey",
    opt={"permission": Permission.PUBLIC, "priority": Priority.CHECKOUT},
    include_in_schema=False,
)
async def sign_in_by_passkey(request: PageRequest, signing_in: NamedDependency[SigningIn]) -> Page:
    """Exchange the answer of an authenticator for a session."""
    form = await read_form(request)
    there = local_path(form.text("next"))
    try:
        signed_in = await signing_in.prove_by_passkey(request, form)
    except PasskeyRefused as refusal:
        return sign_in_page(request, signing_in, there, form, refusal)
    return await signing_in.admit(request, see_other(there), signed_in)


@post(
    "/account/passkeys/options",
    opt={
        "permission": Permission.PERSON,
        "priority": Priority.CHECKOUT,
        "fresh_proof": True,
    },
    include_in_schema=False,
    status_code=200,
)
async def ask_for_new_passkey(
    request: PageRequest,
    passkeys: NamedDependency[PasskeyService],
    signing_in: NamedDependency[SigningIn],
    account: NamedDependency[UUID],
) -> Page:
    """Return the options that an authenticator needs to make a new passkey."""
    await read_form_of_a_person(request)
    return _options(signing_in, await passkeys.ask_to_make(account))


@post(
    "/account/passkeys",
    opt={
        "permission": Permission.PERSON,
        "priority": Priority.CHECKOUT,
        "fresh_proof": True,
        "keeps": (),
    },
    include_in_schema=False,
)
async def make_passkey(
    request: PageRequest,
    passkeys: NamedDependency[PasskeyService],
    signing_in: NamedDependency[SigningIn],
    account: NamedDependency[UUID],
    actor: NamedDependency[Actor],
) -> Page:
    """Store the passkey that an authenticator made."""
    form = await read_form_of_a_person(request)
    name, answer = form.text("name"), form.text("credential")
    await passkeys.make(
        account,
        name,
        answer,
        signing_in.challenge_of(request),
        actor=actor,
        is_by_passkey=caller_of(request).is_by_passkey,
    )
    return see_other(HERE)


@post(
    "/account/passkeys/{passkey_id:str}/end",
    opt={
        "permission": Permission.PERSON,
        "priority": Priority.CHECKOUT,
        "keeps": (),
    },
    include_in_schema=False,
)
async def end_passkey(
    request: PageRequest,
    passkeys: NamedDependency[PasskeyService],
    account: NamedDependency[UUID],
    actor: NamedDependency[Actor],
    passkey_id: FromPath[str],
) -> Page:
    """End a passkey."""
    await read_form_of_a_person(request)
    await passkeys.end(account, read(PASSKEY_KIND, passkey_id), actor=actor)
    return see_other(HERE)


routes = [ask_for_passkey, sign_in_by_passkey, ask_for_new_passkey, make_passkey, end_passkey]
