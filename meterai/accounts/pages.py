"""The pages of an account alone: signing in and out, and the language."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from urllib.parse import urlencode
from uuid import UUID

from litestar import MediaType, get, post
from litestar.datastructures import Cookie
from litestar.di import NamedDependency
from litestar.params import FromPath

from meterai.accounts.model import PASSKEY_KIND, CodeSpent, LinkSpent, PasskeyRefused, Permission
from meterai.accounts.passkeys import CHALLENGE_LIVES, Asked, PasskeyService
from meterai.accounts.service import CHALLENGE_KIND, COOKIE, LINK_PATH, AccountService, SignedIn
from meterai.accounts.settings import AccountSettings
from meterai.kit.actor import Actor
from meterai.kit.ids import read, show
from meterai.kit.priority import Priority
from meterai.kit.refusal import Refusal
from meterai.pages import (
    Link,
    LinkPlace,
    Page,
    PageRequest,
    Remembered,
    RoomPages,
    ShownTo,
    check_form,
    check_origin,
    field_errors,
    known_caller,
    local_path,
    page,
    read_form,
    read_form_of_a_person,
    see_other,
    visitor,
)
from meterai.plumbing.config import Settings
from meterai.plumbing.http import (
    cookie_name,
    language_of,
    network_of,
    retry_after,
)
from meterai.plumbing.messages import LANGUAGES

LANGUAGE_KEPT_SECONDS = 31_536_000
DEVICE_KEPT_SECONDS = 31_536_000
_LANGUAGE = "language"
# The address a code was sent to, only to be shown again, and the mark of the browser that asked.
_ASKED = "asked"
_PASSKEY = "passkey"  # with which challenge of a passkey was asked
_DEVICE = "device"  # which addresses signed in here; opens nothing


def _set_cookie(settings: Settings, answer: Page, name: str, value: str, seconds: float) -> None:
    """Set a cookie for so many seconds; one without time left is deleted by the browser."""
    process = settings.process
    answer.set_cookie(
        Cookie(
            cookie_name(name, process),
            path="/",
            value=value,
            max_age=int(seconds),
            secure=process.is_secure,
            httponly=True,
        )
    )


def _cookie(request: PageRequest, settings: Settings, name: str) -> str:
    """The text of a cookie of ours, empty where there is none."""
    return request.cookies.get(cookie_name(name, settings.process), "")


def _address(path: str, **query: str) -> str:
    """A path with a query."""
    return f"{path}?{urlencode(query)}"


@post(
    "/language",
    opt={"permission": Permission.PUBLIC, "priority": Priority.NEW},
    include_in_schema=False,
)
async def choose_language(
    request: PageRequest,
    accounts: NamedDependency[AccountService],
    settings: NamedDependency[Settings],
) -> Page:
    """Set the language of pages and mails."""
    check_origin(request)
    form = await read_form(request)
    there = see_other(local_path(form.text("next")))
    language = form.text("language")
    if language not in LANGUAGES:
        return there
    caller = await visitor(request)
    if caller is not None:
        await accounts.set_language(caller.account, language)
    _set_cookie(settings, there, _LANGUAGE, language, LANGUAGE_KEPT_SECONDS)
    return there


@get(
    "/sign-in",
    opt={
        "permission": Permission.PUBLIC,
        "priority": Priority.NEW,
        "remembered": Remembered(1.0),
    },
    include_in_schema=False,
)
async def show_sign_in(request: PageRequest, passkeys: NamedDependency[PasskeyService]) -> Page:
    """Ask for the address."""
    there = local_path(request.query_params.get("next", ""))
    if await visitor(request) is not None:
        return see_other(there)
    here = _address("/sign-in", next=there)
    return page(
        request,
        "accounts/sign_in.html",
        next=there,
        here=here,
        email="",
        passkeys=passkeys.is_possible,
    )


def _refused(
    request: PageRequest, passkeys: PasskeyService, refusal: Refusal, there: str, email: str = ""
) -> Page:
    """The form that asks for a code, and why there is none."""
    shown = page(
        request,
        "accounts/sign_in.html",
        status=refusal.status,
        next=there,
        here=_address("/sign-in", next=there),
        email=email,
        passkeys=passkeys.is_possible,
        errors=field_errors(refusal, language_of(request), "email"),
    )
    shown.headers.update(retry_after(refusal))
    return shown


@post(
    "/sign-in",
    opt={"permission": Permission.PUBLIC, "priority": Priority.CHECKOUT},
    include_in_schema=False,
)
async def ask_for_code(
    request: PageRequest,
    accounts: NamedDependency[AccountService],
    passkeys: NamedDependency[PasskeyService],
    settings: NamedDependency[Settings],
) -> Page:
    """Send a code, and go on to where it is typed."""
    check_origin(request)
    form = await read_form(request)
    there, email = local_path(form.text("next")), form.text("email").strip()
    network = network_of(request, settings.process.proxies)
    language = language_of(request)
    device = _cookie(request, settings, _DEVICE)
    try:
        challenge = await accounts.ask_for_code(email, network, language, device)
    except Refusal as refusal:
        return _refused(request, passkeys, refusal, there, email)
    answer = see_other(
        _address("/sign-in/code", challenge=show(CHALLENGE_KIND, challenge), next=there)
    )
    kept = f"{urlsafe_b64encode(email.encode()).decode()}.{accounts.asked_mark(challenge)}"
    _set_cookie(
        settings,
        answer,
        _ASKED,
        kept,
        settings.of(AccountSettings).code_lives_seconds,
    )
    return answer


def _asked_address(request: PageRequest, settings: Settings) -> str:
    """The address the code went to, as this browser remembers it."""
    try:
        kept, _, _ = _cookie(request, settings, _ASKED).partition(".")
        return urlsafe_b64decode(kept).decode()
    except ValueError:  # not base64, not ASCII, not UTF-8
        return ""


def _code_page(
    request: PageRequest,
    settings: Settings,
    challenge: str,
    there: str,
    refusal: Refusal | None = None,
) -> Page:
    shown = page(
        request,
        "accounts/code.html",
        status=refusal.status if refusal else 200,
        challenge=challenge,
        next=there,
        here=_address("/sign-in/code", challenge=challenge, next=there),
        email=_asked_address(request, settings),
        minutes=int(settings.of(AccountSettings).code_lives_seconds // 60),
        errors=field_errors(refusal, language_of(request), "code") if refusal else (),
    )
    shown.headers["Cache-Control"] = "private, no-store"  # it has the address
    return shown


@get(
    "/sign-in/code",
    opt={"permission": Permission.PUBLIC, "priority": Priority.CHECKOUT},
    include_in_schema=False,
)
async def show_code(request: PageRequest, settings: NamedDependency[Settings]) -> Page:
    """Ask for the six digits."""
    challenge = request.query_params.get("challenge", "")
    read(CHALLENGE_KIND, challenge)
    return _code_page(
        request, settings, challenge, local_path(request.query_params.get("next", ""))
    )


@post(
    "/sign-in/code",
    opt={"permission": Permission.PUBLIC, "priority": Priority.CHECKOUT},
    include_in_schema=False,
)
async def sign_in(
    request: PageRequest,
    accounts: NamedDependency[AccountService],
    settings: NamedDependency[Settings],
) -> Page:
    """Trade the code for a session."""
    check_origin(request)
    form = await read_form(request)
    challenge, there = form.text("challenge"), local_path(form.text("next"))
    language, identifier = language_of(request), read(CHALLENGE_KIND, challenge)
    _, _, asked = _cookie(request, settings, _ASKED).partition(".")
    device = _cookie(request, settings, _DEVICE)
    try:
        signed_in = await accounts.sign_in(identifier, form.text("code"), language, device, asked)
    except Refusal as refusal:
        return _code_page(request, settings, challenge, there, refusal)
    return _admitted(settings, signed_in, there)


def _admitted(settings: Settings, signed_in: SignedIn, there: str) -> Page:
    answer = see_other(there)
    _set_cookie(settings, answer, COOKIE, signed_in.session, signed_in.life_seconds)
    _set_cookie(settings, answer, _DEVICE, signed_in.device, DEVICE_KEPT_SECONDS)
    _set_cookie(settings, answer, _ASKED, "", 0)
    return answer


@get(
    LINK_PATH,
    opt={"permission": Permission.PUBLIC, "priority": Priority.CHECKOUT},
    include_in_schema=False,
)
async def show_link(
    request: PageRequest,
    accounts: NamedDependency[AccountService],
    passkeys: NamedDependency[PasskeyService],
) -> Page:
    """The link of a mail: a button, because programs that look at mails follow links."""
    challenge, secret = (request.query_params.get(name, "") for name in ("challenge", "secret"))
    try:
        email = await accounts.address_of_link(read(CHALLENGE_KIND, challenge), secret)
    except LinkSpent as refusal:
        return _refused(request, passkeys, refusal, "/")
    shown = page(
        request, "accounts/link.html", challenge=challenge, secret=secret, here="/", email=email
    )
    shown.headers["Cache-Control"] = "private, no-store"  # it has the address
    # Its own address has the secret, which no later request may tell in a Referer.
    shown.headers["Referrer-Policy"] = "strict-origin"
    return shown


@post(
    LINK_PATH,
    opt={"permission": Permission.PUBLIC, "priority": Priority.CHECKOUT},
    include_in_schema=False,
)
async def follow_link(
    request: PageRequest,
    accounts: NamedDependency[AccountService],
    passkeys: NamedDependency[PasskeyService],
    settings: NamedDependency[Settings],
) -> Page:
    """Trade the link of a mail for a session."""
    check_origin(request)
    form = await read_form(request)
    challenge, device = (
        read(CHALLENGE_KIND, form.text("challenge")),
        _cookie(request, settings, _DEVICE),
    )
    try:
        signed_in = await accounts.sign_in_by_link(
            challenge, form.text("secret"), language_of(request), device
        )
    except (LinkSpent, CodeSpent) as refusal:
        return _refused(request, passkeys, refusal, "/")
    return _admitted(settings, signed_in, "/")


def _passkey_options(settings: Settings, asked: Asked) -> Page:
    """What the script of our pages asks the authenticator, and the cookie of the challenge."""
    answer = Page(asked.options, media_type=MediaType.JSON)
    answer.headers["Cache-Control"] = "no-store"
    _set_cookie(settings, answer, _PASSKEY, asked.cookie, CHALLENGE_LIVES.total_seconds())
    return answer


@post(
    "/sign-in/passkey/options",
    opt={"permission": Permission.PUBLIC, "priority": Priority.CHECKOUT},
    include_in_schema=False,
    status_code=200,
)
async def ask_for_passkey(
    request: PageRequest,
    passkeys: NamedDependency[PasskeyService],
    settings: NamedDependency[Settings],
) -> Page:
    """What the browser asks for a passkey of ours."""
    check_origin(request)
    return _passkey_options(settings, passkeys.ask_to_sign_in())


@post(
    "/sign-in/passkey",
    opt={"permission": Permission.PUBLIC, "priority": Priority.CHECKOUT},
    include_in_schema=False,
)
async def sign_in_by_passkey(
    request: PageRequest,
    passkeys: NamedDependency[PasskeyService],
    settings: NamedDependency[Settings],
) -> Page:
    """Trade the answer of an authenticator for a session."""
    check_origin(request)
    form = await read_form(request)
    there = local_path(form.text("next"))
    kept, device = (_cookie(request, settings, name) for name in (_PASSKEY, _DEVICE))
    try:
        signed_in = await passkeys.sign_in(form.text("credential"), kept, device)
    except PasskeyRefused as refusal:
        return _refused(request, passkeys, refusal, there)
    answer = _admitted(settings, signed_in, there)
    _set_cookie(settings, answer, _PASSKEY, "", 0)
    return answer


@post(
    "/account/passkeys/options",
    opt={"permission": Permission.KEYS_MANAGE, "priority": Priority.CHECKOUT},
    include_in_schema=False,
    status_code=200,
)
async def ask_for_new_passkey(
    request: PageRequest,
    passkeys: NamedDependency[PasskeyService],
    account: NamedDependency[UUID],
    settings: NamedDependency[Settings],
) -> Page:
    """What the browser asks its authenticator for a new passkey."""
    await read_form_of_a_person(request)
    return _passkey_options(settings, await passkeys.ask_to_make(account))


@post(
    "/account/passkeys",
    opt={"permission": Permission.KEYS_MANAGE, "priority": Priority.CHECKOUT},
    include_in_schema=False,
)
async def make_passkey(
    request: PageRequest,
    passkeys: NamedDependency[PasskeyService],
    account: NamedDependency[UUID],
    actor: NamedDependency[Actor],
    settings: NamedDependency[Settings],
) -> Page:
    """Keep the passkey that an authenticator made."""
    form = await read_form_of_a_person(request)
    name, answer = form.text("name"), form.text("credential")
    cookie = _cookie(request, settings, _PASSKEY)
    await passkeys.make(account, name, answer, cookie, actor=actor)
    return see_other("/account#passkeys")


@post(
    "/account/passkeys/{passkey_id:str}/end",
    opt={"permission": Permission.KEYS_MANAGE, "priority": Priority.CHECKOUT},
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
    return see_other("/account#passkeys")


@post(
    "/sign-out",
    opt={"permission": Permission.PUBLIC, "priority": Priority.CHECKOUT},
    include_in_schema=False,
)
async def sign_out(
    request: PageRequest,
    accounts: NamedDependency[AccountService],
    settings: NamedDependency[Settings],
) -> Page:
    """End the session of this browser."""
    check_origin(request)
    form = await read_form(request)
    if await visitor(request) is not None:
        caller = known_caller(request)
        assert caller is not None
        check_form(caller, form.text("form_token"))
        await accounts.sign_out(_cookie(request, settings, COOKIE))
    answer = see_other("/")
    _set_cookie(settings, answer, COOKIE, "", 0)
    return answer


@post(
    "/account/sign-out-everywhere",
    opt={"permission": Permission.KEYS_MANAGE, "priority": Priority.CHECKOUT},
    include_in_schema=False,
)
async def sign_out_everywhere(
    request: PageRequest,
    accounts: NamedDependency[AccountService],
    account: NamedDependency[UUID],
    actor: NamedDependency[Actor],
    settings: NamedDependency[Settings],
) -> Page:
    """End every session of the account, this one too."""
    await read_form_of_a_person(request)
    await accounts.sign_out_everywhere(account, actor=actor)
    answer = see_other("/")
    _set_cookie(settings, answer, COOKIE, "", 0)
    return answer


routes = [
    choose_language,
    show_sign_in,
    ask_for_code,
    show_code,
    sign_in,
    show_link,
    follow_link,
    ask_for_passkey,
    sign_in_by_passkey,
    ask_for_new_passkey,
    make_passkey,
    end_passkey,
    sign_out,
    sign_out_everywhere,
]
PAGES = RoomPages(
    "accounts",
    "meterai.accounts",
    links=(Link(LinkPlace.NAVIGATION, 50, "/sign-in", "page.nav.sign_in", ShownTo.STRANGERS),),
    sign_in="/sign-in",
    language="/language",
)
