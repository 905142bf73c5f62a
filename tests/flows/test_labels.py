"""Labels and references of clients on orders and stampings: accepted, stored, returned, found again."""

import hashlib
import json
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest

from tests.support.instance import Client, Instance, Reply, until
from tests.support.money import payable
from tests.support.pdf import pdf

LETTER = pdf()
WORDS = {"reference": "PO-17/é", "metadata": {"unit": "Bandung", "batch": "7"}}


def order(customer: Client, key: str, **more: object) -> Reply:
    return customer.post("/v1/orders", {"quantity": 1, **more}, headers={"Idempotency-Key": key})


def ids(reply: Reply) -> list[str]:
    assert reply.status == 200, reply.body
    (found,) = [value for name, value in reply.json.items() if name != "next"]
    return [one["id"] for one in found]


def test_labels_of_an_order_are_returned_and_found(audited: Instance) -> None:
    customer = audited.customer()
    made = order(customer, "a", **WORDS)
    assert made.status == 201, made.body
    same = order(customer, "b", reference=WORDS["reference"])
    plain = order(customer, "c")
    for shown in (made.json, customer.order(made.json["id"])):
        assert {name: shown[name] for name in WORDS} == WORDS
    assert (plain.json["reference"], plain.json["metadata"]) == (None, {})

    told = urlencode({"reference": WORDS["reference"]})
    assert ids(customer.get(f"/v1/orders?{told}")) == [same.json["id"], made.json["id"]]
    first = customer.get(f"/v1/orders?{told}&limit=1")
    assert ids(first) == [same.json["id"]]
    rest = customer.get(f"/v1/orders?{told}&limit=1&before={first.json['next']}")
    assert (ids(rest), rest.json["next"]) == ([made.json["id"]], None)
    assert ids(customer.get("/v1/orders?reference=PO-17")) == []
    assert ids(audited.customer().get(f"/v1/orders?{told}")) == []
    assert len(ids(customer.get("/v1/orders"))) == 3


def test_repeated_key_with_other_labels_is_refused(audited: Instance) -> None:
    customer = audited.customer()
    made = order(customer, "k", **WORDS).json
    turned = dict(reversed(WORDS["metadata"].items()))  # type: ignore[attr-defined]
    assert order(customer, "k", **WORDS | {"metadata": turned}).json["id"] == made["id"]
    for other in ({}, {"reference": "PO-18"}, WORDS | {"metadata": {"unit": "Bogor"}}):
        reply = order(customer, "k", **other)
        assert (reply.status, reply.json["code"]) == (422, "idempotency_key_reused"), other


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"reference": ""}, "reference"),
        ({"reference": 17}, "reference"),
        ({"reference": "x" * 101}, "reference"),
        ({"reference": "a\x00b"}, "reference"),
        ({"metadata": {"a": 1}}, "metadata[...]"),
        ({"metadata": {"a": None}}, "metadata[...]"),
        ({"metadata": {"a": {}}}, "metadata[...]"),
        ({"metadata": {"a": "\x00"}}, "metadata"),
        ({"metadata": []}, "metadata"),
        ({"metadata": {str(n): "x" for n in range(21)}}, "metadata"),
    ],
)
def test_labels_beyond_their_limits_are_refused(
    instance: Instance, more: dict[str, object], field: str
) -> None:
    reply = order(instance.customer(), "k", **more)
    assert (reply.status, reply.json["code"], reply.json["field"]) == (422, "malformed", field)


@pytest.fixture
def stamped(audited: Instance) -> tuple[Client, list[Reply]]:
    """A customer with three stamped documents: the first has labels, the last is a copy of it at another place."""
    customer = audited.customer()
    audited.bank.pay(payable(customer, customer.place(4)))
    until("stamps are issued", lambda: customer.balance()["available"] == 4)
    other = pdf()
    labelled = {"reference": "A-1", "metadata": json.dumps({"unit": "x"})}
    made = [
        customer.stamp(LETTER, key="a", **labelled),
        customer.stamp(other, key="b", reference="A-2"),
        customer.stamp(LETTER, {"page": 1, "x": 60, "y": 400, "width": 80}, key="c"),
    ]
    assert [one.status for one in made] == [201] * 3, [one.body for one in made]
    return customer, made


def test_stampings_are_listed_and_filtered(stamped: tuple[Client, list[Reply]]) -> None:
    customer, made = stamped
    a, b, c = (one.json["id"] for one in made)
    assert (made[0].json["reference"], made[0].json["metadata"]) == ("A-1", {"unit": "x"})
    assert customer.get(f"/v1/stampings/{a}").json["metadata"] == {"unit": "x"}
    letter = made[0].json["sha256_original"]
    assert letter == hashlib.sha256(LETTER).hexdigest()
    now = datetime.now(UTC)
    for query, found in (
        ({}, [c, b, a]),
        ({"limit": 2}, [c, b]),
        ({"limit": 2, "before": b}, [a]),
        ({"reference": "A-2"}, [b]),
        ({"reference": "A"}, []),
        ({"document": letter}, [c, a]),
        ({"document": letter.upper(), "reference": "A-1"}, [a]),
        ({"document": "0" * 64}, []),
        ({"state": "delivered"}, [c, b, a]),
        ({"state": "failed"}, []),
        ({"since": made[1].json["requested_at"]}, [c, b]),
        ({"since": (now + timedelta(hours=1)).isoformat()}, []),
        ({"since": "0001-01-01T00:00:00Z"}, [c, b, a]),
        ({"since": "9999-12-31T23:59:59-12:00"}, []),
        ({"since": "1970-01-01T00:00:00Z", "state": "delivered", "limit": 1}, [c]),
    ):
        reply = customer.get(f"/v1/stampings?{urlencode(query)}")
        assert ids(reply) == found, query
        assert (reply.json["next"] is not None) == ("limit" in query and "before" not in query)


@pytest.mark.parametrize(
    ("query", "field", "expected"),
    [
        ("state=executed", "state", "known_name"),
        ("document=abc", "document", "sha256"),
        ("since=yesterday", "since", "moment"),
        ("since=2026-11-29T10:00:00", "since", "moment"),
        ("since=2026-11-29T10:00:00+07:00", "since", "moment"),  # the plus is decoded as a space
        ("limit=0", "limit", "within_bounds"),
        ("state=failed&state=delivered", "state", "once"),
    ],
)
def test_malformed_filter_is_refused(
    instance: Instance, query: str, field: str, expected: str
) -> None:
    reply = instance.customer().get(f"/v1/stampings?{query}")
    assert (reply.status, reply.json["field"], reply.json["expected"]) == (422, field, expected)
