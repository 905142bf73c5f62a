"""A refund is settled only by a success with its number and the bank's number; otherwise it is queried."""

from typing import Any

import pytest

from tests.support.shop import PRICE
from tests.support.till import Till

MADE_BUT: list[dict[str, Any]] = [
    {"status": 202},
    {"merge": {"responseCode": "4057801", "responseMessage": "Requested Operation Not Allowed"}},
    {"merge": {"responseCode": "5007800"}},
    {"merge": {"responseCode": "2005100"}},
    {"body": "<html>OK</html>", "content_type": "text/html"},
    {"body": ""},
    {"body": "null"},
    {"drop": ["refundNo"]},
    {"merge": {"refundNo": ""}},
    {"merge": {"refundNo": {"a": 1}}},
    {"merge": {"refundNo": "R\u0000"}},
    {"merge": {"refundAmount": {"value": "1.00", "currency": "IDR"}}},
    {"merge": {"refundAmount": {"value": "10000.00", "currency": "USD"}}},
    {"merge": {"partnerRefundNo": "RF-OF-ANOTHER"}},
    {"status": 404, "merge": {"responseCode": "4047818"}},
    {"status": 504, "merge": {"responseCode": "5047800"}},
    {"hang_up": True},
]


def refunding(till: Till) -> Any:
    """Make a refund of an unused stamp that is not sent yet; return its order."""
    order, _, qr = till.order()
    till.control("pay", qr_content=qr)
    till.ask()
    till.shop.ask_back(order)
    till.shop.work()
    return order


def refund(till: Till) -> Any:
    [row] = till.rows("SELECT * FROM refunds")
    return row


@pytest.mark.parametrize("answer", MADE_BUT, ids=lambda answer: str(answer)[:60])
@pytest.mark.parametrize("act", [True, False], ids=["made", "not made"])
def test_answer_without_evidence_settles_nothing(
    till: Till, answer: dict[str, Any], act: bool
) -> None:
    order = refunding(till)
    till.answers("refund", answer | {"act": act})
    till.send_refunds()
    found = refund(till)
    assert (found["state"], found["settled_at"]) == ("sent", None)
    assert found["last_answer"]
    assert till.shop.state(order) == "returning"
    # The refund is queried by its number, and sent again only if it was not made.
    till.send_refunds()
    made = till.do(till.bank.look("refunds"))
    assert [one["amount"] for one in made if one["partner_refund_no"] == found["refund_no"]] == [
        PRICE
    ]
    assert refund(till)["state"] == "settled"
    assert refund(till)["provider_refund_no"] == made[0]["refund_no"]
    assert till.shop.state(order) == "returned"


def test_chargeback_waits_for_a_sent_refund(till: Till) -> None:
    refunding(till)
    till.answers("refund", {"status": 202, "merge": {"responseCode": "2027800"}})
    till.send_refunds()
    number = refund(till)["refund_no"]
    under_way = {"partnerRefundNo": number, "refundStatus": "03", "refundNo": "R-1"}
    assert refund(till)["state"] == "accepted"
    for history, state in (
        ([under_way], "accepted"),
        ("none", "sent"),
        ([under_way | {"refundStatus": "?"}], "sent"),
    ):
        till.answers("history-detail", {"merge": {"additionalInfo": {"refundHistory": history}}})
        till.send_refunds()
        assert refund(till)["state"] == state
    till.send_refunds()
    assert refund(till)["state"] == "settled"


def test_refund_with_another_amount_at_the_bank_is_not_settled(till: Till) -> None:
    refunding(till)
    till.answers("refund", {"status": 202})
    till.send_refunds()
    other = {
        "partnerRefundNo": refund(till)["refund_no"],
        "refundStatus": "00",
        "refundNo": "R-1",
        "refundAmount": {"value": "1.00", "currency": "IDR"},
    }
    till.answers("history-detail", {"merge": {"additionalInfo": {"refundHistory": [other]}}})
    till.send_refunds()
    assert refund(till)["state"] == "sent"
    assert "refund_amount: asked " in refund(till)["last_answer"]


def test_refused_refund_is_tried_again(till: Till) -> None:
    refunding(till)
    till.control("faults", refuse_refunds=2)
    till.send_refunds()
    assert refund(till)["state"] == "refused"
    till.send_refunds()
    assert refund(till)["state"] == "refused"
    till.send_refunds()
    assert refund(till)["state"] == "settled"
