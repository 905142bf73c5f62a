"""Front page."""

from litestar import get

from meterai.accounts import Permission
from meterai.kit.priority import Priority
from meterai.pages import Page, PageRequest, Remembered, page_with_style, visitor


@get(
    "/",
    opt={
        "permission": Permission.PUBLIC,
        "priority": Priority.NEW,
        "remembered": Remembered(1.0),
    },
    include_in_schema=False,
)
async def show_front(request: PageRequest) -> Page:
    """Show the front page: the product, its price, and links to start."""
    await visitor(request)
    return page_with_style(request, "portal/front.html", "first.css")


routes = [show_front]
