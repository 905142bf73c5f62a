"""A running installation on one machine: its lock and its addresses.

The file `DIR/instance.json` has the addresses; every command with the same `--data` reads it.
"""

import fcntl
import json
import os
import socket
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from meterai.kit.refusal import CommandRefusal
from meterai.plumbing.config import Settings, instance_file


class AlreadyRunning(CommandRefusal):
    """Another process runs this data directory."""

    code = "already_running"
    status = 500
    passes = True

    def __init__(self, data: str) -> None:
        super().__init__(f"an instance already runs in {data}")
        self.data = data


class PortTaken(CommandRefusal):
    """Another process listens on the port."""

    code = "port_taken"
    status = 500

    def __init__(self, port: int) -> None:
        super().__init__(f"port {port} is in use; choose another with --port")
        self.port = port


PORTS_TRIED_MAX = 20  # number of ports that the system may propose


def free_port(host: str, wanted: int, *, besides: Collection[int] = ()) -> int:
    """Return the wanted port if it is free, else any free port. Ports in `besides` are never returned, because they
    are about to be used.
    """
    for port in (wanted, *[0] * PORTS_TRIED_MAX):
        if port in besides:
            continue
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                continue
            found = int(probe.getsockname()[1])
        if found not in besides:
            return found
    raise OSError(f"no free port on {host}")


def is_free(host: str, port: int) -> bool:
    """True if no process listens on the port."""
    return free_port(host, port) == port


@contextmanager
def holding(port: int, who: str) -> Iterator[None]:
    """Reserve a port of this machine for `up` or `web`, before listening on it.  Refuses `PortTaken`.

    The web processes listen with SO_REUSEPORT, so two installations that are started together could share a port. So
    the port is reserved by a Unix socket with a name in the abstract namespace of Linux. Only one process can have this
    name, it belongs to the same network namespace as the port, and it is released when the process ends.
    """
    if sys.platform != "linux" or not port:
        yield
        return
    with socket.socket(socket.AF_UNIX) as name:
        try:
            name.bind(f"\0meterai-{who}-{port}")
        except OSError:
            raise PortTaken(port) from None
        os.register_at_fork(after_in_child=name.close)  # child processes do not hold the name
        yield


def remember(settings: Settings, **chosen: object) -> None:
    """Write the chosen addresses to `instance.json`, for other commands and the next start."""
    path = instance_file(settings.process.directory)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps({"settings": chosen}, indent=2) + "\n")
    draft.chmod(0o600)
    draft.rename(path)


@contextmanager
def sole_owner(settings: Settings) -> Iterator[None]:
    """Hold the lock of the data directory.  Refuses `AlreadyRunning` if another process holds it.

    The lock is released whenever its process ends, even after a crash.
    """
    settings.process.directory.mkdir(parents=True, exist_ok=True)
    with (settings.process.directory / "instance.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise AlreadyRunning(settings.process.data) from None
        yield


def standins_directory(settings: Settings) -> Path:
    """Return the folder in which the stand-ins keep their state."""
    return settings.process.directory / "standins"
