"""Command that writes files of the pages for a reverse proxy: drawings, style sheet, and the pages for outages."""

from collections.abc import Iterator
from pathlib import Path

from litestar.serialization import encode_json

from meterai.apps.program import rooms_of
from meterai.apps.rooms import pages_of
from meterai.commands import NO_OPTIONS, Options, line
from meterai.kit.priority import Priority
from meterai.pages import Site, busy_pages
from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import DatabaseBusy
from meterai.plumbing.http.problems import problem
from meterai.plumbing.messages import LANGUAGES, translate

# Folder under `--out` with the pages that a proxy shows if no web process answers.
NOBODY = "nobody"
STATIC = "static"
TOO_LARGE = 413


def pages(*, out: Path, options: Options = NO_OPTIONS) -> None:
    """Write the files of the pages into a folder, for a reverse proxy (deploy/nginx).

    Files of an earlier version are kept, because pages that refer to them are still open in browsers.
    """
    settings = options.settings("pages")
    out.mkdir(exist_ok=True)  # its parent must exist: a mistyped path is refused
    site = Site(*pages_of(rooms_of(options)))
    for name, content in _files(site, settings):
        path = out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}")
        draft.write_bytes(content)
        draft.replace(path)  # atomic, because the proxy may read the file meanwhile
        line(name)


def _files(site: Site, settings: Settings) -> Iterator[tuple[str, bytes]]:
    for name, asset in site.assets.items():
        yield f"{STATIC}/{asset.version}/{name}", asset.content
    # A failed read lost nothing. A sent form may have been carried out, so its page only says that
    # sending it again is safe.
    made = busy_pages(site, settings)
    for language in LANGUAGES:
        looked, sent = made[language, Priority.NEW, True], made[language, Priority.PAID, False]
        yield f"{NOBODY}/looked.{language}.html", looked.encode()
        yield f"{NOBODY}/sent.{language}.html", sent.encode()
        # The page for bodies that the proxy rejects as too large.
        large = site.render(
            "refused.html",
            language,
            settings,
            links=site.links_for_all,
            choose_language=None,
            path="",
            problem={"status": TOO_LARGE, "code": "form_too_large"},
            text=translate("page.refused.too_large", language),
            seconds=None,
            again=None,
        )
        yield f"{NOBODY}/large.{language}.html", large.encode()
    body = problem(DatabaseBusy.code, DatabaseBusy.status, "id", {})
    told = body | {"detail": translate("page.busy.send_again", "id")}
    yield f"{NOBODY}/problem.json", encode_json(told)
