"""Rows of a batch of a collector: a row without its facts stops no other."""

import msgspec

from meterai.batches import BatchService
from meterai.batches.intake import ReceivedFile, listed
from meterai.batches.reading import json_rows
from meterai.batches.work import BatchWork
from meterai.stamping import RowStamping
from tests.collectors.conftest import Collecting
from tests.support.pdf import pdf

PLACE = {"page": 1, "x": 60, "y": 60, "width": 70}
TOLD = {
    "type": "4a",
    "number": "INV-1",
    "date": "30/11/2026",
    "value": 7_500_000,
    "party": {"name": "PT Lawan", "number": "01.234.567.8-901.234"},
}


def test_row_without_facts_is_named_and_others_are_stamped(collecting: Collecting) -> None:
    shop, account = collecting.shop, collecting.account
    collecting.draw(3)
    collecting.work()
    batches = shop.container.of(BatchService)
    made = shop.do(batches.make(account, "batch", None))
    files = [ReceivedFile(f"{n}.pdf", pdf(words=f"faktur {n}")) for n in range(3)]
    shop.do(batches.intake.take(made, listed(files)))
    rows = [{"file": one.name, "placement": PLACE} | TOLD for one in files]
    del rows[1]["value"]
    lines = b"\n".join(msgspec.json.encode(row) for row in rows)
    shop.do(batches.add_rows(account, made.id, json_rows(lines)))
    shop.do(batches.start(account, made.id, None, method=None, orders=False))
    parts = shop.container.database, shop.container.of(RowStamping), shop.container.settings
    shop.do(BatchWork(*parts).worker_pool().once())
    found = shop.rows("SELECT state, code, code_facts FROM batch_rows ORDER BY number")
    assert [(row["state"], row["code"]) for row in found] == [
        ("delivered", None),
        ("refused", "document_facts_missing"),
        ("delivered", None),
    ]
    assert found[1]["code_facts"] == {"field": "value"}
    kept = shop.rows("SELECT identity_kind, identity_number, dated::text FROM stamping_facts")
    assert [tuple(row.values()) for row in kept] == [("NPWP", "012345678901234", "2026-11-30")] * 2
    collecting.check()
