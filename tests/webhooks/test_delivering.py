"""Delivery of messages to endpoints, whatever a receiver does; no receiver delays another."""

from base64 import b64decode
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from meterai.kit.ids import show
from meterai.webhooks.model import (
    ASIDE_UNDER_WAY_MAX,
    FAILED_MESSAGES_MIN,
    SCHEDULE,
    UNDER_WAY_MAX,
    DisabledWhy,
    EndpointState,
)
from meterai.webhooks.signing import signature
from tests.webhooks.conftest import ACTOR, Hooked


def test_test_message_is_delivered_signed_and_recorded(hooked: Hooked) -> None:
    endpoint, secret = hooked.make()
    hooked.test(endpoint)
    assert hooked.deliver() == 1

    [came] = hooked.receiver.received
    [message] = hooked.messages()
    assert came.id == show("msg", message["message_id"])
    assert came.headers["content-type"] == "application/json"
    told = Webhook(secret).verify(came.body, came.headers)
    assert told["type"] == "webhook.test"
    assert told["data"] == {"endpoint_id": show("whk", endpoint.id)}
    assert came.headers["webhook-signature"] == signature(
        b64decode(secret.removeprefix("whsec_")),
        came.id,
        int(came.headers["webhook-timestamp"]),
        came.body,
    )
    assert message["state"] == "delivered"
    [attempt] = hooked.attempts()
    assert (attempt["status"], attempt["answer"], attempt["failure"]) == (
        200,
        b"answered 200",
        None,
    )


def test_changed_message_does_not_verify(hooked: Hooked) -> None:
    endpoint, secret = hooked.make()
    hooked.test(endpoint)
    hooked.deliver()
    [came] = hooked.receiver.received
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(came.body + b" ", came.headers)


def test_order_is_published_to_its_account_only(hooked: Hooked) -> None:
    endpoint, _ = hooked.make(events=["order.executed"])
    order = hooked.shop.place(2)
    hooked.shop.pay(order)
    hooked.shop.work()
    hooked.deliver()
    [came] = hooked.receiver.received
    told = msgspec.json.decode(came.body)
    assert told["type"] == "order.executed"
    assert told["data"] == {
        "order_id": show("ord", order),
        "state": "executed",
        "kind": "stamps",
        "quantity": 2,
        "total": 21_000,
        "currency": "IDR",
    }
    assert [row["endpoint_id"] for row in hooked.messages()] == [endpoint.id]


@pytest.mark.parametrize(
    ("path", "status", "failure"),
    [
        ("/status/500", 500, "status"),
        ("/status/404", 404, "status"),
        ("/redirect/http%3A%2F%2F127.0.0.1%3A1%2F", 307, "redirect"),
        ("/cut", None, "connection"),
        ("/head", None, "unreadable"),
        ("/many-heads", None, "unreadable"),
        ("/garbage", None, "unreadable"),
    ],
)
def test_undelivered_message_is_retried_under_same_id(
    hooked: Hooked, path: str, status: int | None, failure: str
) -> None:
    endpoint, _ = hooked.make(path)
    hooked.test(endpoint)
    hooked.deliver()
    [message], [attempt] = hooked.messages(), hooked.attempts()
    assert (attempt["status"], attempt["failure"]) == (status, failure)
    assert message["state"] == "waiting"
    later = message["try_at"] - datetime.now(UTC)
    assert timedelta(seconds=SCHEDULE[0] - 2) < later < timedelta(seconds=SCHEDULE[0] * 1.1)
    hooked.make_due()
    hooked.deliver()
    assert len({came.id for came in hooked.receiver.received}) == 1
    assert [row["number"] for row in hooked.attempts()] == [1, 2]


@pytest.mark.sample(1)
@pytest.mark.parametrize("path", ["/endless", "/lies", "/drip"])
def test_success_status_delivers_whatever_the_body(hooked: Hooked, path: str) -> None:
    endpoint, _ = hooked.make(path)
    hooked.test(endpoint)
    hooked.deliver()
    [message], [attempt] = hooked.messages(), hooked.attempts()
    assert (message["state"], attempt["status"]) == ("delivered", 200)
    assert len(attempt["answer"]) <= 1_024
    assert attempt["ms"] < 5_000


