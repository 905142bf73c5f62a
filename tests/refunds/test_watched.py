"""A settled refund is looked up in the bank's record: a reversed part, or one not made, goes back again."""

from typing import Any
from uuid import UUID

from tests.support.shop import PRICE
from tests.support.till import Till


def money(rupiah: int) -> dict[str, str]:
    return {"value": f"{rupiah}.00", "currency": "IDR"}


def asked_back(till: Till) -> UUID:
    """Make an order whose refund is not sent yet."""
    order, _, qr = till.order()
    till.control("pay", qr_content=qr)
    till.ask()
    till.shop.ask_back(order)
    till.shop.work()
    return order


def refunds(till: Till) -> list[tuple[str, str, int, int]]:
    found = till.rows("SELECT cause, state, amount, reversed FROM refunds ORDER BY refund_id")
    return [(row["cause"], row["state"], row["amount"], row["reversed"]) for row in found]


def number(till: Till) -> str:
    return str(till.rows("SELECT refund_no FROM refunds ORDER BY refund_id")[0]["refund_no"])


def recorded(till: Till, *lines: dict[str, Any]) -> None:
    """Put these refunds into the bank's record."""
    made = {"partnerRefundNo": number(till), "refundNo": "R1", "refundStatus": "00"}
    history = [made | line for line in lines]
    till.answers("history-detail", {"merge": {"additionalInfo": {"refundHistory": history}}})


def test_reversed_refund_is_repeated_under_another_number(till: Till) -> None:
    order = asked_back(till)
    till.send_refunds()
    assert refunds(till) == [("asked", "settled", PRICE, 0)]
    recorded(till, {"refundAmount": money(PRICE), "refundStatus": "06"})
    till.watch_refunds()
    assert refunds(till) == [
        ("asked", "settled", PRICE, PRICE),
        ("restored", "requested", PRICE, 0),
    ]
    assert till.shop.money(order) == {"captured": PRICE, "in_flight": PRICE}
    assert till.shop.state(order) == "returning"
    recorded(till, {"refundAmount": money(PRICE), "refundStatus": "06"})
    till.watch_refunds()
    assert len(refunds(till)) == 2


def test_silently_partial_refund_is_completed(till: Till) -> None:
    order = asked_back(till)
    till.answers("refund", {"drop": ["refundAmount"]})
    till.send_refunds()
    assert refunds(till) == [("asked", "settled", PRICE, 0)]
    recorded(till, {"refundAmount": money(4_000)})
    till.watch_refunds()
    assert refunds(till) == [
        ("asked", "settled", PRICE, PRICE - 4_000),
        ("restored", "requested", PRICE - 4_000, 0),
    ]
    assert till.shop.money(order) == {
        "captured": PRICE,
        "refunded": 4_000,
        "in_flight": PRICE - 4_000,
    }


def test_settled_refund_missing_in_the_record_is_an_item_until_found(till: Till) -> None:
    asked_back(till)
    till.send_refunds()
    recorded(till)
    till.watch_refunds()
    assert till.suspended() == []
    till.shop.arrange("UPDATE refunds SET settled_at = settled_at - interval '25 hours'")
    for _ in range(2):
        recorded(till)
        till.watch_refunds()
        assert till.suspended() == [("refund_not_in_record", 0)]
    till.watch_refunds()  # the record of the stand-in contains it
    assert till.suspended() == []
    assert refunds(till) == [("asked", "settled", PRICE, 0)]
    till.shop.arrange("UPDATE refunds SET settled_at = settled_at + interval '25 hours'")


def test_line_of_another_payment_reverses_nothing(till: Till) -> None:
    asked_back(till)
    till.send_refunds()
    recorded(till, {"refundAmount": money(PRICE), "refundStatus": "06", "rrn": "OF-ANOTHER"})
    till.watch_refunds()
    assert refunds(till) == [("asked", "settled", PRICE, 0)]


def test_refund_number_of_another_order_is_not_money_given_back_here(till: Till) -> None:
    asked_back(till)
    till.send_refunds()
    order, attempt, qr = till.order()
    payment = till.control("pay", qr_content=qr)["rrn"]
    till.ask()
    recorded(till, {"refundAmount": money(PRICE), "rrn": payment})
    told = {
        "originalPartnerReferenceNo": till.reference(attempt),
        "latestTransactionStatus": "04",
        "amount": money(PRICE),
        "additionalInfo": {"rrn": payment},
    }
    assert till.notify(told) == "refunded"
    till.look_up()
    assert till.shop.state(order) == "executed"
    assert till.suspended() == [("refunded_there", 0)]
