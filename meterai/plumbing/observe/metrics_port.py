"""Metrics for the operator, on a port that only this machine can reach.

The metrics are for the operator alone, and a rule about client addresses would fail behind a proxy on the same machine.
So they are served on a port of 127.0.0.1, and not by the web application. Every web process listens on it; each can
answer for all, since the metrics of all processes are in one folder.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import structlog

from meterai.plumbing.config import Settings
from meterai.plumbing.observe.shared_metrics import reading

HOST = "127.0.0.1"
REQUEST_SECONDS_MAX = 5.0
REQUEST_BYTES_MAX = 8 * 1024
_log = structlog.get_logger()


def figures() -> bytes:
    """Return the metrics of all processes of this instance, also ended ones, in Prometheus' text format."""
    # Imported late, since a process joins the metrics folder before.
    from prometheus_client import CollectorRegistry, generate_latest, multiprocess  # noqa: PLC0415

    registry = CollectorRegistry()
    with reading():
        multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry)


def _answer(head: bytes) -> bytes:
    method, _, rest = head.partition(b" ")
    path = rest.partition(b" ")[0].partition(b"?")[0]
    if method != b"GET" or path != b"/metrics":
        return b"HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    from prometheus_client import CONTENT_TYPE_LATEST  # noqa: PLC0415 - as above

    content = figures()
    lines = (
        "HTTP/1.1 200 OK",
        f"Content-Type: {CONTENT_TYPE_LATEST}",
        "Cache-Control: no-store",
        f"Content-Length: {len(content)}",
        "Connection: close",
    )
    return "\r\n".join([*lines, "", ""]).encode() + content


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        async with asyncio.timeout(REQUEST_SECONDS_MAX):
            head = await reader.readuntil(b"\r\n\r\n")
            writer.write(_answer(head))
            await writer.drain()
    writer.close()


@asynccontextmanager
async def showing_metrics(settings: Settings) -> AsyncIterator[None]:
    """Answer `GET /metrics` on 127.0.0.1 while the block runs, if a port is set."""
    if not settings.process.metrics_port:
        yield
        return
    try:
        server = await asyncio.start_server(
            _serve, HOST, settings.process.metrics_port, limit=REQUEST_BYTES_MAX, reuse_port=True
        )
    except OSError as error:  # the application serves its clients without metrics
        _log.error("metrics_not_shown", port=settings.process.metrics_port, error=error.strerror)
        yield
        return
    async with server:
        yield
