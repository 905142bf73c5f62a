"""The route of the files of all pages."""

from litestar import Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from meterai.kit.priority import Priority
from meterai.kit.refusal import NotFound
from meterai.pages.remembering import Remembered
from meterai.pages.rendering import PageRequest, Site
from meterai.plumbing.http import service

FILES_SECONDS = 3_600.0  # they change with the process alone
KEPT_SECONDS = 31_536_000  # a year, the most a cache must honour (RFC 9111, section 1.2.2)


async def show_asset(request: PageRequest, name: FromPath[str]) -> Response[bytes]:
    """One file of the pages: for good at the address of its version, at any other for now.

    While processes of two versions answer, one is asked for files of the other: a cache must not
    keep these bytes under that address.
    """
    found = service(request, Site).assets.get(name)
    if found is None:
        raise NotFound("no such file")
    is_for_good = found.is_named_by(request.scope["query_string"])
    kept = f"public, max-age={KEPT_SECONDS}, immutable" if is_for_good else "no-cache"
    headers = {"Cache-Control": kept}
    return Response(found.content, media_type=found.media_type, headers=headers)


def static_files(permission: str) -> HTTPRouteHandler:
    """The route of the files; it declares this permission, which the floor does not know."""
    made = get(
        "/static/{name:str}",
        opt={
            "permission": permission,
            "priority": Priority.CHECKOUT,
            "remembered": Remembered(FILES_SECONDS, only_immutable=True),
        },
        include_in_schema=False,
    )
    return made(show_asset)
