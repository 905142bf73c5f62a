"""`payment_capture` after another notification of the same payment."""

from uuid import UUID

from tests.support.shop import Shop


def state_of(shop: Shop, attempt: UUID) -> str:
    [row] = shop.rows("SELECT state FROM payment_attempts WHERE attempt_id = %s", attempt)
    return str(row["state"])


def test_charged_back_attempt_is_not_paid_by_a_second_payment(shop: Shop) -> None:
    order = shop.place(1)
    shop.make_qr(*shop.attempts(order))
    first = shop.pay(order)
    shop.work()
    assert shop.charge_back(first) == "denied"
    assert state_of(shop, first.attempt) == "denied"
    second = shop.pay(order, attempt=first.attempt)
    assert shop.tell(second) == "known", "the payment itself counts all the same"
    assert state_of(shop, first.attempt) == "denied"


def test_paid_attempt_is_queried_after_waiting_ones(shop: Shop) -> None:
    order = shop.place(1)
    shop.make_qr(*shop.attempts(order))
    rank = "SELECT ask_rank FROM payment_attempts"
    assert shop.rows(rank) == [{"ask_rank": 0}]
    shop.pay(order)
    assert shop.rows(rank) == [{"ask_rank": 1}]
