"""Webhooks over the API of a running instance."""

import uuid
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from standardwebhooks import Webhook

from standins.receiver import Received, Receiver
from tests.support.instance import Client, Instance, Reply, until
from tests.support.receivers import receiving


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


def _make(client: Client, url: str, events: list[str], key: str = "") -> Reply:
    headers = {"Idempotency-Key": key or str(uuid.uuid4())}
    return client.post("/v1/webhooks", {"url": url, "events": events}, headers=headers)


def _code(reply: Reply) -> tuple[int, str]:
    return reply.status, reply.json["code"]


def _received(receiver: Receiver, type_: str) -> Received | None:
    for one in receiver.received:
        if msgspec.json.decode(one.body)["type"] == type_:
            return one
    return None


def test_order_is_published_from_its_payment_on(audited: Instance, receiver: Receiver) -> None:
    client = audited.customer()
    made = _make(client, receiver.url + "/ok", ["*"])
    assert made.status == 201
    order = client.place(2)
    ready = until("a QR", lambda: client.order(order["id"])["payment"]["qr_content"])
    audited.bank.pay(ready)
    executed = until("it is told", lambda: _received(receiver, "order.executed"))
    captured = until("the payment is told", lambda: _received(receiver, "payment.captured"))
    for one in (executed, captured):
        told = Webhook(made.json["secret"]).verify(one.body, one.headers)
        assert told["data"]["order_id"] == order["id"]
    path = f"/v1/webhooks/{made.json['id']}/deliveries"

    def delivered() -> Any:
        found = client.get(path + "?state=delivered").json["deliveries"]
        return found if len(found) == 2 else None

    [newest, _] = until("it is written down", delivered)
    details = client.get(f"{path}/{newest['id']}").json
    [attempt] = details["attempt_list"]
    assert (attempt["status"], attempt["answer"]) == (200, "answered 200")
    assert msgspec.json.decode(details["body"])["type"] == newest["type"]
    page = client.get(path + "?limit=1").json
    assert page["next"] == newest["id"]
    assert client.get(f"{path}?before={page['next']}").json["next"] is None


def test_repeated_request_returns_same_endpoint_with_secret(
    audited: Instance, receiver: Receiver
) -> None:
    client = audited.customer()
    first = _make(client, receiver.url, ["order.executed"], "one")
    again = _make(client, receiver.url, ["order.executed"], "one")
    assert again.json == first.json
    assert again.headers["idempotent-replayed"] == "true"
    assert _code(_make(client, receiver.url, ["*"], "one")) == (422, "idempotency_key_reused")
    assert "secret" not in client.get(f"/v1/webhooks/{first.json['id']}").json
    [listed] = client.get("/v1/webhooks").json["webhooks"]
    assert listed["url"] == receiver.url


def test_tests_replays_and_changes_reach_the_receiver(
    audited: Instance, receiver: Receiver
) -> None:
    client = audited.customer()
    made = _make(client, receiver.url + "/status/500", ["order.executed"]).json
    path = f"/v1/webhooks/{made['id']}"
    sent = client.post(f"{path}/test").json
    until("an attempt", lambda: client.get(f"{path}/deliveries/{sent['id']}").json["attempt_list"])
    changed = client.post(f"{path}/change", {"url": receiver.url + "/ok"})
    assert (changed.status, changed.json["events"]) == (200, ["order.executed"])
    stopped = client.post(f"{path}/disable").json
    assert (stopped["state"], stopped["disabled_because"]) == ("disabled", "asked")
    assert _code(client.post(f"{path}/test")) == (409, "webhook_not_enabled")
    assert client.post(f"{path}/enable").json["state"] == "enabled"
    assert client.post(f"{path}/replay", {"since": "2026-01-01T00:00:00Z"}).json == {"replayed": 1}
    until("it is there", lambda: [one for one in receiver.received if one.path == "/ok"])
    assert {one.id for one in receiver.received} == {sent["id"]}
    until(
        "it is written down",
        lambda: client.get(f"{path}/deliveries?state=delivered").json["deliveries"],
    )
    assert client.post(f"{path}/replay", {"message_id": sent["id"]}).json == {"replayed": 1}
    until("once more", lambda: len([one for one in receiver.received if one.path == "/ok"]) == 2)

    rotated = client.post(f"{path}/rotate", headers={"Idempotency-Key": "r1"}).json
    assert rotated["secret"] != made["secret"]
    assert rotated["old_secret_until"] is not None
    assert client.post(f"{path}/remove").json["state"] == "removed"
    assert client.post(f"{path}/remove").json["state"] == "removed"
    assert client.get(path).status == 404
    assert client.get("/v1/webhooks").json["webhooks"] == []


def test_invalid_endpoints_are_refused_by_name(audited: Instance, receiver: Receiver) -> None:
    client, other = audited.customer(), audited.customer()
    assert _code(_make(client, "https://10.0.0.1/", ["*"])) == (422, "webhook_url_refused")
    assert _code(_make(client, "http://example.org@127.0.0.1/", ["*"])) == (
        422,
        "webhook_url_refused",
    )
    for events in ([], ["order.unknown"]):
        assert _code(_make(client, receiver.url, events)) == (422, "malformed")
    keyless = client.post("/v1/webhooks", {"url": receiver.url, "events": ["*"]})
    assert _code(keyless) == (400, "idempotency_key_missing")
    made = _make(client, receiver.url, ["*"]).json
    for path in ("", "/deliveries"):
        assert other.get(f"/v1/webhooks/{made['id']}{path}").status == 404
    for act in ("test", "enable", "disable", "remove", "rotate", "change"):
        body = {"description": "mine"} if act == "change" else None
        reply = other.post(
            f"/v1/webhooks/{made['id']}/{act}", body, headers={"Idempotency-Key": "x"}
        )
        assert _code(reply) == (404, "not_found")
    for _ in range(9):
        assert _make(client, receiver.url, ["*"]).status == 201
    assert _code(_make(client, receiver.url, ["*"])) == (409, "too_many_webhooks")
    assert _code(client.post(f"/v1/webhooks/{made['id']}/replay", {})) == (422, "malformed")
    assert client.get(f"/v1/webhooks/{made['id']}/deliveries?state=x").status == 422