def test_undelivered_message_can_be_replayed_after_the_schedule(hooked: Hooked) -> None:
    endpoint, _ = hooked.make("/status/503/7200")
    hooked.test(endpoint)
    pauses = []
    for _ in range(len(SCHEDULE) + 1):
        hooked.deliver()
        [message] = hooked.messages()
        pauses.append((message["try_at"] - datetime.now(UTC)).total_seconds())
        hooked.make_due()
    assert message["state"] == "undelivered"
    assert hooked.deliver() == 0
    # The receiver asks for two hours; a later time of the schedule prevails.
    assert all(pause > 7_190 for pause in pauses[:-1])
    for pause, planned in zip(pauses[3:-1], SCHEDULE[3:], strict=True):
        assert planned - 10 < pause < planned * 1.11

    since = datetime.now(UTC) - timedelta(days=1)
    count = hooked.do(hooked.webhooks.replay_since(hooked.account, endpoint.id, since, actor=ACTOR))
    assert count == 1
    hooked.deliver()
    assert len({came.id for came in hooked.receiver.received}) == 1
    assert hooked.messages()[0]["attempts"] == len(SCHEDULE) + 2


def test_gone_disables_at_once_and_mails_the_owner(hooked: Hooked) -> None:
    endpoint, _ = hooked.make("/status/410")
    for _ in range(2):
        hooked.test(endpoint)
    hooked.deliver()
    found = hooked.find(endpoint)
    assert (found.state, found.why) == (EndpointState.DISABLED, DisabledWhy.GONE)
    assert {row["state"] for row in hooked.messages()} == {"undelivered"}
    hooked.shop.work()
    [mail] = hooked.shop.rows("SELECT * FROM mails")
    assert mail["template"] == "webhook_disabled"
    assert hooked.deliver() == 0


def test_endpoint_failing_for_five_days_is_disabled(hooked: Hooked) -> None:
    endpoint, _ = hooked.make("/status/500")
    for _ in range(FAILED_MESSAGES_MIN - 1):
        hooked.test(endpoint)
    hooked.deliver()
    hooked.shop.call(
        "UPDATE webhook_endpoints SET failing_since = failing_since - interval '5 days'"
    )
    hooked.make_due()
    hooked.deliver()
    assert hooked.find(endpoint).state == EndpointState.ENABLED  # too few messages
    hooked.test(endpoint)
    hooked.deliver()
    assert hooked.find(endpoint).why == DisabledWhy.FAILING

    # Messages made meanwhile are kept; after enabling they are replayed.
    order = hooked.shop.place(1)
    hooked.shop.give_up(order, "withdrawn")
    hooked.shop.work()
    assert {row["state"] for row in hooked.messages()} == {"undelivered"}
    again = hooked.do(hooked.webhooks.enable(hooked.account, endpoint.id, actor=ACTOR))
    assert (again.state, again.failing_since) == (EndpointState.ENABLED, None)


def test_slow_endpoint_is_set_aside(hooked: Hooked) -> None:
    slow, _ = hooked.make("/slow/2.1")
    quick, _ = hooked.make("/ok")
    for _ in range(3):
        hooked.test(slow)
    hooked.deliver()
    assert hooked.find(slow).is_aside
    assert hooked.receiver.most_under_way["/slow/2.1"] <= UNDER_WAY_MAX
    for _ in range(8):
        hooked.test(slow)
    hooked.test(quick)
    hooked.receiver.most_under_way.clear()
    assert hooked.deliver() == 1 + ASIDE_UNDER_WAY_MAX
    assert hooked.receiver.most_under_way["/slow/2.1"] == ASIDE_UNDER_WAY_MAX


def test_both_secrets_sign_for_a_day_after_a_rotation(hooked: Hooked) -> None:
    endpoint, old = hooked.make()

    def rotated() -> str | None:
        asked = hooked.webhooks.rotate(hooked.account, endpoint.id, "k1", actor=ACTOR)
        secret: str | None = hooked.do(asked)[1]
        return secret

    new = rotated()
    assert new is not None
    assert rotated() == new
    hooked.test(endpoint)
    hooked.deliver()
    came = hooked.receiver.received[-1]
    for secret in (old, new):
        Webhook(secret).verify(came.body, came.headers)
    hooked.shop.call("UPDATE webhook_endpoints SET before_until = now() - interval '1 second'")
    assert rotated() is None, "a repeat shows the secret for a day"
    hooked.test(endpoint)
    hooked.deliver()
    came = hooked.receiver.received[-1]
    Webhook(new).verify(came.body, came.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(old).verify(came.body, came.headers)
