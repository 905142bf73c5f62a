"""Documents, their placements and one payment are ordered in one call of the API."""

import json
import uuid
from typing import Any

import pytest
import urllib3

from tests.support.inside import PLACEMENT, Inside
from tests.support.instance import Client, Instance, Reply, until
from tests.support.money import payable
from tests.support.pdf import pdf
from tests.support.refusals import a_key, assert_refused

AT_TEXT = {"text": "Yang menyatakan", "dx": 20, "dy": -150, "width": 70}
IN_CORNER = {"corner": "top_left", "margin": 40}
LETTER = pdf(words="Yang menyatakan")


def order(
    customer: Client, documents: list[bytes], placements: object, *, key: str = "", **more: str
) -> Reply:
    """Order the stamps of documents. Placements that are already text are sent unchanged."""
    text = placements if isinstance(placements, str) else json.dumps(placements)
    files = [
        ("document", (f"surat-{number}.pdf", one, "application/pdf"))
        for number, one in enumerate(documents, 1)
    ]
    fields: list[tuple[str, Any]] = [*files, ("placements", text), *more.items()]
    body, kind = urllib3.encode_multipart_formdata(fields)
    headers = {"Content-Type": kind, "Idempotency-Key": key or str(uuid.uuid4())}
    return customer.post("/v1/orders/documents", body, headers=headers)


def test_documents_are_paid_once_and_stamped_at_their_placements(audited: Instance) -> None:
    customer = audited.customer()
    documents = [LETTER, pdf(words="surat kedua"), pdf(words="surat ketiga")]
    wishes = [AT_TEXT, IN_CORNER, [json.loads(PLACEMENT), IN_CORNER]]
    made = order(customer, documents, wishes, reference="PO-9")
    assert made.status == 201, made.body
    placed, stampings = made.json["order"], made.json["stampings"]
    assert (placed["quantity"], placed["kind"], placed["reference"]) == (4, "documents", "PO-9")
    assert [one["state"] for one in stampings] == ["waiting"] * 3

    audited.bank.pay(payable(customer, placed))
    until("the order is executed", lambda: customer.order(placed["id"])["state"] == "executed")
    for one, document, quantity in zip(stampings, documents, (1, 1, 2), strict=True):
        file = customer.get(f"/v1/stampings/{one['id']}/document")
        assert (file.status, file.body.startswith(document)) == (200, True)
        checked = customer.verify(file.body)
        now = customer.get(f"/v1/stampings/{one['id']}").json
        assert (checked["verdict"], len(now["serials"])) == ("genuine", quantity)
        assert all(serial in json.dumps(checked) for serial in now["serials"])
    [corner] = stampings[1]["placements"]
    assert (corner["page"], corner["x"], corner["width"]) == (1, 40, 70)


def test_repeat_with_the_same_key_finds_the_same_order(audited: Instance) -> None:
    customer, key = audited.customer(), str(uuid.uuid4())
    first = order(customer, [LETTER], AT_TEXT, key=key)
    again = order(customer, [LETTER], [AT_TEXT], key=key)
    assert (first.status, again.status) == (201, 201)
    assert [one.headers.get("idempotent-replayed") for one in (first, again)] == [None, "true"]
    assert again.json["order"]["id"] == first.json["order"]["id"]
    assert [one["id"] for one in again.json["stampings"]] == [
        one["id"] for one in first.json["stampings"]
    ]
    for documents, wish in ([pdf(words="lain")], IN_CORNER), ([LETTER], IN_CORNER | {"page": 1}):
        assert_refused(order(customer, documents, wish, key=key), 422, "idempotency_key_reused")


@pytest.mark.parametrize(
    ("documents", "placements", "code"),
    [
        ([], IN_CORNER, "document_missing"),
        ([LETTER], "", "malformed"),
        ([LETTER], "nonsense", "malformed"),
        ([LETTER], [], "malformed"),
        ([LETTER], [IN_CORNER] * 2, "malformed"),
        ([LETTER], [[]], "malformed"),
        ([LETTER], [1], "malformed"),
        ([LETTER], {"corner": "middle"}, "malformed"),
        ([LETTER], IN_CORNER | {"text": "Yang"}, "malformed"),
        ([LETTER], IN_CORNER | {"margin": -1}, "malformed"),
        ([LETTER], IN_CORNER | {"page": 2}, "page_out_of_range"),
        ([LETTER], {"text": ""}, "malformed"),
        ([LETTER], {"text": "x" * 201}, "malformed"),
        ([LETTER], {"text": "Yang menyatakan", "occurrence": 0}, "malformed"),
        ([LETTER], {"text": "Yang menyatakan", "occurrence": 2}, "text_not_found"),
        ([LETTER], {"text": "Nobody wrote this"}, "text_not_found"),
        ([LETTER], AT_TEXT | {"dx": 2000}, "placement_outside_page"),
        ([LETTER], [[AT_TEXT, AT_TEXT]], "placements_overlap"),
        ([LETTER, LETTER], AT_TEXT, "document_twice"),
        ([LETTER, b"<html>"], AT_TEXT, "not_a_pdf"),
        ([LETTER, pdf(words="rahasia", password="x")], AT_TEXT, "document_encrypted"),
        ([pdf(words=f"surat {n}") for n in range(21)], IN_CORNER, "malformed"),
    ],
)
def test_invalid_order_is_refused_and_stores_nothing(
    unharmed: Client, documents: list[bytes], placements: object, code: str
) -> None:
    before = unharmed.get("/v1/orders").json
    assert_refused(order(unharmed, documents, placements), 422, code)
    assert unharmed.get("/v1/orders").json == before


def test_unknown_fields_are_refused(unharmed: Client) -> None:
    assert_refused(order(unharmed, [LETTER], AT_TEXT, placement=PLACEMENT), 422, "malformed")
    assert_refused(order(unharmed, [LETTER], AT_TEXT, payment_method="barter"), 422, "malformed")
    body, kind = urllib3.encode_multipart_formdata({"placements": PLACEMENT})
    reply = unharmed.post("/v1/orders/documents", body, headers={"Content-Type": kind})
    assert_refused(reply, 400, "idempotency_key_missing")


def test_document_is_stamped_from_the_balance_at_its_text(inside: Inside) -> None:
    customer = inside.customer()
    bought = customer.place(1)
    inside.instance.bank.pay(payable(customer, bought))
    until("stamps are issued", lambda: customer.balance()["available"] == 1)
    stamped = customer.stamp(pdf(words="Materai di sini"), {"text": "Materai", "dy": -150})
    assert stamped.status == 201, stamped.body
    [place] = stamped.json["placements"]
    assert place["page"] == 1
    assert 600 < place["y"] < 640
    reply = customer.post("/v1/orders/documents", b"", headers=a_key())
    assert_refused(reply, 422, "malformed")
