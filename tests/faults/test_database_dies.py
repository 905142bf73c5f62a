"""The database of a running instance dies or freezes. Web and worker continue when it is back."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import urllib3

from tests.support.commands import ROOT
from tests.support.instance import Client, Instance, free_ports, until
from tests.support.money import payable
from tests.support.servers import Server

pytestmark = pytest.mark.sample(1, of="file")

EX_CONFIG = 78


@pytest.fixture(scope="module")
def mortal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    with Instance(tmp_path_factory.mktemp("mortal")) as instance:
        yield instance
        instance.assert_audit_holds()


def postmaster(instance: Instance) -> psutil.Process:
    text = (instance.data / "postgres" / "postmaster.pid").read_text()
    return psutil.Process(int(text.splitlines()[0]))


def runs_another(instance: Instance, old: int) -> bool:
    try:
        return int(postmaster(instance).pid) != old
    except (psutil.NoSuchProcess, FileNotFoundError, IndexError):
        return False  # the process id of the dead server, or an incomplete file


def test_killed_database_is_restarted_and_no_other_part(mortal: Instance) -> None:
    customer = mortal.customer()
    order = customer.place()
    qr = payable(customer, order)
    parts = {name: mortal.part(name).pid for name in ("web", "worker")}
    old = postmaster(mortal)
    old.kill()
    until("another server runs", lambda: runs_another(mortal, old.pid))
    until("the web answers", lambda: customer.get(f"/v1/orders/{order['id']}").status == 200)
    mortal.bank.pay(qr)
    until("the worker works", lambda: customer.balance()["available"] == 1)
    assert parts == {name: mortal.part(name).pid for name in ("web", "worker")}


def test_frozen_database_causes_503_with_a_retry_time(mortal: Instance) -> None:
    customer = mortal.customer()
    # The server first, since it then starts no more processes. Processes that ended meanwhile need no stop.
    frozen = [postmaster(mortal)]
    frozen[0].suspend()
    try:
        frozen += frozen[0].children(recursive=True)
        for one in frozen[1:]:
            with contextlib.suppress(psutil.NoSuchProcess):
                one.suspend()
        reply = customer.get("/v1/orders")  # the client itself waits a minute at most
        assert reply.status == 503
        assert reply.json["code"] in ("database_away", "busy")
        assert int(reply.headers["retry-after"]) >= 1
        assert customer.get("/readyz").status == 503
        assert customer.get("/healthz").status == 200
    finally:
        for one in frozen:
            with contextlib.suppress(psutil.NoSuchProcess):
                one.resume()
    until("the web answers", lambda: customer.get("/v1/orders").status == 200)


def test_web_answers_503_until_its_database_exists(mortal: Instance, tmp_path: Path) -> None:
    server = Server(tmp_path)
    server.stop()
    # A store of its own, since the database of the instance claims the other one.
    data = tmp_path / "data"
    shutil.copytree(mortal.data / "keys", data / "keys")
    shutil.copy(mortal.data / "instance.json", data)
    [port] = free_ports(1)
    environment = dict(os.environ) | {"DATABASE_URL": server.url}
    command = [sys.executable, "-m", "meterai", "web", "--port", str(port)]
    client = Client(f"http://127.0.0.1:{port}")

    def status() -> int:
        try:
            return client.get("/readyz").status
        except urllib3.exceptions.HTTPError:
            return 0

    with (tmp_path / "log").open("w") as log:
        web = subprocess.Popen(
            [*command, "--data", str(data)], env=environment, cwd=ROOT, stderr=log
        )
        try:
            until("it answers", status)
            assert status() == 503
            assert Client(client.url, mortal.customer().key).get("/v1/orders").status == 503
            server.start()
            migrated = subprocess.run(
                [sys.executable, "-m", "meterai", "migrate", "--data", str(data)],
                env=environment,
                cwd=ROOT,
                check=False,
            )
            assert migrated.returncode == 0
            until("it is ready", lambda: status() == 200)
        finally:
            web.send_signal(signal.SIGTERM)
            assert web.wait(30) == 0
            server.stop()
    assert "database_away" in (tmp_path / "log").read_text()


@pytest.mark.parametrize("service", ["web", pytest.param("worker", marks=pytest.mark.variant)])
def test_service_names_what_is_missing_and_ends(
    server: str, template: str, tmp_path: Path, service: str
) -> None:
    def start(database: str, **more: str) -> subprocess.CompletedProcess[str]:
        url = server.replace("/postgres?", f"/{database}?")
        return subprocess.run(
            [sys.executable, "-m", "meterai", service, "--data", str(tmp_path)],
            env=dict(os.environ) | {"DATABASE_URL": url} | more,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    (tmp_path / "keys").mkdir()
    unmigrated = start("postgres")
    assert unmigrated.returncode == EX_CONFIG
    assert "run meterai migrate" in unmigrated.stderr
    without_keys = start(template)
    assert without_keys.returncode == EX_CONFIG
    assert "key_missing" in without_keys.stderr
    unreadable = start(template, DATABASE_URL="postgresql://[")
    assert unreadable.returncode == EX_CONFIG
    assert "database_missing" in unreadable.stderr
