"""Web processes: Granian, each process one application with its own pool."""

import os

from granian import Granian
from granian.constants import Interfaces, Loops

from meterai.plumbing.config import Settings
from meterai.plumbing.parent import die_with_parent
from meterai.plumbing.shared_metrics import share

BACKLOG = 2048  # connections that may wait while every process is busy


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT."""
    die_with_parent()
    # Granian forks: the metrics must be shared before anything that counts is imported.
    share(settings)
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
