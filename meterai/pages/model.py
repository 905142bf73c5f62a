"""Links on pages, local paths, and the idempotency keys and fields of forms; no input or output."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from meterai.kit.ids import new_id, read, show
from meterai.kit.numbers import counted
from meterai.kit.refusal import NotFound, Refusal

PATH_LENGTH_MAX = 500  # characters of a local path to which a visitor is redirected
FORM_KEY = "frm"
DESK = "/console"  # path prefix of the pages of staff
# Key in the scope of a request: the requested path of a console page, if the sender's network may not open the console.
SHUT = "meterai.shut"
_FOR_MACHINES = ("/v1", "/snap", "/openapi.json", "/openapi", "/metrics", "/healthz", "/readyz")


class LinkPlace(StrEnum):
    """Place on every page at which rooms can put links."""

    NAVIGATION = "navigation"  # the bar at the top
    FOOT = "foot"
    DESK = "desk"  # the bar of the pages of staff
    REFUSED = "refused"  # links after a refusal or a fault
    ACCOUNT = "account"  # below the facts of an account, on its page
    # A section of the page of an account: the label is its title; `<label>_mean` is its text, `<label>_all` its button.
    SECTION = "section"


class ShownTo(StrEnum):
    """Group of readers to whom a link is shown."""

    EVERYBODY = "everybody"
    SIGNED_IN = "signed_in"
    STRANGERS = "strangers"  # not signed in
    STAFF = "staff"  # members of staff


@dataclass(frozen=True, slots=True)
class PageLink:
    """A link that a room puts on every page, at the given place. `label` is the message key of its text; the links at a
    place are sorted by `rank`, the smallest first. A link that `needs` a permission is hidden from signed-in readers
    who lack it.
    """

    place: LinkPlace
    rank: int
    path: str
    label: str
    shown_to: ShownTo = ShownTo.EVERYBODY
    needs: str = ""


@dataclass(frozen=True, slots=True)
class Notice:
    """A line at the head of every page, with a link to `path`; `kind` is the severity, which sets the colour."""

    kind: str
    path: str
    text: str


@dataclass(frozen=True, slots=True)
class RoomPages:
    """Pages of a room.

    `name` is the prefix of the room's templates (`verification/check.html`); `package` contains the templates in
    `templates/`, and images and scripts in `static/`.  `filters` are template filters in addition to the common ones.
    `sign_in`, `prove`, `language` and `acting` are the paths of the sign-in, of the fresh proof, of the language form,
    and of the choice of the account to act for; only one room of a site may set each.  `listed` are the paths for
    search engines, each with the message key of its description; `unlisted` are patterns of the other paths, each with
    the reason.  `foot` is the template at the foot of every page; only one room may set it.
    """

    name: str
    package: str
    links: Sequence[PageLink] = ()
    filters: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    sign_in: str | None = None
    prove: str | None = None
    language: str | None = None
    acting: str | None = None
    listed: Mapping[str, str] = field(default_factory=dict)
    unlisted: Mapping[str, str] = field(default_factory=dict)
    foot: str | None = None


class FormForeign(Refusal):
    """The form did not come from a page of ours."""

    code = "form_foreign"
    status = 403


class FormExpired(Refusal):
    """The form does not have the token of this session."""

    code = "form_expired"
    status = 403


class FieldWrong(Refusal):
    """The text that was typed into the form field `field` is invalid."""

    code = "field_wrong"
    status = 422

    def __init__(self, field: str) -> None:
        super().__init__(f"the field {field} is invalid")
        self.field = field


def wants_page(path: str, accept: str) -> bool:
    """True if a request accepts HTML and its path is not of the API, so that a refusal is answered with a page."""
    is_for_machines = any(path == one or path.startswith(f"{one}/") for one in _FOR_MACHINES)
    return "text/html" in accept and not is_for_machines


def is_at_desk(path: str) -> bool:
    """True for the path of a page of the console, which is for staff, also if slashes in it are repeated."""
    first = next(filter(None, path.split("/")), "")
    return f"/{first}" == DESK


def return_path(method: str, path: str, query: str) -> str:
    """Return the path to open after a sign-in: the requested page, or for a form the page that shows the form."""
    if method == "GET":
        return f"{path}?{query}" if query else path
    # For example /orders/{id}/withdraw is no page, but /orders/{id} is.
    parts = path.rstrip("/").split("/")
    return "/".join(parts[: 4 if is_at_desk(path) else 3]) or "/"


def local_path(wanted: str, otherwise: str = "/") -> str:
    """Return the path if it is a path of our site, else `otherwise`.

    A browser reads `//host` and `/\\host` as another site, so a leading slash is not enough.
    """
    is_local = (
        wanted.startswith("/")
        and not wanted.startswith("//")
        and "\\" not in wanted
        and wanted.isascii()
        and wanted.isprintable()
        and len(wanted) <= PATH_LENGTH_MAX
    )
    return wanted if is_local else otherwise


def whole_number(typed: str, field: str) -> int:
    """Parse a typed whole number of at least 1; `field` is the name of its form field.  Refuses `FieldWrong`."""
    number = counted(typed.strip())
    if not number:
        raise FieldWrong(field)
    return number


def fresh_key() -> str:
    """Return a new idempotency key for a form."""
    return show(FORM_KEY, new_id())


def form_key(typed: str) -> str:
    """Check and return the idempotency key that our page put into its form.

    With the key a form that is sent twice has its effect once.  Refuses `FormForeign`.
    """
    try:
        read(FORM_KEY, typed)
    except NotFound:
        raise FormForeign("the form has no page key of ours") from None
    return typed
