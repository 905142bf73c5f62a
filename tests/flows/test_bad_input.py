"""What nobody should send is refused with a reason, changes nothing, and is never a fault."""

import base64
import json
import re
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
import urllib3
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from meterai.kit.ids import new_id, show
from meterai.payments.adapters.signing import string_to_sign
from meterai.payments.routes import NOTIFY_PATH
from meterai.plumbing.messages import WIB, catalogue
from tests.support.flood import flood
from tests.support.inside import PLACEMENT, Inside
from tests.support.instance import Client, Instance, Reply, until
from tests.support.pdf import pdf

STAMPS = 8  # of the customer who makes the mistakes
MEMORY_BYTES_MAX = 400 * 1024 * 1024
FLOOD_BYTES = 200 * 1024 * 1024
REFUSED_SECONDS_MAX = 10.0
NASTY = [
    "'; DROP TABLE orders; --",
    "' OR '1'='1",
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{7*7}}${7*7}%s%(x)s",
    "../../../../etc/passwd",
    "\u202etxt.exe",
    "a" * 3_000,
]


@pytest.fixture(scope="module")
def inside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inside]:
    """An instance that is sent nonsense; in the end its log has no fault and its books hold."""
    with Instance(tmp_path_factory.mktemp("nonsense")) as instance:
        found = Inside(instance)
        yield found
        until("no job is left", lambda: not found.rows("SELECT 1 FROM jobs"))
        instance.assert_audit_holds()
        faults = re.findall(r"^.*\] (?:fault|job_failed|round_failed)\b.*$", instance.log, re.M)
        assert faults == []


@pytest.fixture(scope="module")
def customer(inside: Inside) -> Iterator[Client]:
    """A customer with stamps, who loses none of them to a mistake."""
    found = inside.customer()
    order = found.place(STAMPS)
    inside.instance.bank.pay(order["payment"]["qr_content"])
    until("stamps are issued", lambda: found.balance()["available"] == STAMPS)
    return found


@pytest.fixture
def unharmed(customer: Client) -> Iterator[Client]:
    """The customer, whose stamps are the same after the test."""
    before = customer.balance()
    yield customer
    assert customer.balance() == before


def a_key() -> dict[str, str]:
    """A fresh Idempotency-Key."""
    return {"Idempotency-Key": str(uuid.uuid4())}


def assert_refused(reply: Reply, status: int, *codes: str) -> None:
    """A refusal as RFC 9457 has it, with one of these codes, and a sentence in both languages."""
    assert reply.status == status, (reply.status, reply.body)
    assert reply.headers["content-type"] == "application/problem+json"
    problem = reply.json
    assert problem["status"] == status
    assert problem["code"] in codes
    texts = catalogue()[f"refusal.{problem['code']}"]
    assert set(texts) == {"id", "en"}
    assert problem["title"]
    assert "{" not in problem["title"]


def form(customer: Client, fields: Any) -> Reply:
    """Send a multipart form to be stamped."""
    body, kind = urllib3.encode_multipart_formdata(fields)
    return customer.post("/v1/stampings", body, headers=a_key() | {"Content-Type": kind})


# -- documents ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fields",
    [
        {"placement": PLACEMENT},
        {"document": "only words", "placement": PLACEMENT},
        {"placement": PLACEMENT, "dokumen": ("a.pdf", b"%PDF-1.7", "application/pdf")},
    ],
)
def test_a_form_without_a_file_is_refused(unharmed: Client, fields: Any) -> None:
    assert_refused(form(unharmed, fields), 422, "document_missing")


def test_a_form_without_a_placement_is_refused(unharmed: Client) -> None:
    document = ("a.pdf", pdf(), "application/pdf")
    assert_refused(form(unharmed, {"document": document}), 422, "malformed")
    upload = ("p.json", PLACEMENT.encode(), "application/json")
    assert_refused(form(unharmed, {"document": document, "placement": upload}), 422, "malformed")


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
def test_what_is_not_a_usable_pdf_is_refused(unharmed: Client, document: bytes, code: str) -> None:
    assert_refused(unharmed.stamp(document, name="surat.pdf"), 422, code)


def test_a_document_over_the_limit_is_refused(unharmed: Client) -> None:
    large = pdf() + bytes(20 * 1024 * 1024)
    assert_refused(unharmed.stamp(large), 413, "document_too_large")


