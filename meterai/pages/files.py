"""Routes of the static files, and of well-known files such as robots.txt."""

from collections.abc import Mapping, Sequence
from typing import Any

from litestar import Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from meterai.kit.priority import Priority
from meterai.kit.refusal import NotFound
from meterai.pages.assets import address
from meterai.pages.remembering import Remembered
from meterai.pages.rendering import PageRequest, Site
from meterai.plumbing.config import Settings
from meterai.plumbing.http.callers import service

# The files are cached in the process for this time; they change only with the process.
FILES_SECONDS = 3_600.0
# Clients cache the well-known files, whose addresses have no version, for this time.
FIXED_SECONDS = 86_400
# Clients cache a versioned file for this time: a year (RFC 9111, section 1.2.2).
KEPT_SECONDS = 31_536_000


async def show_asset(request: PageRequest, name: FromPath[str]) -> Response[bytes]:
    """Return a static file. The answer may be cached permanently if the URL names the version of the file that this
    process has, and may not be cached otherwise: during an update a process also gets requests for the other release's
    version of the file.
    """
    found = service(request, Site).assets.get(name)
    if found is None:
        raise NotFound("no such file")
    is_for_good = found.is_named_by(request.scope["query_string"])
    kept = f"public, max-age={KEPT_SECONDS}, immutable" if is_for_good else "no-cache"
    headers = {"Cache-Control": kept}
    return Response(found.content, media_type=found.media_type, headers=headers)


_SEEN_BY_ROBOTS = (
    "/static/",
    "/manifest.webmanifest",
    "/favicon.ico",
)  # files that search engines need to show listed pages


def robots_text(listed: Sequence[str]) -> str:
    """Return the text of robots.txt (RFC 9309), which allows the listed pages and no others."""
    pages = [f"Allow: {path}$" for path in listed]
    files = [f"Allow: {path}" for path in _SEEN_BY_ROBOTS]
    return "\n".join(["User-agent: *", *pages, *files, "Disallow: /", ""])


def manifest(site: Site, *, is_specimen: bool) -> Mapping[str, object]:
    """Return the manifest with which a phone can show the site on its home screen (W3C Web Application Manifest)."""
    drawing, picture = (address(site.assets, name) for name in ("icon.svg", "icon.png"))
    return {
        "name": "meterai SPECIMEN" if is_specimen else "meterai",
        "lang": "id",
        "start_url": "/",
        "display": "minimal-ui",
        "theme_color": "#123354",
        "background_color": "#f2f5f8",
        "icons": [
            {"src": drawing, "type": "image/svg+xml", "sizes": "any"},
            {"src": picture, "type": "image/png", "sizes": "180x180"},
        ],
    }


def _kept(content: Any, media_type: str) -> Response[Any]:
    headers = {"Cache-Control": f"public, max-age={FIXED_SECONDS}"}
    return Response(content, media_type=media_type, headers=headers)


async def show_robots(request: PageRequest) -> Response[str]:
    """Return robots.txt; outside production, where stamps are SPECIMENs, it allows no page."""
    is_shown = service(request, Settings).process.is_production
    listed = sorted(service(request, Site).listed) if is_shown else []
    return _kept(robots_text(listed), "text/plain")


async def show_manifest(request: PageRequest) -> Response[Mapping[str, object]]:
    """Return the manifest of the site."""
    is_specimen = not service(request, Settings).process.is_production
    made = manifest(service(request, Site), is_specimen=is_specimen)
    return _kept(made, "application/manifest+json")


async def show_icon(request: PageRequest) -> Response[bytes]:
    """Return the icon of the site for browsers without SVG icons."""
    return _site_icon(request, "favicon.ico")


async def show_touch_icon(request: PageRequest) -> Response[bytes]:
    """Return the icon that a phone shows for the site on its home screen."""
    return _site_icon(request, "icon.png")


def _site_icon(request: PageRequest, name: str) -> Response[bytes]:
    found = service(request, Site).assets[name]
    return _kept(found.content, found.media_type)


_FIXED = {
    "/robots.txt": show_robots,
    "/manifest.webmanifest": show_manifest,
    "/favicon.ico": show_icon,
    # Phones request the second of these addresses first.
    "/apple-touch-icon.png": show_touch_icon,
    "/apple-touch-icon-precomposed.png": show_touch_icon,
}


def static_files(permission: str) -> Sequence[HTTPRouteHandler]:
    """Return the routes of the static files; they declare the given permission, since this package knows no permissions."""

    def of(path: str, remembered: Remembered) -> HTTPRouteHandler:
        return get(
            path,
            opt={
                "permission": permission,
                "priority": Priority.CHECKOUT,
                "remembered": remembered,
            },
            include_in_schema=False,
        )

    fixed = Remembered(FILES_SECONDS)
    return [
        of("/static/{name:str}", Remembered(FILES_SECONDS, only_immutable=True))(show_asset),
        *(of(path, fixed)(show) for path, show in _FIXED.items()),
    ]
