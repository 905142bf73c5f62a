"""Contradictory evidence: the stronger fact counts, and an open contradiction is in suspense."""

from typing import Any

import pytest

from meterai.payments import PaymentService
from meterai.payments import store as payment_store
from meterai.plumbing.db.database import Tx
from tests.support.shop import PRICE
from tests.support.till import Till, paid_body


def money(rupiah: int) -> dict[str, str]:
    return {"value": f"{rupiah}.00", "currency": "IDR"}


def failed_body(reference: str, number: str | None) -> dict[str, Any]:
    return {
        "originalPartnerReferenceNo": reference,
        "latestTransactionStatus": "06",
        "amount": money(PRICE),
        "additionalInfo": {} if number is None else {"rrn": number},
    }


def answer(status: str, *payments: tuple[str, str]) -> dict[str, Any]:
    """The bank's answer about an attempt, with payments by number and status."""
    listed = [{"rrn": rrn, "status": own, "amount": money(PRICE)} for rrn, own in payments]
    more = {"latestTransactionStatus": status, "additionalInfo": {"payments": listed}}
    return {"merge": {"amount": money(PRICE), **more}}


def suspend_silence(till: Till) -> None:
    till.do(till.shop.container.of(PaymentService).suspend_silence())


# -- success after failure -------------------------------------------------------------------------


@pytest.mark.parametrize("failed", ["P1", "P0", None])
def test_payment_after_a_failed_try_is_confirmed_and_executed_once(
    till: Till, failed: str | None
) -> None:
    order, attempt, _ = till.order()
    reference = till.reference(attempt)
    assert till.notify(failed_body(reference, failed)) == "declined"
    assert till.notify(paid_body(reference)) == "suspended_status_contradicts"
    assert till.captured() == []
    till.answers("query", answer("00", ("P1", "00")))
    till.ask()
    assert till.captured() == [("P1", PRICE)]
    assert till.suspended() == []
    assert till.shop.state(order) == "executed"
    assert till.shop.money(order) == {"captured": PRICE, "executed": PRICE}
    assert till.notify(paid_body(reference)) == "known"


def test_answer_from_before_the_payment_does_not_charge_it_back(till: Till) -> None:
    order, identifier, qr = till.order()
    account = till.shop.account

    async def leased(tx: Tx) -> Any:
        return await payment_store.attempt(tx, account, identifier)

    before = till.do(till.shop.container.database.run(leased))
    number = till.control("pay", qr_content=qr)["rrn"]
    till.ask()
    till.answers("query", answer("06"))
    till.do(till.shop.container.of(PaymentService).ask(before))
    till.shop.work()
    assert till.captured() == [(number, PRICE)]
    assert till.shop.state(order) == "executed"


def test_won_chargeback_is_booked_once_and_refunded(till: Till) -> None:
    order, attempt, qr = till.order()
    number = till.control("pay", qr_content=qr)["rrn"]
    till.ask()
    till.control("deny", qr_content=qr)
    till.ask()
    assert till.shop.money(order) == {"captured": PRICE, "charged_back": PRICE}
    # An old notification may be repeated. It only causes a query.
    assert till.notify(paid_body(till.reference(attempt), number)) == "known"
    assert till.shop.money(order) == {"captured": PRICE, "charged_back": PRICE}
    for _ in range(2):
        till.answers("query", answer("00", (number, "00")))
        till.ask()
        assert till.shop.money(order) == {"captured": PRICE, "in_flight": PRICE}
        assert till.shop.state(order) == "returning"
    [refund] = till.rows("SELECT cause, state, amount FROM refunds")
    assert refund == {"cause": "restored", "state": "requested", "amount": PRICE}


@pytest.mark.parametrize("number", ["P1", None])
def test_unconfirmed_news_of_a_chargeback_takes_nothing_from_a_buyer(
    till: Till, number: str | None
) -> None:
    order, attempt, _ = till.order()
    till.notify(paid_body(till.reference(attempt), "P1"))
    assert till.notify(failed_body(till.reference(attempt), number)) == "asked"
    assert till.shop.state(order) == "executed"
    till.answers("query", answer("00", ("P1", "00")))
    till.ask()
    assert till.shop.state(order) == "executed"
    assert till.shop.money(order) == {"captured": PRICE, "executed": PRICE}
    assert till.suspended() == []


# -- open contradictions ---------------------------------------------------------------------------


def test_payment_known_by_news_alone_is_an_item_until_confirmed(till: Till) -> None:
    order, attempt, _ = till.order()
    till.notify(paid_body(till.reference(attempt)))
    assert till.shop.state(order) == "executed"
    till.answers("query", answer("03"))
    till.ask()
    suspend_silence(till)
    assert till.suspended() == []
    till.shop.arrange("UPDATE captures SET captured_at = captured_at - interval '25 hours'")
    till.shop.arrange("UPDATE payment_attempts SET opened_at = opened_at - interval '26 hours'")
    for _ in range(2):
        suspend_silence(till)
        assert till.suspended() == [("unconfirmed", 0)]
    till.answers("query", answer("00", ("P1", "00")))
    till.ask()
    assert till.suspended() == []
    till.shop.arrange("UPDATE captures SET captured_at = captured_at + interval '25 hours'")
    till.shop.arrange("UPDATE payment_attempts SET opened_at = opened_at + interval '26 hours'")


def test_payment_notified_after_the_last_query_is_queried(till: Till) -> None:
    order, attempt, _ = till.order()
    till.shop.arrange("UPDATE payment_attempts SET ask_at = 'infinity'")
    till.notify(paid_body(till.reference(attempt)))
    assert till.shop.state(order) == "executed"
    assert not till.attempt(attempt)["is_over"]