@pytest.mark.parametrize("chunked", [False, True], ids=["announced", "unannounced"])
@pytest.mark.parametrize("path", ["/v1/stampings", "/v1/verifications", "/v1/orders"])
def test_200_mb_are_refused_at_once_and_fill_no_memory(
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
    assert found.seconds < REFUSED_SECONDS_MAX
    assert found.sent_bytes < FLOOD_BYTES
    assert found.peak_bytes < MEMORY_BYTES_MAX


def place(**other: object) -> str:
    """A placement that is good but for what is named."""
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
        (place(width=0), "malformed"),
        (place(width=-80), "malformed"),
        (place(width=1), "placement_malformed"),
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
def test_a_place_that_makes_no_sense_is_refused(
    unharmed: Client, placement: str, code: str
) -> None:
    assert_refused(unharmed.stamp(pdf(), placement), 422, code)


@pytest.mark.parametrize(
    "kind",
    ["multipart/form-data", "multipart/form-data; boundary=zz", "application/json", "text/html"],
)
def test_a_form_that_is_none_is_refused(unharmed: Client, kind: str) -> None:
    headers = a_key() | {"Content-Type": kind}
    reply = unharmed.post("/v1/stampings", b"--this-is-no-form", headers=headers)
    assert_refused(reply, 422, "malformed", "document_missing")


# -- Idempotency-Key ----------------------------------------------------------------------------


@pytest.mark.parametrize("key", [None, "", " ", '""'])
def test_a_command_without_idempotency_key_is_refused(unharmed: Client, key: str | None) -> None:
    headers = {} if key is None else {"Idempotency-Key": key}
    reply = unharmed.post("/v1/orders", {"quantity": 1}, headers=headers)
    assert_refused(reply, 400, "idempotency_key_missing")
    body, kind = urllib3.encode_multipart_formdata(
        {"document": ("a.pdf", pdf(), "application/pdf"), "placement": PLACEMENT}
    )
    reply = unharmed.post("/v1/stampings", body, headers=headers | {"Content-Type": kind})
    assert_refused(reply, 400, "idempotency_key_missing")


@pytest.mark.parametrize("key", ["k" * 256, "k" * 8_000, "kunci-é", "a\tb"])
def test_an_idempotency_key_that_cannot_be_one_is_refused(unharmed: Client, key: str) -> None:
    reply = unharmed.post("/v1/orders", {"quantity": 1}, headers={"Idempotency-Key": key})
    assert_refused(reply, 422, "malformed")


def test_a_key_of_255_characters_is_one_key_quoted_or_bare(unharmed: Client) -> None:
    key = "k" * 255
    order = unharmed.place(1, key=key)
    assert unharmed.place(1, key=f'"{key}"')["id"] == order["id"]


def test_a_key_with_another_order_is_refused(unharmed: Client) -> None:
    key = a_key()
    first = unharmed.post("/v1/orders", {"quantity": 1}, headers=key)
    assert_refused(
        unharmed.post("/v1/orders", {"quantity": 2}, headers=key), 422, "idempotency_key_reused"
    )
    assert unharmed.post("/v1/orders", {"quantity": 1}, headers=key).json["id"] == first.json["id"]


def test_a_key_with_another_document_or_place_is_refused(customer: Client) -> None:
    before, document = customer.balance()["used"], pdf()
    first = customer.stamp(document, key="one-document")
    assert first.status == 201
    other = customer.stamp(pdf(2), key="one-document")
    assert_refused(other, 422, "idempotency_key_reused")
    elsewhere = customer.stamp(document, place(x=100), key="one-document")
    assert_refused(elsewhere, 422, "idempotency_key_reused")
    assert customer.stamp(document, key="one-document").json == first.json
    assert customer.balance()["used"] == before + 1


def test_the_same_key_is_another_key_for_somebody_else(inside: Inside, unharmed: Client) -> None:
    stranger = inside.customer()
    ours, theirs = unharmed.place(1, key="shared"), stranger.place(2, key="shared")
    assert ours["id"] != theirs["id"]


def test_the_same_order_sent_at_once_is_placed_once(unharmed: Client) -> None:
    key = a_key()
    with ThreadPoolExecutor(8) as pool:
        replies = list(
            pool.map(lambda _: unharmed.post("/v1/orders", {"quantity": 1}, headers=key), range(16))
        )
    assert {reply.status for reply in replies} == {201}
    assert len({reply.json["id"] for reply in replies}) == 1


def test_the_same_stamping_sent_at_once_is_made_once(customer: Client) -> None:
    before, document = customer.balance()["used"], pdf()
    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda _: customer.stamp(document, key="at-once"), range(8)))
    done = [reply for reply in replies if reply.status == 201]
    assert done
    assert len({reply.json["id"] for reply in done}) == 1
    for reply in replies:
        if reply.status != 201:
            assert_refused(reply, 409, "request_in_progress")
            assert reply.headers["retry-after"] == "1"
    assert customer.balance()["used"] == before + 1


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
def test_an_order_for_a_strange_number_is_refused(
    unharmed: Client, order: object, code: str
) -> None:
    before = unharmed.get("/v1/orders").json
    assert_refused(unharmed.post("/v1/orders", order, headers=a_key()), 422, code)
    assert unharmed.get("/v1/orders").json == before


