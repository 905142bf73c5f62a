"""The run's own installation: `meterai up` on this machine, in an exclusive directory.

Only parts of such an installation are killed. Its processes are the descendants of the process started here, so that no
foreign process is ever found.
"""

import os
import subprocess
import sys
import threading
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, Queue
from time import monotonic

import psutil

from meterai.commands import Exit
from meterai.kit.refusal import CommandRefusal
from meterai.plumbing.config import environment_with
from meterai.plumbing.parent import end_with_parent
from meterai_rehearsal.rehearsal.plan import Plan

READY_SECONDS_MAX = 120.0
# Visitors arrive regardless of the machine's load; a generator that waits for a processor would offer less.
NICE = 5
STOP_SECONDS_MAX = 60.0
COMMAND_SECONDS_MAX = 600.0
LOG = "rehearsal.log"
POSTGRES = "postgres"
# A client's backend, in PostgreSQL's process titles: "postgres: user database client state".
_NOT_CLIENTS = ("checkpointer", "writer", "launcher", "startup", "io worker", "archiver", "logger")


class InstallationNotStarted(CommandRefusal):
    """The installation of a run did not start, or its directory is in use."""

    code = "installation_not_started"
    status = 500

    def __init__(self, directory: str, reason: str) -> None:
        super().__init__(f"{directory}: {reason}")
        self.directory = directory
        self.reason = reason


def _begin() -> None:
    """Prepare the child process: it ends with its parent, and runs with a lower priority than the generator."""
    end_with_parent()
    os.nice(NICE)


@dataclass(frozen=True, slots=True)
class Addresses:
    """Addresses of an installation and its stand-ins; empty if unknown."""

    web: str
    bank: str = ""
    mail: str = ""
    metrics: str = ""


@dataclass(frozen=True, slots=True)
class Spent:
    """Processor seconds of a group of processes so far, and its current bytes."""

    cpu_seconds: float
    memory_bytes: int  # resident and private; shared memory is not counted


@dataclass(frozen=True, slots=True)
class Done:
    """Output of a command, and its exit status."""

    status: int
    text: str


def done(command: Sequence[str], environment: Mapping[str, str] | None = None) -> Done:
    """Run a command of `meterai`; if it does not end in time, its result counts as undecided."""
    try:
        ended = subprocess.run(  # noqa: S603 - ourselves
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=COMMAND_SECONDS_MAX,
        )
    except subprocess.TimeoutExpired:
        return Done(Exit.UNJUDGED, f"the command did not end within {COMMAND_SECONDS_MAX:.0f} s")
    return Done(ended.returncode, ended.stdout + ended.stderr)


def settings_of(plan: Plan) -> dict[str, str]:
    """Return the settings that a plan makes for an installation started by the run."""
    return {"workers": str(plan.own.workers)} | {
        name: str(value) for name, value in plan.own.settings.items()
    }


