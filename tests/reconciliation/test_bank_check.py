"""Our books beside the bank's own record: sums per payment, in however many parts."""

from datetime import timedelta
from typing import Any

from meterai.kit.clock import SystemClock
from meterai.payments import PaymentService
from meterai.reconciliation.bank_check import FRESH, check_bank
from tests.support.shop import PRICE
from tests.support.till import Till, paid_body

LATER = 2 * FRESH  # nothing is fresh any more
MOMENT = timedelta(seconds=30)  # in which a slow machine does what a test says next


def wrong(till: Till, *, days: float = 1.0, after: timedelta = LATER) -> list[tuple[str, str]]:
    """(number, complaint) of everything that differs, so long after now."""
    container, now = till.shop.container, SystemClock().now() + after
    begins = now - timedelta(days=days)
    found = till.do(check_bank(container.database, container.of(PaymentService), begins, now))
    return [(row["number"], row["is"]) for row in found.evidence]


def executed(till: Till, quantity: int = 1) -> tuple[str, str]:
    """An executed order: what is in its QR, and the number of its payment."""
    _, _, qr = till.order(quantity)
    number = till.control("pay", qr_content=qr)["rrn"]
    till.ask()
    return qr, number


def ours(till: Till, number: str, found: list[Any]) -> list[str]:
    return [complaint for one, complaint in found if one == number]


def test_parts_that_were_taken_back_are_one_sum(till: Till) -> None:
    qr, number = executed(till)
    for part in (3_000, 2_000, 1_000):
        till.control("deny", qr_content=qr, amount=part)
    assert ours(till, number, wrong(till)) == [
        "charged back Rp6.000 at the bank, Rp0 in our books: Rp6.000 missing here"
    ]
    till.ask()
    assert ours(till, number, wrong(till)) == []


def test_a_part_that_only_the_bank_knows_is_named_in_rupiah(till: Till) -> None:
    qr, number = executed(till)
    till.control("deny", qr_content=qr, amount=3_000)
    till.ask()
    till.control("deny", qr_content=qr, amount=500)
    assert ours(till, number, wrong(till)) == [
        "charged back Rp3.500 at the bank, Rp3.000 in our books: Rp500 missing here"
    ]


def test_what_moved_before_the_time_that_is_looked_at_counts_too(till: Till) -> None:
    qr, number = executed(till)
    till.control("deny", qr_content=qr, amount=3_000)
    till.ask()
    # Looked at are two minutes long after all of it, and in our books it is older still.
    begins = SystemClock().now() + FRESH + MOMENT
    container = till.shop.container
    till.shop.arrange("UPDATE chargebacks SET last_told_at = now() + interval '16 minutes'")
    till.control("deny", qr_content=qr, amount=500)
    look = check_bank(
        container.database,
        container.of(PaymentService),
        begins,
        begins + timedelta(minutes=2),
    )
    found = [row["is"] for row in till.do(look).evidence if row["number"] == number]
    assert found == ["charged back Rp3.500 at the bank, Rp3.000 in our books: Rp500 missing here"]
    till.shop.arrange("UPDATE chargebacks SET last_told_at = now()")


def test_what_the_bank_did_a_moment_ago_may_still_be_on_its_way(till: Till) -> None:
    qr, number = executed(till)
    till.control("deny", qr_content=qr, amount=3_000)
    container, now = till.shop.container, SystemClock().now()
    look = check_bank(
        container.database, container.of(PaymentService), now - timedelta(days=1), now
    )
    assert [row for row in till.do(look).evidence if row["number"] == number] == []


def test_money_in_suspense_came_all_the_same(till: Till) -> None:
    _, attempt, qr = till.order()
    number = till.control("pay", qr_content=qr)["rrn"]
    assert ours(till, number, wrong(till)) == ["not in our books"]
    body: dict[str, Any] = {
        "latestTransactionStatus": "00",
        "amount": {"value": f"{PRICE}.00", "currency": "IDR"},
        "additionalInfo": {"rrn": number},
    }
    assert till.notify(body) == "suspended_reference_missing"
    assert ours(till, number, wrong(till)) == []
    till.ask()
    assert ours(till, number, wrong(till)) == []
    assert till.attempt(attempt)["state"] == "paid"


def test_what_the_bank_gave_back_itself_is_refunded_on_both_sides(till: Till) -> None:
    qr, number = executed(till)
    till.control("refund", qr_content=qr, amount=4_000)
    assert ours(till, number, wrong(till)) == [
        "refunded Rp4.000 at the bank, Rp0 in our books: Rp4.000 missing here"
    ]
    [attempt] = till.rows("SELECT attempt_id FROM captures WHERE payment = %s", number)
    body = paid_body(till.reference(attempt["attempt_id"]), number, "4000.00")
    assert till.notify(body | {"latestTransactionStatus": "04"}) == "refunded"
    till.look_up()
    assert ours(till, number, wrong(till)) == []


def test_what_the_bank_did_a_moment_ago_is_no_part_of_a_difference(till: Till) -> None:
    _, attempt, qr = till.order()
    number = till.control("pay", qr_content=qr)["rrn"]
    till.ask()
    till.control("refund", qr_content=qr, amount=3_000)
    shop = till.shop
    shop.arrange("SELECT refund_given_back(%s, %s, %s, 4000, '{}')", shop.account, attempt, number)
    shop.work()
    for after in (timedelta(seconds=2), LATER):
        assert ours(till, number, wrong(till, after=after)) == [
            "refunded Rp3.000 at the bank, Rp4.000 in our books: Rp1.000 too much here"
        ]


def test_what_only_we_say_the_bank_gave_back_is_named(till: Till) -> None:
    _, attempt, qr = till.order()
    number = till.control("pay", qr_content=qr)["rrn"]
    till.ask()
    shop = till.shop
    # An operator believed the bank's word; its record does not have it, and names nothing lately.
    shop.arrange("SELECT refund_given_back(%s, %s, %s, 4000, '{}')", shop.account, attempt, number)
    shop.work()
    begins = SystemClock().now() + FRESH + MOMENT
    shop.arrange("UPDATE chargebacks SET last_told_at = now() + interval '16 minutes'")
    payments = shop.container.of(PaymentService)
    look = check_bank(shop.container.database, payments, begins, begins + timedelta(minutes=2))
    found = [row["is"] for row in till.do(look).evidence if row["number"] == number]
    assert found == ["refunded Rp0 at the bank, Rp4.000 in our books: Rp4.000 too much here"]
    shop.arrange("UPDATE chargebacks SET last_told_at = now()")
