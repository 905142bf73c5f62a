"""The guest book over HTTP, for programs and as a page."""

from uuid import UUID

from litestar import get, post
from litestar.di import NamedDependency

from meterai.accounts import Permission
from meterai.kit.priority import Priority
from meterai.kit.refusal import Refusal
from meterai.pages import (
    FieldWrong,
    Page,
    PageRequest,
    RoomPages,
    field_errors,
    kept_text,
    page,
    read_own_form,
    see_other,
)
from meterai.plumbing.http.language import language_of
from tests.toy.model import NAME_LENGTH_MAX
from tests.toy.service import GuestService

# A room of the platform adds permissions of its own to `Permission`.
_READING = {"permission": Permission.CASE_READ, "priority": Priority.NEW}
_ENTERING = {"permission": Permission.CASE_MAKE, "priority": Priority.NEW, "keeps": ("guest",)}


@get("/v1/guests", opt=_READING)
async def list_guests(
    guests: NamedDependency[GuestService], account: NamedDependency[UUID]
) -> list[str]:
    """Names in the book of the account."""
    return await guests.names(account)


@get("/guests", opt=_READING, include_in_schema=False)
async def show_guests(
    request: PageRequest, guests: NamedDependency[GuestService], account: NamedDependency[UUID]
) -> Page:
    """Show the book of the account, with the form of a new entry."""
    names = await guests.names(account)
    return page(request, "guests/book.html", names=names, typed=kept_text(request, "guest"))


def _name(typed: str) -> str:
    """The name without surrounding space. Refuses `FieldWrong`."""
    name = typed.strip()
    if not 0 < len(name) <= NAME_LENGTH_MAX:
        raise FieldWrong("guest")
    return name


@post("/guests", opt=_ENTERING, include_in_schema=False)
async def enter_guest(
    request: PageRequest, guests: NamedDependency[GuestService], account: NamedDependency[UUID]
) -> Page:
    """Enter a guest and show the book; the form reports a name that is refused."""
    form = await read_own_form(request)
    try:
        await guests.enter(account, _name(form.text("guest")))
    except Refusal as refusal:
        return page(
            request,
            "guests/book.html",
            status=refusal.status,
            names=await guests.names(account),
            typed=form.text("guest"),
            errors=field_errors(refusal, language_of(request), "guest"),
        )
    return see_other("/guests")


PAGES = RoomPages("guests", "tests.toy")
routes = (list_guests, show_guests, enter_guest)
