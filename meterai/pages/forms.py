"""Forms: what came with one, and whether a page of ours sent it."""

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

KEPT_BODY_BYTES_MAX = 8_192  # of a form that is kept: a few fields that people type


@dataclass(frozen=True, slots=True)
class Form:
    """A form as it came: its texts, its files with their names, and those names to the letter."""

    texts: dict[str, str]
    files: list[tuple[str, bytes]] = field(default_factory=list)
    came: list[str] = field(default_factory=list)

    def text(self, name: str) -> str:
        """One field, empty where it did not come."""
        return self.texts.get(name, "")


async def read_form(request: PageRequest, *, parts_max: int = PARTS_MAX) -> Form:
    """The form in the body; `parts_max` is what its page can make, fields and files together.

    Refuses `Malformed`.
    """
    form = Form({})
    for part in await read_parts(request, parts_max=parts_max):
        # A file field that was left empty comes with an empty name.
        if part.file_name:
            form.files.append((part.file_name, part.content))
            form.came.append(part.came)
        else:
            form.texts[part.name] = part.text
    return form


def bodies_of(request: PageRequest) -> Bodies:
    """The room that bodies have in this process, for a page that keeps parts of one while it answers."""
    return service(request, Bodies)


def check_form(caller: Caller, token: str) -> None:
    """Refuse a form that our own page did not make for this session (`FormExpired`)."""
    if not hmac.compare_digest(caller.form_token.encode(), token.encode()):
        raise FormExpired("the form token does not match")


async def read_own_form(request: PageRequest) -> Form:
    """The form of a signed-in page.  Refuses `FormExpired`, and keeps what was typed."""
    form = await read_form(request)
    caller = known_caller(request)
    assert caller is not None, "the route asks who it is"
    try:
        check_form(caller, form.text("form_token"))
    except FormExpired:
        if _is_of_this_browser(request):
            _keep(request, form, str(caller.person or caller.account))
        raise
    return form


async def keep_form(request: PageRequest, account: str, form_token: str) -> None:
    """Keep what was typed into a form whose sender must first say who it is; nothing of a form that a page
    of ours did not send.  `account` and `form_token` are of the session that the browser shows, whether it
    opens anything or not; empty where it shows none.
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
    """True for a body that may be read of somebody who is not known."""
    announced = counted(request.headers.get("content-length", ""))
    return announced is not None and announced <= KEPT_BODY_BYTES_MAX


def _is_of_this_browser(request: PageRequest) -> bool:
    """True where the browser itself says that a page of ours sent it (Fetch Metadata)."""
    return request.headers.get("sec-fetch-site") == "same-origin"


def _keep(request: PageRequest, form: Form, account: str) -> None:
    names: tuple[str, ...] = request.route_handler.opt.get(OPTION, ())
    fields = {name: form.text(name) for name in names if name in form.texts}
    page = nearest_page(request)
    request.scope[SCOPE] = KeptForm(page, account, fields)  # type: ignore[literal-required]


async def read_form_of_a_person(request: PageRequest) -> Form:
    """A form that only somebody who signed in may send.

    A key can ask for our pages as well, with the token of its own; whoever stole one must not be
    able to make its successor.
    """
    form = await read_own_form(request)
    caller = known_caller(request)
    if caller is None or caller.by != "session":
        raise SignInRequired("only people do this")
    return form


def check_origin(request: PageRequest) -> None:
    """Refuse a form that another site sent (`FormForeign`), whatever token it has."""
    # What a browser says of itself; a page cannot (Fetch Metadata).  `none` is its own user.
    if request.headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
        raise FormForeign("the form came from another site")
    origin = request.headers.get("origin")
    if origin is None:
        return
    try:
        sender = urlsplit(origin).netloc
    except ValueError:  # brackets that do not close
        raise FormForeign("the form came from nowhere") from None
    ours = (
        request.headers.get("host", ""),
        urlsplit(service(request, Settings).process.url).netloc,
    )
    if not any(hmac.compare_digest(sender.encode(), host.encode()) for host in ours if host):
        raise FormForeign("the form came from another origin")
