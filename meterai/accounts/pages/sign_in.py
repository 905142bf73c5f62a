"""Pages of sign-in, one for the mail address and one for the code, and the route of sign-out."""

from collections.abc import Mapping
from datetime import datetime
from urllib.parse import urlencode

from litestar import get, post
from litestar.di import NamedDependency

from meterai.accounts.codes import CHALLENGE_KIND
from meterai.accounts.model import Permission
from meterai.accounts.pages.part import SigningIn
from meterai.accounts.service import AccountService
from meterai.kit.ids import read, show
from meterai.kit.priority import Priority
from meterai.kit.refusal import Refusal
from meterai.pages import (
    Form,
    Page,
    PageRequest,
    Remembered,
    check_form,
    known_caller,
    local_path,
    page,
    read_form,
    see_other,
    visitor,
)
from meterai.plumbing.http.problems import retry_after

SIGN_IN, CODE = "/sign-in", "/sign-in/code"


def _address(path: str, **query: str) -> str:
    """Return a path with a query string."""
    return f"{path}?{urlencode(query)}"


def sign_in_page(
    request: PageRequest,
    signing_in: SigningIn,
    there: str,
    form: Form | None = None,
    refusal: Refusal | None = None,
    closed_at: datetime | None = None,
) -> Page:
    """Return the page with the form that requests a code.

    `there` is the path to which the sign-in leads, `refusal` is shown if given, `closed_at` is the time since which
    sign-up is closed.
    """
    facts = {**signing_in.facts(request, form, refusal), "closed_at": closed_at}
    return _shown(request, "accounts/sign_in.html", (SIGN_IN, {"next": there}), facts, refusal)


def _shown(
    request: PageRequest,
    template: str,
    here: tuple[str, Mapping[str, str]],
    facts: Mapping[str, object],
    refusal: Refusal | None,
) -> Page:
    """Return a page with the sign-in part. `here` is the path and the query of this page: the form that changes the language
    returns there, and the other forms send the values of the query again.
    """
    path, query = here
    shown = page(
        request,
        template,
        status=refusal.status if refusal else 200,
        here=_address(path, **query),
        **{**facts, **query},
    )
    shown.headers.update(retry_after(refusal) if refusal else {})
    if facts["sent"] is not None:
        shown.headers["Cache-Control"] = "private, no-store"  # the page shows the address
    return shown


@get(
    SIGN_IN,
    opt={
        "permission": Permission.PUBLIC,
        "priority": Priority.NEW,
        "remembered": Remembered(1.0),
    },
    include_in_schema=False,
)
async def show_sign_in(
    request: PageRequest,
    signing_in: NamedDependency[SigningIn],
    accounts: NamedDependency[AccountService],
) -> Page:
    """Show the page that asks for the mail address."""
    there = local_path(request.query_params.get("next", ""))
    if await visitor(request) is not None:
        return see_other(there)
    closed_at = await accounts.sign_up_closed_at()
    return sign_in_page(request, signing_in, there, closed_at=closed_at)


@post(
    SIGN_IN,
    opt={"permission": Permission.PUBLIC, "priority": Priority.CHECKOUT},
    include_in_schema=False,
)
async def ask_for_code(request: PageRequest, signing_in: NamedDependency[SigningIn]) -> Page:
    """Send a code to the mail address, and redirect to the page that asks for the code."""
    form = await read_form(request)
    there = local_path(form.text("next"))
    try:
        sent = await signing_in.ask(request, form, there)
    except Refusal as refusal:
        return sign_in_page(request, signing_in, there, form, refusal)
    challenge = show(CHALLENGE_KIND, sent.challenge)
    return signing_in.keep(see_other(_address(CODE, challenge=challenge, next=there)), sent)


def _code_page(
    request: PageRequest,
    signing_in: SigningIn,
    challenge: str,
    there: str,
    form: Form | None = None,
    refusal: Refusal | None = None,
) -> Page:
    here = CODE, {"challenge": challenge, "next": there}
    # The previous answer set a cookie.  A browser that does not send it now would not keep a session either.
    facts = {
        **signing_in.facts(request, form, refusal),
        "is_without_cookies": not request.cookies,
    }
    return _shown(request, "accounts/code.html", here, facts, refusal)


@get(
    CODE,
    opt={"permission": Permission.PUBLIC, "priority": Priority.CHECKOUT},
    include_in_schema=False,
)
async def show_code(request: PageRequest, signing_in: NamedDependency[SigningIn]) -> Page:
    """Show the page that asks for the six digits of the code."""
    challenge = request.query_params.get("challenge", "")
    read(CHALLENGE_KIND, challenge)
    return _code_page(
        request, signing_in, challenge, local_path(request.query_params.get("next", ""))
    )


@post(
    CODE,
    opt={"permission": Permission.PUBLIC, "priority": Priority.CHECKOUT},
    include_in_schema=False,
)
async def sign_in(request: PageRequest, signing_in: NamedDependency[SigningIn]) -> Page:
    """Exchange the code for a session."""
    form = await read_form(request)
    challenge, there = form.text("challenge"), local_path(form.text("next"))
    identifier = read(CHALLENGE_KIND, challenge)
    try:
        signed_in = await signing_in.prove(request, form, identifier)
    except Refusal as refusal:
        return _code_page(request, signing_in, challenge, there, form, refusal)
    return await signing_in.admit(request, see_other(there), signed_in)


@post(
    "/sign-out",
    opt={"permission": Permission.PUBLIC, "priority": Priority.CHECKOUT},
    include_in_schema=False,
)
async def sign_out(request: PageRequest, signing_in: NamedDependency[SigningIn]) -> Page:
    """End the session of this browser."""
    form = await read_form(request)
    if await visitor(request) is not None:
        caller = known_caller(request)
        assert caller is not None
        check_form(caller, form.text("form_token"))
    return await signing_in.dismiss(request, see_other("/"))


routes = [show_sign_in, ask_for_code, show_code, sign_in, sign_out]
