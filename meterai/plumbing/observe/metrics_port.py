"""Metrics for the operator, on a port that only this machine reaches.

The figures are for the operator alone, and a rule about the addresses of clients would not hold
behind a proxy on the same machine: so they are shown on a port of 127.0.0.1 and not by the web
itself.  Every web process listens on it; whichever is asked answers for all, since their figures
lie in one folder.
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
    """What all processes of this instance counted, ended ones too, in Prometheus' text format."""
    # Imported late: a process joins the folder before.
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
    """Answer `GET /metrics` on 127.0.0.1 while this lasts, if a port is set."""
    if not settings.process.metrics_port:
        yield
        return
    try:
        server = await asyncio.start_server(
            _serve, HOST, settings.process.metrics_port, limit=REQUEST_BYTES_MAX, reuse_port=True
        )
    except OSError as error:  # the web serves its clients without metrics
        _log.error("metrics_not_shown", port=settings.process.metrics_port, error=error.strerror)
        yield
        return
    async with server:
        yield
