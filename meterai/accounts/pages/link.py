"""Pages behind the sign-in link of a mail."""

from uuid import UUID

from litestar import get, post
from litestar.di import NamedDependency

from meterai.accounts.codes import CHALLENGE_KIND, LINK_PATH, CodeService
from meterai.accounts.model import CodeSpent, LinkSpent, PasskeyRequired, Permission
from meterai.accounts.pages.part import SigningIn
from meterai.accounts.pages.sign_in import sign_in_page
from meterai.kit.ids import read
from meterai.kit.priority import Priority
from meterai.kit.refusal import NotFound
from meterai.pages import Page, PageRequest, page, read_form, see_other


def _challenge(text: str) -> UUID:
    """Parse the challenge in a link.  Refuses `LinkSpent` for a malformed link too: mail programs often cut links, and the person
    needs a new link as well.
    """
    try:
        return read(CHALLENGE_KIND, text)
    except NotFound:
        raise LinkSpent("the link was not made by us, or is incomplete") from None


@get(
    LINK_PATH,
    opt={"permission": Permission.PUBLIC, "priority": Priority.CHECKOUT},
    include_in_schema=False,
)
async def show_link(
    request: PageRequest,
    codes: NamedDependency[CodeService],
    signing_in: NamedDependency[SigningIn],
) -> Page:
    """Show a button to sign in.  The link alone does not sign in, because programs that scan mails follow links."""
    challenge, secret = (request.query_params.get(name, "") for name in ("challenge", "secret"))
    try:
        email = await codes.address_of_link(_challenge(challenge), secret)
    except LinkSpent as refusal:
        return sign_in_page(request, signing_in, "/", refusal=refusal)
    shown = page(
        request, "accounts/link.html", challenge=challenge, secret=secret, here="/", email=email
    )
    shown.headers["Cache-Control"] = "private, no-store"  # the page shows the address
    # The URL contains the secret, which no Referer may reveal.
    shown.headers["Referrer-Policy"] = "strict-origin"
    return shown


@post(
    LINK_PATH,
    opt={"permission": Permission.PUBLIC, "priority": Priority.CHECKOUT},
    include_in_schema=False,
)
async def follow_link(request: PageRequest, signing_in: NamedDependency[SigningIn]) -> Page:
    """Exchange the link of a mail for a session, and go to the page where the sign-in began."""
    form = await read_form(request)
    try:
        challenge, secret = _challenge(form.text("challenge")), form.text("secret")
        signed_in, there = await signing_in.follow(request, challenge, secret)
    except (LinkSpent, CodeSpent, PasskeyRequired) as refusal:
        return sign_in_page(request, signing_in, "/", refusal=refusal)
    return await signing_in.admit(request, see_other(there), signed_in)


routes = [show_link, follow_link]
