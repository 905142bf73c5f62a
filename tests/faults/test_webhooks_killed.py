"""kill -9 at every step between an event and its delivery: nothing is lost, and the webhook-id never changes."""

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest

from meterai.kit.ids import read
from standins.receiver import Receiver
from tests.support.inside import Inside
from tests.support.instance import Client, Reply, until
from tests.support.killing import again, kill, revive
from tests.support.receivers import receiving

pytestmark = pytest.mark.sample(1, of="file")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


def _hook(customer: Client, url: str) -> str:
    reply = customer.post(
        "/v1/webhooks",
        {"url": url, "events": ["order.withdrawn"]},
        headers={"Idempotency-Key": str(uuid.uuid4())},
    )
    assert reply.status == 201, reply.body
    return f"/v1/webhooks/{reply.json['id']}/deliveries"


def _withdraw(customer: Client) -> None:
    assert customer.post(f"/v1/orders/{customer.place()['id']}/withdraw").status == 200


def _end_sessions(inside: Inside, statement: str) -> None:
    inside.rows(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE wait_event_type = 'Lock' AND strpos(query, %s) > 0 AND pid <> pg_backend_pid()",
        statement,
    )


def _delivered(inside: Inside, customer: Client, path: str) -> Any:
    def look() -> Any:
        return customer.get(f"{path}?state=delivered").json["deliveries"]

    inside.let_leases_run_out()
    [message] = until("it is delivered", look)
    return customer.get(f"{path}/{message['id']}").json


def test_kill_while_the_event_becomes_a_message_loses_nothing(
    inside: Inside, receiver: Receiver
) -> None:
    customer = inside.instance.customer()
    path = _hook(customer, receiver.url + "/ok")
    with inside.paused_at("LOCK TABLE webhook_messages IN SHARE MODE") as pause:
        _withdraw(customer)
        pause.wait_for_somebody("webhook_message_add")
        kill(inside, "worker")
        _end_sessions(inside, "webhook_message_add")
    message = _delivered(inside, customer, path)
    assert [one.id for one in receiver.received] == [message["id"]]


def test_kill_during_creation_of_an_endpoint_makes_one_endpoint(
    inside: Inside, receiver: Receiver
) -> None:
    customer = inside.instance.customer()
    wish = {"url": receiver.url + "/ok", "events": ["order.withdrawn"]}

    def make() -> Reply:
        return customer.post("/v1/webhooks", wish, headers={"Idempotency-Key": "hook"})

    with (
        ThreadPoolExecutor(1) as background,
        inside.paused_at("LOCK TABLE webhook_endpoints IN SHARE MODE") as pause,
    ):
        made = background.submit(again, make)
        pause.wait_for_somebody("webhook_endpoints")
        kill(inside, "web")
        pause.release()
        revive(inside, "web")
        first = made.result()
    assert first.status == 201, first.body
    second = again(make)
    assert (second.json["id"], second.json["secret"]) == (first.json["id"], first.json["secret"])
    assert len(customer.get("/v1/webhooks").json["webhooks"]) == 1


def test_kill_before_the_answer_is_recorded_repeats_the_message(
    inside: Inside, receiver: Receiver
) -> None:
    customer = inside.instance.customer()
    path = _hook(customer, receiver.url + "/slow/1.5")
    _withdraw(customer)
    [came] = until("it is sent", lambda: receiver.received)
    with psycopg.connect(inside.instance.settings.process.database_url) as holder:
        holder.execute(
            "SELECT 1 FROM webhook_messages WHERE message_id = %s FOR UPDATE",
            [read("msg", came.id)],
        )
        until("it is answered", lambda: receiver.delivered[came.id])
        kill(inside, "worker")
        # Otherwise the statement of the killed process would be executed after the lock is released.
        _end_sessions(inside, "webhook_attempted")
    message = _delivered(inside, customer, path)
    assert message["id"] == came.id
    assert receiver.delivered[came.id] == 2
