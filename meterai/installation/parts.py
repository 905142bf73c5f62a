"""Starts the processes of `meterai up`, and waits until they are ready."""

import json
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import structlog

from meterai.commands import Exit
from meterai.kit.refusal import CommandRefusal
from meterai.plumbing.config import Settings, environment_for

READY_SECONDS_MAX = 60.0
TELL_SECONDS = 10.0  # seconds between two lines about the processes that are not ready
ANSWER_SECONDS_MAX = 2.0
STOP_SECONDS_MAX = 15.0
RESTART_PAUSE_SECONDS = 0.5  # seconds before a restart, for a process that dies at once
_LOOK_SECONDS = 0.05
_log = structlog.get_logger()


class Stopping:
    """Flag that the handler of a stop signal sets. A `threading.Event` could deadlock: its `set` takes a lock, which the `wait`
    that the signal interrupts may hold.
    """

    def __init__(self) -> None:
        self.is_set = False

    def set(self) -> None:
        """Request the stop; called by the signal handler."""
        self.is_set = True

    def wait(self, seconds: float) -> bool:
        """Sleep for `seconds`, or shorter if a signal arrives; return true if a stop was requested."""
        if not self.is_set:
            time.sleep(seconds)
        return self.is_set


class NotReady(CommandRefusal):
    """A process was not ready in time, or cannot become ready, since it lacks something such as a key or a free port."""

    code = "not_ready_in_time"
    status = 503
    retry_after_seconds = 10

    def __init__(self, waits_for: str, seconds: float) -> None:
        super().__init__(f"after {seconds:.0f} s: {waits_for}")
        self.waits_for = waits_for
        self.seconds = round(seconds)


class ServerProcess:
    """A child process, restarted when it dies. A process with an address is ready when the address answers 200, a process
    without an address while it runs.
    """

    def __init__(self, name: str, settings: Settings, address: str = "") -> None:
        self.name = name
        self._address = address
        self._command = [sys.executable, "-m", "meterai", name]
        self._environment = environment_for(settings)
        self._ends: list[int] = []
        self._process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        # The process gets a separate session: Ctrl-C reaches only the parent, which stops the processes in order.
        return subprocess.Popen(
            self._command,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )

    @property
    def waits_in_vain(self) -> bool:
        """True if the process ended because it lacks something, such as a key or a free port, and so can never become ready."""
        return self._process.poll() == Exit.CONFIGURATION

    def lacks(self) -> str:
        """Return a text that says why the process is not ready; empty when it is ready."""
        status = self._process.poll()
        if status is not None:
            return f"{self.name} (ended with status {status})"
        lacking = _lacks(self._address) if self._address else ""
        ended = f"; ended before with status {self._ends[-1]}" if self._ends else ""
        return f"{self.name} ({lacking}{ended})" if lacking else ""

    def revive(self) -> None:
        """Restart the process if it died."""
        if self._process.poll() is not None:
            _log.warning("part_died", part=self.name, status=self._process.returncode)
            self._ends.append(self._process.returncode)
            time.sleep(RESTART_PAUSE_SECONDS)
            self._process = self._start()

    def stop(self) -> None:
        """Stop the process by SIGTERM, and by SIGKILL after `STOP_SECONDS_MAX`."""
        if self._process.poll() is not None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _lacks(address: str) -> str:
    """Return why a process with this address is not ready: the failing checks in its answer, or that it does not answer; empty
    if it answers 200.
    """
    try:
        with urllib.request.urlopen(address, timeout=ANSWER_SECONDS_MAX):  # noqa: S310 - our own address
            return ""
    except urllib.error.HTTPError as answer:
        with answer:
            return _checks(answer.read()) or f"{address} answers {answer.code}"
    except OSError:
        return f"{address} does not answer"


def _checks(body: bytes) -> str:
    """Return the failing checks in the body of a `/readyz` answer."""
    try:
        checks = json.loads(body)
    except ValueError:
        return ""
    return ", ".join(f"{name}: {told}" for name, told in checks.items() if told != "ok")


def wait_for(
    parts: Sequence[ServerProcess], stopping: Stopping, seconds: float = READY_SECONDS_MAX
) -> None:
    """Wait until all processes are ready, or a stop is requested; restart processes that die.

    Refuses `NotReady` if `seconds` are over, or a process can never be ready.
    """
    begun = time.monotonic()
    told = begun
    while lacking := next(filter(None, (part.lacks() for part in parts)), ""):
        now = time.monotonic()
        if now - begun >= seconds or any(part.waits_in_vain for part in parts):
            raise NotReady("; ".join(filter(None, (p.lacks() for p in parts))), now - begun)
        if now - told > TELL_SECONDS:
            told = now
            _log.warning("up_waits", waits_for=lacking)
        if stopping.wait(_LOOK_SECONDS):
            return
        for part in parts:
            part.revive()


@contextmanager
def telling(waits_for: str) -> Iterator[None]:
    """Log a line about the wait every `TELL_SECONDS` while the block runs."""
    is_done = threading.Event()

    def tell() -> None:
        while not is_done.wait(TELL_SECONDS):
            _log.warning("up_waits", waits_for=waits_for)

    thread = threading.Thread(target=tell, daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_done.set()
        thread.join()
