"""Missing stamps, repeated rows, cancelled batches, and keys of other accounts."""

import msgspec

from tests.support.batching import RECTANGLE, Batching, buy, letter
from tests.support.instance import Instance


def rows_of(*names: str, **more: object) -> list[object]:
    """A row for each file."""
    return [{"file": name, "placement": RECTANGLE, **more} for name in names]


def filled(batch: Batching, *names: str, **more: object) -> Batching:
    """A batch with these files, and a row for each."""
    batch.send({name: letter(name) for name in names})
    batch.rows(rows_of(*names, **more))
    return batch


def test_same_rows_of_two_batches_take_one_stamp_each(instance: Instance) -> None:
    customer = instance.customer()
    buy(instance, customer, 4)
    names = ("satu.pdf", "dua.pdf")
    first = filled(Batching(customer), *names)
    second = filled(Batching(customer), *names)
    assert first.start().status == second.start().status == 200
    assert first.ended()["rows"]["delivered"] == second.ended()["rows"]["delivered"] == 2
    serials = [{one["row"]: one["serials"] for one in batch.every()} for batch in (first, second)]
    assert serials[0] == serials[1]
    assert customer.balance() == {"available": 2, "held": 0, "used": 2}
    # Another key takes another stamp; the same document twice in one batch is refused with a code.
    third = filled(Batching(customer), "satu.pdf", key="lagi")
    assert third.rows(rows_of("satu.pdf"))["added"] == 1
    assert third.start().status == 200
    assert third.ended()["rows"]["delivered"] == 1
    assert third.every("refused")[0]["reason"]["code"] == "row_twice"
    assert customer.balance()["used"] == 3
    instance.assert_audit_holds()


def test_batch_without_stamps_waits_for_its_order_and_continues(instance: Instance) -> None:
    customer = instance.customer()
    buy(instance, customer, 1)
    batch = filled(Batching(customer), "satu.pdf", "dua.pdf", "tiga.pdf")
    refused = batch.start()
    assert (refused.status, refused.json["code"]) == (409, "stamps_missing")
    assert (refused.json["needed"], refused.json["missing"]) == (3, 2)
    assert batch.now["state"] == "open"
    view = batch.start(order={}).json
    assert (view["state"], view["stamps"]["missing"]) == ("waiting_for_stamps", 2)
    assert view["order"]["quantity"] == 2
    again = batch.start(order={}).json
    assert again["order"]["id"] == view["order"]["id"]
    instance.bank.pay(view["order"]["payment"]["qr_content"])
    assert batch.ended()["rows"]["delivered"] == 3
    assert customer.balance() == {"available": 0, "held": 0, "used": 3}
    instance.assert_audit_holds()


def test_cancelled_batch_takes_no_stamp(instance: Instance) -> None:
    customer = instance.customer()
    buy(instance, customer, 1)
    batch = filled(Batching(customer), "satu.pdf", "dua.pdf")
    assert batch.start(order={}).json["state"] == "waiting_for_stamps"
    assert customer.post(f"{batch.path}/cancel").json["state"] == "cancelled"
    assert customer.post(f"{batch.path}/cancel").status == 200
    assert [one["state"] for one in batch.every()] == ["cancelled"] * 2
    assert batch.start().json["state"] == "cancelled"
    assert customer.balance()["available"] == 1
    instance.assert_audit_holds()


def test_batch_of_another_account_is_not_found(instance: Instance) -> None:
    batch = filled(Batching(instance.customer()), "satu.pdf")
    other = instance.customer()
    for method, path in (
        ("GET", ""),
        ("GET", "/rows"),
        ("GET", "/results.zip"),
        ("GET", "/rows/1/document"),
        ("POST", "/start"),
        ("POST", "/cancel"),
    ):
        body: object = {} if path == "/start" else None
        assert other.call(method, batch.path + path, body).status == 404, path
    jsonl = {"Content-Type": "application/jsonl"}
    assert other.post(f"{batch.path}/rows", b"{}", headers=jsonl).status == 404


def test_started_batch_refuses_new_files_and_rows(instance: Instance) -> None:
    customer = instance.customer()
    buy(instance, customer, 2)
    batch = filled(Batching(customer), "satu.pdf", "dua.pdf")
    assert batch.start().status == 200
    batch.ended()
    jsonl = {"Content-Type": "application/jsonl"}
    known, new = rows_of("satu.pdf", "dua.pdf"), rows_of("tiga.pdf")
    again = batch.rows(known)
    assert (again["added"], again["known"], again["refused"]) == (0, 2, [])
    for rows in ([*known, *new], new, [{"file": "satu.pdf"}], [b"{"]):
        lines = b"\n".join(
            row if isinstance(row, bytes) else msgspec.json.encode(row) for row in rows
        )
        refused = customer.post(f"{batch.path}/rows", lines, headers=jsonl)
        assert (refused.status, refused.json["code"]) == (409, "batch_started")
    assert batch.now["rows"]["total"] == 2
    late = batch.send({"tiga.pdf": letter("tiga.pdf")})
    assert (late["added"], late["files"][0]["reason"]["code"]) == (0, "batch_started")
    assert customer.balance() == {"available": 0, "held": 0, "used": 2}
    instance.assert_audit_holds()
