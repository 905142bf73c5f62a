"""Links, local paths, keys and fields of forms; pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from meterai.kit.ids import new_id, read, show
from meterai.kit.numbers import counted
from meterai.kit.refusal import NotFound, Refusal

PATH_LENGTH_MAX = 500  # characters of an address to come back to
FORM_KEY = "frm"
DESK = "/console"  # below it lie the pages of staff
# In the scope of a request, its path where the gate of the console is closed to its sender.
SHUT = "meterai.shut"
_FOR_MACHINES = ("/v1", "/snap", "/openapi.json", "/openapi", "/metrics", "/healthz", "/readyz")


class LinkPlace(StrEnum):
    """Where on a page a link of a room is shown."""

    NAVIGATION = "navigation"  # the bar at the top
    FOOT = "foot"
    DESK = "desk"  # the bar of the pages of staff
    REFUSED = "refused"  # where to go on after a refusal or a fault
    ACCOUNT = "account"  # below the facts of an account, on its page
    SECTION = "section"  # a section of that page: its label is the title, `<label>_mean` and `<label>_all` its text and button


class ShownTo(StrEnum):
    """Who sees a link."""

    EVERYBODY = "everybody"
    SIGNED_IN = "signed_in"
    STRANGERS = "strangers"  # nobody is signed in
    STAFF = "staff"  # somebody who works for the operator


@dataclass(frozen=True, slots=True)
class PageLink:
    """A link that a room puts on every page.

    `label` is the key of its sentence; of one place, the smallest `rank` comes first.  One that `needs` a permission is
    not offered to whoever is signed in without it.
    """

    place: LinkPlace
    rank: int
    path: str
    label: str
    shown_to: ShownTo = ShownTo.EVERYBODY
    needs: str = ""


@dataclass(frozen=True, slots=True)
class Notice:
    """A line at the head of every page, and where it leads; `kind` is how grave it is, for its colour."""

    kind: str
    path: str
    text: str


@dataclass(frozen=True, slots=True)
class RoomPages:
    """What a room brings to a site.

    `name` is the prefix of its templates (`verification/check.html`); `package` has them in
    `templates/`, and its drawings and scripts in `static/`, if it has any.  `filters` are what its
    templates use beside the filters that all pages have.  `sign_in` is the path where strangers
    prove who they are, `prove` where whoever is signed in does once more, `language` the path of the form that chooses one, `acting` where
    whoever acts for an organization chooses otherwise; a room of each site has them, or none.  `listed` are the paths that search engines may show, each with the key of the sentence that
    describes it; `unlisted` are patterns of paths that anybody may see and search engines may not show, each with the reason; `foot` is the template of what stands at the foot of every page, of one room at most.
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
    """A form that did not come from a page of ours."""

    code = "form_foreign"
    status = 403


class FormExpired(Refusal):
    """The form was not made by our page for this session."""

    code = "form_expired"
    status = 403


class FieldWrong(Refusal):
    """What was typed into a field of a page cannot be used; `field` names its sentence."""

    code = "field_wrong"
    status = 422

    def __init__(self, field: str) -> None:
        super().__init__(f"the field {field} cannot be used")
        self.field = field


def wants_page(path: str, accept: str) -> bool:
    """True for a browser on a page; machines get problem+json."""
    is_for_machines = any(path == one or path.startswith(f"{one}/") for one in _FOR_MACHINES)
    return "text/html" in accept and not is_for_machines


def is_at_desk(path: str) -> bool:
    """True for the address of a page of staff, however it is written."""
    first = next(filter(None, path.split("/")), "")
    return f"/{first}" == DESK


def comes_back_to(method: str, path: str, query: str) -> str:
    """Where to go after signing in: the same page, or that of the form that was sent."""
    if method == "GET":
        return f"{path}?{query}" if query else path
    # /orders/{id}/withdraw is a command and cannot be looked at; its order can.
    parts = path.rstrip("/").split("/")
    return "/".join(parts[: 4 if is_at_desk(path) else 3]) or "/"


def local_path(wanted: str, otherwise: str = "/") -> str:
    """The path if it leads to a page of ours, else `otherwise`.

    A browser reads `//host` and `/\\host` as another site, so a plain slash is not enough.
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
    """A whole number of at least 1.  Refuses `FieldWrong`."""
    number = counted(typed.strip())
    if not number:
        raise FieldWrong(field)
    return number


def fresh_key() -> str:
    """A key for a form that is about to be shown."""
    return show(FORM_KEY, new_id())


def form_key(typed: str) -> str:
    """The key that a page put into its form, so that sending it twice is one command.

    Refuses `FormForeign`.
    """
    try:
        read(FORM_KEY, typed)
    except NotFound:
        raise FormForeign("the form has no key of ours") from None
    return typed
