"""Links, local paths, keys and fields of forms; pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from meterai.kit.ids import new_id, read, show
from meterai.kit.numbers import counted
from meterai.kit.refusal import NotFound, Refusal

PATH_LENGTH_MAX = 500  # characters of a path to return to
FORM_KEY = "frm"
DESK = "/console"  # prefix of the pages of staff
# Key in the scope of a request: the requested path of the console, if the sender's network is
# outside it.
SHUT = "meterai.shut"
_FOR_MACHINES = ("/v1", "/snap", "/openapi.json", "/openapi", "/metrics", "/healthz", "/readyz")


class LinkPlace(StrEnum):
    """Place on a page for links of rooms."""

    NAVIGATION = "navigation"  # the bar at the top
    FOOT = "foot"
    DESK = "desk"  # the bar of the pages of staff
    REFUSED = "refused"  # links after a refusal or a fault
    ACCOUNT = "account"  # below the facts of an account, on its page
    SECTION = "section"  # a section of that page: its label is the title, `<label>_mean` and `<label>_all` its text and button


class ShownTo(StrEnum):
    """Readers who see a link."""

    EVERYBODY = "everybody"
    SIGNED_IN = "signed_in"
    STRANGERS = "strangers"  # not signed in
    STAFF = "staff"  # members of staff


@dataclass(frozen=True, slots=True)
class PageLink:
    """A link that a room puts on every page.

    `label` is the key of its text; within a place, the smallest `rank` comes first.  One that `needs` a permission
    is hidden from signed-in readers without it.
    """

    place: LinkPlace
    rank: int
    path: str
    label: str
    shown_to: ShownTo = ShownTo.EVERYBODY
    needs: str = ""


@dataclass(frozen=True, slots=True)
class Notice:
    """A line at the head of every page with its link; `kind` is its severity, which sets its colour."""

    kind: str
    path: str
    text: str


@dataclass(frozen=True, slots=True)
class RoomPages:
    """Pages of a room.

    `name` is the prefix of its templates (`verification/check.html`); `package` contains them in `templates/`, and
    images and scripts in `static/`, if any.  `filters` are its template filters beside the common ones.
    `sign_in`, `prove`, `language` and `acting` are the paths of sign-in, of a fresh proof, of the language form,
    and of the choice of the account to act for; at most one room of a site has each.  `listed` are the paths for
    search engines, each with the key of its description.  `foot` is the template at the foot of every page, of at
    most one room.
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
    """Our page did not make the form for this session."""

    code = "form_expired"
    status = 403


class FieldWrong(Refusal):
    """The text typed into the field `field` is invalid."""

    code = "field_wrong"
    status = 422

    def __init__(self, field: str) -> None:
        super().__init__(f"the field {field} cannot be used")
        self.field = field


def wants_page(path: str, accept: str) -> bool:
    """True for a browser that requests a page; programs get problem+json."""
    is_for_machines = any(path == one or path.startswith(f"{one}/") for one in _FOR_MACHINES)
    return "text/html" in accept and not is_for_machines


def is_at_desk(path: str) -> bool:
    """True for the path of a page of staff, in any spelling."""
    first = next(filter(None, path.split("/")), "")
    return f"/{first}" == DESK


def return_path(method: str, path: str, query: str) -> str:
    """Return the path to return to after sign-in: the same page, or that of the form."""
    if method == "GET":
        return f"{path}?{query}" if query else path
    # /orders/{id}/withdraw is a command that cannot be shown; its order can.
    parts = path.rstrip("/").split("/")
    return "/".join(parts[: 4 if is_at_desk(path) else 3]) or "/"


def local_path(wanted: str, otherwise: str = "/") -> str:
    """The path if it leads to a page of ours, else `otherwise`.

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
    """Return a typed whole number of at least 1.  Refuses `FieldWrong`."""
    number = counted(typed.strip())
    if not number:
        raise FieldWrong(field)
    return number


def fresh_key() -> str:
    """Return a key for a new form."""
    return show(FORM_KEY, new_id())


def form_key(typed: str) -> str:
    """Return the key that our page put into its form, so that a repeated form is one command.

    Refuses `FormForeign`.
    """
    try:
        read(FORM_KEY, typed)
    except NotFound:
        raise FormForeign("the form has no key of ours") from None
    return typed
