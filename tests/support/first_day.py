"""Run docs/first-day.md: its command blocks in a folder, and its units as systemd starts them."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from meterai.plumbing.db.embedded import programs
from tests.support.commands import environment

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "first-day.md"
UNITS = ROOT / "deploy" / "systemd"
UV = Path(sys.executable).parent / "uv"
SOURCE = (
    *("pyproject.toml", "README.md", "LICENSE", "requirements.lock", "requirements-build.lock"),
    *("meterai", "standins", "migrations", "deploy"),
)
BLOCK_SECONDS_MAX = 240
# PR_SET_MDWE: the request of MemoryDenyWriteExecute= to a kernel that knows it.
LOCKED = "import ctypes, os, sys; ctypes.CDLL(None).prctl(65, 1, 0, 0, 0); os.execv(sys.argv[1], sys.argv[1:])"
# If tests run as root, the folders belong to other users, while the application never runs as root.
PRIVILEGES = (
    *("setpriv", "--no-new-privs", "--bounding-set=-all,+dac_override", "--inh-caps=-all"),
)


class Block(NamedTuple):
    """A block of commands: its mark for the test, the heading above it, and the commands."""

    how: str
    heading: str
    text: str


def blocks(page: Path = PAGE) -> list[Block]:
    """Every block of commands of a page, in order."""
    found, heading = [], ""
    pattern = r"^## (?P<heading>[^\n]+)$|^```sh(?P<how>[^\n]*)\n(?P<text>.*?)^```$"
    for match in re.finditer(pattern, page.read_text(), re.M | re.S):
        heading = match["heading"] or heading
        if match["text"] is not None:
            found.append(Block(match["how"].strip(), heading, match["text"]))
    return found


def from_lock(text: str) -> str:
    """The commands, with packages from the local cache of `make setup` instead of a registry. Hashes are still
    compared."""
    return re.sub(
        r"(\S+)/bin/pip install(?: --no-cache-dir)?",
        rf"{UV} pip install --offline --quiet --python \1/bin/python",
        text,
    )


def unit(name: str) -> dict[str, list[str]]:
    """Settings of a systemd unit, each with all its values."""
    found: dict[str, list[str]] = {}
    for line in (UNITS / name).read_text().splitlines():
        key, sign, value = line.partition("=")
        if sign and not line.startswith("#"):
            found.setdefault(key, []).append(value)
    return found


class Machine:
    """A folder in place of `/`, and a test server in place of the machine's PostgreSQL."""

    def __init__(self, folder: Path, database: str, ports: tuple[int, int]) -> None:
        self.folder = folder
        self.socket = database.rsplit("host=", 1)[1]
        self.web_port, self.metrics_port = ports
        for name in ("opt/meterai/src", "var/lib/meterai", "etc/meterai/given", "etc/nginx/conf.d"):
            (folder / name).mkdir(parents=True)
        for name in SOURCE:
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
            copy(ROOT / name, self.path("/opt/meterai/src") / name)

    def path(self, name: str) -> Path:
        """The path below the folder for a path of the page."""
        return self.folder / name.lstrip("/")

    def here(self, text: str) -> str:
        """Commands or settings of the page, adapted to this machine."""
        psql = f"{programs() / 'psql'} --host {self.socket} --username postgres --dbname postgres"
        for old, new in (
            ("runuser -u postgres -- psql", psql),
            ("runuser -u meterai -- ", ""),
            ("@127.0.0.1:5432/meterai", f"@/meterai?host={self.socket}"),
            (" -o meterai -g meterai", ""),
            ("chown meterai:meterai", "test -f"),
            ("8000", str(self.web_port)),
            ("9464", str(self.metrics_port)),
        ):
            text = text.replace(old, new)
        place = r"(?<![\w.])/(opt/meterai|var/lib/meterai|etc/meterai|etc/nginx)\b"
        return from_lock(re.sub(place, rf"{self.folder}/\1", text))

    def run(self, block: Block) -> str:
        """Run the commands of a block, check that they succeed, and return their output."""
        done = subprocess.run(
            ["bash", "-eu", "-o", "pipefail", "-c", self.here(block.text)],
            env=environment({}),
            capture_output=True,
            text=True,
            check=False,
            timeout=BLOCK_SECONDS_MAX,
        )
        assert done.returncode == 0, f"{block.text}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        return done.stdout

    def started(self, name: str) -> "subprocess.Popen[bytes]":
        """Start the process of a unit with its environment, umask and restrictions."""
        of = unit(name)
        environ = dict(one.split("=", 1) for one in of["Environment"])
        for file in of.get("EnvironmentFile", ()):
            lines = Path(self.here(file)).read_text().splitlines()
            environ |= dict(line.split("=", 1) for line in lines)
        (command,) = of["ExecStart"]
        words = self.here(command).split()
        launcher = [sys.executable, "-c", LOCKED]
        privileges = PRIVILEGES if os.geteuid() == 0 and shutil.which("setpriv") else ()
        (mask,) = of["UMask"]
        with (self.folder / f"{name}.out").open("wb") as out:
            return subprocess.Popen(
                [*privileges, *launcher, *words],
                env=environment({key: self.here(value) for key, value in environ.items()}),
                umask=int(mask, 8),
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def once(self, name: str) -> int:
        """Run a unit that ends by itself, and return its exit status."""
        return self.started(name).wait(timeout=BLOCK_SECONDS_MAX)

    @contextmanager
    def serving(self, name: str) -> Iterator["subprocess.Popen[bytes]"]:
        """Run a unit that serves, and stop it as systemd does. Its exit status must be 0."""
        process = self.started(name)
        try:
            yield process
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=60) == 0, self.said(name)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def said(self, name: str) -> str:
        """The output of a unit."""
        return (self.folder / f"{name}.out").read_text()
