"""Instances side by side, stopped and started again, do not affect each other and leave no process."""

import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.support.instance import Instance, until
from tests.support.money import payable
from tests.support.pdf import pdf

pytestmark = pytest.mark.sample(1, of="file")


@pytest.fixture(scope="module")
def only(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """An instance that the tests here stop, kill and start again."""
    with Instance(tmp_path_factory.mktemp("only")) as instance:
        yield instance


@pytest.fixture
def alone(only: Instance) -> Instance:
    """The instance, started if an earlier test stopped it."""
    if not only.is_up:
        only.start()
    return only


def processes_of(data: Path) -> list[str]:
    """Every process whose command line names a data directory."""
    found = []
    for one in psutil.process_iter(["cmdline", "environ"]):
        words = one.info["cmdline"] or []
        environ = one.info["environ"] or {}
        if environ.get("METERAI_DATA") == str(data) or any(str(data) in word for word in words):
            found.append(" ".join(words))
    return found


def leaves_nothing(data: Path) -> None:
    """Check that no process stays. A process that was just told to end may need a moment."""
    until("no process is left", lambda: not processes_of(data))


def buy(instance: Instance) -> tuple[str, str]:
    """Buy two stamps; return an API key and the executed order."""
    customer = instance.customer()
    order = customer.place(2)
    assert instance.bank.pay(payable(customer, order)).status == 200
    until("stamps are issued", lambda: customer.balance()["available"] == 2)
    assert customer.key is not None
    return customer.key, order["id"]


def test_two_instances_do_not_affect_each_other(tmp_path: Path) -> None:
    """Also as root, under which PostgreSQL itself refuses to run."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    with Instance(tmp_path / "one") as one, Instance(tmp_path / "two") as two:
        assert len({one.url, two.url, one.bank.url, two.bank.url, one.mail, two.mail}) == 6
        customer = one.customer("same@example.org")
        other = two.customer("same@example.org")
        order = customer.place(2, key="same")
        assert other.place(1, key="same")["total"] == 10_000
        qr = payable(customer, order)
        assert two.bank.pay(qr).status == 404
        assert one.bank.pay(qr).status == 200
        until("stamps are issued", lambda: customer.balance()["available"] == 2)
        assert other.balance()["available"] == 0

        assert two.anybody().get("/v1/balance").status == 401
        stranger = two.anybody().get(
            "/v1/balance", headers={"Authorization": f"Bearer {customer.key}"}
        )
        assert stranger.status == 401

        stamping = customer.stamp(pdf()).json
        stamped = customer.get(stamping["document_url"]).body
        until(
            "its own instance knows the seal",
            lambda: one.anybody().verify(stamped)["verdict"] == "genuine",
        )
        assert two.anybody().verify(stamped)["verdict"] in ("forged", "foreign_seal")
        assert two.anybody().get(f"/v1/stamps/{stamping['serials'][0]}").status == 404
        for instance in (one, two):
            instance.assert_audit_holds()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_stop_leaves_no_process_and_a_second_start_keeps_everything(
    alone: Instance, how: signal.Signals
) -> None:
    key, order = buy(alone)
    mine = {"Authorization": f"Bearer {key}"}
    held = alone.anybody().get("/v1/balance", headers=mine)
    url, bank = alone.url, alone.bank.url
    assert len(processes_of(alone.data)) > 4
    assert alone.stop(how) == 0
    leaves_nothing(alone.data)
    assert not (alone.data / "postgres" / "postmaster.pid").exists()

    alone.start()
    assert (alone.url, alone.bank.url) == (url, bank)
    customer = alone.anybody()
    assert customer.get(f"/v1/orders/{order}", headers=mine).json["state"] == "executed"
    assert customer.get("/v1/balance", headers=mine).json == held.json
    alone.assert_audit_holds()


def test_second_instance_in_the_same_directory_is_refused(alone: Instance) -> None:
    refused = alone.command("up", "--port", "0")
    assert refused.returncode != 0
    assert "already_running" in refused.stderr
    assert alone.anybody().get("/readyz").status == 200
    alone.assert_audit_holds()


def test_parts_end_with_a_killed_parent(alone: Instance) -> None:
    parts = [alone.part(name) for name in ("web", "worker", "standins")]
    # Children of a part hold its port until they notice the end of the parent.
    every = [*parts, *(child for one in parts for child in one.children(recursive=True))]
    alone.kill_parent()
    until("every part is gone", lambda: not any(map(psutil.Process.is_running, every)))
    alone.start()
    assert alone.anybody().get("/readyz").status == 200


def test_stop_after_a_crash_leaves_no_process(alone: Instance) -> None:
    key, _ = buy(alone)
    alone.kill_all()
    alone.start()
    mine = {"Authorization": f"Bearer {key}"}
    balance = alone.anybody().get("/v1/balance", headers=mine).json
    assert balance["stamps"]["available"] == 2
    assert alone.stop() == 0
    leaves_nothing(alone.data)


def test_instance_that_is_not_ready_in_time_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.support.instance.READY_SECONDS_MAX", 3.0)
    monkeypatch.setattr("tests.support.instance.Instance._read_until_ready", never_ready)
    late = Instance(tmp_path)
    with pytest.raises(AssertionError, match="not ready"):
        late.start()
    assert not late.is_up
    leaves_nothing(tmp_path)


def never_ready(instance: Instance) -> dict[str, str]:
    """Read the output until it ends. The instance was told to stop, so it never prints the ready line."""
    assert instance._process is not None
    assert instance._process.stdout is not None
    instance._process.stdout.read()
    raise AssertionError("not ready")
