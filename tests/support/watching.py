"""A watcher of an installation: its configuration, and what it publishes."""

import json
import signal
import subprocess
import sys
from base64 import urlsafe_b64decode
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import psutil

from meterai.kit.components import Component
from meterai.plumbing.parent import end_with_parent
from tests.support.commands import ROOT, environment
from tests.support.instance import Instance, until

ADDRESSES = 130  # the pace of the rule then requests no more codes than the platform sends


def facts_of(document: str) -> dict[str, Any]:
    """Facts of a signed document, read without a check of its signature."""
    text = json.loads(document)["payload"]
    found: dict[str, Any] = json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    return found


def configured(
    folder: Path, instance: Instance, *, name: str = "w1", url: str = "", more: str = ""
) -> Path:
    """The configuration of a watcher of an instance, with an account of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "key").write_text(instance.customer().key or "")
    certificates = folder / "certificates"
    certificates.mkdir(exist_ok=True)
    for path in (instance.data / "keys" / "issuer" / "development-1").iterdir():
        if path.suffix in (".pem", ".pub"):
            (certificates / path.name).write_bytes(path.read_bytes())
    file = folder / "watch.toml"
    file.write_text(
        f"""name = "{name}"
installation = "{url or instance.url}"
folder = "."
api_key_file = "key"
certificates = "certificates"
{more}
[payer]
kind = "standin"
url = "{instance.bank.url}"
[mailbox]
kind = "standin"
url = "{instance.mail}"
address = "{name}-{{n}}@example.org"
addresses = {ADDRESSES}
"""
    )
    return file


class Watching:
    """`meterai watch run` as a process. Use as a context manager."""

    def __init__(self, file: Path, *words: str) -> None:
        self.file, self._words = file, words
        self.public = file.parent / "public"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        with (self.file.parent / "watch.log").open("a") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "meterai", "watch", "run", str(self.file), *self._words],
                cwd=ROOT,
                env=environment({}),
                stdout=log,
                stderr=log,
                preexec_fn=end_with_parent,
            )

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(20)
            self._process = None

    @property
    def cpu_seconds(self) -> float:
        assert self._process is not None
        spent = psutil.Process(self._process.pid).cpu_times()
        return float(spent.user + spent.system)

    def json(self, name: str) -> Any:
        """A published file as JSON."""
        return json.loads((self.public / name).read_bytes())

    def states(self) -> dict[Component, str]:
        """The status of each measured component, from the file for programs."""
        with suppress(FileNotFoundError):
            return {
                Component(one["id"]): one["status"]
                for one in self.json("summary.json")["components"]
            }
        return {}

    def until(
        self, what: str, check: Callable[[dict[Component, str]], bool], seconds: float
    ) -> None:
        """Wait until `check` holds for the published files."""
        until(what, lambda: check(self.states()), seconds)

    def until_all_work(self, seconds: float = 90) -> None:
        """Wait until every component is measured and works."""
        self.until("everything is measured and works", all_work, seconds)

    def readings(self) -> list[str]:
        """The signed readings, earliest first."""
        return [
            line
            for path in sorted((self.public / "readings").glob("*.jsonl"))
            for line in path.read_text().splitlines()
        ]


def all_work(states: Mapping[Component, str]) -> bool:
    """Return True if every component is measured and works."""
    return states.keys() == set(Component) and set(states.values()) == {"operational"}
