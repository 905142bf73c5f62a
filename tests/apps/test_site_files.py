"""Files that programs request from every site under a fixed name: robots.txt, the manifest, icons."""

import asyncio
import re
import struct
from collections.abc import Awaitable, Callable
from pathlib import Path

from litestar.handlers import HTTPRouteHandler

from meterai.accounts import Permission
from meterai.apps.rooms import pages_of
from meterai.pages import Site
from meterai.pages.files import manifest, robots_text
from tests.support.within import Within, all_pages, settings_of, within
from tests.tidy.test_closed_world import handlers

# Paths for programs, which belong to no room.
PROGRAMS = r"/(v1|openapi|openapi\.json|healthz|readyz|static|\.well-known)(/.*)?"
UNLISTED = {pattern for one in pages_of() for pattern in one.unlisted}
FIXED = {
    "/robots.txt": "text/plain; charset=utf-8",
    "/manifest.webmanifest": "application/manifest+json",
    "/favicon.ico": "image/vnd.microsoft.icon",
    "/apple-touch-icon.png": "image/png",
    "/apple-touch-icon-precomposed.png": "image/png",
    "/.well-known/security.txt": "text/plain; charset=utf-8",
}


def public() -> dict[str, HTTPRouteHandler]:
    return {
        path: handler
        for path, handler in handlers()
        if "GET" in handler.http_methods and handler.opt["permission"] == Permission.PUBLIC
    }


def ask(database_url: str, folder: Path, what: Callable[[Within], Awaitable[None]]) -> None:
    async def run() -> None:
        async with within(settings_of(database_url, folder)) as web:
            await what(web)

    asyncio.run(run())


def is_allowed(robots: str, path: str) -> bool:
    """Return True if RFC 9309 allows a path: the longest matching rule decides."""
    found = [("", True)]
    for line in robots.splitlines():
        kind, _, rule = line.partition(": ")
        if kind in ("Allow", "Disallow"):
            pattern = re.escape(rule).replace(r"\*", ".*")
            pattern = pattern.removesuffix(r"\$") + "$" if rule.endswith("$") else pattern
            if re.match(pattern, path):
                found.append((rule, kind == "Allow"))
    return max(found, key=lambda one: len(one[0]))[1]


def test_every_public_page_is_listed_or_has_a_reason_why_not() -> None:
    found = public().keys()
    hidden = {one: {path for path in found if re.fullmatch(one, path)} for one in UNLISTED}
    assert all(hidden.values()), "what hides no page needs no reason"
    pages = {path for path in found if not re.fullmatch(PROGRAMS, path)}.difference(
        *hidden.values()
    )
    assert pages - FIXED.keys() == set(all_pages().listed)


def test_robots_may_read_the_listed_pages_only() -> None:
    site = all_pages()
    robots = robots_text(sorted(site.listed))
    assert robots.startswith("User-agent: *\n")
    shown = {"/static/site.css?v=1", "/manifest.webmanifest", "/favicon.ico"}
    for path in shown | set(site.listed):
        assert is_allowed(robots, path), path
    for path, _ in handlers():
        if path not in shown | set(site.listed) and not path.startswith("/static/"):
            assert not is_allowed(robots, path), path
    assert not is_allowed(robots, "/check?serial=1QQJXXBQNX00N0WZXZP2FV")


def test_fixed_files_exist_and_are_cacheable(database_url: str, tmp_path: Path) -> None:
    async def look(web: Within) -> None:
        for path, kind in FIXED.items():
            answer = await web.get(path)
            assert (answer.status, answer.header("content-type")) == (200, kind), path
            assert re.fullmatch(r"public, max-age=\d+", answer.header("cache-control")), path
            assert answer.body
        robots = (await web.get("/robots.txt")).body.decode()
        assert not is_allowed(robots, "/"), "nobody looks for a SPECIMEN"
        ico = (await web.get("/favicon.ico")).body
        assert struct.unpack("<3H", ico[:6]) == (0, 1, 1)
        assert ico[22:30] == b"\x89PNG\r\n\x1a\n"
        size, at = struct.unpack("<2I", ico[14:22])
        assert at + size == len(ico)

    ask(database_url, tmp_path, look)


def test_production_installation_is_not_called_specimen() -> None:
    assert manifest(Site(*pages_of()), is_specimen=False)["name"] == "meterai"
