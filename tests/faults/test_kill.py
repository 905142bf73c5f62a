"""kill -9 at every step between an order and a stamped document: nothing is lost, and nothing is done twice.

A lock in the database or a suspended bank stops a process exactly at the step, and then it is killed. The buyer
repeats the same request with the same Idempotency-Key.
"""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import pytest
import urllib3

from meterai.kit.ids import read
from tests.support.inside import Inside
from tests.support.instance import Client, Reply, until
from tests.support.killing import (
    BY_WEB,
    BY_WORKER,
    again,
    frozen,
    kill,
    place,
    revive,
)
from tests.support.money import money as money_is
from tests.support.pdf import pdf
from tests.support.stamping_calls import made_json

pytestmark = pytest.mark.sample(2, of="file")


@pytest.fixture
def background() -> Iterator[ThreadPoolExecutor]:
    """A pool for requests whose process is killed."""
    with ThreadPoolExecutor(4) as pool:
        yield pool


def lost(request: Future[Reply]) -> bool:
    """Return True if a request ended without an answer."""
    try:
        request.result(30)
    except urllib3.exceptions.HTTPError:
        return True
    return False


def order_of(inside: Inside, customer: Client) -> dict[str, Any]:
    """The only order of a customer, as soon as it is recorded."""
    query = "SELECT * FROM orders WHERE account_id = %s"
    found = until("the order is recorded", lambda: inside.rows(query, inside.account_of(customer)))
    (order,) = found
    return dict(order)


def is_executed(inside: Inside, customer: Client, order: str, paid: int) -> None:
    """Wait until an order is executed, and check that it was charged exactly once."""

    def money() -> Any:
        return again(lambda: customer.get(f"/v1/orders/{order}")).json["money"]

    whole = money_is(captured=paid, executed=paid)
    until("the order is executed", lambda: money() == whole)
    assert (
        len(
            inside.rows(
                "SELECT 1 FROM captures c JOIN payment_attempts a USING (account_id,"
                " attempt_id) WHERE a.subject = %s",
                read("ord", order),
            )
        )
        == 1
    )


def pay(inside: Inside, customer: Client, order: str) -> None:
    """Pay an order as soon as it has a QR."""

    def qr() -> Any:
        return again(lambda: customer.get(f"/v1/orders/{order}")).json["payment"]["qr_content"]

    assert inside.instance.bank.pay(until("the order has a QR", qr)).status == 200


def bought(inside: Inside, quantity: int) -> tuple[Client, str]:
    """A customer with stamps, and the order that they came from."""
    customer = inside.customer()
    order = customer.place(quantity)["id"]
    pay(inside, customer, order)
    is_executed(inside, customer, order, 10_000 * quantity)
    return customer, order


# -- from the order to the stamps ---------------------------------------------------------------


def _is_bought_after_all(inside: Inside, customer: Client, key: str) -> None:
    order = again(lambda: place(customer, key)).json["id"]
    assert again(lambda: place(customer, key)).json["id"] == order
    pay(inside, customer, order)
    is_executed(inside, customer, order, 10_000)
    assert customer.balance() == {"available": 1, "held": 0, "used": 0}
    assert len(customer.get("/v1/orders").json["orders"]) == 1


@pytest.mark.parametrize("victim", BY_WEB)
def test_web_killed_before_the_order_is_recorded_loses_nothing(
    inside: Inside, background: ThreadPoolExecutor, victim: str
) -> None:
    customer = inside.customer()
    with inside.paused_at("LOCK TABLE payment_attempts IN SHARE MODE") as pause:
        request = background.submit(place, customer, "k")
        pause.wait_for_somebody("order_place")
        kill(inside, victim)
        assert lost(request)
    revive(inside, victim)
    _is_bought_after_all(inside, customer, "k")


def test_process_killed_while_the_bank_makes_the_qr_loses_nothing(
    inside: Inside, background: ThreadPoolExecutor
) -> None:
    customer = inside.customer()
    with frozen(inside, "standins"):
        request = background.submit(place, customer, "k")
        order_of(inside, customer)
        kill(inside, "web")
        assert lost(request)
    revive(inside, "web")
    _is_bought_after_all(inside, customer, "k")


@pytest.mark.parametrize("victim", BY_WEB)
def test_process_killed_before_the_made_qr_is_recorded_loses_nothing(
    inside: Inside, background: ThreadPoolExecutor, victim: str
) -> None:
    customer = inside.customer()
    attempt = "SELECT 1 FROM payment_attempts WHERE subject = %s FOR UPDATE"
    with ExitStack() as held:
        with frozen(inside, "standins"):  # so that nothing is recorded before the lock is held
            request = background.submit(place, customer, "k")
            order = order_of(inside, customer)["order_id"]
            pause = held.enter_context(inside.paused_at(attempt, order))
        pause.wait_for_somebody("UPDATE payment_attempts SET state = 'waiting'")
        kill(inside, victim)
        assert lost(request)
    revive(inside, victim)
    _is_bought_after_all(inside, customer, "k")


def test_web_killed_during_receipt_of_a_notification_loses_nothing(inside: Inside) -> None:
    customer = inside.customer()
    inside.instance.bank.faults(query_500=-1)
    order = customer.place(1)["id"]
    with inside.paused_at("LOCK TABLE notification_inbox IN SHARE MODE") as pause:
        pay(inside, customer, order)
        pause.wait_for_somebody("notification_inbox")
        kill(inside, "web")
    revive(inside, "web")
    is_executed(inside, customer, order, 10_000)
    assert customer.balance()["available"] == 1