def test_a_number_in_quotes_is_that_number_or_refused(unharmed: Client) -> None:
    reply = unharmed.post("/v1/orders", {"quantity": "3"}, headers=a_key())
    if reply.status == 201:
        assert (reply.json["quantity"], reply.json["total"]) == (3, 30_000)
    else:
        assert_refused(reply, 422, "malformed")


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"null", b'"', b"quantity=1", b"\xff\xfe\x00", b"[" * 100_000, b'{"quantity":NaN}'],
    ids=lambda body: str(body[:20]),
)
@pytest.mark.parametrize("path", ["/v1/orders", "/v1/refunds"])
def test_a_body_that_is_not_json_is_refused(unharmed: Client, path: str, body: bytes) -> None:
    headers = a_key() | {"Content-Type": "application/json"}
    assert_refused(unharmed.post(path, body, headers=headers), 422, "malformed")


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "application/xml", "image/png"]
)
def test_another_content_type_is_read_as_json_or_refused(unharmed: Client, kind: str) -> None:
    headers = a_key() | {"Content-Type": kind}
    assert_refused(
        unharmed.post("/v1/orders", b"<quantity>1</quantity>", headers=headers), 422, "malformed"
    )
    reply = unharmed.post("/v1/orders", b'{"quantity": 1}', headers=headers)
    assert reply.status in (201, 415, 422)


# -- what is not theirs, and what is not at all -------------------------------------------------


def test_what_belongs_to_others_is_not_found(inside: Inside, customer: Client) -> None:
    order = customer.place(1)
    inside.instance.bank.pay(order["payment"]["qr_content"])
    until("it is executed", lambda: customer.order(order["id"])["state"] == "executed")
    stamping = customer.stamp(pdf()).json
    refund = customer.post("/v1/refunds", {"order_id": order["id"]}).json
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
    assert_refused(stranger.post(f"/v1/orders/{order['id']}/withdraw"), 404, "not_found")
    assert_refused(stranger.post("/v1/refunds", {"order_id": order["id"]}), 404, "not_found")
    assert stranger.get("/v1/orders").json == {"orders": []}
    assert stranger.balance() == {"available": 0, "held": 0, "used": 0}


@pytest.mark.parametrize(
    "identifier",
    [
        "x",
        show("stg", new_id()),
        show("ord", new_id()),
        show("ord", new_id()).upper(),
        f"ord_{'z' * 26}",
        f"ord_{'u' * 26}",
        str(uuid.UUID(int=0)),
        "ord_",
        "%00",
        "%ff%fe",
        "..%2f..%2fetc%2fpasswd",
        "%F0%9F%92%A9",
        "a" * 5_000,
        *(quote(text, safe="") for text in NASTY),
    ],
    ids=lambda text: text[:30],
)
def test_an_id_that_names_nothing_is_not_found(unharmed: Client, identifier: str) -> None:
    for path in ["orders/{}", "stampings/{}", "stampings/{}/document", "refunds/{}", "stamps/{}"]:
        assert_refused(unharmed.get(f"/v1/{path.format(identifier)}"), 404, "not_found")
    assert_refused(unharmed.post(f"/v1/orders/{identifier}/withdraw"), 404, "not_found")


@pytest.mark.parametrize("identifier", ["", "x", "\x00", *NASTY])
def test_a_refund_of_an_id_that_names_nothing_is_not_found(
    unharmed: Client, identifier: str
) -> None:
    assert_refused(unharmed.post("/v1/refunds", {"order_id": identifier}), 404, "not_found")


@pytest.mark.parametrize("body", [{}, {"order_id": None}, {"order_id": 1}, {"order_id": ["x"]}])
def test_a_refund_of_nothing_is_refused(unharmed: Client, body: object) -> None:
    assert_refused(unharmed.post("/v1/refunds", body), 422, "malformed")


