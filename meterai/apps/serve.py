"""Web processes: Granian; each process is one application with its own pool."""

import ctypes
import os
import resource

from granian import Granian
from granian.constants import HTTPModes, Interfaces, Loops
from granian.http import HTTP1Settings

from meterai.plumbing.config import Settings, export
from meterai.plumbing.parent import die_with_parent

BACKLOG = 2048  # connections that may wait while every process is busy
# Open connections of a process, most of them idle: a browser keeps its own for `HEADER_MS_MAX`, and further ones wait
# until one ends. Granian allows 2,048 for all processes, which 100 new people a second fill.
CONNECTIONS_MAX = 65_536
FILES_RESERVED = 1_024  # of the files that a process may open: for the database, objects, tasks
# Time for requests under way when the server is told to stop: an order that waits for its bank is answered, a long
# examination of a document is not. A periodic task finds interrupted work by its state.
STOP_SECONDS_MAX = 6
HEADER_MS_MAX = 20_000  # for the headers of a request, and between requests on a connection
CONNECTION_BYTES_MAX = 64 * 1024  # read ahead of the application, including headers; times BACKLOG
LARGE_BLOCK_BYTES = 2 * 1024 * 1024  # a document; smaller blocks are reused soon
_M_MMAP_THRESHOLD = -3  # malloc.h of glibc


def _give_large_blocks_back() -> None:
    """Return the memory of a large document to the system when it is free.

    glibc adapts to the first large block it frees and keeps the next ones, up to 64 MB for every thread: some 250 MB
    more in a process that checks large documents.
    """
    allocator = ctypes.CDLL(None)
    if hasattr(allocator, "mallopt"):
        allocator.mallopt(_M_MMAP_THRESHOLD, LARGE_BLOCK_BYTES)


def _connections_max() -> int:
    """Return the number of connections that a process holds, and raise its limit of open files to the allowed maximum."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most == resource.RLIM_INFINITY:
        most = CONNECTIONS_MAX + FILES_RESERVED
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return max(min(most - FILES_RESERVED, CONNECTIONS_MAX), most // 2)


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT."""
    die_with_parent()
    _give_large_blocks_back()
    export(settings)
    run("meterai.apps.web:create", settings)


def run(application: str, settings: Settings) -> None:
    """Serve the application that each web process makes by calling `application`."""
    Granian(
        application,
        factory=True,
        interface=Interfaces.ASGI,
        address=settings.process.host,
        port=settings.process.port,
        workers=settings.process.workers,
        loop=Loops.uvloop if os.name != "nt" else Loops.asyncio,
        backlog=BACKLOG,
        backpressure=_connections_max(),
        # No HTTP/2 without TLS: a proxy that passes it through would pass requests that it never saw.
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(
            header_read_timeout=HEADER_MS_MAX, max_buffer_size=CONNECTION_BYTES_MAX
        ),
        log_enabled=False,
        respawn_failed_workers=True,
        workers_kill_timeout=STOP_SECONDS_MAX,
        websockets=False,
    ).serve()
