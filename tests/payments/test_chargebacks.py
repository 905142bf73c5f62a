"""A chargeback is booked by the provider's answer; a notification of one only causes a query."""

from typing import Any
from uuid import UUID

import pytest

from tests.support.shop import PRICE
from tests.support.till import Till


def money(rupiah: int) -> dict[str, str]:
    return {"value": f"{rupiah}.00", "currency": "IDR"}


def told(till: Till, attempt: UUID, rupiah: int | None, number: str | None) -> None:
    """Send a notification of a chargeback. It moves no money."""
    before = till.book("bank_clearing")
    body: dict[str, Any] = {
        "originalPartnerReferenceNo": till.reference(attempt),
        "latestTransactionStatus": "06",
        "additionalInfo": {} if number is None else {"rrn": number},
    }
    if rupiah is not None:
        body["amount"] = money(rupiah)
    assert till.notify(body) == "asked"
    assert till.book("bank_clearing") == before


def answered(till: Till, rupiah: int | None, number: str | None) -> None:
    """Set the provider's answer."""
    line: dict[str, Any] = {"rrn": number, "status": "06"}
    if rupiah is not None:
        line["amount"] = money(rupiah)
    more: dict[str, Any] = {"payments": [line] if number else []}
    said = {"latestTransactionStatus": "06", "additionalInfo": more}
    till.answers("query", {"merge": said})
    till.ask()


def paid(till: Till) -> tuple[UUID, UUID, str, str]:
    order, attempt, qr = till.order()
    number = till.control("pay", qr_content=qr)["rrn"]
    till.ask()
    assert till.shop.state(order) == "executed"
    return order, attempt, qr, number


def taken(till: Till) -> int:
    """Rupiah charged back in the books."""
    return PRICE * len(till.captured()) + till.book("bank_clearing")


@pytest.mark.parametrize("is_named", [True, False])
def test_chargeback_that_an_answer_confirms_is_booked(till: Till, is_named: bool) -> None:
    order, attempt, qr, number = paid(till)
    told(till, attempt, PRICE, number if is_named else None)
    till.control("deny", qr_content=qr)
    till.ask()
    assert till.shop.state(order) == "denied"
    assert taken(till) == PRICE


def test_chargeback_without_a_number_of_two_payments_is_ambiguous(till: Till) -> None:
    order, attempt, qr, _ = paid(till)
    till.control("pay", qr_content=qr)
    till.ask()
    told(till, attempt, PRICE, None)
    answered(till, PRICE, None)
    assert till.suspended() == [("denial_ambiguous", 0)]
    assert till.shop.state(order) == "executed"
    assert taken(till) == 0


def test_partial_chargeback_notified_twice_is_booked_once(till: Till) -> None:
    _, attempt, qr, number = paid(till)
    till.control("deny", qr_content=qr, amount=4_000)
    for _ in range(2):
        told(till, attempt, 4_000, number)
        till.ask()
        assert taken(till) == 4_000
    till.control("deny", qr_content=qr)
    till.ask()
    assert taken(till) == PRICE
    assert till.suspended() == []


def test_chargeback_beyond_the_payment_is_in_suspense(till: Till) -> None:
    order, _, _, number = paid(till)
    answered(till, PRICE + 1, number)
    assert till.suspended() == [("amount_differs", 0)]
    assert till.shop.state(order) == "executed"
    assert taken(till) == 0
