"""What a payer's bank takes back, as it is told: in part, twice, without a number, too much."""

from typing import Any
from uuid import UUID

from tests.support.shop import PRICE
from tests.support.till import Till


def told(till: Till, attempt: UUID, rupiah: int | None, number: str | None) -> str | None:
    body: dict[str, Any] = {
        "originalPartnerReferenceNo": till.reference(attempt),
        "latestTransactionStatus": "06",
        "additionalInfo": {} if number is None else {"rrn": number},
    }
    if rupiah is not None:
        body["amount"] = {"value": f"{rupiah}.00", "currency": "IDR"}
    return till.notify(body)


def paid(till: Till) -> tuple[UUID, UUID, str, str]:
    order, attempt, qr = till.order()
    number = till.control("pay", qr_content=qr)["rrn"]
    till.ask()
    assert till.shop.state(order) == "executed"
    return order, attempt, qr, number


def taken(till: Till) -> int:
    """Rupiah the bank took back, as the books have it."""
    return PRICE * len(till.captured()) + till.book("bank_clearing")


def test_without_a_number_it_is_the_only_payment(till: Till) -> None:
    order, attempt, _, _ = paid(till)
    assert told(till, attempt, PRICE, None) == "denied"
    assert till.shop.state(order) == "denied"
    assert taken(till) == PRICE


def test_without_a_number_and_with_two_payments_nobody_guesses(till: Till) -> None:
    order, attempt, qr, _ = paid(till)
    till.control("pay", qr_content=qr)
    till.ask()
    assert told(till, attempt, PRICE, None) == "suspended_denial_ambiguous"
    assert till.shop.state(order) == "executed"
    assert taken(till) == 0


def test_a_part_is_a_part_and_told_again_the_same_part(till: Till) -> None:
    _, attempt, qr, number = paid(till)
    till.control("deny", qr_content=qr, amount=4_000)
    assert told(till, attempt, 4_000, number) == "denied"
    assert told(till, attempt, 4_000, number) == "known"
    till.ask()  # the bank's answer says the same
    assert taken(till) == 4_000
    till.control("deny", qr_content=qr)
    till.ask()
    assert taken(till) == PRICE
    assert till.suspended() == []


def test_more_than_was_paid_is_looked_at(till: Till) -> None:
    order, attempt, _, number = paid(till)
    assert told(till, attempt, PRICE + 1, number) == "suspended_amount_differs"
    assert till.shop.state(order) == "executed"
    assert taken(till) == 0


def test_without_an_amount_it_is_the_whole(till: Till) -> None:
    _, attempt, _, number = paid(till)
    assert told(till, attempt, None, number) == "denied"
    assert taken(till) == PRICE
