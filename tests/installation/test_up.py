"""`meterai up` reports which processes are not ready in time."""

import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import urllib3

from meterai.apps.settings import load
from meterai.commands import Exit, exit_of
from meterai.installation.instance import PortTaken, holding
from meterai.installation.parts import NotReady, ServerProcess, Stopping, wait_for
from meterai.installation.up import prepare_keys
from meterai.plumbing.config import Settings
from tests.support.commands import run_here
from tests.support.instance import free_ports, until

NOWHERE = "postgresql://meterai@127.0.0.1:9/meterai"


@contextmanager
def started(name: str, settings: Settings, address: str = "") -> Iterator[ServerProcess]:
    part = ServerProcess(name, settings, address)
    try:
        yield part
    finally:
        part.stop()


def refused(part: ServerProcess, seconds: float) -> NotReady:
    with pytest.raises(NotReady) as found:
        wait_for([part], Stopping(), seconds)
    return found.value


def settings_of(folder: Path, port: int) -> Settings:
    """Return the settings of an installation whose database is away."""
    given = {"port": str(port), "metrics_port": "0", "database_url": NOWHERE}
    settings = load({"data": str(folder), **given}).settings
    prepare_keys(settings)
    return settings


def test_failing_checks_of_web_are_reported(tmp_path: Path) -> None:
    [port] = free_ports(1)
    address = f"http://127.0.0.1:{port}/readyz"

    def answers() -> bool:
        try:
            return urllib3.request("GET", address, retries=False).status == 503
        except urllib3.exceptions.HTTPError:
            return False

    with started("web", settings_of(tmp_path, port), address) as web:
        until("the web answers that it is not ready", answers)
        told = refused(web, 0.0)
    assert "web (" in told.waits_for
    assert "database: database_away" in told.waits_for
    assert exit_of(told) is Exit.LATER


def test_part_that_cannot_start_is_reported_at_once(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        address = f"http://127.0.0.1:{port}/healthz"
        with started("web", settings_of(tmp_path, port), address) as web:
            told = refused(web, 90.0)
    assert told.waits_for == f"web (ended with status {Exit.CONFIGURATION.value})"
    assert "port_taken: " in capfd.readouterr().err


def test_part_that_does_not_answer_is_reported_with_its_address(tmp_path: Path) -> None:
    [port] = free_ports(1)
    address = f"http://127.0.0.1:{port}/healthz"
    with started("worker", settings_of(tmp_path, port), address) as part:
        told = refused(part, 0.0)
    assert told.waits_for == f"worker ({address} does not answer)"


def test_second_process_on_a_port_refuses_by_name(tmp_path: Path) -> None:
    [port] = free_ports(1)
    with holding(port, "up"):
        done = run_here(tmp_path, "up", "--port", str(port))
        assert done.returncode == Exit.CONFIGURATION
        assert f"port_taken: Port {port} is already in use" in done.stderr
        with pytest.raises(PortTaken), holding(port, "up"):
            pass
    # A port reserved by `up` is its own, and is released when it ends, whatever it started.
    with holding(port, "up"), holding(port, "web"):
        ours, its = os.pipe()
        child = os.fork()
        if not child:
            os.write(its, b".")
            time.sleep(60)
            os._exit(0)
    try:
        assert os.read(ours, 1) == b"."
        with holding(port, "up"):
            pass
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(ours)
        os.close(its)
