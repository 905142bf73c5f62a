"""Forms: what came with one, and whether a page of ours sent it."""

import hmac
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from meterai.kit.refusal import SignInRequired
from meterai.pages.model import FormExpired, FormForeign
from meterai.pages.rendering import PageRequest, known_caller
from meterai.plumbing.bodies import Bodies
from meterai.plumbing.config import Settings
from meterai.plumbing.forms import read_parts
from meterai.plumbing.http import Caller, service


@dataclass(frozen=True, slots=True)
class Form:
    """What came with a form: its texts, and its files with their names."""

    texts: dict[str, str]
    files: list[tuple[str, bytes]] = field(default_factory=list)

    def text(self, name: str) -> str:
        """One field, empty where it did not come."""
        return self.texts.get(name, "")


async def read_form(request: PageRequest) -> Form:
    """The form in the body."""
    form = Form({})
    for part in await read_parts(request):
        # A file field that was left empty comes with an empty name.
        if part.file_name:
            form.files.append((part.file_name, part.content))
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
    """The form of a signed-in page.  Refuses `FormExpired`."""
    form = await read_form(request)
    caller = known_caller(request)
    assert caller is not None, "the route asks who it is"
    check_form(caller, form.text("form_token"))
    return form


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
    """Refuse a public form that another site sent (`FormForeign`)."""
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