def test_a_refund_has_no_amount_to_choose(unharmed: Client) -> None:
    order = unharmed.place(1)
    body = {"order_id": order["id"], "amount": 10_000_000}
    assert_refused(unharmed.post("/v1/refunds", body), 422, "malformed")
    assert_refused(
        unharmed.post("/v1/refunds", {"order_id": order["id"]}), 409, "nothing_to_refund"
    )


def test_a_path_that_is_not_there_is_not_found(unharmed: Client) -> None:
    for path in ["/v1", "/v1/nothing", "/v2/orders", "/nothing", "/v1/orders/x/y/z", "/.env"]:
        assert_refused(unharmed.get(path), 404, "not_found")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("DELETE", "/v1/orders"),
        ("PUT", "/v1/orders"),
        ("GET", "/v1/refunds"),
        ("PATCH", "/v1/balance"),
        ("POST", "/v1/balance"),
        ("GET", NOTIFY_PATH),
        ("NONSENSE", "/v1/orders"),
    ],
)
def test_a_method_that_does_not_apply_is_refused(unharmed: Client, method: str, path: str) -> None:
    assert_refused(unharmed.call(method, path), 405, "method_not_allowed")


# -- who is asking ------------------------------------------------------------------------------


def test_a_key_that_opens_nothing_is_refused(inside: Inside, unharmed: Client) -> None:
    assert unharmed.key is not None
    stranger = inside.customer()
    assert stranger.key is not None
    wrong = [
        "x",
        "mtr_",
        "mtr_" + "a" * 84,
        "mtr_" + "0" * 52 + "a" * 32,
        unharmed.key + "x",
        unharmed.key[:-1],
        unharmed.key[:-1] + ("A" if unharmed.key[-1] != "A" else "B"),
        unharmed.key.lower(),
        unharmed.key.removeprefix("mtr_"),
        # The account of one, the secret of the other.
        unharmed.key[:30] + stranger.key[30:],
        *(text for text in NASTY if text.isascii()),
    ]
    headers = [f"Bearer {key}" for key in wrong]
    headers += ["", "Bearer", "Bearer ", "Basic eDp5", unharmed.key, "Bearer \xff"]
    for header in headers:
        reply = inside.instance.anybody().get("/v1/balance", headers={"Authorization": header})
        assert_refused(reply, 401, "sign_in_required")
        assert reply.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("cookie", ["session=x", "session=", "a=b; session=' OR 1=1", "\xff"])
def test_a_cookie_that_opens_nothing_is_refused(inside: Inside, cookie: str) -> None:
    reply = inside.instance.anybody().get("/v1/orders", headers={"Cookie": cookie})
    assert_refused(reply, 401, "sign_in_required")


def test_nothing_of_an_account_is_shown_without_a_key(inside: Inside) -> None:
    nobody = inside.instance.anybody()
    for path in ["/v1/orders", "/v1/balance", f"/v1/orders/{show('ord', new_id())}"]:
        assert_refused(nobody.get(path), 401, "sign_in_required")
    assert_refused(nobody.post("/v1/orders", {"quantity": 1}, headers=a_key()), 401,
                   "sign_in_required")  # fmt: skip


# -- hostile texts ------------------------------------------------------------------------------


@pytest.mark.parametrize("text", NASTY, ids=lambda text: text[:20])
def test_a_hostile_file_name_is_only_a_name(inside: Inside, text: str) -> None:
    customer = inside.customer()
    order = customer.place(1)
    inside.instance.bank.pay(order["payment"]["qr_content"])
    until("stamps are issued", lambda: customer.balance()["available"] == 1)
    reply = customer.stamp(pdf(words="Nama"), name=f"{text}.pdf", key=text.encode("ascii",
                           "replace").decode()[:255])  # fmt: skip
    assert reply.status == 201, reply.body
    name = reply.json["document"]
    assert len(name) <= 120
    assert not {"/", "\\", "\x00", "\n", "\u202e"} & set(name)
    download = customer.get(reply.json["document_url"])
    assert download.status == 200
    assert download.headers["content-type"] == "application/pdf"
    assert download.headers["content-disposition"].startswith("attachment; filename=")
    assert download.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "name",
    [b"a\r\nSet-Cookie: x=y.pdf", b"\xff\xfe\xfd.pdf", b"\x00.pdf", b'".pdf', b"..", b"", b"/"],
)
def test_a_file_name_of_strange_bytes_is_only_a_name(customer: Client, name: bytes) -> None:
    head = b'--zz\r\nContent-Disposition: form-data; name="document"; filename="' + name + b'"'
    body = head + b"\r\nContent-Type: application/pdf\r\n\r\n<html>\r\n--zz\r\nContent-Disposition:"
    body += b' form-data; name="placement"\r\n\r\n' + PLACEMENT.encode() + b"\r\n--zz--\r\n"
    headers = a_key() | {"Content-Type": "multipart/form-data; boundary=zz"}
    reply = customer.post("/v1/stampings", body, headers=headers)
    assert_refused(reply, 422, "not_a_pdf", "malformed", "document_missing")


