"""Instances side by side, stopped and started again: each keeps to itself and leaves nothing."""

import signal
from pathlib import Path

import psutil
import pytest

from tests.support.instance import Instance, until
from tests.support.pdf import pdf


def processes_of(data: Path) -> list[str]:
    """Every process that has to do with a data directory, by its command line."""
    found = []
    for one in psutil.process_iter(["cmdline", "environ"]):
        words = one.info["cmdline"] or []
        environ = one.info["environ"] or {}
        if environ.get("METERAI_DATA") == str(data) or any(str(data) in word for word in words):
            found.append(" ".join(words))
    return found


def buy(instance: Instance) -> tuple[str, str]:
    """A key and an executed order of two stamps."""
    customer = instance.customer()
    order = customer.place(2)
    assert instance.bank.pay(order["payment"]["qr_content"]).status == 200
    until("stamps are issued", lambda: customer.balance()["available"] == 2)
    assert customer.key is not None
    return customer.key, order["id"]


def test_two_instances_know_nothing_of_each_other(tmp_path: Path) -> None:
    """Also as root, which PostgreSQL itself refuses to run as."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    with Instance(tmp_path / "one") as one, Instance(tmp_path / "two") as two:
        assert len({one.url, two.url, one.bank.url, two.bank.url, one.mail, two.mail}) == 6
        customer = one.customer("same@example.org")
        other = two.customer("same@example.org")
        order = customer.place(2, key="same")
        assert other.place(1, key="same")["total"] == 10_000
        assert two.bank.pay(order["payment"]["qr_content"]).status == 404
        one.bank.pay(order["payment"]["qr_content"])
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
def test_a_stop_leaves_no_process_and_a_second_start_keeps_everything(
    tmp_path: Path, how: signal.Signals
) -> None:
    with Instance(tmp_path) as instance:
        key, order = buy(instance)
        held = instance.anybody().get("/v1/balance", headers={"Authorization": f"Bearer {key}"})
        url, bank = instance.url, instance.bank.url
        assert len(processes_of(tmp_path)) > 4
        assert instance.stop(how) == 0
        assert processes_of(tmp_path) == []
        assert not (tmp_path / "postgres" / "postmaster.pid").exists()

        instance.start()
        assert (instance.url, instance.bank.url) == (url, bank)
        customer = instance.anybody()
        mine = {"Authorization": f"Bearer {key}"}
        assert customer.get(f"/v1/orders/{order}", headers=mine).json["state"] == "executed"
        assert customer.get("/v1/balance", headers=mine).json == held.json
        instance.assert_audit_holds()


def test_a_stop_after_a_crash_leaves_no_process_either(tmp_path: Path) -> None:
    with Instance(tmp_path) as instance:
        key, _ = buy(instance)
        instance.kill_all()
        instance.start()
        mine = {"Authorization": f"Bearer {key}"}
        balance = instance.anybody().get("/v1/balance", headers=mine).json
        assert balance["stamps"]["available"] == 2
        assert instance.stop() == 0
        assert processes_of(tmp_path) == []


def test_a_second_instance_in_the_same_directory_is_refused(tmp_path: Path) -> None:
    with Instance(tmp_path) as instance:
        refused = instance.command("up", "--port", "0")
        assert refused.returncode != 0
        assert "already_running" in refused.stderr
        assert instance.anybody().get("/readyz").status == 200
        instance.assert_audit_holds()


def test_a_command_leaves_a_stopped_instance_stopped(tmp_path: Path) -> None:
    with Instance(tmp_path) as instance:
        buy(instance)
        assert instance.stop() == 0
        instance.assert_audit_holds()
        assert processes_of(tmp_path) == []


def test_the_parts_do_not_outlive_a_killed_parent(tmp_path: Path) -> None:
    with Instance(tmp_path) as instance:
        parts = [instance.part(name) for name in ("web", "worker", "standins")]
        instance.kill_parent()
        until("every part is gone", lambda: not any(map(psutil.Process.is_running, parts)))
        instance.start()
        assert instance.anybody().get("/readyz").status == 200
