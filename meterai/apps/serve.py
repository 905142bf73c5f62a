"""Web processes: Granian, each process one application with its own pool."""

import os
import shutil
import sys

from granian import Granian
from granian.constants import Interfaces, Loops

from meterai.plumbing.config import Settings, export
from meterai.plumbing.parent import die_with_parent

BACKLOG = 2048  # connections that may wait while every process is busy


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT."""
    die_with_parent()
    folder = settings.directory / "metrics"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    export(settings, PROMETHEUS_MULTIPROC_DIR=str(folder))
    # It decides when it is imported whether its figures are shared between processes.  Granian
    # forks, so it must be imported in the web processes and not yet here.
    assert "prometheus_client" not in sys.modules
    Granian(
        "meterai.apps.web:create",
        factory=True,
        interface=Interfaces.ASGI,
        address=settings.host,
        port=settings.port,
        workers=settings.workers,
        loop=Loops.uvloop if os.name != "nt" else Loops.asyncio,
        backlog=BACKLOG,
        log_enabled=False,
        respawn_failed_workers=True,
        websockets=False,
    ).serve()
