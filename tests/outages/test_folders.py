"""Readings from local folders or over HTTP. A faulty watcher does not affect the others."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp import web

from meterai.outages.adapters import folders
from meterai.outages.adapters.folders import readings_of
from meterai.outages.rules import Signed
from meterai.plumbing.readings import Watcher
from tests.support.readings import BEGIN, SigningWatcher, at, fails

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
MINUTES = 20


@asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[str]:
    """Serve files on this machine."""
    server = web.Application()
    server.router.add_get("/{path:.*}", handler)
    runner = web.AppRunner(server, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/watch"
    finally:
        await runner.cleanup()


def fetched(handler: Handler, watcher: SigningWatcher) -> Mapping[str, Sequence[Signed]]:
    """Read one watcher over HTTP, beside a valid watcher in a folder; return the readings."""

    async def fetch() -> Mapping[str, Sequence[Signed]]:
        async with serving(handler) as url:
            watchers = [watcher.known(url), Watcher("gone", "/nowhere/at/all", b"0" * 32)]
            return await readings_of(watchers, at(0), at(MINUTES))

    return asyncio.run(fetch())


@pytest.fixture
def watcher(tmp_path: Path) -> SigningWatcher:
    made = SigningWatcher("jakarta").measure(range(MINUTES), fails(3))
    made.publish(tmp_path)
    return made


def files_of(folder: Path) -> Handler:
    async def answer(request: web.Request) -> web.StreamResponse:
        assert request.path.startswith("/watch/readings/2024-09-0")
        return web.FileResponse(folder / request.path.removeprefix("/watch/"))

    return answer


def test_readings_over_http_are_those_that_were_signed(
    tmp_path: Path, watcher: SigningWatcher
) -> None:
    found = fetched(files_of(tmp_path), watcher)
    assert found == {"jakarta": watcher.documents, "gone": []}


async def _stalls(_: web.Request) -> web.StreamResponse:
    await asyncio.sleep(60)
    raise AssertionError


async def _missing(_: web.Request) -> web.StreamResponse:
    raise web.HTTPNotFound


async def _leads_away(_: web.Request) -> web.StreamResponse:
    raise web.HTTPFound("http://127.0.0.1:9/elsewhere")


async def _endless(request: web.Request) -> web.StreamResponse:
    answer = web.StreamResponse()
    await answer.prepare(request)
    while True:
        await answer.write(b"0" * 65_536)


async def _garbage(_: web.Request) -> web.StreamResponse:
    return web.Response(body=b"\xff\xfe\x00" * 100)


@pytest.mark.parametrize("handler", [_stalls, _missing, _leads_away, _endless, _garbage])
def test_watcher_with_unreadable_files_has_no_readings(
    monkeypatch: pytest.MonkeyPatch, watcher: SigningWatcher, handler: Handler
) -> None:
    monkeypatch.setattr(folders, "ANSWER_SECONDS_MAX", 2.0)
    monkeypatch.setattr(folders, "READINGS_BYTES_MAX", 500_000)
    assert fetched(handler, watcher)["jakarta"] == []


def test_lines_of_another_watcher_or_key_are_ignored(tmp_path: Path) -> None:
    mine = SigningWatcher("jakarta").measure(range(3), fails())
    other = SigningWatcher("surabaya").measure(range(3), fails(*range(3)))
    mine.publish(tmp_path)
    file = tmp_path / "readings" / f"{BEGIN.date()}.jsonl"
    with file.open("a") as lines:
        lines.writelines(f"{one.document}\n" for one in other.documents)
    known = [mine.known(str(tmp_path)), Watcher("makassar", str(tmp_path), mine.known().public_key)]
    found = asyncio.run(readings_of(known, at(0), at(MINUTES)))
    assert found == {"jakarta": mine.documents, "makassar": []}


def test_time_over_midnight_reads_the_files_of_both_days(tmp_path: Path) -> None:
    midnight = BEGIN.replace(hour=0) + timedelta(days=1)
    first = (midnight - BEGIN) // timedelta(minutes=1) - 5
    mine = SigningWatcher("jakarta").measure(range(first, first + 10), fails())
    known = mine.publish(tmp_path)
    assert len(list((tmp_path / "readings").iterdir())) == 2
    span = (midnight - timedelta(minutes=3), midnight + timedelta(minutes=2))
    [readings] = asyncio.run(readings_of([known], *span)).values()
    assert [one.reading.minute for one in readings] == [at(first + 2 + one) for one in range(5)]
