"""A child process that does not outlive the process that started it.

A web worker whose parent was killed would keep the port; a stand-in would keep its database.
Watched by a thread, since not every system can ask the kernel for a signal at that moment.
"""

import os
import signal
import threading
import time

WATCH_SECONDS = 0.25


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(WATCH_SECONDS)
    os.kill(os.getpid(), signal.SIGKILL)


def die_with_parent() -> None:
    """Kill this process soon after its parent is gone."""
    threading.Thread(target=_watch, args=(os.getppid(),), daemon=True).start()
