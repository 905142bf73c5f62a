"""Search and pages of the console over HTTP, as a member of staff, compared with simpler requests (peers) in
the same run.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from statistics import median
from urllib.parse import urlencode

import psycopg

from bench.desk.filling import Sample
from tests.support.desk import staff_session
from tests.support.instance import Client, Instance

SEARCH_MS_MAX, PAGE_MS_MAX = 300.0, 500.0
NONSENSE = ("x" * 150, "Rp10.500'; DROP TABLE orders; --", "ord_0000000000000000000000000")
PAGES = (
    "/console",
    "/console/work",
    "/console/numbers",
    "/console/levers",
    "/console/approvals",
    "/console/cases",
)
FOUND, THERE = (200, 303), 200


@dataclass(slots=True)
class Way:
    """One kind of request, with the milliseconds of each request."""

    name: str
    limit_ms: float
    times: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    @property
    def half(self) -> float:
        """Median in milliseconds."""
        return median(self.times)

    @property
    def longest(self) -> float:
        """Maximum in milliseconds."""
        return max(self.times)

    def ask(self, request: Callable[[], str]) -> None:
        """Run a request once and record its duration; the request returns the text of an error, or an empty text."""
        began = time.perf_counter()
        wrong = request()
        self.times.append((time.perf_counter() - began) * 1e3)
        if wrong:
            self.wrong.append(wrong)


class Desk:
    """A member of staff at the console."""

    def __init__(self, instance: Instance) -> None:
        self._headers = staff_session(instance, "supervisor").headers
        self._client = Client(instance.url)

    def search(self, text: str, *, is_there: bool = True) -> str:
        """Search for a text. Return the fault of the answer, empty if it is right."""
        query = urlencode({"q": text})
        reply = self._client.get(f"/console?{query}", headers=self._headers)
        if reply.status not in FOUND:
            return f"status {reply.status}"
        where = reply.headers.get("location", "") + reply.body.decode(errors="replace")
        return "" if not is_there or "/console/subjects/" in where else "not found"

    def open(self, path: str) -> str:
        """Open a page. Return the fault of the answer, empty if it is right."""
        reply = self._client.get(path, headers=self._headers)
        return "" if reply.status == THERE else f"status {reply.status}"


def look(instance: Instance, samples: Sequence[Sample]) -> Iterator[Way]:
    """Yield every kind of search, then every page, then the peers (simpler requests for comparison)."""
    desk = Desk(instance)
    desk.open("/console")
    yield from _searches(desk, samples)
    yield from _pages(desk, samples)
    yield from _peers(instance, samples)


def _searches(desk: Desk, samples: Sequence[Sample]) -> Iterator[Way]:
    for kind in dict.fromkeys(kind for sample in samples for kind in sample.names):
        texts = [sample.names[kind] for sample in samples if kind in sample.names]
        yield _asked(f"search: {kind}", SEARCH_MS_MAX, [partial(desk.search, one) for one in texts])
    nonsense = [partial(desk.search, one, is_there=False) for one in NONSENSE * 5]
    yield _asked("search: nonsense", SEARCH_MS_MAX, nonsense)


def _pages(desk: Desk, samples: Sequence[Sample]) -> Iterator[Way]:
    for kind in ("order", "account"):
        paths = [f"/console/subjects/{kind}/{getattr(one, kind)}" for one in samples]
        opened = [partial(desk.open, one) for one in paths]
        yield _asked(f"page: timeline of an {kind}", PAGE_MS_MAX, opened)
    for path in PAGES:
        yield _asked(f"page: {path}", PAGE_MS_MAX, [partial(desk.open, path)] * 10)


def _asked(name: str, limit_ms: float, requests: Sequence[Callable[[], str]]) -> Way:
    way = Way(name, limit_ms)
    for one in requests:
        way.ask(one)
    return way


def _peers(instance: Instance, samples: Sequence[Sample]) -> Iterator[Way]:
    """Yield the peers, whose duration is the minimum: one indexed SQL statement, and one page without queries."""
    with psycopg.connect(instance.settings.process.database_url, autocommit=True) as bare:
        selected = [partial(_selected, bare, one.names["mail address"]) for one in samples]
        yield _asked("peer: a bare indexed SELECT", SEARCH_MS_MAX, selected)
    client = Client(instance.url)
    still = [lambda: "" if client.get("/help").status == THERE else "not there"] * 20
    yield _asked("peer: a page that asks nothing", PAGE_MS_MAX, still)


def _selected(bare: psycopg.Connection[tuple[object, ...]], email: str) -> str:
    query = b"SELECT account_id FROM email_directory WHERE email = %s"
    return "" if bare.execute(query, [email]).fetchone() else "not found"
