"""A whole instance under test: `meterai up` in a directory of its own, and its HTTP client."""

import asyncio
import fcntl
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO, Any, Self

import psutil
import urllib3

from meterai.apps.settings import load
from meterai.installation.instance import is_free
from meterai.plumbing.config import Settings
from meterai.plumbing.db.embedded import EmbeddedPostgres
from meterai.plumbing.parent import end_with_parent
from tests.support.commands import ROOT, SERVING, Done, environment, run, run_here

# Three times the longest measured time on a busy machine. Only a test that fails takes so long.
READY_SECONDS_MAX = 180.0
STOP_SECONDS_MAX = (
    120.0  # `up` waits fifteen seconds for each of its parts, and longer for the database
)
WAIT_SECONDS_MAX = 90.0
AT_ONCE = 8  # connections of one client

# Minutes in production, short enough here for a test to see; a test may pass its own values.
QUICK = {
    "METERAI_POLL_AFTER_SECONDS": "1",
    "METERAI_LOG_LEVEL": "info",
    "METERAI_CODES_PER_HOUR_MAX": "100",
    "METERAI_WEBHOOK_NETWORKS": "127.0.0.0/8",
}


# Below the ports that Linux chooses itself; each process of a test run has a share of them.
PORTS_FROM, PORTS_OF_PROCESS, PROCESSES_MAX = 12_000, 4_500, 4
LISTENING = ("BANK", "MAIL", "SMTP", "DRAND", "METRICS", "MIDTRANS")  # beside the web


# Ports given away in this process. Their servers may listen later, or be stopped at the moment.
GIVEN: set[int] = set()
# One byte of this file is locked for each port, for as long as this process lives.
_PORTS = Path(tempfile.gettempdir()) / f"meterai-test-ports.{os.getuid()}"


@cache
def _ports() -> IO[bytes]:
    return _PORTS.open("ab")


