"""Retries of calls: their conditions, their number, and their Idempotency-Keys."""

from collections.abc import Callable

import pytest
from meterai_client import (
    Conflict,
    KeyRefused,
    Meterai,
    NotAnswered,
    Retrying,
    StillUnderWay,
    TooOften,
    Unavailable,
    Unusable,
)
from meterai_client.calling import Answered, Call, Fault, Pause, Try, send
from scripted import NO_ANSWER, Said, refused, said, scripted

MONEY = dict.fromkeys(("captured", "charged_back", "executed", "refunded", "in_flight", "loss"), 0)
ORDER = {
    "id": "ord_1", "state": "placed", "kind": "stamps", "quantity": 1, "unit_price": 10_000,
    "service_fee": 0, "total": 10_000, "currency": "IDR", "placed_at": "2026-11-30T00:00:00Z",
    "paid_at": None, "refund_due_at": None, "reference": None, "metadata": {}, "later": "unknown",
    "money": MONEY,
    "payment": {
        "method": "qris", "state": "waiting", "amount": 10_000, "qr_content": "00020101",
        "expires_at": "2026-11-30T00:15:00Z", "instructions": {"kind": "of tomorrow", "more": 1},
    },
}  # fmt: skip
AT_ONCE = Retrying(first_seconds=0.001, longest_seconds=0.001)


def client_of(url: str, retrying: Retrying = AT_ONCE) -> Meterai:
    return Meterai(url, "mtr_key", retrying=retrying)


@pytest.mark.parametrize(
    "first",
    [
        NO_ANSWER,
        refused(503, "busy", 0),
        refused(503, "database_away", 0),
        refused(500, "fault", 0),
        refused(429, "too_many_codes", 0),
        refused(409, "request_in_progress", 0),
        refused(408, "body_too_slow", 0),
        Said(502, b"<html>", {"Content-Type": "text/html"}),
        Said(504, b""),
        Said(200, b'{"id": 1', {"Content-Type": "application/json"}, half=True),
    ],
    ids=lambda one: f"{one.status} {one.body[:60]!r}",
)
def test_uncertain_call_is_retried_with_same_key(first: Said) -> None:
    with scripted([first, said(ORDER, 201)]) as server, client_of(server.url) as client:
        order = client.orders.place(1)
    assert (order.id, order.payment.qr_content) == ("ord_1", "00020101")
    keys = [one.headers["Idempotency-Key"] for one in server.asked]
    assert len(keys) == 2
    assert len(set(keys)) == 1


@pytest.mark.parametrize(
    ("told", "raised"),
    [
        (refused(401, "api_key_required"), KeyRefused),
        (refused(409, "not_enough_stamps"), Conflict),
        (refused(422, "malformed", field="quantity", expected="at_least_one"), Unusable),
        (refused(503, "wait_in_line", 0), Unavailable),
        (refused(503, "payment_method_out"), Unavailable),
        (refused(502, "provider_refused"), Unavailable),
    ],
    ids=lambda one: getattr(one, "__name__", None),
)
def test_permanent_refusal_is_not_retried(told: Said, raised: type[Exception]) -> None:
    with (
        scripted([told]) as server,
        client_of(server.url) as client,
        pytest.raises(raised) as caught,
    ):
        client.orders.place(1, key="mine")
    assert len(server.asked) == 1
    assert caught.value.request_id == "req-12345678"  # type: ignore[attr-defined]
    assert caught.value.idempotency_key == "mine"  # type: ignore[attr-defined]


def test_malformed_field_is_named() -> None:
    told = refused(422, "malformed", field="quantity", expected="at_least_one")
    with (
        scripted([told]) as server,
        client_of(server.url) as client,
        pytest.raises(Unusable) as caught,
    ):
        client.orders.place(0)
    assert (caught.value.field, caught.value.expected) == ("quantity", "at_least_one")


def test_not_answered_has_key_for_retry() -> None:
    with (
        scripted([NO_ANSWER]) as server,
        client_of(server.url, Retrying(tries_max=3, first_seconds=0.001)) as client,
        pytest.raises(NotAnswered) as caught,
    ):
        client.orders.place(1)
    assert len(server.asked) == 3
    assert caught.value.idempotency_key == server.asked[0].headers["Idempotency-Key"]


def test_list_iterates_over_all_pages() -> None:
    pages = [{"orders": [ORDER, ORDER], "next": "ord_2"}, {"orders": [ORDER], "next": None}]
    with scripted([said(one) for one in pages]) as server, client_of(server.url) as client:
        assert len(list(client.orders.list(reference="PO 17", page_size=2))) == 3
    assert [one.path for one in server.asked] == [
        "/v1/orders?limit=2&reference=PO+17",
        "/v1/orders?limit=2&reference=PO+17&before=ord_2",
    ]


def test_ids_in_path_are_escaped() -> None:
    with scripted([said(ORDER)]) as server, client_of(server.url) as client:
        client.orders.get("../x?y")
    assert server.asked[0].path == "/v1/orders/..%2Fx%3Fy"


# -- with a clock of the test --------------------------------------------------------------------


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def pauses(
    answers: Callable[[int], Answered | Fault], retrying: Retrying, clock: Clock
) -> list[float]:
    """The pauses of a call until it raises."""
    steps, found, tries = send(Call("GET", "/", int), retrying), [], 0
    step = next(steps)
    try:
        while True:
            if isinstance(step, Pause):
                found.append(step.seconds)
                clock.now += step.seconds
                step = steps.send(None)
            else:
                assert isinstance(step, Try)
                tries += 1
                step = steps.send(answers(tries))
    except (NotAnswered, Unavailable, TooOften):
        return found


def busy(after: int) -> Answered:
    told = refused(503, "busy", after)
    return Answered(503, {name.lower(): one for name, one in told.headers.items()}, told.body)


def test_pauses_double_up_to_a_bound() -> None:
    clock = Clock()
    retrying = Retrying(clock=clock, chance=lambda: 1.0, tries_max=6, longest_seconds=3)
    found = pauses(lambda _: Fault("gone", is_ours=False), retrying, clock)
    assert found == [0.5, 1, 2, 3, 3]


def test_pause_is_at_least_retry_after() -> None:
    clock = Clock()
    retrying = Retrying(clock=clock, chance=lambda: 0.0, tries_max=3)
    assert pauses(lambda _: busy(7), retrying, clock) == [7, 7]


def test_pause_does_not_exceed_deadline() -> None:
    clock = Clock()
    retrying = Retrying(clock=clock, chance=lambda: 0.0, deadline_seconds=20)
    assert pauses(lambda _: busy(7), retrying, clock) == [7, 7]


def test_own_fault_is_not_retried() -> None:
    clock = Clock()
    assert pauses(lambda _: Fault("wrong", is_ours=True), Retrying(clock=clock), clock) == []


def test_waiting_ends_at_its_timeout() -> None:
    with (
        scripted([said(ORDER)]) as server,
        client_of(server.url) as client,
        pytest.raises(StillUnderWay),
    ):
        client.orders.wait("ord_1", timeout_seconds=0.1)
