"""A buyer claims to have paid: the bank is queried at once, but not too often."""

import asyncio
from uuid import UUID

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
