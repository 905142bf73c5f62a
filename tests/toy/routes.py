"""The guest book over HTTP, for programs and as a page."""

from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromQuery

from meterai.accounts import NOBODY, Permission
from meterai.kit.priority import Priority
from meterai.pages import Page, PageRequest, RoomPages, page
from tests.toy.service import GuestService


@get("/v1/guests", opt={"permission": Permission.PUBLIC, "priority": Priority.NEW})
async def list_guests(guests: NamedDependency[GuestService]) -> list[str]:
    """Who is in the book of nobody."""
    return await guests.names(NOBODY)


@get(
    "/guests",
    opt={"permission": Permission.PUBLIC, "priority": Priority.NEW},
    include_in_schema=False,
)
async def show_guests(
    request: PageRequest, guests: NamedDependency[GuestService], name: FromQuery[str] = ""
) -> Page:
    """The page of the book."""
    if name:
        await guests.enter(NOBODY, name)
    return page(request, "guests/book.html", names=await guests.names(NOBODY))


PAGES = RoomPages("guests", "tests.toy")
routes = (list_guests, show_guests)
