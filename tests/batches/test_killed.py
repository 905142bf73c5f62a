"""Rows of which some are wrong in every way, and a server that is killed in between: each row ends once."""

from pathlib import Path
from typing import Any

import pytest

from tests.support.batching import RECTANGLE, Batching, buy, letter, zipped
from tests.support.instance import Instance, until

NEVER = {"page": 1, "x": 60, "y": 60, "width": 90}


def wrong_rows(names: list[str]) -> list[object]:
    """37 rows of every wrong kind; `names` are files that are there, none of which they stamp."""
    file = iter(names)
    far, none = {**RECTANGLE, "x": 5_000}, {**RECTANGLE, "page": 9}
    return [
        *({"file": f"hilang {at}.pdf", "placement": RECTANGLE} for at in range(4)),
        *({"file": f"bukan {at}.pdf", "placement": RECTANGLE} for at in range(2)),
        b"{",
        b"[]",
        b'"surat"',
        *({"file": next(file), "placement": NEVER, "warna": at} for at in range(2)),
        *(
            {"file": next(file), "placement": NEVER, "date": day}
            for day in ("2026-02-30", "x", "1/1/26")
        ),
        *(
            {"file": next(file), "placement": NEVER, "type": kind}
            for kind in ("4c", "5", "meterai")
        ),
        *(
            {"file": next(file), "placement": NEVER, "party": {"number": at}}
            for at in ("1", "abc", "12E3")
        ),
        *({"file": next(file)} for _ in range(3)),
        *({"file": next(file), "placement": none} for _ in range(3)),
        *({"file": next(file), "placement": far} for _ in range(3)),
        *({"file": next(file), "placement": {"text": "Tidak ada di sini"}} for _ in range(2)),
        *({"file": names[0], "key": f"kunci {at}", "placement": NEVER} for at in range(2)),
        *({"file": names[at], "key": f"lagi {at}", "placement": RECTANGLE} for at in range(2)),
        *({"file": f"../{at}.pdf", "placement": RECTANGLE} for at in range(2)),
    ]


CODES = {
    "row_file_missing": 6,
    "row_unread": 3,
    "malformed": 11,
    "placement_missing": 3,
    "page_out_of_range": 3,
    "placement_outside_page": 3,
    "text_not_found": 2,
    "row_changed": 2,
    "row_twice": 2,
    "file_name_unsafe": 2,
}


def _sent(batch: Batching, files: dict[str, bytes], rows: list[object]) -> tuple[Any, Any]:
    """Everything, as a client sends it that does not know what came."""
    names = list(files)
    half = len(names) // 2
    archive = batch.send_zip(zipped({name: files[name] for name in names[:half]}))
    assert archive.status == 200, archive.body
    return batch.send({name: files[name] for name in names[half:]}), batch.rows(rows)


def _goes_whole(instance: Instance, good: int) -> None:
    customer = instance.customer()
    for bought in range(0, good + 10, 500):
        buy(instance, customer, min(500, good + 10 - bought))
    batch = Batching(customer)
    names = [f"surat {at}.pdf" for at in range(good)]
    files = {name: letter(f"Surat {name}") for name in names}
    files |= {f"bukan {at}.pdf": b"ini bukan PDF" for at in range(2)}
    right: list[object] = [
        {"file": name, "placement": RECTANGLE} | ({"key": f"kunci {at}"} if at < 2 else {})
        for at, name in enumerate(names)
    ]
    rows = [*right, *wrong_rows(names)]
    assert len(rows) == good + 37
    _sent(batch, files, rows)
    assert batch.start().status == 200
    instance.kill_all()
    instance.start()
    again, rows_again = _sent(batch, files, rows)
    assert (again["added"], rows_again["added"]) == (0, 0)
    until("some rows ended", lambda: batch.now["rows"]["delivered"] > 0)
    instance.kill("worker")
    _, rows_again = _sent(batch, files, rows)
    assert rows_again["added"] == 0
    assert batch.start().status == 200
    view = batch.ended(seconds=180)
    assert view["state"] == "finished"
    assert view["rows"]["delivered"] == good
    assert view["rows"]["refused"] == 37
    assert view["rows"]["total"] == good + 37
    refused = batch.every("refused")
    found = [row["reason"]["code"] for row in refused]
    assert {code: found.count(code) for code in set(found)} == CODES
    assert all(row["reason"]["id"] and row["reason"]["en"] for row in refused)
    results = batch.results()
    assert len(results) == good + 1
    serials = {serial for row in batch.every("delivered") for serial in row["serials"]}
    assert len(serials) == good
    assert customer.balance() == {"available": 10, "held": 0, "used": good}
    assert customer.verify(results[names[-1]])["verdict"] == "genuine"
    instance.assert_audit_holds()


QUICK = {
    "METERAI_SEAL_LEASE_SECONDS": "3",
    "METERAI_BATCH_LEASE_SECONDS": "3",
    "METERAI_BATCH_CHUNK_ROWS": "4",
}


def test_each_row_ends_once_though_the_server_is_killed_twice(tmp_path: Path) -> None:
    with Instance(tmp_path, **QUICK) as instance:
        _goes_whole(instance, 83)


@pytest.mark.variant
def test_a_thousand_rows_end_once_though_the_server_is_killed_twice(tmp_path: Path) -> None:
    with Instance(tmp_path, **QUICK | {"METERAI_BATCH_CHUNK_ROWS": "25"}) as instance:
        _goes_whole(instance, 963)
