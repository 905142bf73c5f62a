"""Money that the bank gave back of its own accord: booked by its record, never paid twice."""

from typing import Any
from uuid import UUID

import pytest

from meterai import refunds
from meterai.suspense import MoneyBooked, Resolution
from tests.support.shop import PRICE, TESTER
from tests.support.till import Till


def paid(till: Till, quantity: int = 1) -> tuple[UUID, UUID, str, str]:
    """Make an executed order; return order, attempt, content of its QR, number of its payment."""
    order, attempt, qr = till.order(quantity)
    number = till.control("pay", qr_content=qr)["rrn"]
    till.ask()
    assert till.shop.state(order) == "executed"
    return order, attempt, qr, number


def told(till: Till, attempt: UUID, number: str, rupiah: int) -> str | None:
    """Send a notification that `rupiah` of a payment were given back."""
    return till.notify(
        {
            "originalPartnerReferenceNo": till.reference(attempt),
            "latestTransactionStatus": "04",
            "amount": {"value": f"{rupiah}.00", "currency": "IDR"},
            "additionalInfo": {"rrn": number},
        }
    )


def refunded(till: Till) -> list[dict[str, Any]]:
    return till.rows("SELECT state, amount FROM refunds ORDER BY refund_id")


def test_payment_given_back_whole_ends_the_order_as_returned(till: Till) -> None:
    order, attempt, qr, number = paid(till)
    till.control("refund", qr_content=qr)
    assert told(till, attempt, number, PRICE) == "refunded"
    till.look_up()
    assert till.shop.state(order) == "returned"
    assert till.shop.money(order) == {"captured": PRICE, "refunded": PRICE}
    assert till.book("bank_clearing") == 0
    assert till.suspended() == []
    assert refunded(till) == []


def test_parts_of_a_return_add_up_and_a_repeat_changes_nothing(till: Till) -> None:
    order, attempt, qr, number = paid(till, 3)
    for so_far in (3_000, 6_000):
        till.control("refund", qr_content=qr, amount=3_000)
        for _ in range(2):
            assert told(till, attempt, number, 3_000) == "refunded"
            till.look_up()
        assert -till.book("bank_clearing") == 3 * PRICE - so_far
    money = till.shop.money(order)
    assert money["refunded"] == 6_000
    assert money["captured"] == money["executed"] + money["refunded"] + money["in_flight"]
    assert till.suspended() == []


def test_open_refund_is_void_after_the_bank_gave_the_payment_back(till: Till) -> None:
    order, attempt, qr, number = paid(till)
    till.shop.ask_back(order)
    till.shop.work()
    till.control("refund", qr_content=qr)  # before our refund is sent
    till.send_refunds()  # the bank refuses: no money is left
    assert [one["state"] for one in refunded(till)] == ["refused"]
    told(till, attempt, number, PRICE)
    till.look_up()
    assert refunded(till) == [{"state": "void", "amount": PRICE}]
    assert till.shop.state(order) == "returned"
    assert till.shop.money(order) == {"captured": PRICE, "refunded": PRICE}


def test_open_refund_is_reduced_to_the_rest_after_a_partial_return(till: Till) -> None:
    order, attempt, qr, number = paid(till)
    till.shop.ask_back(order)
    till.shop.work()
    till.control("refund", qr_content=qr, amount=4_000)
    told(till, attempt, number, 4_000)
    till.look_up()
    till.send_refunds()
    till.send_refunds()
    assert refunded(till) == [
        {"state": "void", "amount": PRICE},
        {"state": "settled", "amount": PRICE - 4_000},
    ]
    assert till.shop.money(order) == {"captured": PRICE, "refunded": PRICE}
    assert till.shop.state(order) == "returned"


def test_chargeback_of_stamps_in_use_is_our_loss(till: Till) -> None:
    order, attempt, qr, number = paid(till)
    stamping = till.shop.reserve(1)
    assert stamping is not None
    till.shop.deliver(stamping)
    till.control("refund", qr_content=qr)
    told(till, attempt, number, PRICE)
    till.look_up()
    assert till.shop.state(order) == "executed"
    assert till.shop.money(order) == {
        "captured": PRICE,
        "executed": PRICE,
        "refunded": PRICE,
        "loss": PRICE,
    }


def test_return_missing_in_the_record_is_in_suspense_until_found(till: Till) -> None:
    order, attempt, qr, number = paid(till)
    told(till, attempt, number, 4_000)
    till.look_up()
    assert till.suspended() == [("refunded_there", 0)]
    [row] = till.rows("SELECT item_id FROM suspense_items")
    for how in Resolution:  # it ends by an entry, and in no other way
        if how is not Resolution.RETURNED:
            with pytest.raises(MoneyBooked):
                till.do(_resolve(till, row["item_id"], how))
    till.control("refund", qr_content=qr, amount=4_000)
    till.look_up()
    assert till.suspended() == []
    assert till.shop.money(order)["refunded"] == 4_000


def test_operator_books_a_reported_return(till: Till) -> None:
    order, attempt, _, number = paid(till)
    told(till, attempt, number, 4_000)
    till.look_up()
    [row] = till.rows("SELECT item_id FROM suspense_items")
    till.do(_resolve(till, row["item_id"], Resolution.RETURNED))
    assert till.shop.money(order)["refunded"] == 4_000
    till.shop.work()


async def _resolve(till: Till, item: UUID, how: Resolution) -> None:
    async with till.shop.container.database.transaction() as tx:
        await refunds.resolve_item(tx, item, how, actor=TESTER, note="by telephone")
