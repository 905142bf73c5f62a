"""Make `tests/flows/last_release.tar.xz`: an installation of this version with money in flight, from which
`tests/flows/test_upgrade.py` upgrades to the next version.

The code of each release runs `python -m scripts.release_state`, before any change for the next release is merged. The
archive has the database as SQL, keys, objects and the state of the stand-ins, all made for this purpose; a stamped document
in its owner's copy; and `manifest.json` with commit, time and content.
"""

import argparse
import io
import json
import subprocess
import tarfile
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import psutil

from meterai.kit.clock import SystemClock
from meterai.kit.ids import new_id
from meterai.payments.model import reference_of
from meterai.plumbing.db.embedded import EmbeddedPostgres, programs
from tests.support.browser_forms import visitors
from tests.support.inside import Inside
from tests.support.instance import Client, Instance, until
from tests.support.money import payable
from tests.support.pdf import pdf
from tests.support.till import paid_body

OUT = Path(__file__).parents[1] / "tests" / "flows" / "last_release.tar.xz"
ARCHIVE_BYTES_MAX = 300_000
FOLDERS = ("keys", "objects", "standins")  # of the data directory
STAMPS = 3


def _is_executed(customer: Client, order: str) -> bool:
    return bool(customer.order(order)["state"] == "executed")


def _settled(inside: Inside, customer: Client) -> dict[str, Any]:
    """Make finished data: an order with a stamped document, a chargeback, an item in suspense, a draft."""
    bank = inside.instance.bank
    order, charged = customer.place(STAMPS), customer.place()
    for one in (order, charged):
        assert bank.pay(payable(customer, one)).status == 200
        until("it is executed", partial(_is_executed, customer, one["id"]))
    stamped = customer.stamp(pdf(words="of the last release"))
    assert stamped.status == 201, stamped.body
    bank.post("/standin/deny", {"qr_content": charged["payment"]["qr_content"]})
    until("it is charged back", lambda: inside.rows("SELECT 1 FROM chargebacks"))
    bank.post("/standin/notify", {"body": paid_body(reference_of(new_id(), new_id()))})
    until("it is in suspense", lambda: inside.rows("SELECT 1 FROM suspense_items"))
    [visitor] = visitors(inside, 1)
    visitor.places()
    return {
        "executed": order["id"],
        "charged_back": charged["id"],
        "stamping": stamped.json,
        "browser": visitor.cookies,
    }


def _in_flight(inside: Inside, customer: Client, executed: str) -> dict[str, Any]:
    """Make work that waits, while no worker runs: two payments, a refund, and an unpaid QR."""
    bank = inside.instance.bank
    documents = inside.order_documents(customer, pdf(words="under way"))
    paid, waiting = customer.place(), customer.place(2)
    told = len(inside.rows("SELECT 1 FROM notification_inbox"))
    for one in (documents, paid):
        assert bank.pay(payable(customer, one)).status == 200
    until("both are told", lambda: len(inside.rows("SELECT 1 FROM notification_inbox")) == told + 2)
    refund = customer.post("/v1/refunds", {"order_id": executed})
    assert refund.status in (200, 201, 202), refund.body
    return {
        "documents": documents["id"],
        "paid": paid["id"],
        "waiting": waiting["id"],
        "qr": payable(customer, waiting),
        "refund": refund.json,
    }


def _make_states(instance: Instance, commit: str) -> dict[str, bytes]:
    """Bring a running installation into its states; only its database runs afterwards. Return files by name."""
    inside, customer = Inside(instance), instance.customer()
    found = {"commit": commit, "key": customer.key} | _settled(inside, customer)
    stamped = customer.get(found["stamping"]["document_url"]).body
    until("nothing is under way", lambda: not inside.rows("SELECT 1 FROM jobs"))
    instance.assert_audit_holds()
    parent = instance.parent
    parent.suspend()  # the parent would start the worker again
    worker = instance.part("worker")
    for process in [*worker.children(recursive=True), worker]:
        process.kill()
    psutil.wait_procs([worker], timeout=1)
    found |= _in_flight(inside, customer, found["executed"])
    instance.kill_all()
    found |= {"made_at": SystemClock().now().isoformat()}
    return {
        "meterai.sql": _dump(instance.settings.process.database_url),
        "manifest.json": json.dumps(found, indent=1).encode(),
        "stamped.pdf": stamped,
    }


def _dump(url: str) -> bytes:
    """Return the database as SQL, without owner and rights: `meterai migrate` sets them."""
    command = [str(programs() / "pg_dump"), "--no-owner", "--no-privileges", "--dbname", url]
    return subprocess.run(command, check=True, capture_output=True).stdout  # noqa: S603 - our own


def _without_beacon(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
    """Leave out the beacon (state of the stand-in for drand), which would otherwise make all rounds since then."""
    return None if Path(entry.name).name.startswith("drand") else entry


def main() -> None:
    """Write the archive."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--out", type=Path, default=OUT)
    out = asked.parse_args().out
    commit = subprocess.run(
        ["git", "rev-parse", "--short=8", "HEAD"],  # noqa: S607 - of the checkout that this runs in
        check=True,
        capture_output=True,
        text=True,
        cwd=Path(Inside.__init__.__code__.co_filename).parent,
    ).stdout.strip()
    with tempfile.TemporaryDirectory() as made:
        instance = Instance(Path(made))
        database = EmbeddedPostgres(Path(made))
        with instance:
            files = _make_states(instance, commit)
            database.start()
            database.stop()
        with tarfile.open(out, "w:xz", preset=9) as archive:
            for name in FOLDERS:
                archive.add(Path(made) / name, name, filter=_without_beacon)
            for name, content in files.items():
                entry = tarfile.TarInfo(name)
                entry.size = len(content)
                archive.addfile(entry, io.BytesIO(content))
    assert out.stat().st_size <= ARCHIVE_BYTES_MAX, out.stat().st_size


if __name__ == "__main__":
    main()
