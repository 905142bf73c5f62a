"""Reads submitted forms and checks their origin."""

import hmac
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from meterai.kit.numbers import counted
from meterai.kit.refusal import Refusal, SignInRequired
from meterai.pages.kept import OPTION, SCOPE, KeptForm
from meterai.pages.model import FormExpired, FormForeign
from meterai.pages.rendering import PageRequest, known_caller, nearest_page
from meterai.plumbing.config import Settings
from meterai.plumbing.http.bodies import Bodies
from meterai.plumbing.http.callers import Caller, service
from meterai.plumbing.http.forms import PARTS_MAX, read_parts

KEPT_BODY_BYTES_MAX = 8_192  # largest body of a form whose typed fields are kept


@dataclass(frozen=True, slots=True)
class Form:
    """A submitted form: texts by field name, files with safe names, and in `came` the file names as sent."""

    texts: dict[str, str]
    files: list[tuple[str, bytes]] = field(default_factory=list)
    came: list[str] = field(default_factory=list)

    def text(self, name: str) -> str:
        """Return the text of a field, empty if the form has no such field."""
        return self.texts.get(name, "")


async def read_form(request: PageRequest, *, parts_max: int = PARTS_MAX) -> Form:
    """Read the form in the body; `parts_max` bounds its fields and files together.

    Refuses `Malformed`.
    """
    form = Form({})
    for part in await read_parts(request, parts_max=parts_max):
        # An empty file field is sent with an empty name.
        if part.file_name:
            form.files.append((part.file_name, part.content))
            form.came.append(part.came)
        else:
            form.texts[part.name] = part.text
    return form


def bodies_of(request: PageRequest) -> Bodies:
    """Return the memory budget for request bodies in this process, for a page that keeps parts of a body in memory."""
    return service(request, Bodies)


def check_form(caller: Caller, token: str) -> None:
    """Check that the form has the token of this session, so that our page made it.  Refuses `FormExpired`."""
    if not hmac.compare_digest(caller.form_token.encode(), token.encode()):
        raise FormExpired("the form token does not match")


async def read_own_form(request: PageRequest) -> Form:
    """Read the form of a page that requires a sign-in, and check its token. Refuses `FormExpired`; then the typed
    fields are kept, and filled in when the page is shown again.
    """
    form = await read_form(request)
    caller = known_caller(request)
    assert caller is not None, "the route does not require a known visitor"
    try:
        check_form(caller, form.text("form_token"))
    except FormExpired:
        if _is_of_this_browser(request):
            _keep(request, form, str(caller.person or caller.account))
        raise
    return form


async def keep_form(request: PageRequest, account: str, form_token: str) -> None:
    """Keep the typed fields of a form whose sender must sign in first, if our page sent the form. `account` and
    `form_token` are the values in the browser's session cookie, which may have expired; both are empty without
    a cookie.
    """
    if OPTION not in request.route_handler.opt or not _is_small(request):
        return
    try:
        form = await read_form(request)
    except Refusal:
        return
    is_own = hmac.compare_digest(form_token.encode(), form.text("form_token").encode())
    if (is_own and form_token) or _is_of_this_browser(request):
        _keep(request, form, account)


def _is_small(request: PageRequest) -> bool:
    """True if the announced body is small enough to be read although nobody is signed in."""
    announced = counted(request.headers.get("content-length", ""))
    return announced is not None and announced <= KEPT_BODY_BYTES_MAX


def _is_of_this_browser(request: PageRequest) -> bool:
    """True if the browser declares that our page sent the request (Fetch Metadata)."""
    return request.headers.get("sec-fetch-site") == "same-origin"


def _keep(request: PageRequest, form: Form, account: str) -> None:
    names: tuple[str, ...] = request.route_handler.opt.get(OPTION, ())
    fields = {name: form.text(name) for name in names if name in form.texts}
    page = nearest_page(request)
    request.scope[SCOPE] = KeptForm(page, account, fields)  # type: ignore[literal-required]


async def read_form_of_a_person(request: PageRequest) -> Form:
    """Read a form that only a signed-in person may send, not an API key.  Refuses `SignInRequired`.

    An API key could send the form too, since it can request pages and gets a form token. But the thief of a key must
    not be able to make a new key by the form.
    """
    form = await read_own_form(request)
    caller = known_caller(request)
    if caller is None or caller.by != "session":
        raise SignInRequired("only people can send this form")
    return form


def check_origin(request: PageRequest) -> None:
    """Check that no other site sent the form, independent of its token.  Refuses `FormForeign`."""
    # This header is set by the browser, not by the page (Fetch Metadata).  `none`: the user typed the address.
    if request.headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
        raise FormForeign("the form was sent from another site")
    origin = request.headers.get("origin")
    if origin is None:
        return
    try:
        sender = urlsplit(origin).netloc
    except ValueError:  # unbalanced brackets
        raise FormForeign("the form was sent without an origin") from None
    ours = (
        request.headers.get("host", ""),
        urlsplit(service(request, Settings).process.url).netloc,
    )
    if not any(hmac.compare_digest(sender.encode(), host.encode()) for host in ours if host):
        raise FormForeign("the form was sent from another origin")
