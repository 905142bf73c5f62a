"""Limit of the generator itself: measured against a trivial server, beside wrk if it is installed.

A run that offers more than this limit measures only its generator and is void.
"""

import asyncio
import multiprocessing
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection as Pipe
from time import monotonic

import uvloop

from meterai_rehearsal.clients.connection import AT_ONCE, Connection, Traffic, request
from meterai_rehearsal.clients.sites import Site

MEASURE_SECONDS = 0.5
CONNECTIONS = 16  # of each process
START_SECONDS_MAX = 30.0
# As long as a page of the platform, so that reading it costs the same.
_BODY = b"<!doctype html>" + b"<p>meterai</p>" * 300
_ANSWER = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n" % len(_BODY) + _BODY
)
_RATE = re.compile(r"Requests/sec:\s*([0-9.]+)")


class _Trivial(asyncio.Protocol):
    """Answers each request with the same bytes."""

    def __init__(self) -> None:
        self._received = b""
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        self._received += data
        asked = self._received.count(b"\r\n\r\n")
        if asked and self._transport is not None:
            self._received = self._received.rpartition(b"\r\n\r\n")[2]
            self._transport.write(_ANSWER * asked)


async def _serve(told: Pipe) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(_Trivial, "127.0.0.1", 0)
    told.send(server.sockets[0].getsockname()[1])
    # Until the parent closes the pipe, or dies.
    await loop.run_in_executor(None, _until_closed, told)
    server.close()


def _until_closed(pipe: Pipe) -> None:
    try:
        pipe.recv()
    except (EOFError, OSError):
        return


def _server(told: Pipe) -> None:
    uvloop.run(_serve(told))


@contextmanager
def trivial_server() -> Iterator[Site]:
    """Run a trivial server on this machine during the `with` block."""
    spawning = multiprocessing.get_context("spawn")
    ours, theirs = spawning.Pipe()
    process = spawning.Process(target=_server, args=(theirs,), daemon=True)
    process.start()
    theirs.close()
    try:
        if not ours.poll(START_SECONDS_MAX):
            raise OSError("the server that measures the generator did not start")
        yield Site("127.0.0.1", int(ours.recv()), "127.0.0.1")
    finally:
        ours.close()
        process.join(5)
        process.kill()


async def rate(site: Site, seconds: float = MEASURE_SECONDS) -> float:
    """Return the requests a second that this process can send and receive answers to, with the code that
    visitors use.
    """
    traffic, asked = Traffic(), request(site, "GET", "/", {"Accept": "text/html,*/*"})
    begun = monotonic()

    async def ask() -> None:
        made = await Connection.open(site, AT_ONCE, traffic)
        while monotonic() - begun < seconds:
            await made.ask(asked)
        made.close()

    await asyncio.gather(*(ask() for _ in range(CONNECTIONS)))
    return traffic.requests / (monotonic() - begun)


def wrk_rate(site: Site) -> float | None:
    """Return the requests a second measured by wrk, for comparison; None if it is not installed or does not end."""
    program = shutil.which("wrk")
    if program is None:
        return None
    command = [program, "-t1", f"-c{CONNECTIONS}", "-d1s", f"{site.url}/"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)  # noqa: S603
    except subprocess.TimeoutExpired:
        return None
    found = _RATE.search(done.stdout)
    return float(found[1]) if found else None
