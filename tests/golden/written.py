"""Write the visible output of this tree to the folder of `GOLDEN` (`make golden`): API, commands, settings,
promises, pages, answers.

pytest runs it, because the history and the application come from fixtures of the tests. Ids, times, tokens and
versions are each replaced by one word, so that two runs of the same code write the same text.
"""

import asyncio
import json
import os
import re
import shutil
import time
from collections import deque
from collections.abc import Iterator, Mapping
from html import unescape
from itertools import repeat
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urldefrag, urlsplit

import psycopg
import pytest
from litestar import Litestar
from litestar.routes import HTTPRoute
from litestar.testing import TestClient

from meterai.accounts import StaffRole
from meterai.limiter import Limiter
from meterai.limiter import answers as limiter_answers
from tests.support.commands import COMMANDS, run_here
from tests.support.desk import staff_session
from tests.support.history import make
from tests.support.shop import open_shop
from tests.support.walk_in import WalkIn
from tests.support.within import Asking, Given, Within, browsed, settings_of, within

OUT = Path(os.environ["GOLDEN"])
LANGUAGES = ("id", "en")
METHODS = ("GET", "HEAD", "OPTIONS", "PUT")
PAGES_MAX = 400  # pages of one visitor in one language
ALIKE_MAX = 3  # pages of one route whose paths differ in ids alone
NOTICES_SECONDS = 6.0  # seconds after which every page shows the notices of incidents
UNSEEN = ("/sign-out", "/language")  # opening these changes later pages

_UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_MONTHS = (
    "Januari|Februari|Maret|April|Mei|Juni|Juli|Agustus|September|Oktober|November|Desember"
    "|January|February|March|May|June|July|August|October|December"
)
_CHANGING = (
    ("UUID", re.compile(_UUID)),
    ("ID", re.compile(r"(?<=\b[a-z]{3}_)[0-9a-z]{20,32}")),
    ("TIME", re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?")),
    ("DAY", re.compile(r"\d{4}-\d\d-\d\d")),
    ("MONTH", re.compile(r"\b20\d\d-\d\d\b")),
    ("DAY", re.compile(rf"\b\d\d? ({_MONTHS}|[A-Z][a-z]{{2}}) \d{{4}}")),
    ("MONTH", re.compile(rf"\b({_MONTHS}) \d{{4}}")),
    ("CLOCK", re.compile(r"\b\d\d[:.]\d\d([:.]\d\d)?\b(?! ?%)")),
    ("SERIAL", re.compile(r"\b[0-9A-HJKMNP-TV-Z]{22}\b")),
    ("SERIAL", re.compile(r"\b([0-9A-HJKMNP-TV-Z]{4} ){5}[0-9A-HJKMNP-TV-Z]{2}\b")),
    ("SPELT", re.compile(r"(<span>[0-9A-Za-z_]{1,4}</span>){3,}")),
    ("PEM", re.compile(r"(?<=-----)(?:\\n|\s)[A-Za-z0-9+/=\\\s]+(?=-----END)")),
    ("N.pdf", re.compile(r"\b\d\.pdf|\b\d-bermeterai\.pdf")),
    ("SIZE", re.compile(r"(?<=content-length: )\d+(?=\n[^\n]*\ncontent-type: application/x-pem)")),
    ("KEY", re.compile(r'(?<="public_key":")[^"]*|(?<="id":")[0-9A-Z]{4}(?=","algorithm")')),
    ("TOKEN", re.compile(r"\b[0-9a-f]{16,}\b|\b[0-9A-F]{16}\b")),
    ("TOKEN", re.compile(r"(?=[A-Za-z_-]*[0-9])[A-Za-z0-9_-]{32,}={0,2}(?![a-z])")),
)


def normal(text: str) -> str:
    """The text without ids, times and tokens."""
    for word, pattern in _CHANGING:
        text = pattern.sub(word, text)
    return text


def keep(name: str, text: str) -> None:
    """Write one file of the result."""
    path = OUT / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.fixture(scope="module")
def past(
    server: str, template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Path]]:
    """A database in which every event happened once, and the folder of its installation."""
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE golden TEMPLATE {template}".encode())
    url, folder = server.replace("/postgres?", "/golden?"), tmp_path_factory.mktemp("golden")
    with open_shop(url, folder) as shop:
        make(shop)
    yield url, folder
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(b"DROP DATABASE golden WITH (FORCE)")


