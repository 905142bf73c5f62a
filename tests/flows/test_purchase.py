"""The main path over HTTP: buy, pay, stamp, check, refund."""

import hashlib

from tests.support.instance import Instance, until
from tests.support.money import money, payable
from tests.support.pdf import pdf


def test_paid_order_becomes_stamps_and_stamps_a_document(audited: Instance) -> None:
    customer = audited.customer()
    order = customer.place(2)
    assert order["total"] == 20_000
    audited.bank.pay(payable(customer, order))
    until("stamps are issued", lambda: customer.balance()["available"] == 2)
    assert customer.order(order["id"])["money"]["executed"] == 20_000

    original = pdf(2)
    reply = customer.stamp(original)
    assert reply.status == 201, reply.body
    stamping = reply.json
    assert stamping["state"] == "delivered"
    assert customer.balance() == {"available": 1, "held": 0, "used": 1}

    stamped = customer.get(stamping["document_url"]).body
    assert stamped.startswith(original)
    assert hashlib.sha256(stamped).hexdigest() == stamping["sha256_stamped"]
    assert original + customer.get(stamping["delta_url"]).body == stamped

    found = audited.anybody().verify(stamped)
    assert found["verdict"] == "genuine"
    assert found["serials"] == stamping["serials"]
    shown = audited.anybody().get(f"/v1/stamps/{stamping['serials'][0]}").json
    assert shown["state"] == "affixed"
    assert shown["sha256_original"] == hashlib.sha256(original).hexdigest()
    assert set(shown) == {
        *("serial", "state", "affixed_at", "sha256_original"),
        *("document_checked", "summary"),
    }
    assert shown["document_checked"] is False, "a number is no document"


def test_stamped_document_takes_another_stamp_unless_it_was_changed(audited: Instance) -> None:
    customer = audited.customer()
    audited.bank.pay(payable(customer, customer.place(3)))
    until("stamps are issued", lambda: customer.balance()["available"] == 3)
    once = customer.get(customer.stamp(pdf()).json["document_url"]).body

    upper = {"page": 1, "x": 60, "y": 400, "width": 80}
    again = customer.stamp(once, upper)
    assert again.status == 201, again.body
    twice = customer.get(again.json["document_url"]).body
    found = audited.anybody().verify(twice)
    assert found["verdict"] == "genuine"
    assert len(found["serials"]) == 2

    place = once.index(b"Surat Lamaran") if b"Surat Lamaran" in once else 200
    changed = once[:place] + bytes([once[place] ^ 1]) + once[place + 1 :]
    refused = customer.stamp(changed, upper)
    assert refused.status == 422
    assert refused.json["code"] == "seal_spoilt"
    assert customer.balance() == {"available": 1, "held": 0, "used": 2}


def test_unused_stamps_can_be_refunded(audited: Instance) -> None:
    customer = audited.customer()
    order = customer.place(3)
    audited.bank.pay(payable(customer, order))
    until("stamps are issued", lambda: customer.balance()["available"] == 3)
    assert customer.stamp(pdf()).status == 201
    refund = customer.ask_back(order["id"])
    assert refund.status == 201, refund.body
    assert refund.json["amount"] == 20_000
    assert refund.json["stamps"] == 2
    again = customer.ask_back(order["id"])
    assert again.json["id"] == refund.json["id"]
    until(
        "the refund is settled",
        lambda: customer.get(f"/v1/refunds/{refund.json['id']}").json["state"] == "settled",
    )
    shown = customer.order(order["id"])["money"]
    assert shown == money(captured=30_000, executed=10_000, refunded=20_000)
    listed = customer.get("/v1/refunds").json
    assert [one["id"] for one in listed["refunds"]] == [refund.json["id"]]
    assert listed["next"] is None


def test_lists_are_read_page_by_page(audited: Instance) -> None:
    customer = audited.customer()
    placed = [customer.place(1)["id"] for _ in range(3)]
    first = customer.get("/v1/orders?limit=2").json
    assert [one["id"] for one in first["orders"]] == placed[:0:-1]
    assert first["next"] == placed[1]
    last = customer.get(f"/v1/orders?limit=2&before={first['next']}").json
    assert [one["id"] for one in last["orders"]] == placed[:1]
    assert last["next"] is None
    for wrong in ("limit=0", "limit=201", "limit=-1", "limit=many"):
        for path in ("/v1/orders", "/v1/refunds"):
            assert customer.get(f"{path}?{wrong}").status == 422, (path, wrong)
    for path in ("/v1/orders?before=nothing", "/v1/refunds?before=ord_x"):
        assert customer.get(path).status == 404, path
