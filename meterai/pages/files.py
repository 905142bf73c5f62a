"""The route of the files of all pages."""

from litestar import Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from meterai.kit.refusal import NotFound
from meterai.pages.rendering import PageRequest, Site
from meterai.plumbing.http import PUBLIC, service

KEPT_SECONDS = 31_536_000  # a year, the most a cache must honour (RFC 9111, section 1.2.2)


@get("/static/{name:str}", opt={"permission": PUBLIC}, include_in_schema=False)
async def show_asset(request: PageRequest, name: FromPath[str]) -> Response[bytes]:
    """One file of the pages."""
    found = service(request, Site).assets.get(name)
    if found is None:
        raise NotFound("no such file")
    headers = {"Cache-Control": f"public, max-age={KEPT_SECONDS}, immutable"}
    return Response(found.content, media_type=found.media_type, headers=headers)


def static_files() -> HTTPRouteHandler:
    """The route of the files."""
    return show_asset