# -- commands -----------------------------------------------------------------------------


def test_commands(tmp_path: Path) -> None:
    for command in sorted(COMMANDS):
        keep(f"commands/{command}.txt", run_here(tmp_path, *command.split(), "--help").stdout)
    keep("settings.txt", run_here(tmp_path, "config").stdout.replace(str(tmp_path), "DIR"))


def test_promises(past: tuple[str, Path]) -> None:
    url, folder = past
    told = json.loads(run_here(folder, "audit", "--json", DATABASE_URL=url).stdout)
    lines = [f"{one['name']}: {one['promise']}" for one in told["invariants"]]
    keep("promises.txt", "\n".join(lines))


# -- the API and answers to each method ---------------------------------------------------


def test_description(database_url: str, tmp_path: Path) -> None:
    async def look() -> None:
        async with within(settings_of(database_url, tmp_path)) as web:
            described = json.loads((await web.get("/openapi.json")).body)
            keep("openapi.json", json.dumps(described, indent=1, sort_keys=True))

    asyncio.run(look())


def test_answers(past: tuple[str, Path]) -> None:
    async def look() -> None:
        async with within(settings_of(*past)) as web:
            for path in paths_of(web.app):
                asked = [(method, way) for way in WAYS for method in METHODS]
                answers = [await answer(web, method, path, way) for method, way in asked]
                keep(f"answers/{file_of(path)}.txt", "\n\n".join(answers))

    asyncio.run(look())