def _is_ours(port: int) -> bool:
    """Reserve a port among all test runs of this machine; return False if another run has it.

    The other run may not listen yet. Two servers that share a port (Granian sets SO_REUSEPORT) would answer for
    each other.
    """
    try:
        fcntl.lockf(_ports(), fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
    except OSError:
        return False
    return True


def free_ports(count: int) -> list[int]:
    """Free ports that no other test run uses.

    `up` listens on them seconds after it checked them, and again after each stop. Of ports from the range of
    the kernel, about one in a thousand would be taken in the meantime.
    """
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % PROCESSES_MAX
    mine = range(
        PORTS_FROM + number * PORTS_OF_PROCESS, PORTS_FROM + (number + 1) * PORTS_OF_PROCESS
    )
    found: list[int] = []
    for port in random.sample(mine, len(mine)):
        if len(found) == count:
            break
        if port not in GIVEN and _is_ours(port) and is_free("127.0.0.1", port):
            found.append(port)
    GIVEN.update(found)
    return found


class PartMissing(Exception):
    """A part of the instance does not run: it died and has not been restarted yet."""


@dataclass(frozen=True)
class Reply:
    """An HTTP answer."""

    status: int
    body: bytes
    headers: Mapping[str, str]

    @property
    def json(self) -> Any:
        """The body, parsed as JSON."""
        return json.loads(self.body)


class Client:
    """An HTTP client for one base URL, optionally with an API key."""

    def __init__(self, url: str, key: str | None = None) -> None:
        self.url = url
        self.key = key
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._pool = urllib3.PoolManager(retries=False, timeout=60, maxsize=AT_ONCE)

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """Send one request. A dict or list is sent as JSON, bytes are sent unchanged."""
        given = dict(self._headers) | dict(headers or {})
        content: bytes | None
        if isinstance(body, dict | list):
            content = json.dumps(body).encode()
            given.setdefault("Content-Type", "application/json")
        else:
            assert body is None or isinstance(body, bytes)
            content = body
        answer = self._pool.request(
            method, self.url + path, body=content, headers=given, redirect=False
        )
        return Reply(
            answer.status, answer.data, {k.lower(): answer.headers[k] for k in answer.headers}
        )

    def get(self, path: str, **kwargs: Any) -> Reply:
        return self.call("GET", path, **kwargs)

    def post(self, path: str, body: object = None, **kwargs: Any) -> Reply:
        return self.call("POST", path, body, **kwargs)

    # -- calls of the API -------------------------------------------------------------------

    def place(self, quantity: int = 1, key: str | None = None) -> Any:
        """Place an order and return it."""
        reply = self.post(
            "/v1/orders",
            {"quantity": quantity},
            headers={"Idempotency-Key": key or str(uuid.uuid4())},
        )
        assert reply.status == 201, reply.body
        return reply.json

    def ask_back(self, order: str, key: str | None = None) -> Reply:
        """Request a refund of the unused stamps of an order."""
        headers = {"Idempotency-Key": key or str(uuid.uuid4())}
        return self.post("/v1/refunds", {"order_id": order}, headers=headers)

    def order(self, order: str) -> Any:
        return self.get(f"/v1/orders/{order}").json

    def balance(self) -> dict[str, int]:
        found: dict[str, int] = self.get("/v1/balance").json["stamps"]
        return found

    def stamp(
        self,
        pdf: bytes,
        placement: object = None,
        *,
        key: str | None = None,
        name: str = "surat.pdf",
        **more: str,
    ) -> Reply:
        """Stamp a document from the balance."""
        wanted = placement or {"page": 1, "x": 60, "y": 60, "width": 80}
        text = wanted if isinstance(wanted, str) else json.dumps(wanted)
        body, kind = urllib3.encode_multipart_formdata(
            {"document": (name, pdf, "application/pdf"), "placement": text, **more}
        )
        headers = {"Content-Type": kind, "Idempotency-Key": key or str(uuid.uuid4())}
        return self.post("/v1/stampings", body, headers=headers)

    def verify(self, pdf: bytes) -> Any:
        return self.post("/v1/verifications", pdf, headers={"Content-Type": "application/pdf"}).json


class Bank(Client):
    """The stand-in bank, as its customers and its staff use it."""

    def pay(self, qr_content: str, **more: object) -> Reply:
        return self.post("/standin/pay", {"qr_content": qr_content, **more})

    def faults(self, **faults: object) -> None:
        reply = self.post("/standin/faults", faults)
        assert reply.status == 200, reply.body

    def clear_faults(self) -> None:
        self.call("DELETE", "/standin/faults")

    def totals(self) -> dict[str, int]:
        found: dict[str, int] = self.get("/standin/totals").json
        return found


def until(what: str, check: Callable[[], Any], seconds: float = WAIT_SECONDS_MAX) -> Any:
    """Wait until `check` returns a true value, and return it."""
    deadline = time.monotonic() + seconds
    while True:
        found = check()
        if found:
            return found
        assert time.monotonic() < deadline, f"waited {seconds} s in vain: {what}"
        time.sleep(0.05)


def _is_in_a_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


class Instance:
    """`meterai up` as a child process. Use as a context manager."""

    def __init__(self, data: Path, *, host: str = "", **settings: str) -> None:
        """With `host`, its public URL has that name instead of an IP address."""
        self.data = data
        self.port, *others = free_ports(1 + len(LISTENING))
        ports = {
            f"METERAI_{name}_PORT": f"{one}" for name, one in zip(LISTENING, others, strict=True)
        }
        named = {"METERAI_PUBLIC_URL": f"http://{host}:{self.port}"} if host else {}
        self._given = QUICK | ports | named | settings
        self._environment = environment(self._given)
        self._process: subprocess.Popen[str] | None = None
        self.url = self.mail = self.metrics = ""
        self.bank = Bank("")

    def __enter__(self) -> Self:
        """Start it, and turn off the waiting line.

        Otherwise the line would engage if work is ten seconds late on a busy machine, or if a worker is killed,
        and would block the orders of tests.
        """
        self.start()
        try:
            done = self.command("line", "stand", "buying", "never")
            assert done.returncode == 0, done.stderr
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def is_up(self) -> bool:
        """True from a start until a stop."""
        return self._process is not None

    @property
    def log(self) -> str:
        """The log of all its processes."""
        return (self.data / "test.log").read_text()

    @property
    def settings(self) -> Settings:
        """The settings in force, with the URL of the database, for access to the inside."""
        given = {
            name.removeprefix("METERAI_").lower(): value
            for name, value in self._environment.items()
            if name.startswith("METERAI_")
        }
        found = load(given | {"data": str(self.data)}).settings
        url = EmbeddedPostgres(self.data).url.replace("/postgres?", "/meterai?")
        return found.replaced(database_url=url)

    def start(self) -> None:
        """Start it and wait until it is ready. If it does not become ready, it is stopped."""
        with (self.data / "test.log").open("a") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "meterai", "up", *self._options()],
                cwd=ROOT,
                env=self._environment,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                preexec_fn=end_with_parent,  # an aborted test run leaves no process behind
            )
        late = threading.Timer(READY_SECONDS_MAX, self._process.send_signal, [signal.SIGTERM])
        late.start()
        try:
            lines = self._read_until_ready()
        except BaseException:
            self.stop()
            raise
        finally:
            late.cancel()
        self.url, self.mail, self.metrics = lines["ready"], lines["mail"], lines["metrics"]
        self.bank = Bank(lines["bank"])
        self.port = int(self.url.rsplit(":", 1)[1])

    def _options(self) -> list[str]:
        return ["--data", str(self.data), "--port", str(self.port)]

    def _read_until_ready(self) -> dict[str, str]:
        assert self._process is not None
        assert self._process.stdout is not None
        lines: dict[str, str] = {}
        for line in self._process.stdout:
            word, _, rest = line.strip().partition(" ")
            lines[word] = rest
            if word == "ready":
                return lines
        raise AssertionError(f"meterai up ended before it was ready:\n{self.log[-3000:]}")

    def stop(self, how: signal.Signals = signal.SIGINT) -> int:
        """Stop it as Ctrl-C does, or by another signal, and return its exit status."""
        if self._process is None:
            return 0
        self._process.send_signal(how)
        try:
            status = self._process.wait(STOP_SECONDS_MAX)
        except BaseException:
            self.kill_all()
            database = EmbeddedPostgres(self.data)
            if database.is_running():
                database.start()
                database.stop()
            raise
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._process = None
        return status

    def kill_all(self) -> None:
        """Kill the parent and all its parts except the database, as a power failure does."""
        parts = self.parent.children(recursive=True)
        self.kill_parent()
        for one in parts:
            # A process for one document may have ended already.
            with suppress(psutil.NoSuchProcess):
                if "postgres" not in one.name():
                    one.kill()

    def kill_parent(self) -> None:
        """Kill the parent only. Its parts notice it and end."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(10)
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._process = None

    @property
    def parent(self) -> psutil.Process:
        """The process that restarts parts that died."""
        assert self._process is not None
        return psutil.Process(self._process.pid)

    def part(self, name: str) -> psutil.Process:
        """The process of one part: 'web', 'worker' or 'standins'."""
        for one in self.parent.children():
            # A part that was just killed has no command line until the parent has waited for it.
            with suppress(psutil.NoSuchProcess):
                if one.cmdline()[-1:] == [name]:
                    return one
        raise PartMissing(name)

    def kill(self, part: str) -> None:
        """Kill one part and its children with SIGKILL. `up` restarts it."""
        one = self.part(part)
        for child in one.children(recursive=True):
            # A process for one document may have ended already.
            with suppress(psutil.NoSuchProcess):
                child.kill()
        one.kill()

    def wait_ready(self) -> None:
        """Wait until the web process answers again."""
        client = Client(self.url)

        def is_ready() -> bool:
            try:
                return client.get("/readyz").status == 200
            except urllib3.exceptions.HTTPError:
                return False

        until("the web is ready", is_ready, READY_SECONDS_MAX)

    def command(self, *words: str) -> Done:
        """Run `meterai WORDS --data DIR`, in this process if the command serves nothing.

        A browser under test keeps an event loop running in this process, and no second one can run beside it.
        The command is then a process of its own.
        """
        how = run if words[0] in SERVING or _is_in_a_loop() else run_here
        return how(self.data, *words, **self._given)

    def customer(self, email: str | None = None) -> Client:
        """A new account with an API key."""
        address = email or f"{uuid.uuid4().hex[:12]}@example.org"
        done = self.command("accounts", "create", address, "--api-key")
        assert done.returncode == 0, done.stderr
        return Client(self.url, done.stdout.strip().splitlines()[-1])

    def anybody(self) -> Client:
        """A client without a key."""
        return Client(self.url)

    def counted(self) -> dict[str, float]:
        """Metrics of all its processes: name with labels, and value."""
        lines = Client(self.metrics).get("").body.decode().splitlines()
        pairs = (line.rsplit(" ", 1) for line in lines if line and not line.startswith("#"))
        return {name: float(figure) for name, figure in pairs}

    def mails_to(self, address: str) -> list[dict[str, Any]]:
        """Mails that the stand-in received for an address, newest first."""
        found: list[dict[str, Any]] = Client(self.mail).get(f"/standin/mails?to={address}").json
        return found

    def assert_audit_holds(self) -> None:
        """Check every invariant with `meterai audit`."""
        done = self.command("audit")
        assert done.returncode == 0, done.stdout + done.stderr
