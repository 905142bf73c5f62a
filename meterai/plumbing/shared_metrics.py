"""The folder through which the processes of one instance count together.

`prometheus_client` decides when it is imported whether its figures are shared, so this module
must not import it, and whoever calls `share` must do so first.
"""

import os
import re
import sys
from pathlib import Path

from meterai.plumbing.config import Settings, export

_OF_PROCESS = re.compile(r"_(\d+)\.db\Z")


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _forget_the_dead(folder: Path) -> None:
    """A counter that begins again is what a restart looks like; old files would only pile up."""
    for file in folder.iterdir():
        found = _OF_PROCESS.search(file.name)
        if found and not _is_alive(int(found[1])):
            file.unlink(missing_ok=True)


def share(settings: Settings) -> None:
    """Let this process and those it starts count in `DIR/metrics`, and have these settings."""
    assert "prometheus_client" not in sys.modules
    folder = settings.directory / "metrics"
    folder.mkdir(parents=True, exist_ok=True)
    _forget_the_dead(folder)
    export(settings, PROMETHEUS_MULTIPROC_DIR=str(folder))