@pytest.mark.parametrize("victim", BY_WORKER)
def test_worker_killed_between_capture_and_execution_loses_nothing(
    inside: Inside, victim: str
) -> None:
    customer = inside.customer()
    order = customer.place(1)["id"]
    with inside.paused_at(
        "SELECT 1 FROM orders WHERE order_id = %s FOR UPDATE", read("ord", order)
    ) as pause:
        pay(inside, customer, order)
        pause.wait_for_somebody("order_settle")
        shown = customer.order(order)
        assert (shown["state"], shown["money"]["in_flight"]) == ("placed", 10_000)
        kill(inside, victim)
    revive(inside, victim)
    is_executed(inside, customer, order, 10_000)
    assert customer.balance()["available"] == 1


# -- from the stamps to the document ------------------------------------------------------------


def _is_stamped_once(
    inside: Inside, customer: Client, document: bytes, key: str, serials: list[str] | None
) -> None:
    reply = again(lambda: customer.stamp(document, key=key))
    assert reply.status == 201, reply.body
    stamping = reply.json
    assert stamping["state"] == "delivered"
    assert serials in (None, stamping["serials"])
    found = again(lambda: customer.stamp(document, key=key)).json
    assert made_json(found) == made_json(stamping)
    assert customer.balance() == {"available": 1, "held": 0, "used": 1}
    stamped = customer.get(stamping["document_url"]).body
    until(
        "the document is genuine",
        lambda: inside.instance.anybody().verify(stamped)["verdict"] == "genuine",
    )


def _serials(inside: Inside, customer: Client) -> list[str]:
    found = inside.rows(
        "SELECT serial FROM stamps WHERE account_id = %s", inside.account_of(customer)
    )
    return [row["serial"] for row in found]


@pytest.mark.parametrize("victim", BY_WEB)
def test_web_killed_during_the_reservation_loses_nothing(
    inside: Inside, background: ThreadPoolExecutor, victim: str
) -> None:
    customer, _ = bought(inside, 2)
    document = pdf()
    with inside.paused_at("LOCK TABLE stamps IN SHARE MODE") as pause:
        request = background.submit(customer.stamp, document, key="s")
        pause.wait_for_somebody("stamping_reserve")
        kill(inside, victim)
        assert lost(request)
    revive(inside, victim)
    _is_stamped_once(inside, customer, document, "s", None)


@pytest.mark.parametrize("victim", BY_WEB)
def test_web_killed_between_seal_and_delivery_loses_nothing(
    inside: Inside, background: ThreadPoolExecutor, victim: str
) -> None:
    customer, _ = bought(inside, 2)
    document = pdf()
    with inside.paused_at("LOCK TABLE deltas IN SHARE MODE") as pause:
        request = background.submit(customer.stamp, document, key="s")
        pause.wait_for_somebody("stamping_deliver")
        serials = _serials(inside, customer)
        assert customer.balance() == {"available": 1, "held": 1, "used": 0}
        kill(inside, victim)
        assert lost(request)
    revive(inside, victim)
    _is_stamped_once(inside, customer, document, "s", serials)


@pytest.mark.parametrize("step", ["stamping_reserve_ordered", "stamping_deliver"])
def test_worker_killed_while_it_stamps_ordered_documents_loses_nothing(
    inside: Inside, step: str
) -> None:
    customer = inside.customer()
    order = inside.order_documents(customer, pdf(), pdf(2))["id"]
    table = "stamps" if step == "stamping_reserve_ordered" else "deltas"
    with inside.paused_at(f"LOCK TABLE {table} IN SHARE MODE") as pause:
        pay(inside, customer, order)
        pause.wait_for_somebody(step)
        kill(inside, "worker")
    revive(inside, "worker")
    is_executed(inside, customer, order, 20_000)
    assert [one["state"] for one in inside.stampings_of(order)] == ["delivered"] * 2
    assert len(set(_serials(inside, customer))) == 2


# -- refunds --------------------------------------------------------------------------------------


def _comes_back_once(inside: Inside, customer: Client, order: str, number: str) -> None:
    whole = money_is(captured=10_000, refunded=10_000)
    until(
        "the money is back",
        lambda: again(lambda: customer.get(f"/v1/orders/{order}")).json["money"] == whole,
    )
    sent = inside.instance.bank.get("/standin/refunds").json
    assert [one["amount"] for one in sent if one["partner_refund_no"] == number] == [10_000]


def _is_sent(inside: Inside, number: str) -> bool:
    return bool(
        inside.rows("SELECT 1 FROM refunds WHERE refund_no = %s AND state = 'sent'", number)
    )


@pytest.mark.parametrize("victim", BY_WORKER)
def test_worker_killed_before_the_made_refund_is_recorded_loses_nothing(
    inside: Inside, victim: str
) -> None:
    customer, order = bought(inside, 1)
    with ExitStack() as held:
        # Recording the intent posts an entry, so it must happen before the lock is taken.
        with frozen(inside, "standins"):
            refund = customer.ask_back(order).json
            until("the intent is recorded", lambda: _is_sent(inside, refund["refund_number"]))
            pause = held.enter_context(inside.paused_at("LOCK TABLE entries IN SHARE MODE"))
        pause.wait_for_somebody("refund_settle")
        kill(inside, victim)
    revive(inside, victim)
    _comes_back_once(inside, customer, order, refund["refund_number"])
