"""A watcher and others over HTTP: its peers, a payer, and malformed answers."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from meterai.kit.clock import SystemClock
from meterai.kit.components import Component
from meterai.plumbing.keyring import new_secret
from meterai.plumbing.readings import Watcher
from meterai.plumbing.signed import DocumentSigner
from meterai.watch import service
from meterai.watch.adapters import NotOurFault, pay
from meterai.watch.client import ProbeResponse, Stranger, TryFailed
from meterai.watch.model import read_status
from meterai.watch.probes import ProbeResult
from meterai.watch.rule import DOUBT_SECONDS, IN_ROW, ProbeOutcome
from meterai.watch.service import NOW, WatcherService
from meterai.watch.settings import (
    ConfigurationOfWatchWrong,
    LocatedConfiguration,
    Mailbox,
    Payer,
    WatcherConfiguration,
    read,
)
from meterai.watch.store import Store

HERE = "https://meterai.example"
SITE, SIGN_IN = Component.SITE, Component.SIGN_IN
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


async def served(handler: Handler) -> TestServer:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    server = TestServer(app)
    await server.start_server()
    return server


def watch_of(
    folder: Path, *peers: Watcher, mailbox: Mailbox | None = None, installation: str = HERE
) -> WatcherService:
    watched = LocatedConfiguration(
        WatcherConfiguration("w0", installation, "watch", mailbox=mailbox), folder
    )
    watched.folder.mkdir(exist_ok=True)
    store = Store(watched.folder / "watch.sqlite")
    return WatcherService(watched, store, DocumentSigner(new_secret()), SystemClock(), peers)


def now_of(signer: DocumentSigner, kind: str = NOW) -> str:
    components = {SITE: {"own": "major_outage", "agreed": None, "since": ""}}
    at = SystemClock().now().isoformat()
    return signer.sign(kind, {"installation": HERE, "at": at, "components": components})


@pytest.mark.parametrize(
    ("signs", "kind", "is_believed"),
    [("its own", NOW, True), ("another", NOW, False), ("its own", "meterai watch notes", False)],
)
def test_peer_counts_only_with_a_valid_signature(
    tmp_path: Path, signs: str, kind: str, is_believed: bool
) -> None:
    own, another = DocumentSigner(new_secret()), DocumentSigner(new_secret())
    asked = asyncio.Event()

    async def handler(request: web.Request) -> web.StreamResponse:
        assert request.path == "/status/now.json"
        asked.set()
        return web.Response(text=now_of(own if signs == "its own" else another, kind))

    async def look() -> bool:
        server = await served(handler)
        peer = Watcher("w1", str(server.make_url("/status")), own.public_key())
        watch = watch_of(tmp_path, peer)
        async with Stranger(HERE, SystemClock()) as stranger:
            task = asyncio.create_task(watch._poll_peer(stranger, peer))
            await asyncio.wait_for(asked.wait(), 10)
            await asyncio.sleep(0.5)
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        await server.close()
        return watch._heard.get("w1") is not None

    assert asyncio.run(look()) is is_believed


@pytest.mark.parametrize(
    ("status", "is_paid"), [(204, True), (200, True), (401, False), (500, False)]
)
def test_payer_gets_the_text_of_the_qr_and_a_bearer_token(
    tmp_path: Path, status: int, is_paid: bool
) -> None:
    (tmp_path / "token").write_text("secret\n")
    got: list[tuple[str, str]] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        got.append((await request.text(), request.headers["Authorization"]))
        return web.Response(status=status)

    async def act() -> bool:
        server = await served(handler)
        payer = Payer("post", str(server.make_url("/pay")), "token")
        watched = LocatedConfiguration(WatcherConfiguration("w0", HERE, "watch"), tmp_path)
        async with Stranger(HERE, SystemClock()) as stranger:
            try:
                await pay(stranger, payer, watched, "000201")
            except NotOurFault:
                return False
            finally:
                await server.close()
        return True

    assert asyncio.run(act()) is is_paid
    assert got == [("000201", "Bearer secret")]


async def _asked(path: str, handler: Handler | None) -> ProbeResponse:
    server = await served(handler) if handler else None
    base = str(server.make_url("/")).rstrip("/") if server else "http://127.0.0.1:9"
    async with Stranger(base, SystemClock()) as stranger:
        try:
            found = await stranger.ask("GET", path)
        finally:
            if server:
                await server.close()
    return ProbeResponse(
        found.status, {**found.headers, "skew": f"{stranger.skew_seconds:.0f}"}, found.body
    )


def test_missing_answer_is_a_fault_with_a_code() -> None:
    with pytest.raises(TryFailed, match="unreachable"):
        asyncio.run(_asked("/", None))


DEEP = b"[" * 100_000


async def _odd(_: web.Request) -> web.StreamResponse:
    return web.Response(body=DEEP, status=500, content_type="application/json")


class _Odd(Exception):
    """An unforeseen exception."""


def test_malformed_answers_stop_no_loop_of_a_watcher(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = {"/peer/now.json": 0, "/v1/status": 0}

    async def handler(request: web.Request) -> web.StreamResponse:
        if request.path in asked:
            asked[request.path] += 1
        return await _odd(request)

    def fails(*_: object) -> None:
        raise _Odd

    async def look() -> None:
        server = await served(handler)
        peer = Watcher(
            "w1", str(server.make_url("/peer")), DocumentSigner(new_secret()).public_key()
        )
        watch = watch_of(tmp_path, peer, installation=str(server.make_url("/")))
        monkeypatch.setattr(watch, "take_status", fails)
        monkeypatch.setattr(watch, "agree", fails)
        running = asyncio.create_task(watch.run())
        async with asyncio.timeout(20):
            while min(asked.values()) < 2:
                assert not running.done()
                await asyncio.sleep(0.05)
        assert (watch.watched.folder / "public" / "summary.json").exists()
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        await server.close()

    monkeypatch.setattr(service, "PEER_SECONDS", 0.1)
    monkeypatch.setattr(service, "FIGURES_EVERY_SECONDS", 0.1)
    monkeypatch.setattr(service, "TICK_SECONDS", 0.1)
    asyncio.run(look())


def _status(**more: object) -> dict[str, Any]:
    incident = {
        "id": "inc_1", "kind": "incident", "state": "identified", "severity": "major",
        "components": {"buying": "major_outage"}, "title": {"id": "a", "en": "b"},
        "started_at": "2026-11-30T05:00:00Z",
    }  # fmt: skip
    return {"at": "2026-11-30T05:00:00Z", "figures": {}, "incidents": [incident | more]}


@pytest.mark.parametrize(
    "odd",
    [
        _status() | {"at": "2026-11-30T05:00:00"},
        _status() | {"at": "9999-12-31T23:59:59Z"},
        _status(started_at="2026-11-30T05:00:00"),
        _status(ends_at="0001-01-01T00:00:00Z"),
        _status(updates=[{"at": "2026-11-30T05:00:00", "state": "identified", "text": {}}]),
        _status() | {"figures": {"line_waiting": 9 * 10**400}},
        _status() | {"figures": {"in_flight_rupiah": -1e300}},
    ],
)
def test_status_that_cannot_be_rendered_is_not_kept(tmp_path: Path, odd: dict[str, Any]) -> None:
    told = msgspec.json.decode(json.dumps(odd))
    watch = watch_of(tmp_path)
    watch.take_status(read_status(_status()))
    good = watch.store.fact("status", dict)
    watch.take_status(read_status(told))
    watch.publish()
    assert watch.store.fact("status", dict) == good
    assert b"inc_1" in (watch.watched.folder / "public" / "summary.json").read_bytes()
    # As an earlier release kept it.
    watch.store._write("INSERT OR REPLACE INTO fact VALUES ('status', ?)", json.dumps(odd))
    again = watch_of(tmp_path)
    again.publish()
    assert b"inc_1" not in (watch.watched.folder / "public" / "summary.json").read_bytes()


def test_waiting_mails_make_signing_in_worse_and_never_better(tmp_path: Path) -> None:
    watch = watch_of(tmp_path, mailbox=Mailbox("imap", "watch@example.id"))
    at = SystemClock().now().isoformat()
    late, none = (
        read_status({"at": at, "figures": {"mails_waiting_oldest_seconds": seconds}})
        for seconds in (300, None)
    )
    watch.take_status(None)
    assert watch.vote(SIGN_IN) is None
    watch.take_status(none)
    assert watch.vote(SIGN_IN) is None  # the platform's own figure is no measurement
    watch.take_status(late)
    assert watch.vote(SIGN_IN) is None  # one figure may be chance
    watch.take_status(late)
    vote = watch.vote(SIGN_IN)
    assert vote is not None
    assert vote.label == "major_outage"
    watch.take_status(none)
    assert watch.vote(SIGN_IN) is None
    without = watch_of(tmp_path)
    without.take_status(late)
    without.take_status(late)
    assert without.vote(SIGN_IN) is None  # no try could end that state


@pytest.mark.parametrize(
    ("addresses", "calm", "doubted", "out"),
    [(1, 654, 654, 654), (38, 18, DOUBT_SECONDS, 17), (130, 18, DOUBT_SECONDS, 5)],
)
def test_sign_in_probe_requests_no_more_codes_than_allowed(
    tmp_path: Path, addresses: int, calm: float, doubted: float, out: float
) -> None:
    watch = watch_of(tmp_path, mailbox=Mailbox("imap", "w{n}@example.id", addresses))
    paces = [watch.pause(SIGN_IN)]
    watch.record(ProbeResult(SIGN_IN, ProbeOutcome.FAILED, 6.0, "timeout"))
    paces.append(watch.pause(SIGN_IN))
    for _ in range(IN_ROW):
        watch.record(ProbeResult(SIGN_IN, ProbeOutcome.FAILED, 6.0, "timeout"))
    paces.append(watch.pause(SIGN_IN))
    assert paces == pytest.approx([calm, doubted, out], rel=0.03)


@pytest.mark.parametrize(
    "text",
    [
        "",
        'name = "a"',
        'name = "a b"\ninstallation = "https://x.example"\nfolder = "."',
        'name = "a"\ninstallation = "ftp://x.example"\nfolder = "."',
        'name = "a"\ninstallation = "https://x.example"\nfolder = "."\nelse = 1',
        'name = "a"\ninstallation = "https://x.example"\nfolder = "."\n[seconds]\nmoon = 3',
        'name = "a"\ninstallation = "https://x.example"\nfolder = "."\n[mailbox]\nkind = "imap"\naddress = "a@b.c"\naddresses = 2',
    ],
)
def test_malformed_configuration_of_a_watcher_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "watch.toml"
    file.write_text(text)
    with pytest.raises(ConfigurationOfWatchWrong):
        read(file)