@pytest.mark.parametrize("text", [text for text in NASTY if text.isascii() and len(text) < 255])
def test_a_hostile_idempotency_key_is_only_a_key(unharmed: Client, text: str) -> None:
    order = unharmed.place(1, key=text)
    assert unharmed.place(1, key=text)["id"] == order["id"]


@pytest.mark.parametrize("text", ["", "x", "x@y", "\x00@example.org", *NASTY])
def test_a_hostile_address_is_refused_and_shown_safely(inside: Inside, text: str) -> None:
    body, kind = urllib3.encode_multipart_formdata({"email": text, "next": text})
    for accept in ["text/html", "application/json"]:
        reply = inside.instance.anybody().post(
            "/sign-in", body, headers={"Content-Type": kind, "Accept": accept}
        )
        assert 400 <= reply.status < 500, reply.body
        assert b"<script>alert" not in reply.body
        assert b"<img src=x" not in reply.body


def test_a_hostile_address_on_the_command_line_is_refused(inside: Inside) -> None:
    done = inside.instance.command("accounts", "create", "'; DROP TABLE accounts; --")
    assert done.returncode == 1
    assert done.stderr.startswith("meterai: malformed: ")


# -- notifications ------------------------------------------------------------------------------


class ForgedBank:
    """Speaks as the bank, with the bank's own key or another."""

    def __init__(self, inside: Inside) -> None:
        self._inside = inside
        path = inside.instance.data / "standins" / "bank.key.pem"
        key = serialization.load_pem_private_key(path.read_bytes(), None)
        assert isinstance(key, rsa.RSAPrivateKey)
        self.key = key

    def sign(self, body: bytes, timestamp: str, key: rsa.RSAPrivateKey | None = None) -> str:
        """The signature the bank would make."""
        text = string_to_sign("POST", NOTIFY_PATH, body, timestamp)
        signed = (key or self.key).sign(text, padding.PKCS1v15(), hashes.SHA256())
        return base64.b64encode(signed).decode()

    def headers(self, body: bytes, external_id: str, *, age: float = 0.0) -> dict[str, str]:
        """Everything a notification carries."""
        at = datetime.now(UTC).astimezone(WIB) - timedelta(seconds=age)
        timestamp = at.strftime("%Y-%m-%dT%H:%M:%S+07:00")
        return {
            "Content-Type": "application/json",
            "X-TIMESTAMP": timestamp,
            "X-SIGNATURE": self.sign(body, timestamp),
            "X-PARTNER-ID": "METERAI",
            "X-EXTERNAL-ID": external_id,
            "CHANNEL-ID": "95221",
        }

    def send(self, body: bytes, headers: dict[str, str]) -> tuple[int, str]:
        """Status and SNAP response code of the answer."""
        reply = self._inside.instance.anybody().post(NOTIFY_PATH, body, headers=headers)
        return reply.status, reply.json["responseCode"]

    def outcome(self, external_id: str) -> Any:
        """What became of a notification, once something did."""
        query = "SELECT outcome FROM notification_inbox WHERE external_id = %s AND outcome <> ''"
        (row,) = until("it was acted on", lambda: self._inside.rows(query, external_id))
        return row["outcome"]


@pytest.fixture
def forger(inside: Inside) -> ForgedBank:
    """Somebody who has the bank's key, or says so."""
    return ForgedBank(inside)


def told(reference: str, number: str, amount: int = 10_000) -> bytes:
    """The body of a notification that a payment was made."""
    return json.dumps(
        {
            "originalPartnerReferenceNo": reference,
            "latestTransactionStatus": "00",
            "amount": {"value": f"{amount}.00", "currency": "IDR"},
            "additionalInfo": {"rrn": number},
        }
    ).encode()


