"""Look at unfinished days: sums by payment, in any number of parts, without storing anything."""

from datetime import timedelta
from typing import Any

from meterai.kit.clock import SystemClock
from meterai.payments import PaymentService
from meterai.reconciliation import check_bank
from meterai.reconciliation.sides import FRESH
from tests.support.records import night, reconcile
from tests.support.shop import PRICE
from tests.support.till import Till, paid_body

LATER = 2 * FRESH  # after this time no difference counts as too recent


Complaint = tuple[str, int]  # kind of complaint, and rupiah by which the record exceeds our account


def wrong(till: Till, after: timedelta) -> list[tuple[str, Complaint]]:
    """(number, complaint) of every difference, at a time after now."""
    container, now = till.shop.container, SystemClock().now() + after
    look = check_bank(
        container.database, container.of(PaymentService), now - timedelta(days=1), now
    )
    found = till.do(look)
    assert till.rows("SELECT 1 FROM record_lines UNION ALL SELECT 1 FROM record_days") == []
    return [
        (row["number"], (row["is"], row["difference"])) for row in found.evidence if "number" in row
    ]


def executed(till: Till, quantity: int = 1) -> tuple[str, str]:
    """Make an executed order; return the content of its QR, and the number of its payment."""
    _, _, qr = till.order(quantity)
    number = till.control("pay", qr_content=qr)["rrn"]
    till.ask()
    return qr, number


def ours(till: Till, number: str, after: timedelta = LATER) -> list[Complaint]:
    return [complaint for one, complaint in wrong(till, after) if one == number]


def missing_here(kind: str, rupiah: int) -> list[Complaint]:
    return [(f"{kind}_not_in_books", -rupiah)]


def test_partial_chargebacks_are_one_sum(till: Till) -> None:
    qr, number = executed(till)
    for part in (3_000, 2_000, 1_000):
        till.control("deny", qr_content=qr, amount=part)
    assert ours(till, number) == missing_here("chargeback", 6_000)
    till.ask()
    assert ours(till, number) == []


def test_bank_may_be_ahead_of_our_books_for_a_quarter_of_an_hour(till: Till) -> None:
    qr, number = executed(till)
    till.control("deny", qr_content=qr, amount=3_000)
    assert ours(till, number, after=timedelta(0)) == []


def test_money_in_suspense_agrees_with_the_record(till: Till) -> None:
    _, attempt, qr = till.order()
    number = till.control("pay", qr_content=qr)["rrn"]
    assert ours(till, number) == [("payment_not_in_books", 0)]
    body: dict[str, Any] = {
        "latestTransactionStatus": "00",
        "amount": {"value": f"{PRICE}.00", "currency": "IDR"},
        "additionalInfo": {"rrn": number},
    }
    assert till.notify(body) == "suspended_reference_missing"
    assert ours(till, number) == []
    till.ask()
    assert ours(till, number) == []
    assert till.attempt(attempt)["state"] == "paid"


def test_return_by_the_bank_itself_is_a_refund_on_both_sides(till: Till) -> None:
    qr, number = executed(till)
    till.control("refund", qr_content=qr, amount=4_000)
    assert ours(till, number) == missing_here("refund", 4_000)
    [attempt] = till.rows("SELECT attempt_id FROM captures WHERE payment = %s", number)
    body = paid_body(till.reference(attempt["attempt_id"]), number, "4000.00")
    assert till.notify(body | {"latestTransactionStatus": "04"}) == "refunded"
    till.look_up()
    assert ours(till, number) == []


def test_earlier_returns_count_by_their_record(
    till: Till,
) -> None:
    qr, number = executed(till)
    till.control("deny", qr_content=qr, amount=3_000)
    till.ask()
    reconcile(till)  # keeps the record of today
    till.control("deny", qr_content=qr, amount=500)
    container, tomorrow = till.shop.container, night(1)
    look = check_bank(
        container.database, container.of(PaymentService), tomorrow - timedelta(days=2), tomorrow
    )
    kept = till.rows("SELECT * FROM record_lines ORDER BY position")
    found = [row for row in till.do(look).evidence if row["number"] == number]
    assert [(row["is"], row["difference"]) for row in found] == missing_here("chargeback", 500)
    assert till.rows("SELECT * FROM record_lines ORDER BY position") == kept
    assert [row["reading"] for row in till.rows("SELECT reading FROM record_days")] == [1]
