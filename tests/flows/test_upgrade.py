"""An installation of the last release with money in flight is upgraded, and its open work ends."""

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.support.browser_forms import HTML
from tests.support.commands import run_here
from tests.support.inside import Inside
from tests.support.instance import Client, Instance
from tests.support.last_release import LastRelease, restored


@pytest.fixture
def last(tmp_path: Path) -> Iterator[LastRelease]:
    found = restored(tmp_path)
    yield found
    found.database.stop()


def _assert_audit_holds(last: LastRelease) -> None:
    done = run_here(last.data, "audit", "--seals", "all")
    assert done.returncode == 0, done.stdout + done.stderr


def _assert_old_document_is_there(last: LastRelease, customer: Client) -> None:
    """The owner's copy is genuine, and the download returns the same file."""
    stamping = last.manifest["stamping"]
    assert hashlib.sha256(last.stamped).hexdigest() == stamping["sha256_stamped"]
    assert customer.verify(last.stamped)["verdict"] == "genuine"
    assert customer.get(stamping["document_url"]).body == last.stamped


def _assert_draft_can_be_ordered(instance: Instance, cookies: Mapping[str, str]) -> None:
    """A visitor who chose a file and its place before the upgrade can order it."""
    told = "; ".join(f"{name}={value}" for name, value in cookies.items())
    page = instance.anybody().get("/stamp/pay", headers=HTML | {"Cookie": told})
    assert page.status == 200, page.headers
    assert "surat.pdf" in page.body.decode()


def test_upgraded_installation_of_the_last_release_completes_its_open_work(
    last: LastRelease,
) -> None:
    made = last.manifest
    migrated = run_here(last.data, "migrate")
    assert migrated.returncode == 0, migrated.stderr
    _assert_audit_holds(last)

    with Instance(last.data) as instance:
        inside, customer = Inside(instance), Client(instance.url, made["key"])
        _assert_old_document_is_there(last, customer)
        assert customer.order(made["waiting"])["payment"]["qr_content"] == made["qr"]
        assert instance.bank.pay(made["qr"]).status == 200
        orders = [made[name] for name in ("documents", "paid", "waiting")]
        inside.until(
            "they are executed",
            lambda: {customer.order(one)["state"] for one in orders} == {"executed"},
        )
        inside.until(
            "its document is stamped",
            lambda: (
                [one["state"] for one in inside.stampings_of(made["documents"])] == ["delivered"]
            ),
        )
        inside.until(
            "the refund is settled",
            lambda: customer.get(f"/v1/refunds/{made['refund']['id']}").json["state"] == "settled",
        )
        assert customer.order(made["charged_back"])["money"]["charged_back"] == 10_000
        assert inside.rows("SELECT state FROM suspense_items") == [{"state": "open"}]
        _assert_draft_can_be_ordered(instance, made["browser"])
        _assert_audit_holds(last)