def an_id() -> str:
    """A fresh X-EXTERNAL-ID."""
    return str(uuid.uuid4().int)[:36]


def test_a_forged_notification_moves_nothing(
    inside: Inside, forger: ForgedBank, unharmed: Client
) -> None:
    order = unharmed.place(1)
    (attempt,) = inside.rows(
        "SELECT reference FROM payment_attempts WHERE qr_content = %s",
        order["payment"]["qr_content"],
    )
    body, external = told(attempt["reference"], "1"), an_id()
    good = forger.headers(body, external)
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    forged = forger.sign(body, good["X-TIMESTAMP"], other)
    later = forger.headers(body, external, age=-1)["X-TIMESTAMP"]
    bad: list[tuple[bytes, dict[str, str]]] = [
        (body, {}),
        (body, good | {"X-SIGNATURE": ""}),
        (body, good | {"X-SIGNATURE": "nonsense"}),
        (body, good | {"X-SIGNATURE": "ff" * 256}),
        (body, good | {"X-SIGNATURE": forged}),
        (body.replace(b'"00"', b'"06"'), good),
        (body + b" trailing", good),
        (body, good | {"X-TIMESTAMP": later}),
        (body, good | {"X-TIMESTAMP": "yesterday"}),
        (body, good | {"X-TIMESTAMP": "2026-01-01T00:00:00"}),
        (body, forger.headers(body, external, age=600)),
        (body, forger.headers(body, external, age=-600)),
    ]
    for content, headers in bad:
        assert forger.send(content, headers) == (401, "4015200")
    assert inside.rows("SELECT 1 FROM notification_inbox WHERE external_id = %s", external) == []
    assert unharmed.order(order["id"])["state"] == "placed"


def test_a_replayed_notification_counts_once(inside: Inside, forger: ForgedBank) -> None:
    customer = inside.customer()
    order = customer.place(1)
    inside.instance.bank.faults(drop_notifications=1, query_500=3)
    paid = inside.instance.bank.pay(order["payment"]["qr_content"]).json
    body, external = told(paid["partner_reference_no"], paid["rrn"]), an_id()
    genuine = forger.headers(body, external)
    assert forger.send(body, genuine) == (200, "2005200")
    until("it is executed", lambda: customer.order(order["id"])["state"] == "executed")

    assert forger.send(body, genuine) == (200, "2005200")
    assert forger.send(body, forger.headers(body, external, age=5)) == (200, "2005200")
    again = an_id()
    assert forger.send(body, forger.headers(body, again)) == (200, "2005200")
    assert forger.outcome(again) == "known"

    other = told(paid["partner_reference_no"], "999999999999")
    assert forger.send(other, forger.headers(other, external)) == (409, "4095200")
    money = customer.order(order["id"])["money"]
    assert money == {"captured": 10_000, "executed": 10_000, "refunded": 0, "in_flight": 0}
    assert customer.balance()["available"] == 1
    inside.instance.bank.clear_faults()


def test_a_notification_about_nothing_of_ours_is_kept_and_moves_nothing(
    inside: Inside, forger: ForgedBank
) -> None:
    books = inside.books()
    nobody = f"EM{'0' * 52}"
    for reference, outcome in [
        ("nothing of yours", "unknown_reference"),
        ("'; DROP TABLE orders; --", "unknown_reference"),
        (nobody, "unknown_attempt"),
    ]:
        body, external = told(reference, "1"), an_id()
        assert forger.send(body, forger.headers(body, external)) == (200, "2005200")
        assert forger.outcome(external) == outcome
    assert inside.books() == books


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"null",
        b"not JSON",
        b"[" * 10_000,
        b'{"amount":' + b"[" * 10_000,
        told("x", "1").replace(b"10000.00", b"10000.50"),
        told("x", "1").replace(b"10000.00", b"-1.00"),
        told("x", "1").replace(b"IDR", b"USD"),
    ],
    ids=lambda body: str(body[:20]),
)
def test_a_signed_notification_that_cannot_be_read_is_refused(
    forger: ForgedBank, body: bytes
) -> None:
    assert forger.send(body, forger.headers(body, an_id())) == (400, "4005201")


@pytest.mark.parametrize("external_id", ["", "9" * 37])
def test_a_signed_notification_without_a_usable_id_is_refused(
    forger: ForgedBank, external_id: str
) -> None:
    body = told("x", "1")
    assert forger.send(body, forger.headers(body, external_id)) == (400, "4005201")
