"""Web processes, run by the server Granian; each process is one application with its own pool of database connections."""

import ctypes
import os
import resource

from granian import Granian
from granian.constants import HTTPModes, Interfaces, Loops
from granian.http import HTTP1Settings

from meterai.plumbing.config import Settings, export
from meterai.plumbing.parent import die_with_parent

BACKLOG = 2048  # connections that may wait while every process is busy
# Open connections of a process, most of them idle: a browser keeps its connection for
# `HEADER_MS_MAX`. Further connections wait until one ends. Granian's default is 2,048 for all
# processes, which 100 new people per second fill.
CONNECTIONS_MAX = 65_536
FILES_RESERVED = 1_024  # open files of a process that are not for clients: database, objects, tasks
# Seconds for requests under way when the server must stop: enough for an order that waits for its
# bank, too few for a long examination of a document. A periodic task finds interrupted work by its
# state.
STOP_SECONDS_MAX = 6
HEADER_MS_MAX = 20_000  # time limit for the headers of a request, and for an idle connection
CONNECTION_BYTES_MAX = 64 * 1024  # read ahead per connection, including headers
LARGE_BLOCK_BYTES = 2 * 1024 * 1024  # size of a large document; smaller blocks are reused soon
_M_MMAP_THRESHOLD = -3  # malloc.h of glibc


def _give_large_blocks_back() -> None:
    """Make the allocator return the memory of a large document to the system as soon as the document is freed.

    By default glibc raises its threshold when a large block is freed, and keeps later blocks of that size, up to 64 MB
    for every thread. A process that checks large documents then needs some 250 MB more.
    """
    allocator = ctypes.CDLL(None)
    if hasattr(allocator, "mallopt"):
        allocator.mallopt(_M_MMAP_THRESHOLD, LARGE_BLOCK_BYTES)


def _connections_max() -> int:
    """Raise the process's limit of open files to the allowed maximum, and return the number of connections that it
    may hold.
    """
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most == resource.RLIM_INFINITY:
        most = CONNECTIONS_MAX + FILES_RESERVED
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return max(min(most - FILES_RESERVED, CONNECTIONS_MAX), most // 2)


def serve(settings: Settings) -> None:
    """Run the web processes until SIGTERM or SIGINT."""
    die_with_parent()
    _give_large_blocks_back()
    export(settings)
    run("meterai.apps.web:create", settings)


def run(application: str, settings: Settings) -> None:
    """Run web processes until SIGTERM or SIGINT; each makes its application by calling `application`
    (`module:function`).
    """
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
        # No HTTP/2 without TLS (h2c): a proxy that passes the upgrade through would forward requests
        # that it cannot inspect.
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(
            header_read_timeout=HEADER_MS_MAX, max_buffer_size=CONNECTION_BYTES_MAX
        ),
        log_enabled=False,
        respawn_failed_workers=True,
        workers_kill_timeout=STOP_SECONDS_MAX,
        websockets=False,
    ).serve()
