"""Malformed requests are refused with a reason, change nothing, and never cause a fault."""

import json
from typing import Any

import pytest
import urllib3

from meterai.payments.adapters.snap import NOTIFY_PATH
from tests.support.flood import flood
from tests.support.inside import PLACEMENT, Inside
from tests.support.instance import Client, until
from tests.support.money import payable
from tests.support.pdf import pdf
from tests.support.refusals import a_key, assert_refused, form
from tests.support.stamping_calls import made_json

MEMORY_BYTES_MAX = 400 * 1024 * 1024
FLOOD_BYTES = 200 * 1024 * 1024
# -- documents ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fields",
    [
        {"placement": PLACEMENT},
        {"document": "only words", "placement": PLACEMENT},
        {"placement": PLACEMENT, "dokumen": ("a.pdf", b"%PDF-1.7", "application/pdf")},
    ],
)
def test_form_without_a_file_is_refused(unharmed: Client, fields: Any) -> None:
    assert_refused(form(unharmed, fields), 422, "document_missing")


@pytest.mark.parametrize(
    ("document", "code"),
    [
        (b"<!doctype html><html><body>Surat</body></html>", "not_a_pdf"),
        (b"", "not_a_pdf"),
        (b"%PDF-1.7\n" + bytes(1_000), "document_broken"),
        (pdf()[:300], "document_broken"),
        (pdf(password="rahasia"), "document_encrypted"),
        (pdf(0), "no_pages"),
    ],
    ids=["HTML", "nothing", "zeros", "cut off", "encrypted", "no pages"],
)
def test_unusable_pdf_is_refused(unharmed: Client, document: bytes, code: str) -> None:
    assert_refused(unharmed.stamp(document, name="surat.pdf"), 422, code)


def test_document_over_the_limit_is_refused(unharmed: Client) -> None:
    large = pdf() + bytes(20 * 1024 * 1024)
    assert_refused(unharmed.stamp(large), 413, "document_too_large")


@pytest.mark.parametrize("chunked", [False, True], ids=["announced", "unannounced"])
@pytest.mark.parametrize("path", ["/v1/stampings", "/v1/verifications", "/v1/orders"])
def test_body_of_200_mb_is_refused_at_once_and_fills_no_memory(
    inside: Inside, unharmed: Client, path: str, chunked: bool
) -> None:
    start = (
        b'--zz\r\nContent-Disposition: form-data; name="document"; filename="a.pdf"\r\n'
        b"Content-Type: application/pdf\r\n\r\n%PDF-1.7\n"
    )
    head = a_key() | {"Authorization": f"Bearer {unharmed.key}"}
    head["Content-Type"] = {
        "/v1/stampings": "multipart/form-data; boundary=zz",
        "/v1/verifications": "application/pdf",
        "/v1/orders": "application/json",
    }[path]
    web = inside.instance.part("web")
    found = flood(inside.instance.url + path, head, start, FLOOD_BYTES, web, chunked=chunked)
    assert found.status == 413
    assert "application/problem+json" in found.answer
    assert '"code":"document_too_large"' in found.answer
    assert found.sent_bytes < FLOOD_BYTES
    assert found.peak_bytes < MEMORY_BYTES_MAX


def place(**other: object) -> str:
    """A valid placement, except for the given members."""
    return json.dumps({"page": 1, "x": 60, "y": 60, "width": 80} | other)


@pytest.mark.parametrize(
    ("placement", "code"),
    [
        (place(page=999), "page_out_of_range"),
        (place(page=10**30), "page_out_of_range"),
        (place(page=0), "placement_malformed"),
        (place(page=-2), "placement_malformed"),
        (place(page=1.5), "malformed"),
        (place(page="1"), "malformed"),
        (place(page=None), "malformed"),
        (place(x=-1), "placement_malformed"),
        (place(y=-0.001), "placement_malformed"),
        (place(x=float("nan")), "malformed"),
        (place(y=float("inf")), "malformed"),
        (place(x=1e308), "placement_outside_page"),
        (place(y=10**400), "malformed"),
        (place(x=580), "placement_outside_page"),
        (f"[{PLACEMENT}, {PLACEMENT}]", "placements_overlap"),
        (place(width=0), "malformed"),
        (place(width=-80), "malformed"),
        (place(width=1), "stamp_too_small"),
        (place(width=64.9), "stamp_too_small"),
        (place(width=1e9), "placement_malformed"),
        (place(color="red"), "malformed"),
        ('{"x": 1, "y": 1}', "malformed"),
        ("[]", "malformed"),
        (f"[{','.join([PLACEMENT] * 21)}]", "malformed"),
        ("left lower corner", "malformed"),
        ("null", "malformed"),
        ("1", "malformed"),
        ("[[1]]", "malformed"),
        ("[" * 100_000, "malformed"),
        (PLACEMENT[:-1], "malformed"),
        ("\x00", "malformed"),
        (" ", "malformed"),
    ],
    ids=lambda value: value[:40] if value.isascii() else None,
)
def test_invalid_placement_is_refused(unharmed: Client, placement: str, code: str) -> None:
    assert_refused(unharmed.stamp(pdf(), placement), 422, code)


# -- Idempotency-Key ----------------------------------------------------------------------------


@pytest.mark.parametrize("key", [None, "", " ", '""'])
def test_command_without_idempotency_key_is_refused(unharmed: Client, key: str | None) -> None:
    headers = {} if key is None else {"Idempotency-Key": key}
    reply = unharmed.post("/v1/orders", {"quantity": 1}, headers=headers)
    assert_refused(reply, 400, "idempotency_key_missing")
    body, kind = urllib3.encode_multipart_formdata(
        {"document": ("a.pdf", pdf(), "application/pdf"), "placement": PLACEMENT}
    )
    reply = unharmed.post("/v1/stampings", body, headers=headers | {"Content-Type": kind})
    assert_refused(reply, 400, "idempotency_key_missing")