class OwnInstallation:
    """`meterai up` as a child process. Use as a context."""

    def __init__(self, directory: Path, settings: Mapping[str, str]) -> None:
        self.directory = directory
        self.addresses = Addresses("")
        self._environment = environment_with(settings)
        self._process: subprocess.Popen[str] | None = None
        self._root: psutil.Process | None = None

    def __enter__(self) -> "OwnInstallation":
        """Start the installation. Refuses `InstallationNotStarted`."""
        self.directory.mkdir(parents=True, exist_ok=True)
        if any(self.directory.iterdir()):
            raise InstallationNotStarted(str(self.directory), "the folder is not empty")
        with (self.directory / LOG).open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - ourselves
                self._command("up", "--port", "0"),
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                # Its own session: Ctrl-C reaches only this process, which stops it in order.
                start_new_session=True,
                preexec_fn=_begin if sys.platform == "linux" else None,
            )
        self._root = psutil.Process(self._process.pid)
        try:
            self.addresses = self._until_ready()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def _command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "meterai", *words, "--data", str(self.directory)]

    def _until_ready(self) -> Addresses:
        assert self._process is not None
        told: Queue[str] = Queue()
        # Continues reading, so that `up` never blocks on its output.
        threading.Thread(target=self._read, args=(told,), daemon=True).start()
        found: dict[str, str] = {}
        until = monotonic() + READY_SECONDS_MAX
        while "ready" not in found:
            try:
                line = told.get(timeout=max(until - monotonic(), 0.0))
            except Empty:
                raise InstallationNotStarted(
                    str(self.directory), "the installation was not ready in time"
                ) from None
            if not line:
                log = (self.directory / LOG).read_text(errors="replace").strip()
                raise InstallationNotStarted(str(self.directory), log[-500:] or "it ended")
            word, _, rest = line.strip().partition(" ")
            found[word] = rest
        return Addresses(found["ready"], found["bank"], found["mail"], found["metrics"])

    def _read(self, told: "Queue[str]") -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        with suppress(ValueError):  # closed when it was stopped
            for line in self._process.stdout:
                told.put(line)
        told.put("")

    def _stop(self) -> None:
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            for one in self._all():
                with suppress(psutil.NoSuchProcess):
                    one.kill()
            self._process.kill()
            self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def command(self, *words: str) -> Done:
        """Run a command of `meterai` on the directory of the installation."""
        return done(self._command(*words), self._environment)

    # -- its processes ------------------------------------------------------------------------

    def _all(self) -> list[psutil.Process]:
        assert self._root is not None
        try:
            return list(self._root.children(recursive=True))
        except psutil.NoSuchProcess:
            return []

    def parts(self) -> dict[str, psutil.Process]:
        """Return the processes that `up` started: `web`, `worker`, `standins`, and `postgres`."""
        assert self._root is not None
        found: dict[str, psutil.Process] = {}
        with suppress(psutil.NoSuchProcess):
            for one in self._root.children():
                with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                    if name := name_of(one):
                        found[name] = one
        return found

    def part(self, name: str) -> psutil.Process:
        """Return one of these processes by name. Raises `KeyError` if it does not run now."""
        return self.parts()[name]

    def web_workers(self) -> list[psutil.Process]:
        """Return the processes that answer visitors."""
        parent = self.parts().get("web")
        # These processes are forks: each shows the command of its parent.
        return below(parent, line_of(parent)) if parent is not None else []

    def backends(self) -> list[psutil.Process]:
        """Return the processes of PostgreSQL that work for clients."""
        found = below(self.parts().get(POSTGRES), "postgres:")
        return [one for one in found if not any(word in line_of(one) for word in _NOT_CLIENTS)]

    def spent(self) -> dict[str, Spent]:
        """Return the resources of each part, including its descendants."""
        return {name: spent_below(one) for name, one in self.parts().items()}

    def bytes(self) -> int:
        """Return the size of its directory."""
        return sum(_size(path) for path in self.directory.rglob("*"))


def _size(path: Path) -> int:
    try:
        return path.lstat().st_size
    except OSError:
        return 0  # deleted meanwhile


def name_of(one: psutil.Process) -> str:
    """Return the last word of a process's command, or `postgres`. The name is empty for an ended process that was not
    reaped yet, and for a program that starts PostgreSQL and whose last argument is the path of the data.
    """
    if one.name().startswith(POSTGRES):
        return POSTGRES if one.status() != psutil.STATUS_ZOMBIE else ""
    word = next(iter(one.cmdline()[-1:]), "")
    return "" if "/" in word else word


def line_of(one: psutil.Process) -> str:
    """Return the command line of a process; empty if the process has ended."""
    try:
        return " ".join(one.cmdline())
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return ""


def below(parent: psutil.Process | None, words: str) -> list[psutil.Process]:
    """Return the children of a process whose command contains these words."""
    if parent is None:
        return []
    with suppress(psutil.NoSuchProcess):
        return [one for one in parent.children() if words in line_of(one)]
    return []


def spent_below(root: psutil.Process) -> Spent:
    """Return processor time and memory of a process and its descendants, including descendants that have ended,
    since tasks live only for milliseconds.
    """
    with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
        return spent_by(
            [root.pid, *(one.pid for one in root.children(recursive=True))], with_ended=True
        )
    return Spent(0.0, 0)


def spent_by(pids: Iterable[int], *, with_ended: bool = False) -> Spent:
    """Return processor time and memory of these processes, and with `with_ended` also the time of ended children; other
    descendants do not count.
    """
    cpu, memory = 0.0, 0
    for pid in pids:
        with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            one = psutil.Process(pid)
            times, held = one.cpu_times(), one.memory_info()
            cpu += times.user + times.system
            if with_ended:
                cpu += getattr(times, "children_user", 0.0)
                cpu += getattr(times, "children_system", 0.0)
            memory += held.rss - getattr(held, "shared", 0)
    return Spent(cpu, memory)
