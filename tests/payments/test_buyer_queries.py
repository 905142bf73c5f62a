"""A buyer claims to have paid: the bank is queried at once, but not too often."""

import asyncio
from uuid import UUID

import pytest

from meterai import ledger
from meterai.ledger import MoneyMove
from meterai.payments import BuyerQuestions
from tests.support.shop import PRICE
from tests.support.till import Till

SAID = "UPDATE payment_attempts SET buyer_asked_at = now() - interval '1 minute'"


def says_paid(till: Till, order: UUID) -> None:
    till.do(till.shop.container.of(BuyerQuestions).ask(till.shop.account, order))
    till.shop.work()


def test_payment_without_news_is_found_when_its_buyer_asks(till: Till) -> None:
    order, attempt, qr = till.order()
    till.shop.arrange("UPDATE payment_attempts SET ask_at = now() + interval '1 hour'")
    till.control("pay", qr_content=qr)
    says_paid(till, order)
    assert till.shop.state(order) == "executed"
    assert till.attempt(attempt)["state"] == "paid"


def answered(till: Till, order: UUID) -> bool:
    """True if the bank answered the query that the buyer caused."""
    found: bool = till.do(till.shop.container.of(BuyerQuestions).ask(till.shop.account, order))
    return found


def test_silent_bank_is_no_evidence_that_there_is_no_payment(till: Till) -> None:
    order, _, qr = till.order()
    assert answered(till, order), "the bank said that it waits"
    assert not answered(till, order), "nothing was asked within the pause"
    till.control("pay", qr_content=qr)
    till.control("faults", query_504=1)
    till.shop.arrange(SAID)
    assert not answered(till, order)
    till.shop.arrange(SAID)
    assert answered(till, order)
    assert till.captured()


def test_repeated_requests_of_a_buyer_cause_one_query(till: Till) -> None:
    order, attempt, qr = till.order()
    says_paid(till, order)
    before = till.attempt(attempt)["asked"]
    till.control("pay", qr_content=qr)

    async def press() -> None:
        asking = till.shop.container.of(BuyerQuestions)
        await asyncio.gather(*(asking.ask(till.shop.account, order) for _ in range(5)))

    till.do(press())
    till.shop.work()
    assert till.captured() == [], "it was asked a moment ago"
    till.shop.arrange(SAID)
    till.do(press())
    till.shop.work()
    assert till.shop.state(order) == "executed"
    # The schedule of the periodic task is unchanged.
    assert till.attempt(attempt)["asked"] == before


@pytest.mark.parametrize("state", ["lapsed", "withdrawn"])
def test_payment_in_the_last_second_is_found(till: Till, state: str) -> None:
    order, _, qr = till.order()
    till.control("pay", qr_content=qr)
    till.shop.give_up(order, state)
    says_paid(till, order)
    assert till.captured()
    [(_, amount)] = till.captured()
    assert amount == PRICE


def test_movements_of_money_are_in_order(till: Till) -> None:
    order, _, qr = till.order(2)
    till.control("pay", qr_content=qr)
    says_paid(till, order)
    till.shop.ask_back(order)
    till.send_refunds()

    async def moves() -> list[MoneyMove]:
        async with till.shop.container.database.reading() as tx:
            return await ledger.money_moves(tx, till.shop.account, order)

    found = till.do(moves())
    assert [(one.reason, one.amount) for one in found] == [
        ("payment_captured", 2 * PRICE),
        ("stamps_issued", 2 * PRICE),
        ("stamps_returned", 2 * PRICE),
        ("refund_requested", 2 * PRICE),
        ("refund_settled", 2 * PRICE),
    ]
    assert [one.at for one in found] == sorted(one.at for one in found)


def test_paid_attempt_is_queried_again_after_minutes(till: Till) -> None:
    """A second payment that was not notified may wait; the first one is being executed."""
    order, attempt, qr = till.order()
    till.control("pay", qr_content=qr)
    says_paid(till, order)
    [due] = till.rows(
        "SELECT extract(epoch FROM ask_at - now()) / 60 AS minutes FROM payment_attempts WHERE attempt_id = %s",
        attempt,
    )
    assert 4 < due["minutes"] <= 5


def test_payment_after_a_failed_try_is_found_when_its_buyer_asks(till: Till) -> None:
    order, attempt, _ = till.order()
    failed = {
        "originalPartnerReferenceNo": till.reference(attempt),
        "latestTransactionStatus": "06",
        "additionalInfo": {"rrn": "P1"},
    }
    assert till.notify(failed) == "declined"
    money = {"value": f"{PRICE}.00", "currency": "IDR"}
    listed = {"payments": [{"rrn": "P1", "status": "00", "amount": money}]}
    said = {"amount": money, "latestTransactionStatus": "00", "additionalInfo": listed}
    till.answers("query", {"merge": said})
    says_paid(till, order)
    assert till.captured() == [("P1", PRICE)]
    assert till.shop.state(order) == "executed"