@pytest.mark.parametrize("key", ["k" * 256, "k" * 8_000, "kunci-é", "a\tb"])
def test_malformed_idempotency_key_is_refused(unharmed: Client, key: str) -> None:
    reply = unharmed.post("/v1/orders", {"quantity": 1}, headers={"Idempotency-Key": key})
    assert_refused(reply, 422, "malformed")


def test_used_key_with_another_order_is_refused(unharmed: Client) -> None:
    key = a_key()
    first = unharmed.post("/v1/orders", {"quantity": 1}, headers=key)
    assert_refused(
        unharmed.post("/v1/orders", {"quantity": 2}, headers=key), 422, "idempotency_key_reused"
    )
    assert unharmed.post("/v1/orders", {"quantity": 1}, headers=key).json["id"] == first.json["id"]


def test_used_key_with_another_document_or_place_is_refused(customer: Client) -> None:
    before, document = customer.balance()["used"], pdf()
    first = customer.stamp(document, key="one-document")
    assert first.status == 201
    other = customer.stamp(pdf(2), key="one-document")
    assert_refused(other, 422, "idempotency_key_reused")
    elsewhere = customer.stamp(document, place(x=100), key="one-document")
    assert_refused(elsewhere, 422, "idempotency_key_reused")
    again = customer.stamp(document, key="one-document")
    assert made_json(again.json) == made_json(first.json)
    assert customer.balance()["used"] == before + 1


def test_same_key_of_another_account_is_independent(inside: Inside, unharmed: Client) -> None:
    stranger = inside.customer()
    ours, theirs = unharmed.place(1, key="shared"), stranger.place(2, key="shared")
    assert ours["id"] != theirs["id"]


# -- orders -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("order", "code"),
    [
        ({"quantity": 0}, "malformed"),
        ({"quantity": -1}, "malformed"),
        ({"quantity": -(2**63) - 1}, "malformed"),
        ({"quantity": 1.5}, "malformed"),
        ({"quantity": "three"}, "malformed"),
        ({"quantity": ""}, "malformed"),
        ({"quantity": None}, "malformed"),
        ({"quantity": True}, "malformed"),
        ({"quantity": [1]}, "malformed"),
        ({"quantity": {}}, "malformed"),
        ({"quantity": 1_001}, "order_too_large"),
        ({"quantity": 10**9}, "order_too_large"),
        ({"quantity": 2**63}, "order_too_large"),
        ({"quantity": 10**30}, "order_too_large"),
        ({}, "malformed"),
        ({"quantity": 1, "total": 1}, "malformed"),
        ({"quantity": 1, "unit_price": 1}, "malformed"),
        ([{"quantity": 1}], "malformed"),
        ([], "malformed"),
    ],
    ids=str,
)
def test_order_with_an_invalid_quantity_is_refused(
    unharmed: Client, order: object, code: str
) -> None:
    before = unharmed.get("/v1/orders").json
    assert_refused(unharmed.post("/v1/orders", order, headers=a_key()), 422, code)
    assert unharmed.get("/v1/orders").json == before


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"null", b'"', b"quantity=1", b"\xff\xfe\x00", b"[" * 100_000, b'{"quantity":NaN}'],
    ids=lambda body: str(body[:20]),
)
@pytest.mark.parametrize("path", ["/v1/orders", "/v1/refunds"])
def test_body_that_is_not_json_is_refused(unharmed: Client, path: str, body: bytes) -> None:
    headers = a_key() | {"Content-Type": "application/json"}
    reply = unharmed.post(path, body, headers=headers)
    assert_refused(reply, 422, "malformed")
    assert reply.json["field"] != "data", "a name of ours"


# -- objects of other accounts, and unknown objects ---------------------------------------------


def test_objects_of_other_accounts_are_not_found(inside: Inside, customer: Client) -> None:
    order = customer.place(1)
    inside.instance.bank.pay(payable(customer, order))
    until("it is executed", lambda: customer.order(order["id"])["state"] == "executed")
    stamping = customer.stamp(pdf()).json
    refund = customer.ask_back(order["id"]).json
    stranger = inside.customer()
    for path in [
        f"/v1/orders/{order['id']}",
        f"/v1/stampings/{stamping['id']}",
        stamping["document_url"],
        stamping["delta_url"],
        f"/v1/refunds/{refund['id']}",
    ]:
        assert customer.get(path).status == 200
        assert_refused(stranger.get(path), 404, "not_found")
    # The refund would change books and lists during later tests.
    settled = f"/v1/refunds/{refund['id']}"
    until("it is settled", lambda: customer.get(settled).json["state"] == "settled")
    assert_refused(stranger.post(f"/v1/orders/{order['id']}/withdraw"), 404, "not_found")
    assert_refused(stranger.ask_back(order["id"]), 404, "not_found")
    assert stranger.get("/v1/orders").json == {"orders": [], "next": None}
    assert stranger.balance() == {"available": 0, "held": 0, "used": 0}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("DELETE", "/v1/orders"),
        ("PUT", "/v1/orders"),
        ("PUT", "/v1/refunds"),
        ("PATCH", "/v1/balance"),
        ("POST", "/v1/balance"),
        ("GET", NOTIFY_PATH),
        ("NONSENSE", "/v1/orders"),
    ],
)
def test_unsupported_method_is_refused(unharmed: Client, method: str, path: str) -> None:
    assert_refused(unharmed.call(method, path), 405, "method_not_allowed")
