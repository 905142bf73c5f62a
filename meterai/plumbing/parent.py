"""A child process that does not outlive the process that started it.

A web worker whose parent was killed would keep the port; a stand-in would keep its database.
A parent that wants this leaves its number in the environment of its children (`config.PARENT`);
a process that was started by hand has no such parent and lives on.  Watched by a thread, since
not every system can ask the kernel for a signal at that moment.

On Linux who starts a process by `subprocess` can ask it for that: `preexec_fn=end_with_parent`.
"""

import ctypes
import os
import signal
import threading
import time

from meterai.plumbing.config import parent_pid

WATCH_SECONDS = 0.25  # how long an orphan may keep the port; looking costs a microsecond
_PR_SET_PDEATHSIG = 1  # prctl(2)
_LIBC = ctypes.CDLL(None)  # loaded before a child is made, which must not load anything


def _watch(parent: int) -> None:
    # Compared with the number we were given, not with the parent we find: it may have died
    # before this line was reached.
    while os.getppid() == parent:
        time.sleep(WATCH_SECONDS)
    os.kill(os.getpid(), signal.SIGKILL)


def die_with_parent() -> None:
    """Kill this process soon after the parent has ended that wrote its number into the environment."""
    parent = parent_pid()
    if parent is not None:
        threading.Thread(target=_watch, args=(parent,), daemon=True).start()


def end_with_parent() -> None:
    """In a child of Linux, before it becomes another program: have it sent SIGTERM when its parent is killed."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
