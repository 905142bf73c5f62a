"""The main path over HTTP: buy, pay, stamp, check, give back."""

import hashlib

from tests.support.instance import Instance, until
from tests.support.pdf import pdf


def test_a_paid_order_becomes_stamps_and_a_document_gets_one(audited: Instance) -> None:
    customer = audited.customer()
    order = customer.place(2)
    assert order["total"] == 20_000
    audited.bank.pay(order["payment"]["qr_content"])
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
    assert set(shown) == {"serial", "state", "affixed_at", "sha256_original"}


def test_a_stamped_document_takes_another_stamp_unless_it_was_changed(audited: Instance) -> None:
    customer = audited.customer()
    audited.bank.pay(customer.place(3)["payment"]["qr_content"])
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


def test_unused_stamps_can_be_asked_back(audited: Instance) -> None:
    customer = audited.customer()
    order = customer.place(3)
    audited.bank.pay(order["payment"]["qr_content"])
    until("stamps are issued", lambda: customer.balance()["available"] == 3)
    assert customer.stamp(pdf()).status == 201
    refund = customer.post("/v1/refunds", {"order_id": order["id"]})
    assert refund.status == 201, refund.body
    assert refund.json["amount"] == 20_000
    assert refund.json["stamps"] == 2
    again = customer.post("/v1/refunds", {"order_id": order["id"]})
    assert again.json["id"] == refund.json["id"]
    until(
        "the refund is settled",
        lambda: customer.get(f"/v1/refunds/{refund.json['id']}").json["state"] == "settled",
    )
    money = customer.order(order["id"])["money"]
    assert money == {"captured": 30_000, "executed": 10_000, "refunded": 20_000, "in_flight": 0}
