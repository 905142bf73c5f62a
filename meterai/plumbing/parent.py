"""A child process that ends when its parent process ends.

Otherwise a web worker whose parent was killed would keep the port, and a stand-in would keep its database.  A parent
that wants its children to end writes its process id into their environment (`config.PARENT`); a process that was
started by hand has no such id and lives on.  A thread watches the parent, since not every system can send a child a
signal when its parent ends.

Linux can: a child started by `subprocess` requests the signal by `preexec_fn=end_with_parent`.
"""

import ctypes
import os
import signal
import threading
import time

from meterai.plumbing.config import parent_pid

WATCH_SECONDS = 0.25  # longest time for which an orphan keeps the port; a check costs a microsecond
_PR_SET_PDEATHSIG = 1  # prctl(2)
_LIBC = ctypes.CDLL(None)  # loaded before a child is forked, since the child must not load anything


def _watch(parent: int) -> None:
    # Compared with the process id that we were given, not with that of the current parent: the given one may have ended
    # before this line was reached.
    while os.getppid() == parent:
        time.sleep(WATCH_SECONDS)
    os.kill(os.getpid(), signal.SIGKILL)


def die_with_parent() -> None:
    """Kill this process soon after the parent whose process id is in the environment has ended."""
    parent = parent_pid()
    if parent is not None:
        threading.Thread(target=_watch, args=(parent,), daemon=True).start()


def end_with_parent() -> None:
    """Make Linux send this process SIGTERM when its parent ends; called in a forked child before it runs another program."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
