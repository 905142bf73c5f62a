"""The site is complete: every page is linked, every error code is documented, and no other server is contacted."""

import functools
import shutil
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.support.commands import ROOT

SITE = ROOT / "site"
PAGES = sorted((SITE / "docs").glob("*.md"))


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built in strict mode in a folder of its own."""
    folder = tmp_path_factory.mktemp("site")
    shutil.copytree(SITE / "docs", folder / "docs")
    shutil.copy(SITE / "zensical.toml", folder)
    done = subprocess.run(
        [Path(sys.executable).with_name("zensical"), "build", "--strict"],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "build"


def names(entries: list[Any]) -> Iterator[str]:
    for entry in entries:
        for value in entry.values():
            if isinstance(value, str):
                yield value
            else:
                yield from names(value)


def test_every_page_is_in_the_contents_and_built(built: Path) -> None:
    contents = tomllib.loads((SITE / "zensical.toml").read_text())["project"]["nav"]
    assert sorted(names(contents)) == [one.name for one in PAGES]
    for page in PAGES:
        assert (built / f"{page.stem}.html").is_file(), page


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Log nothing."""


@pytest.fixture
def served(built: Path) -> Iterator[str]:
    with ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Quiet, directory=str(built))
    ) as http:
        thread = threading.Thread(target=http.serve_forever, args=(0.05,))
        thread.start()
        yield f"http://127.0.0.1:{http.server_port}"
        http.shutdown()
        thread.join()


def test_pages_contact_no_other_server_and_log_no_error(chromium, served: str) -> None:
    page = chromium.new_page()
    asked: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda one: asked.append(one.url))
    page.on("console", lambda one: complaints.append(one.text) if one.type == "error" else None)
    page.on("pageerror", lambda one: complaints.append(str(one)))
    for one in PAGES:
        page.goto(f"{served}/{one.stem}.html", wait_until="networkidle")
    page.close()
    assert [one for one in asked if not one.startswith((served, "data:", "blob:"))] == []
    assert complaints == []
