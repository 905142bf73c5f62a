"""The few files of the pages that never change: style, scripts, drawings.

They are read once, served from memory, and named with a part of their hash, so that a browser
keeps them for good and a new version is a new address.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType

from litestar import Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from meterai.kit.refusal import NotFound
from meterai.plumbing.http import PUBLIC

_KINDS = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
KEPT_SECONDS = 31_536_000  # a year, the most a cache must honour (RFC 9111, section 1.2.2)


@dataclass(frozen=True, slots=True)
class Asset:
    """One file, and the hash that names its version."""

    content: bytes
    media_type: str
    version: str


@cache
def assets() -> Mapping[str, Asset]:
    """Every file of `static/` by its name."""
    found = {}
    for file in (resources.files("meterai.portal") / "static").iterdir():
        kind = _KINDS.get(file.name[file.name.rfind(".") :])
        if kind is not None:
            content = file.read_bytes()
            found[file.name] = Asset(content, kind, hashlib.sha256(content).hexdigest()[:10])
    return MappingProxyType(found)


def asset(name: str) -> str:
    """The address of a file, with its version."""
    return f"/static/{name}?v={assets()[name].version}"


@get("/static/{name:str}", opt={"permission": PUBLIC}, include_in_schema=False)
async def show_asset(name: FromPath[str]) -> Response[bytes]:
    """One file of the pages."""
    found = assets().get(name)
    if found is None:
        raise NotFound("no such file")
    headers = {"Cache-Control": f"public, max-age={KEPT_SECONDS}, immutable"}
    return Response(found.content, media_type=found.media_type, headers=headers)


def static_files() -> HTTPRouteHandler:
    """The route of the files."""
    return show_asset