def test_answers_of_a_busy_process(past: tuple[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limiter_answers, "cycle", lambda all_: repeat(all_[0]))
    monkeypatch.setattr(Limiter, "is_full", lambda *_: True)

    async def look() -> None:
        async with within(settings_of(*past)) as web:
            for path in ("/", "/sign-in", "/v1/orders", "/v1.0/access-token/b2b", "/nothing"):
                asked = [(method, way) for way in WAYS for method in METHODS]
                answers = [await answer(web, method, path, way) for method, way in asked]
                keep(f"busy/{file_of(path)}.txt", "\n\n".join(answers))

    asyncio.run(look())


BROWSER, PROGRAM = (b"accept", b"text/html"), (b"accept", b"application/json")
LONG = (b"x-long", b"x" * 17_000)
WAYS: Mapping[str, list[tuple[bytes, bytes]]] = {
    "browser": [BROWSER],
    "browser in English": [BROWSER, (b"accept-language", b"en")],
    "browser that chose English": [BROWSER, (b"cookie", b"language=en")],
    "browser that chose Indonesian": [
        BROWSER,
        (b"accept-language", b"en-GB,en;q=0.5"),
        (b"cookie", b"a=b; __Host-language=id"),
    ],
    "program": [PROGRAM],
    "program in English": [PROGRAM, (b"accept-language", b"en")],
    "program that chose English": [PROGRAM, (b"cookie", b"language=en")],
    "browser with a long head": [BROWSER, LONG],
    "program in English with a long head": [PROGRAM, (b"accept-language", b"en"), LONG],
}


def paths_of(app: Litestar) -> list[str]:
    """A path of each route, its parameters filled with values that no row has."""
    found = [route.path for route in app.routes if isinstance(route, HTTPRoute)]
    return sorted({re.sub(r"\{[^}]*\}", "nothing", path) for path in found})


async def answer(web: Within, method: str, path: str, way: str) -> str:
    """The answer to one request, as text."""
    given = await web.ask(Asking(method, path.encode(), [*WAYS[way]]))
    return f"{method} {path} ({way})\n{shown(given)}"


def shown(given: Given) -> str:
    """An answer as text; a body that is no text is replaced by its length."""
    headers = "\n".join(f"{name}: {value}" for name, value in sorted(given.headers))
    try:
        body = given.body.decode()
    except UnicodeDecodeError:
        body = f"{len(given.body)} bytes"
    return normal(f"{given.status}\n{headers}\n\n{body}")


# -- pages --------------------------------------------------------------------------------


class Visitor(NamedTuple):
    """A reader of pages: a name, headers, and the first pages."""

    name: str
    headers: Mapping[str, str]
    beginnings: tuple[str, ...]


def test_pages(past: tuple[str, Path]) -> None:
    with browsed(settings_of(*past)) as client:
        walk_in = WalkIn(client)
        client.headers.pop("Accept-Language")
        client.get("/")
        time.sleep(NOTICES_SECONDS)
        for visitor in visitors(walk_in, past[0]):
            for language in LANGUAGES:
                Reading(client, visitor, language).read_all()


def visitors(walk_in: WalkIn, url: str) -> Iterator[Visitor]:
    """A stranger, the account with the most events, and a member of staff with all permissions."""
    yield Visitor("stranger", {}, ("/", "/help", "/status", "/docs", "/check", "/sign-in"))
    with psycopg.connect(url) as connection:
        [[email]] = connection.execute(
            "SELECT email FROM accounts JOIN orders USING (account_id)"
            " GROUP BY account_id, email ORDER BY count(*) DESC, account_id LIMIT 1"
        )
    walk_in.signs_in(email)
    cookies = "; ".join(f"{name}={value}" for name, value in walk_in.client.cookies.items())
    walk_in.client.cookies.clear()
    yield Visitor("account", {"Cookie": cookies}, ("/account", "/history", "/stamp", "/"))
    desk = staff_session(walk_in, *sorted(StaffRole))
    yield Visitor("staff", {"Cookie": desk.cookie}, ("/console", "/account"))


class Reading:
    """One visitor's walk through all pages that links lead to, in one language."""

    def __init__(self, client: TestClient[Litestar], visitor: Visitor, language: str) -> None:
        self._client = client
        self._visitor = visitor
        self._language = language
        self._alike: dict[str, int] = {}
        self._seen: set[str] = set()

    def read_all(self) -> None:
        """Store each page, breadth first."""
        waiting = deque(self._visitor.beginnings)
        while waiting and sum(self._alike.values()) < PAGES_MAX:
            path = waiting.popleft()
            if path in self._seen or path.startswith(UNSEEN):
                continue
            self._seen.add(path)
            alike = normal(path)
            count = self._alike[alike] = self._alike.get(alike, 0) + 1
            if count <= ALIKE_MAX:
                waiting.extend(self._read(path, f"{alike} {count}" if count > 1 else alike))

    def _read(self, path: str, name: str) -> list[str]:
        cookie = "; ".join(
            filter(None, (self._visitor.headers.get("Cookie"), f"language={self._language}"))
        )
        answer = self._client.get(path, headers={"Accept": "text/html", "Cookie": cookie})
        self._client.cookies.clear()
        kind = answer.headers.get("content-type", "")
        is_page = kind.startswith("text/html")
        text = answer.text if kind.startswith(("text/", "application/json")) else "(no text)"
        where = f"pages/{self._language}/{self._visitor.name}/{file_of(name)}"
        moved = answer.headers.get("location", "")
        keep(where, normal(f"{answer.status_code} {kind} {moved}\n{text}\n"))
        return [*links_of(text, path)] if is_page else []


def links_of(page: str, of: str) -> Iterator[str]:
    """The paths of this installation that a page links to, in order."""
    for found in re.findall(r'<a\b[^>]*?\bhref="([^"]*)"', page):
        url = urlsplit(urldefrag(unescape(found)).url)
        if url.scheme or url.netloc or not (url.path or url.query):
            continue
        path = url.path or of.partition("?")[0]
        yield f"{path}?{url.query}" if url.query else path


def file_of(path: str) -> str:
    """A file name for a path."""
    return re.sub(r"[^A-Za-z0-9_.?=&, -]", "~", path.strip("/") or "home")[:180]


def test_other_files() -> None:
    """Generated pages of the documentation, stored unchanged."""
    root = Path(__file__).parents[2]
    for name in ("docs/permissions.md", "docs/retention.md", "docs/lifecycles.md"):
        (OUT / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(root / name, OUT / name)
