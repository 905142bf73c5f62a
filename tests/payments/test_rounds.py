"""Periodic tasks: QRs do not multiply, are cancelled once closed, and are queried long enough."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from meterai.kit.ids import new_id
from meterai.orders import OrderService
from meterai.orders import store as order_store
from meterai.orders.model import OrderKind, TooManyUnpaidOrders
from meterai.payments import PaymentService
from meterai.payments.model import ATTEMPTS_PER_SUBJECT_MAX
from standins.bank import qris
from tests.support.shop import PRICE
from tests.support.till import Till

ALL = -1


def attempts(till: Till) -> list[str]:
    return [row["state"] for row in till.rows("SELECT state FROM payment_attempts")]


def bills(till: Till) -> list[Any]:
    """The QRs of this account at the bank."""
    found = till.do(till.bank.look("payments"))
    ours = {row["reference"] for row in till.rows("SELECT reference FROM payment_attempts")}
    return [one for one in found if one["partner_reference_no"] in ours]


# -- opening -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 500, "act": False, "merge": {"responseCode": "5004700"}},
        {"status": 401, "act": False, "merge": {"responseCode": "4014700"}},
        {"status": 403, "act": False, "merge": {"responseCode": "4034715"}},
        {"status": 400, "act": False, "body": "<html>", "content_type": "text/html"},
        {"status": 202, "act": False},
    ],
    ids=lambda fault: str(fault["status"]),
)
def test_one_attempt_is_retried_until_it_is_open(till: Till, fault: dict[str, Any]) -> None:
    order = till.shop.place(1)
    till.answers("generate", fault | {"times": 6})
    waits = []
    for _ in range(6):
        till.open()
        [row] = till.rows("SELECT tries, leased_until - now() AS wait FROM payment_attempts")
        waits.append(row["wait"].total_seconds())
    # Each pause is twice the previous one, up to the longest.
    assert waits == sorted(waits)
    assert waits[0] < 3
    assert 30 < waits[-1] <= 120
    assert attempts(till) == ["opening"]
    till.open()
    assert attempts(till) == ["waiting"]
    assert len(bills(till)) == 1
    assert till.shop.state(order) == "placed"


def test_qr_of_a_lost_answer_is_replaced_once_and_cancelled(till: Till) -> None:
    till.shop.place(1)
    till.control("faults", generate_504_after_success=1)
    for _ in range(3):
        till.open()
    assert sorted(attempts(till)) == ["lost", "waiting"]
    till.cancel()
    assert sorted(attempts(till)) == ["cancelled", "waiting"]
    assert sorted(one["status"] for one in bills(till)) == ["03", "05"]


def test_order_has_a_bounded_number_of_attempts(till: Till) -> None:
    order = till.shop.place(1)
    till.control("faults", generate_504_after_success=ALL)
    for _ in range(3 * ATTEMPTS_PER_SUBJECT_MAX):
        till.open()
    assert attempts(till) == ["lost"] * ATTEMPTS_PER_SUBJECT_MAX
    assert till.shop.state(order) == "placed"


# -- limit of unpaid orders --------------------------------------------------------------------


async def place(till: Till, unpaid_max: int, key: str | None = None) -> Any:
    service, kind = till.shop.container.of(OrderService), OrderKind.STAMPS
    terms = await service.terms(till.shop.account, key or new_id().hex, b"request", kind, 1)
    return await till.shop.container.database.call(
        order_store.PLACE, *replace(terms, unpaid_max=unpaid_max).arguments()
    )


def test_account_has_a_bounded_number_of_unpaid_orders(till: Till) -> None:
    first = till.do(place(till, 3, "key"))
    for _ in range(2):
        till.do(place(till, 3))
    with pytest.raises(TooManyUnpaidOrders) as refusal:
        till.do(place(till, 3))
    assert refusal.value.facts() == {"unpaid_max": 3}
    assert till.do(place(till, 3, "key"))["id"] == first["id"]  # a repeat finds its order
    till.shop.give_up(first["id"], "withdrawn")
    till.do(place(till, 3))
    assert len(till.rows("SELECT 1 FROM orders WHERE state = 'placed'")) == 3


# -- cancelling --------------------------------------------------------------------------------


def test_qr_of_a_lapsed_order_is_cancelled(till: Till) -> None:
    order, attempt, qr = till.order()
    till.shop.give_up(order, "lapsed")
    till.control("faults", cancel_500=2)
    for _ in range(2):
        till.cancel()
        assert not till.attempt(attempt)["is_taken_back"]
    till.cancel()
    assert till.attempt(attempt)["is_taken_back"]
    with pytest.raises(AssertionError, match="cancelled"):
        till.control("pay", qr_content=qr)


def test_other_qr_of_a_paid_order_is_cancelled(till: Till) -> None:
    order, first, qr = till.order()
    till.control("pay", qr_content=qr, amount=PRICE - 1)  # a short payment: another QR is offered
    till.ask()
    till.open()
    [second] = till.rows(
        "SELECT attempt_id, instructions->>'content' AS qr FROM payment_attempts WHERE state = 'waiting'"
    )
    till.control("pay", qr_content=qr)  # then the first QR is paid too
    till.ask()
    assert till.shop.state(order) == "executed"
    assert till.attempt(second["attempt_id"])["state"] == "cancelled"
    till.cancel()
    with pytest.raises(AssertionError, match="cancelled"):
        till.control("pay", qr_content=second["qr"])
    assert till.attempt(first)["state"] == "paid"


def test_qr_paid_during_its_cancellation_is_queried_at_once(till: Till) -> None:
    order, attempt, qr = till.order()
    till.shop.give_up(order, "lapsed")
    till.control("pay", qr_content=qr)
    till.cancel()
    assert till.attempt(attempt)["wait"].total_seconds() <= 0
    till.do(till.shop.container.of(PaymentService).poll_waiting())
    till.shop.work()
    assert till.shop.state(order) == "executed"


@pytest.mark.parametrize("what", ["amount", "merchant"])
def test_qr_that_pays_another_is_never_shown_and_replaced(till: Till, what: str) -> None:
    amount, merchant = (PRICE - 1, "METERAI") if what == "amount" else (PRICE, "SHADOW")
    qr = qris.payload(qris.DynamicQr(amount, "1", merchant, "METERAI", "T1"))
    till.answers("generate", {"merge": {"qrContent": qr}})
    order = till.shop.place(1)
    [attempt] = till.shop.attempts(order)
    till.open()
    assert till.attempt(attempt)["state"] == "opening"
    assert "the QR differs from the request" in till.attempt(attempt)["last_answer"]
    till.open()  # the bank answers that it exists already
    assert till.attempt(attempt)["state"] == "lost"
    till.open()
    [row] = till.rows(
        "SELECT instructions->>'content' AS qr FROM payment_attempts WHERE state = 'waiting'"
    )
    till.control("pay", qr_content=row["qr"])
    till.ask()
    till.shop.work()
    assert till.shop.state(order) == "executed"


# -- asking ------------------------------------------------------------------------------------


def age(till: Till, order: UUID, attempt: UUID, days: float) -> None:
    """Move an order and its attempt `days` days into the past."""
    began = datetime.now(UTC) - timedelta(days=days)
    ended = began + timedelta(minutes=15)
    till.shop.arrange(
        "UPDATE orders SET placed_at = %s, lapses_at = %s WHERE order_id = %s", began, ended, order
    )
    till.shop.arrange("UPDATE sale_terms SET since = least(since, %s)", began)
    till.shop.arrange(
        "UPDATE payment_attempts SET opened_at = %s, expires_at = %s WHERE attempt_id = %s",
        began,
        ended,
        attempt,
    )


@pytest.mark.parametrize("days", [3, 10, 44])
def test_payment_without_news_is_found_days_later(till: Till, days: int) -> None:
    order, attempt, qr = till.order()
    till.shop.give_up(order, "lapsed")
    age(till, order, attempt, days)
    till.ask()
    found = till.attempt(attempt)
    assert not found["is_over"]
    assert found["wait"] <= timedelta(days=1)
    till.control("pay", qr_content=qr)
    till.ask()
    assert till.captured()
    assert till.shop.state(order) == "executed"


def test_attempt_that_cannot_be_recorded_does_not_stop_the_others(till: Till) -> None:
    first, broken, other_qr = till.order()
    second, _, qr = till.order()
    number = till.control("pay", qr_content=other_qr)["rrn"]
    till.control("pay", qr_content=qr)
    # The entry exists already with other legs, so the database refuses to book the payment.
    entry = f"captured:{broken}:{number}"
    till.shop.arrange(
        "INSERT INTO entries (account_id, entry_id, reason, subject)"
        " VALUES (%s, %s, 'payment_captured', %s)",
        till.shop.account,
        entry,
        first,
    )
    till.ask()
    assert till.shop.state(second) == "executed"
    assert till.shop.state(first) == "placed"
    till.shop.arrange("DELETE FROM entries WHERE entry_id = %s", entry)
    till.ask()
    assert till.shop.state(first) == "executed"


# -- the same rule in Python and SQL -----------------------------------------------------------
