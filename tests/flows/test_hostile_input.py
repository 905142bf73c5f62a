"""Unauthorized requests, hostile texts and forged notifications have no effect and cause no fault."""

import base64
import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import urllib3
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from meterai.kit.clock import WIB
from meterai.kit.ids import new_id, show
from meterai.payments.adapters.snap import NOTIFY_PATH
from meterai.payments.adapters.snap.signing import string_to_sign
from tests.support.inside import Inside
from tests.support.instance import Client, until
from tests.support.money import payable
from tests.support.pdf import pdf
from tests.support.refusals import NASTY, a_key, assert_refused

# -- credentials ----------------------------------------------------------------------------------


def test_invalid_api_key_is_refused(inside: Inside, unharmed: Client) -> None:
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
        # the account of one key with the secret of another
        unharmed.key[:30] + stranger.key[30:],
        *(text for text in NASTY if text.isascii()),
    ]
    headers = [f"Bearer {key}" for key in wrong]
    headers += ["", "Bearer", "Bearer ", "Basic eDp5", unharmed.key, "Bearer \xff"]
    for header in headers:
        reply = inside.instance.anybody().get("/v1/balance", headers={"Authorization": header})
        assert_refused(reply, 401, "sign_in_required")
        assert reply.headers["www-authenticate"] == "Bearer"


def test_account_data_is_refused_without_a_key(inside: Inside) -> None:
    nobody = inside.instance.anybody()
    for path in ["/v1/orders", "/v1/balance", f"/v1/orders/{show('ord', new_id())}"]:
        assert_refused(nobody.get(path), 401, "sign_in_required")
    assert_refused(nobody.post("/v1/orders", {"quantity": 1}, headers=a_key()), 401,
                   "sign_in_required")  # fmt: skip


# -- hostile texts ------------------------------------------------------------------------------


@pytest.mark.parametrize("text", NASTY, ids=lambda text: text[:20])
def test_hostile_file_name_is_treated_as_text(inside: Inside, text: str) -> None:
    customer = inside.customer()
    order = customer.place(1)
    inside.instance.bank.pay(payable(customer, order))
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


@pytest.mark.parametrize("text", ["", "x", "x@y", "\x00@example.org", *NASTY])
def test_hostile_address_is_refused_and_shown_escaped(inside: Inside, text: str) -> None:
    body, kind = urllib3.encode_multipart_formdata({"email": text, "next": text})
    for accept in ["text/html", "application/json"]:
        reply = inside.instance.anybody().post(
            "/sign-in", body, headers={"Content-Type": kind, "Accept": accept}
        )
        assert 400 <= reply.status < 500, reply.body
        assert b"<script>alert" not in reply.body
        assert b"<img src=x" not in reply.body


# -- notifications ------------------------------------------------------------------------------


class ForgedBank:
    """Sends notifications like the bank, with the bank's own key or another."""

    def __init__(self, inside: Inside) -> None:
        self._inside = inside
        path = inside.instance.data / "standins" / "bank.key.pem"
        key = serialization.load_pem_private_key(path.read_bytes(), None)
        assert isinstance(key, rsa.RSAPrivateKey)
        self.key = key

    def sign(self, body: bytes, timestamp: str, key: rsa.RSAPrivateKey | None = None) -> str:
        """The signature that the bank would make."""
        text = string_to_sign("POST", NOTIFY_PATH, body, timestamp)
        signed = (key or self.key).sign(text, padding.PKCS1v15(), hashes.SHA256())
        return base64.b64encode(signed).decode()

    def headers(self, body: bytes, external_id: str, *, age: float = 0.0) -> dict[str, str]:
        """All headers of a notification."""
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
        """Wait for the outcome of a notification, and return it."""
        query = "SELECT outcome FROM notification_inbox WHERE external_id = %s AND outcome <> ''"
        (row,) = until("it was acted on", lambda: self._inside.rows(query, external_id))
        return row["outcome"]


@pytest.fixture
def forger(inside: Inside) -> ForgedBank:
    """A sender that has the bank's key, or pretends to."""
    return ForgedBank(inside)


def told(reference: str, number: str, amount: int = 10_000) -> bytes:
    """The body of a notification of a payment."""
    return json.dumps(
        {
            "originalPartnerReferenceNo": reference,
            "latestTransactionStatus": "00",
            "amount": {"value": f"{amount}.00", "currency": "IDR"},
            "additionalInfo": {"rrn": number},
        }
    ).encode()


def an_id() -> str:
    """A new X-EXTERNAL-ID."""
    return str(uuid.uuid4().int)[:36]


def test_forged_notification_moves_no_money(
    inside: Inside, forger: ForgedBank, unharmed: Client
) -> None:
    order = unharmed.place(1)
    (attempt,) = inside.rows(
        "SELECT reference FROM payment_attempts WHERE instructions->>'content' = %s",
        payable(unharmed, order),
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
def test_signed_notification_that_cannot_be_booked_is_kept(
    inside: Inside, forger: ForgedBank, body: bytes
) -> None:
    books, external = inside.books(), an_id()
    assert forger.send(body, forger.headers(body, external)) == (200, "2005200")
    assert str(forger.outcome(external)).startswith("suspended_")
    assert inside.books() == books
